"""A small server with the gate's HTTP contract (docs/gates.md), for tests of the application alone.

It has faults on demand: `fault` is what happens to the next uploads.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from lianfang.config.app_files import _TYPES, POLICY, policy_of
from lianfang.config.islands import DIST
from lianfang_chain import cbor
from lianfang_pass import cose, passages, rules, signals, statuslist
from lianfang_pass.evidence import AGES
from lianfang_pass.keylist import Purpose
from lianfang_pass.keys import PublicKey
from lianfang_pass.statuslist import ListStatus
from tests.pass_ import world

if TYPE_CHECKING:
    from pathlib import Path

GATE: Final = f"/api/v1/gates/{UUID(bytes=world.GATE_ID)}"
CODE: Final = bytes(range(16))
SIZE: Final = 100_000
SHARD: Final = "/s/510402003"
PHONE: Final = "19900000110"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class GateServer:
    """One gate, one own compound, one shard with something in it; `now` is the server's clock."""

    def __init__(
        self, *, now: int = world.NOON, apps: Path = DIST, policy: str = "", organs: str = "", port: int = 0
    ) -> None:
        self.now = now
        self.apps = apps
        self.policy = policy
        self.organs = organs
        self.version = 17
        self.statuses: dict[int, ListStatus] = {}
        self.ends: dict[int, int | None] = {}
        self.list_at = now - 600
        self.deltas: list[tuple[int, bytes]] = []
        self.acts: list[rules.GateAct] = []
        self.compound: list[list[Any]] = [
            ["12345678-89", world.URI, 4711, "P", "5-2-603", 1, "LXM", 1988],
            ["40000123-78", world.URI, 815, "P", "3-1-101", 1, "WDF", 1939],
        ]
        #: Residents without a card, and cards that are over, as in the file of the compound.
        self.residents: list[list[Any]] = []
        self.ended: list[list[Any]] = []
        self.kind = "compound"
        #: Numbers of the guards named for the post.
        self.guards: list[cbor.Value] = []
        #: What the desk has corrected of the post since.
        self.name, self.post_phone = "云岭苑北门", PHONE
        #: How old evidence may be, by command's word.
        self.ages = AGES
        #: Published on top of the number of acts: a set without an act that was lifted is a newer one.
        self.rules_version = 1
        #: Codes of further streets whose lists, empty ones, this gate gets.
        self.more_lists: tuple[str, ...] = ()
        self.rows: dict[tuple[bytes, int], bytes] = {}
        #: Files of the chain by their paths below /open/chain/.
        self.chain: dict[str, str] = {}
        #: The ends of addresses that answer 503.
        self.out_of_order: tuple[str, ...] = ()
        self.uploads = 0
        #: What each poll said of the highest number written.
        self.lasts: list[str] = []
        #: How long each poll was ready to wait.
        self.waits: list[str] = []
        #: A server of before codes were kept refuses a batch with a longer row.
        self.longest_row: int | None = None
        self.fault = ""
        #: What the desk did with the device: "" nothing, "signed" withdrawn, "unsigned" as a server of before says it,
        #: "forged" with somebody else's key, "portal" without the signed time too, "forbidden" a bare 403.
        self.withdrawal = ""
        self.turned = 0
        self.deaf_to_signals = False
        #: Ends the silence of "half-open".
        self.let_go = threading.Event()
        self.stopped = False
        self.signals: dict[int, signals.Signal] = {}
        self.device_key: PublicKey | None = None
        self.holder: PublicKey | None = None
        self.page = ""
        #: What the phone carries besides the personal pass: how each differs from that one.
        self.work: list[dict[str, Any]] = []
        self.asked_by_phones = 0
        #: The sentence with which phones are refused.
        self.phone_refusal = ""
        self.pass_until = now + 3 * world.DAY
        self.changed = threading.Condition()
        self._http = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self.address = f"http://localhost:{self.port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop answering; open connections too, as when the server process is gone."""
        self.stopped = True
        self.let_go.set()
        with self.changed:
            self.changed.notify_all()
        self._http.shutdown()
        self._http.server_close()

    def back_again(self, *, now: int) -> GateServer:
        """The same server after its outage, at the same address, with all it had."""
        again = GateServer(now=now, apps=self.apps, port=self.port)
        for kept in ("version", "statuses", "ends", "deltas", "acts", "compound", "rows", "device_key"):
            setattr(again, kept, getattr(self, kept))
        return again

    def invitation(self, *, thumbprint: bytes | None = None) -> str:
        content = cbor.encode(
            {1: 1, 2: CODE, 3: thumbprint or PublicKey.of(world.ROOT).thumbprint, 4: world.GATE_ID}
        )
        return f"{self.address}/gate/#enrol={b64(content)}"

    def suspend(self, index: int, end: int | None, *, at: int | None = None) -> None:
        """Publish an order: a signed delta, as the long poll delivers it."""
        at = at or self.now
        with self.changed:
            change = statuslist.Change(index, ListStatus.SUSPENDED, end)
            delta = statuslist.sign_delta(
                [change], uri=world.URI, from_version=self.version, to_version=self.version + 1, at=at,
                key=world.KEYS[Purpose.DELTA],
            )  # fmt: skip
            self.deltas.append((self.version, delta))
            self.version += 1
            self.statuses[index], self.ends[index] = ListStatus.SUSPENDED, end
            self.changed.notify_all()

    def said_of_post(self) -> dict[int, cbor.Value]:
        lists: list[cbor.Value] = [world.URI, *(f"lf:s/{street}" for street in self.more_lists)]
        own: list[cbor.Value] = [world.HOME] if self.kind == "compound" else []
        return {1: 1, 4: self.name, 5: own, 6: lists, 9: self.post_phone, 10: self.kind, 11: self.guards}

    def codes(self) -> list[str | None]:
        """The code that each row carries."""
        return [row.code for row in self.opened()]

    def opened(self) -> list[passages.Passage]:
        """What the rows say, by the key that only the server has."""
        return [
            passages.open_passage(row, world.KEYS[Purpose.SEAL], device=device, seq=seq)
            for (device, seq), row in sorted(self.rows.items())
        ]


def _handler(server: GateServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
            if server.stopped:
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            if self.path.startswith(("/api/", "/s/", "/keys")) and not (
                server.withdrawal in ("portal", "forbidden") and status in (401, 403)
            ):
                signed = passages.sign_time(server.now, key=world.KEYS[Purpose.RECEIPT])
                self.send_header("LF-Time", b64(signed))
            self.send_header("Content-Length", str(len(body)))
            try:
                self.end_headers()
                self.wfile.write(body)
            except OSError:  # the browser is gone
                self.close_connection = True

        def entitled(self) -> bool:
            scheme, _, token = self.headers.get("Authorization", "").partition(" ")
            if scheme != "LF-Device" or server.device_key is None:
                return False
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            read = cose.read1(raw, protected_keys=frozenset({cose.ALG}))
            claims = cbor.decode(read.payload)
            assert isinstance(claims, dict)
            fits = claims[2] == world.DEVICE_ID.hex() and claims[3] == "LF"
            return fits and abs(claims[6] - server.now) <= 300 and read.verified_by(server.device_key)

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path.startswith("/gate/"):
                self.file(server.apps / "gate", url.path.removeprefix("/gate/"))
            elif url.path.startswith("/static/dist/"):
                self.file(server.apps, url.path.removeprefix("/static/dist/"))
            elif url.path.startswith("/pass/"):
                self.file(server.apps / "pass", url.path.removeprefix("/pass/"), Service_Worker_Allowed="/")
            elif url.path in ("/pages/island", "/me/pass/"):
                self.answer(200, server.page.encode(), Content_Type="text/html; charset=utf-8",
                            Content_Security_Policy=POLICY)  # fmt: skip
            elif url.path.startswith("/open/chain/"):
                file = server.chain.get(url.path.removeprefix("/open/chain/"))
                self.answer(404) if file is None else self.answer(200, file.encode())
            elif url.path == "/open/verify/policy.txt":
                self.answer(200, server.policy.encode(), Content_Type="text/plain; charset=utf-8")
            elif url.path == "/open/verify/organs.txt" and server.organs:
                self.answer(200, server.organs.encode(), Content_Type="text/plain; charset=utf-8")
            elif url.path.startswith("/open/verify/"):
                self.file(server.apps / "verifier", url.path.removeprefix("/open/verify/"))
            elif server.withdrawal and url.path != "/keys":
                self.turned_away()
            elif server.out_of_order and url.path.endswith(server.out_of_order):
                self.answer(503)
            elif not self.entitled():
                self.answer(401, cbor.encode({1: "time", 2: "时间不符"}))
            elif url.path == "/keys":
                self.answer(200, world.KEYS_BYTES)
            elif url.path == f"{GATE}/rules":
                read = parse_qs(url.query).get("ages") == ["1"]
                signed = rules.sign_rules(
                    server.acts, version=server.rules_version + len(server.acts), at=server.now,
                    key=world.KEYS[Purpose.RULES], ages=server.ages if read else AGES,
                )  # fmt: skip
                self.answer(200, signed)
            elif url.path == f"{GATE}/post":
                self.answer(200, cbor.encode(server.said_of_post()), ETag='"p1"')
            elif url.path == f"{GATE}/compound":
                if self.headers.get("If-None-Match") == '"c1"':
                    self.answer(304)
                else:
                    self.answer(200, cbor.encode(
                        {1: 1, 2: server.compound, 3: server.residents, 4: server.ended}
                    ), ETag='"c1"')  # fmt: skip
            elif url.path == SHARD:
                bits = statuslist.pack(server.statuses, SIZE)
                key = world.KEYS[Purpose.STATUSLIST]
                self.answer(200, statuslist.sign_list(
                    bits, uri=world.URI, version=server.version, at=server.list_at, key=key))  # fmt: skip
            elif url.path == f"{SHARD}/u":
                ends = {i: server.ends[i] for i, s in server.statuses.items() if s is ListStatus.SUSPENDED}
                key = world.KEYS[Purpose.STATUSLIST]
                self.answer(200, statuslist.sign_until(
                    ends, uri=world.URI, version=server.version, at=server.list_at, key=key))  # fmt: skip
            elif url.path == f"{SHARD}/d":
                asked = parse_qs(url.query)
                server.lasts.append(asked["last"][0])
                server.waits.append(asked["wait"][0])
                self.changes(int(asked["v"][0]), wait=asked["wait"] != ["0"])
            elif url.path.split("/")[1] == "s" and url.path.split("/")[2] in server.more_lists:
                self.empty_list(url.path.split("/")[2], url.path.split("/")[3:])
            else:
                self.answer(404)

        def turned_away(self) -> None:
            server.turned += 1
            keys = {"signed": world.KEYS[Purpose.RECEIPT], "forged": world.STRANGER}
            said: dict[int, cbor.Value] = {1: "device", 2: "设备已停用"}
            if server.withdrawal in keys:
                key = keys[server.withdrawal]
                said[3] = passages.sign_withdrawal(world.DEVICE_ID, at=server.now, key=key)
            self.answer(403 if server.withdrawal == "forbidden" else 401, cbor.encode(said))

        def empty_list(self, street: str, part: list[str]) -> None:
            if part == ["d"]:
                self.answer(304)
                return
            said: dict[str, Any] = {"uri": f"lf:s/{street}", "version": 1, "at": server.list_at}
            said["key"] = world.KEYS[Purpose.STATUSLIST]
            bits = statuslist.pack({}, SIZE)
            self.answer(
                200, statuslist.sign_until({}, **said) if part else statuslist.sign_list(bits, **said)
            )

        def changes(self, held: int, *, wait: bool) -> None:
            until = time.monotonic() + (25 if wait else 0)
            with server.changed:
                while server.version <= held and time.monotonic() < until:
                    server.changed.wait(5)
                    if server.version <= held:
                        break
                waiting: list[cbor.Value] = [delta for begins, delta in server.deltas if begins >= held]
            self.answer(200, cbor.encode(waiting)) if waiting else self.answer(304)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if self.path == "/api/v1/gates/enrol":
                self.enrol(body)
            elif self.path == f"{GATE}/passages":
                self.upload(body)
            elif self.path == "/pages/phone":
                self.phone(body)
            elif self.path == f"{GATE}/signals" and server.deaf_to_signals:
                self.answer(503)
            elif self.path == f"{GATE}/signals":
                batch = passages.decode_batch(body)
                for i, row in enumerate(batch.rows):
                    server.signals[batch.from_seq + i] = signals.open_signal(
                        row, world.KEYS[Purpose.SEAL], device=batch.device, seq=batch.from_seq + i
                    )
                receipt = passages.sign_receipt(batch, at=server.now, key=world.KEYS[Purpose.RECEIPT])
                self.answer(201, receipt, Content_Type="application/cwt")
            else:
                self.answer(404)

        def enrol(self, body: bytes) -> None:
            asked = cbor.decode(body)
            assert isinstance(asked, dict)
            if asked[2] != CODE:
                self.answer(403, cbor.encode({1: "code", 2: "登记码无效"}))
                return
            server.device_key = PublicKey.read(asked[3])
            self.answer(201, cbor.encode({
                2: world.DEVICE_ID, 3: world.GATE_ID, 7: PublicKey.of(world.ROOT).cose(), 8: world.KEYS_BYTES,
                **server.said_of_post(),
            }))  # fmt: skip

        def phone(self, body: bytes) -> None:
            """A resident's phone: enrolment by one-time code, renewal by a code of this instant."""
            server.asked_by_phones += 1
            asked = json.loads(body)
            if server.phone_refusal:
                said = json.dumps({"refused": "gates:under_order", "sentence": server.phone_refusal})
                self.answer(422, said.encode(), Content_Type="application/json")
                return
            if "code" in asked:
                if asked["code"] != "LUO-2020":
                    self.answer(403)
                    return
                raw = asked["key"]
                server.holder = PublicKey.read(
                    cbor.decode(base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)))
                )
            tokens = [
                b64(world.pass_token(world.a_phone_pass(
                    holder_key=server.holder, expires_at=server.pass_until, **changes
                )))
                for changes in ({}, *server.work)
            ]  # fmt: skip
            said = json.dumps({"pass": tokens[0], "passes": tokens})
            self.answer(200, said.encode(), Content_Type="application/json")

        def upload(self, body: bytes) -> None:
            server.uploads += 1
            fault, server.fault = server.fault, ""
            if fault == "portal":
                self.answer(200, b"<html>Welcome to free Wi-Fi</html>", Content_Type="text/html")
                return
            if fault == "redirect":
                self.answer(307, Location="/pages/island")
                return
            if fault == "half-open":
                # The line stands, nothing comes: until the server stops, or the test lets go.
                server.let_go.wait(60)
                self.close_connection = True
                return
            batch = passages.decode_batch(body)
            if server.longest_row is not None and any(len(row) > server.longest_row for row in batch.rows):
                self.answer(400, cbor.encode({1: "form", 2: "格式不对"}))
                return
            for i, row in enumerate(batch.rows):
                held = server.rows.setdefault((batch.device, batch.from_seq + i), row)
                assert held == row, "one key with two contents"
            key = world.KEYS[Purpose.RECEIPT]
            receipt = passages.sign_receipt(batch, at=server.now, key=key)
            if fault == "lost answer":
                self.close_connection = True
                self.connection.close()
                return
            if fault in ("cut", "drip"):
                self.in_pieces(receipt, whole=fault == "drip")
                return
            if fault == "other receipt":
                short = passages.Batch(batch.device, batch.from_seq, (hashlib.sha256(b"x").digest() * 4,))
                receipt = passages.sign_receipt(short, at=server.now, key=key)
            self.answer(201, receipt, Content_Type="application/cwt")

        def in_pieces(self, body: bytes, *, whole: bool) -> None:
            """A 201 whose body comes byte by byte, or stops in the middle although its length was said."""
            self.send_response(201)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            for byte in body if whole else body[: len(body) // 2]:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.01)
            self.close_connection = not whole

        def file(self, folder: Path, name: str, **more: str) -> None:
            path = folder / (name or "index.html")
            if not path.is_file():
                self.answer(404)
                return
            kind = _TYPES.get(path.suffix, "application/octet-stream")
            headers = {
                "Content_Type": kind,
                "Cache_Control": "no-cache",
                "Content_Security_Policy": policy_of(path.name),
            }
            self.answer(200, path.read_bytes(), **headers, **more)

    return Handler
