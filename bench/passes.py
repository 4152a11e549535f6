"""Passes and gates: checking, status files, uploads with receipts, and how long a change takes to every gate."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import random  # noqa: TID251 - seeded: the same population on every run
import resource
import socket
import subprocess
import sys
import time
import zlib
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cryptography.hazmat.primitives.asymmetric import ec

GATES: Final = 552
SHARD: Final = "510402003"
#: More than are remembered, so each is seen for the first time again.
PHONES: Final = 5_000
_BATCH: Final = 100
_CLIENTS: Final = 8
#: Ours and COPY take turns of so many batches.
_TURN: Final = 100


def cases(size: str) -> Iterable[dict[str, Any]]:
    """All of them. `size` changes how long each is measured, never what."""
    seconds = 1.0 if size == "small" else 5.0
    yield from checking(seconds)
    yield from status_bytes()
    small = size == "small"
    # Ten thousand connections from here and as many in the server.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with _Server() as server:
        yield from uploads(server, batches=200 if small else 2000)
        yield from to_every_gate(server, waiting=GATES, changes=5 if small else 20)
        if not small:
            yield from to_every_gate(server, waiting=10_000, changes=5)
        yield from rush(server, seconds=5 if small else 300)


# --- P9: checking in Python ----------------------------------------------------------------------------------


def checking(seconds: float) -> Iterable[dict[str, Any]]:
    """Text of a QR code → verdict, against one bare ECDSA verification of the same signature."""
    from lianfang_pass import base45, scan, statuslist, tokens
    from lianfang_pass.keylist import ListedKey, Purpose, accept_key_list, sign_key_list
    from lianfang_pass.keys import PublicKey, private_key_from_seed

    at = 1_580_875_200
    root, key = (private_key_from_seed(bytes([n]) * 32) for n in (1, 2))
    listed = [ListedKey(PublicKey.of(key), purpose.value, at - 86_400, at + 86_400) for purpose in Purpose]
    public = PublicKey.of(root)
    keys = accept_key_list(
        sign_key_list(listed, version=1, at=at, root=root), root=public, thumbprint=public.thumbprint
    )
    shard = statuslist.ShardState(f"lf:s/{SHARD}", 1, at, bytes(100_000), {})
    held = scan.Held(keys, {shard.uri: shard}, floor=at)
    gate = scan.Gate(frozenset({"m1k"}))

    def text_of(phone: ec.EllipticCurvePrivateKey | None) -> str:
        claims = tokens.Pass(
            cti=bytes(8), issued_at=at - 60, expires_at=at + 86_400, list_uri=shard.uri, index=4711,
            kind=tokens.PassClass.PERSON, identity=tokens.Identity("5-2-603", 1, "LXM", 1988), zones=("m1k",),
            flags=tokens.Flag.PAPER if phone is None else tokens.Flag.NONE,
            holder_key=None if phone is None else PublicKey.of(phone),
        )  # fmt: skip
        token = tokens.sign_pass(claims, key=key)
        return base45.to_text(token if phone is None else tokens.sign_code(token, at=at, key=phone))

    def bare() -> Callable[[], object]:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        algorithm, message = ec.ECDSA(hashes.SHA256()), bytes(150)
        signature, verifier = key.sign(message, algorithm), key.public_key()
        return lambda: verifier.verify(signature, message, algorithm)

    def ours(*shown: str) -> Callable[[], object]:
        looks = itertools.cycle([scan.Look([text], inward=False, device_time=at) for text in shown])
        assert scan.look(next(looks), gate=gate, held=held).decision.verdict == "ALLOW"
        return lambda: scan.look(next(looks), gate=gate, held=held)

    phones = [private_key_from_seed(n.to_bytes(32, "big")) for n in range(1, PHONES + 1)]
    again = ours(text_of(phones[0]))
    per = _in_turns({"bare": bare(), "paper": ours(text_of(None)), "again": again}, seconds)
    yield _row("P9 verdict from a paper pass, Python", per["paper"], per["bare"], "1/s CPU", 0.5)
    # Two signatures, the pass's and the phone's.
    yield _row("P9 verdict from a phone code, seen before", per["again"], per["bare"] / 2, "1/s CPU", 0.5)
    per = _in_turns({"bare": bare(), "first": ours(*map(text_of, phones))}, seconds)
    yield _row("P9 verdict from a phone code, seen first", per["first"], per["bare"] / 2, "1/s CPU")


def _in_turns(runs: dict[str, Callable[[], object]], seconds: float) -> dict[str, float]:
    """How often a second of CPU each can be run; in turns, so that a machine that is busy for a moment slows all."""
    spent = dict.fromkeys(runs, 0.0)
    done = dict.fromkeys(runs, 0)
    until = time.process_time() + seconds
    while time.process_time() < until:
        for name, run in runs.items():
            began = time.process_time()
            for _ in range(50):
                run()
            spent[name] += time.process_time() - began
            done[name] += 50
    return {name: done[name] / spent[name] for name in runs}


# --- P12: bytes ---------------------------------------------------------------------------------------------


def status_bytes() -> Iterable[dict[str, Any]]:
    """Signed files of 400,000 passes against the compressed bits alone, and deltas against 4 B a change + 300."""
    from lianfang_pass import statuslist
    from lianfang_pass.keys import private_key_from_seed
    from lianfang_pass.statuslist import Change, ListStatus

    chance = random.Random(12)
    key, at, uri, passes = private_key_from_seed(bytes([2]) * 32), 1_580_875_200, f"lf:s/{SHARD}", 400_000
    for share in (0.005, 0.05):
        chosen = chance.sample(range(passes), int(passes * share))
        bits = statuslist.pack(dict.fromkeys(chosen, ListStatus.SUSPENDED), passes)
        raw = len(zlib.compress(bits, 9))
        began = time.process_time()
        whole = statuslist.sign_list(bits, uri=uri, version=1, at=at, key=key, level=9)
        spent = (time.process_time() - began) * 1000
        yield {
            **_row(f"P12 list, 400,000 passes, {share:.1%}", len(whole), raw, "B", 1.15, most=True),
            "cpu_ms": spent,
        }
        ends = {index: at + 86_400 * chance.randrange(1, 15) for index in chosen}
        until = statuslist.sign_until(ends, uri=uri, version=1, at=at, key=key, level=9)
        yield _row(
            f"    until list, {share:.1%}",
            len(until),
            2 * len(chosen) + 200,
            "B (limit: 2 B a row)",
            2,
            most=True,
        )
    for changes in (10, 200, 2000):
        rows = [
            Change(i, ListStatus.SUSPENDED, at + 86_400 * 14)
            for i in sorted(chance.sample(range(passes), changes))
        ]
        data = statuslist.sign_delta(rows, uri=uri, from_version=1, to_version=2, at=at, key=key)
        yield _row(
            f"P12 delta, {changes} suspensions with ends", len(data), 4 * changes + 300, "B", 1.5, most=True
        )


# --- a server of its own -------------------------------------------------------------------------------------


@dataclass
class Device:
    id: UUID
    gate: UUID
    key: Any

    def header(self, at: int) -> str:
        from lianfang_pass import cose

        token = cose.sign1({}, {2: self.id.hex, 3: "LF", 6: at}, key=self.key)
        return "LF-Device " + base64.urlsafe_b64encode(token).rstrip(b"=").decode()


class _Server:
    """The gate front in a process of its own, a gate, and devices enrolled at it."""

    def __enter__(self) -> _Server:
        from lianfang.credentials import actions as credentials
        from lianfang.gates import jobs
        from lianfang.gates.models import Device as DeviceRow
        from lianfang.gates.models import Gate
        from lianfang.kernel import clock, ids
        from lianfang_pass.keys import PublicKey, private_key_from_seed

        now = clock.now()
        credentials.rotate_keys(now)
        credentials.publish(SHARD, [], now)
        jobs.ensure_partitions(now)
        gate = Gate.objects.create(
            id=ids.new_id(), name="bench", kind="road", area="d510402", shards=[SHARD], phone="0"
        )
        self.devices = []
        for n in range(GATES):
            key = private_key_from_seed(bytes(30) + (n + 1).to_bytes(2, "big"))
            self.devices.append(Device(ids.new_id(), gate.pk, key))
        DeviceRow.objects.bulk_create(
            DeviceRow(id=d.id, gate=gate, point=PublicKey.of(d.key).point(), enrolled_at=now)
            for d in self.devices
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "uvicorn", "bench.passes_server:app", "--port", str(self.port),
                "--log-level", "critical", "--timeout-graceful-shutdown", "1", "--no-access-log", "--loop", "uvloop", "--http", "httptools",
            ],
            env={**os.environ, "PYTHONPATH": os.getcwd()},
        )  # fmt: skip
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(20)

    def cpu(self) -> float:
        """Seconds of CPU the server process has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class _Connection:
    """HTTP/1.1 with keep-alive, no more than is needed."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def __aenter__(self) -> _Connection:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def ask(self, method: str, path: str, authorization: str, body: bytes = b"") -> tuple[int, bytes]:
        """Ask, on a new connection if the server has closed the one that was idle, as it does after 5 s."""
        try:
            return await self._ask(method, path, authorization, body)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.writer.close()
            await self.__aenter__()
            return await self._ask(method, path, authorization, body)

    async def _ask(self, method: str, path: str, authorization: str, body: bytes) -> tuple[int, bytes]:
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self.writer.write(head.encode() + body)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        status = int(answer[9:12])
        length = 0
        for line in answer.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return status, await self.reader.readexactly(length) if length and status != 304 else b""


# --- P7: uploads with receipts --------------------------------------------------------------------------------


def uploads(server: _Server, *, batches: int) -> Iterable[dict[str, Any]]:
    """Rows stored through HTTP, each batch with a verified receipt, against COPY in equal batches."""
    import psycopg

    from lianfang.credentials import queries
    from lianfang.gates.storage import parameters
    from lianfang_pass.keylist import accept_key_list
    from lianfang_pass.passages import Batch, accept_receipt, encode_batch

    root, listed = queries.root_public(), queries.key_list()
    assert listed is not None
    keys = accept_key_list(listed[1], root=root, thumbprint=root.thumbprint)
    chance = random.Random(7)
    # Sealed rows are noise to the server: 65 bytes of a point, 33 of a passage, 16 of a tag.
    work = []
    for n in range(batches):
        device = server.devices[n % GATES]
        rows = tuple(chance.randbytes(114) for _ in range(_BATCH))
        work.append((device, Batch(device.id.bytes, 1 + _BATCH * (n // GATES), rows)))
    bodies = {batch: encode_batch(batch) for _, batch in work}
    at = int(time.time())
    headers = {device.id: device.header(at) for device in server.devices}
    answers: list[tuple[bytes, Batch]] = []

    async def send(connection: _Connection, queue: list[tuple[Device, Batch]]) -> None:
        while queue:
            device, batch = queue.pop()
            path = f"/api/v1/gates/{device.gate}/passages"
            status, answer = await connection.ask("POST", path, headers[device.id], bodies[batch])
            assert status == 201, (status, answer)
            answers.append((answer, batch))

    ours, copied, cpu = 0.0, 0.0, 0.0

    async def turns() -> None:
        """Ours and COPY in turns, so that a machine that is busy for a moment slows both; all connections stay open."""
        nonlocal ours, copied, cpu
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(_Connection(server.port)) for _ in range(_CLIENTS)]
            writers = [
                await stack.enter_async_context(await psycopg.AsyncConnection.connect(**parameters()))
                for _ in range(_CLIENTS)
            ]
            for begin in range(0, batches, _TURN):
                turn = work[begin : begin + _TURN]
                before, began = server.cpu(), time.perf_counter()
                queue = list(reversed(turn))
                await asyncio.gather(*(send(client, queue) for client in clients))
                turned = time.perf_counter()
                queue = list(reversed(turn))
                await asyncio.gather(*(_copy(writer, queue) for writer in writers))
                if begin:  # what is done once, connecting and preparing, is done in the first turn
                    ours += turned - began
                    copied += time.perf_counter() - turned
                    cpu += server.cpu() - before

    with psycopg.connect(**parameters()) as one:
        one.execute(
            "CREATE TABLE bench_copy (device uuid, seq bigint, gate uuid, received_at timestamptz, sealed bytea)"
        )
    asyncio.run(turns())
    assert all(accept_receipt(answer, keys=keys).covers(batch) for answer, batch in answers)
    sent = (batches - _TURN) * _BATCH
    row = _row(
        "P7 passages by HTTP with receipts, batches of 100",
        sent / ours,
        sent / copied,
        "rows/s (limit: COPY)",
        0.5,
    )
    yield {**row, "cpu_ms": cpu / sent * 1000}
    yield _row("    against the worst minute known of a province", sent / ours, 23_300, "rows/s", 1)


async def _copy(connection: Any, queue: list[tuple[Device, Any]]) -> None:
    from lianfang.kernel import clock

    at = clock.now()
    while queue:
        device, batch = queue.pop()
        async with (
            connection.transaction(),
            connection.cursor() as cursor,
            cursor.copy("COPY bench_copy FROM STDIN (FORMAT binary)") as copy,
        ):
            copy.set_types(["uuid", "int8", "uuid", "timestamptz", "bytea"])
            for n, row in enumerate(batch.rows):
                await copy.write_row((device.id, batch.from_seq + n, device.gate, at, row))


# --- a change to every gate -----------------------------------------------------------------------------------


def to_every_gate(server: _Server, *, waiting: int, changes: int) -> Iterable[dict[str, Any]]:
    """From the signature of an act on a pass to the verified delta at the last of the waiting gates.

    Each of the 552 gates verifies the delta itself; of thousands simulated in this one process, those that get
    the same bytes share one verification, as each would make it on a machine of its own.
    """
    from lianfang.credentials import actions as credentials
    from lianfang.credentials import queries
    from lianfang.gates import jobs, publisher
    from lianfang.kernel import clock, ids
    from lianfang.kernel.actor import Actor
    from lianfang_pass import statuslist
    from lianfang_pass.keylist import accept_key_list

    now = clock.now()
    by = Actor(
        user_id=ids.new_id(), pseudonym="bench", organ="bench", organ_kind="", grants=frozenset(), at=now,
        purpose="passes", surface="bench", request_id=ids.new_id(),
    )  # fmt: skip
    issued = [
        credentials.issue_pass(
            credentials.PassDraft(
                id=ids.new_id(), holder_id=ids.new_id(), kind="P", shard=SHARD, door="1-1-101", member_no=1,
                initials="DEMO", birth_year=1980, zones=("m1",), valid_from=now, valid_until=now + timedelta(days=3),
                channel="printed",
            ),
            by=by,
        )
        for _ in range(changes)
    ]  # fmt: skip
    publisher.run_once(now)
    jobs.keep(now)  # what was uploaded above is counted before anything is timed
    working = subprocess.Popen(
        [sys.executable, "-m", "bench.passes_server"], env={**os.environ, "PYTHONPATH": os.getcwd()}
    )
    time.sleep(5)
    root, listed, files = queries.root_public(), queries.key_list(), queries.files(SHARD)
    assert listed is not None
    assert files is not None
    keys = accept_key_list(listed[1], root=root, thumbprint=root.thumbprint)
    start = statuslist.accept_list(files.whole, files.until, uri=queries.uri(SHARD), keys=keys)
    took: list[float] = []
    verified: dict[tuple[int, bytes], Any] = {}

    def applied(held: Any, body: bytes) -> Any:
        if waiting <= GATES:
            return _applied(held, body, keys)
        if (held.version, body) not in verified:
            verified[held.version, body] = _applied(held, body, keys)
        return verified[held.version, body]

    async def story() -> None:
        begun = [0.0]
        reached = asyncio.Event()
        left = [0]
        at = int(time.time())

        async def gate(device: Device) -> None:
            held, header = start, device.header(at)
            async with _Connection(server.port) as connection:
                while True:
                    path = f"/s/{SHARD}/d?v={held.version}&wait=25"
                    status, body = await connection.ask("GET", path, header)
                    assert status in (200, 304), status
                    if status != 200:
                        continue
                    held = applied(held, body)
                    if wanted[0] is not None:
                        row = held.row(wanted[0])
                        if row is not None and row.status is statuslist.ListStatus.INVALID:
                            took.append(time.perf_counter() - begun[0])
                            left[0] -= 1
                            if left[0] == 0:
                                reached.set()

        wanted: list[int | None] = [None]
        gates = []
        for n in range(waiting):
            gates.append(asyncio.create_task(gate(server.devices[n % GATES])))
            if n % 200 == 199:
                await asyncio.sleep(
                    0.1
                )  # not all in one instant: so they come in earnest, 0-10 s after a cut
        await asyncio.sleep(3 + waiting / 1000)
        for one in issued:
            left[0], wanted[0] = waiting, one.index
            reached.clear()
            begun[0] = time.perf_counter()
            await asyncio.to_thread(_revoke, one.pass_id, by)
            arrived = asyncio.create_task(reached.wait())
            await asyncio.wait([arrived, *gates], timeout=60, return_when=asyncio.FIRST_COMPLETED)
            for task in gates:
                if task.done():
                    task.result()
            assert reached.is_set(), f"{left[0]} gates were not reached"
            await asyncio.sleep(0.5)
        for task in gates:
            task.cancel()
        await asyncio.gather(*gates, return_exceptions=True)

    cpu = server.cpu()
    asyncio.run(story())
    cpu = server.cpu() - cpu
    working.terminate()
    working.wait(20)
    took.sort()
    name = f"signature → applied at {waiting:,} waiting gates"
    yield {**_row(f"{name}, slowest", took[-1], 1, "s", 1, most=True), "cpu_ms": cpu / len(took) * 1000}
    yield _row(f"{name}, middle", took[len(took) // 2], 1, "s", 1, most=True)


def _revoke(pass_id: UUID, by: Any) -> None:
    from django.db import connection

    from lianfang.credentials import actions

    try:
        actions.revoke_pass(pass_id, reason="bench", by=by)
    finally:
        connection.close()


def _applied(held: Any, body: bytes, keys: Any) -> Any:
    from lianfang_chain import cbor
    from lianfang_pass import statuslist

    steps = cbor.decode(body, max_bytes=10**6)
    assert isinstance(steps, list)
    for step in steps:
        assert isinstance(step, bytes)
        held = statuslist.accept_delta(step, keys=keys, held=held)
    return held


# --- a rush ---------------------------------------------------------------------------------------------------

#: 250,000 passages a day (passes.md §4.6), half of them in four hours: 8.7 a second; ten times that.
_PLANNED: Final = 125_000 / (4 * 3600)
_RUSH: Final = 10 * _PLANNED


def rush(server: _Server, *, seconds: int) -> Iterable[dict[str, Any]]:
    """Ten times the plan, arriving by the clock whether the server keeps up or not (P16).

    A gate decides alone, so what is asked of it is that its verdict costs the same during the rush; what is asked
    of the server is that nothing accepted is lost and that the backlog is gone soon after.
    """
    from lianfang.credentials import queries
    from lianfang_pass.keylist import accept_key_list
    from lianfang_pass.passages import Batch, accept_receipt, encode_batch

    root, listed = queries.root_public(), queries.key_list()
    assert listed is not None
    keys = accept_key_list(listed[1], root=root, thumbprint=root.thumbprint)
    chance = random.Random(16)
    batch_of = 5  # what a gate has after the second and a half it waits
    arrivals = int(_RUSH * seconds / batch_of)
    next_seq = dict.fromkeys((d.id for d in server.devices), 1_000_000)
    before = _stored()
    calm = _verdicts(1.0)
    delays: list[float] = []
    backlog = [0, 0]
    during: list[float] = []

    async def story() -> float:
        loop = asyncio.get_running_loop()
        at = int(time.time())
        free: list[_Connection] = []
        began = loop.time()

        async def one(n: int) -> None:
            due = began + n * batch_of / _RUSH
            await asyncio.sleep(max(0.0, due - loop.time()))
            device = server.devices[n % GATES]
            rows = tuple(chance.randbytes(114) for _ in range(batch_of))
            batch = Batch(device.id.bytes, next_seq[device.id], rows)
            next_seq[device.id] += batch_of
            backlog[0] += 1
            backlog[1] = max(backlog)
            connection = free.pop() if free else await _Connection(server.port).__aenter__()
            path = f"/api/v1/gates/{device.gate}/passages"
            status, answer = await connection.ask("POST", path, device.header(at), encode_batch(batch))
            assert status == 201, status
            assert accept_receipt(answer, keys=keys).covers(batch)
            free.append(connection)
            backlog[0] -= 1
            delays.append(loop.time() - due)

        async def watching() -> None:
            await asyncio.sleep(seconds / 2)
            during.append(await asyncio.to_thread(_verdicts, 1.0))

        watch = asyncio.create_task(watching())
        await asyncio.gather(*(one(n) for n in range(arrivals)))
        ended = loop.time()
        await watch
        for connection in free:
            await connection.__aexit__()
        return max(0.0, ended - began - seconds)

    late = asyncio.run(story())
    delays.sort()
    accepted, kept = arrivals * batch_of, _stored() - before
    yield _row(
        f"rush: {_RUSH:.0f} passages/s for {seconds} s, accepted and stored", kept, accepted, "rows", 1
    )
    yield _row("rush: backlog empty after the last arrival", late, 300, "s", 1, most=True)
    yield _row(
        "rush: receipt after arrival, 95 of 100", delays[int(len(delays) * 0.95)], 20, "s", 1, most=True
    )
    yield _row("rush: most uploads waiting at once", backlog[1], GATES, "uploads", 1, most=True)
    yield _row("rush: verdicts a second of CPU at a gate, against before", during[0], calm, "1/s CPU", 0.95)


def _stored() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM gates_passage")
        return int(cursor.fetchone()[0])


def _verdicts(seconds: float) -> float:
    """Verdicts from a paper pass for each second of CPU, measured in a process of its own: a gate is another machine."""
    code = f"from bench.passes import checking; print(next(iter(checking({seconds})))['ours'])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    return float(done.stdout)


def _row(
    name: str, ours: float, limit: float, unit: str, goal: float | None = None, *, most: bool = False
) -> dict[str, Any]:
    """One line. `goal` is the ratio to reach, or with `most` not to exceed; without one it is printed only."""
    ratio = ours / limit
    return {
        "name": name,
        "ours": ours,
        "limit": limit,
        "ratio": ratio,
        "goal": goal,
        "unit": unit,
        "cpu_ms": None,
        "reached": goal is None or (ratio <= goal if most else ratio >= goal),
    }
