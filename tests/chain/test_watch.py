"""The witness's page says what it sees of the others, and whether its own clock is right."""

import contextlib
import http.server
import threading
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from tests.chain.logs import AT, LOG, ORIGIN, WITNESS, SmallLog, a_witness, seed

from lianfang_chain.checkpoint import open_checkpoint
from lianfang_chain.note import COSIGNATURE, Signer, parse_note
from lianfang_chain.tiles import ENTRIES, TileId
from lianfang_chain.witness.__main__ import main
from lianfang_chain.witness.mirror import NotAdmitted, TileSource
from lianfang_chain.witness.page import light_of, status_of, status_page
from lianfang_chain.witness.watch import Watch

PROPERTY, COMMUNITY, STRANGER = (
    Signer(f"{ORIGIN}/{name}", COSIGNATURE, seed(name)) for name in ("property", "community", "stranger")
)


def policy_of(*signers: Any) -> str:
    names = ("residents", "property", "community")[: len(signers)]
    witnesses = "".join(f"witness {name} {s.key}\n" for name, s in zip(names, signers, strict=True))
    return f"log {LOG.key}\n{witnesses}group parties 2 {' '.join(names)}\nquorum parties\n"


class Published:
    """What the log's server hands out, and what its clock says."""

    def __init__(self, log: Any) -> None:
        self.log, self.at = log, AT
        self.files: dict[str, bytes] = {"/policy.txt": policy_of(WITNESS, PROPERTY, COMMUNITY).encode()}
        self.entries = 200

    def sign(self, *by: Any) -> None:
        note = self.log.note()
        text = open_checkpoint(note, LOG.key)[0].text
        self.files["/checkpoint"] = bytes(parse_note(note).with_signatures(s.cosign(text, at=AT) for s in by))


@pytest.fixture
def log() -> Any:
    return SmallLog().grow(5)


@pytest.fixture
def server(log: Any) -> Iterator[Any]:
    published = Published(log)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = published.files.get(self.path)
            self.send_response_only(published.entries if "/entries/" in self.path else 200 if body else 404)
            self.send_header("Date", formatdate(published.at, usegmt=True))
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: Any) -> None:
            pass

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True).start()
    published.url = f"http://127.0.0.1:{made.server_address[1]}"  # type: ignore[attr-defined]  # known now
    yield published
    made.shutdown()
    made.server_close()


@pytest.fixture
def witness(tmp_path: Path, log: Any) -> Iterator[Any]:
    witness = a_witness(tmp_path / "w", log)
    assert witness.add_checkpoint(log.submission(0)).status == 200
    with contextlib.closing(witness.store):
        yield witness


def test_while_the_others_do_not_sign_the_light_says_so_after_a_minute(witness: Any, server: Any) -> None:
    watch = Watch(witness, server.url)
    server.sign(WITNESS, COMMUNITY)
    watch.look()
    assert light_of(witness) == "green"
    server.sign(WITNESS)
    watch.look()
    witness.now = lambda: AT + 60
    watch.look()
    assert light_of(witness) == "green"
    witness.now = lambda: AT + 61
    assert light_of(witness) == status_of(witness)["light"] == "alone"
    page = status_page(witness, "居民")
    for words in ("签名不够", "还没有签名：物业、社区", "到期和解除照常生效", "打电话给"):
        assert words in page
    server.sign(WITNESS, PROPERTY)
    watch.look()
    assert light_of(witness) == "green"
    assert "还没有签名" not in status_page(witness, "居民")


def test_only_lines_that_verify_count(witness: Any, server: Any) -> None:
    watch = Watch(witness, server.url)
    forged = Signer(PROPERTY.key.name, COSIGNATURE, seed("another"))
    server.sign(WITNESS, STRANGER, forged)
    watch.look()
    assert witness.lights.alone_since == AT


def test_a_trust_file_that_was_handed_over_is_believed_and_not_the_logs(witness: Any, server: Any) -> None:
    """A log that names false witnesses would hide that the true ones are silent."""
    server.files["/policy.txt"] = policy_of(WITNESS, STRANGER, COMMUNITY).encode()
    server.sign(WITNESS, STRANGER)
    Watch(witness, server.url).look()
    assert witness.lights.alone_since is None
    Watch(witness, server.url, policy=policy_of(WITNESS, PROPERTY, COMMUNITY)).look()
    assert witness.lights.alone_since == AT


#: Groups within groups, more than Python goes down; all of it fits into what is read of a trust file.
DEEP = b"".join(b"group %d 1 %s\n" % (n, b"%d" % (n - 1) if n else b"residents") for n in range(3_000))


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"nonsense",
        b"\xff",
        policy_of(WITNESS).partition("group")[0].encode() + DEEP + b"quorum 2999\n",
    ],
)
def test_what_cannot_be_read_says_nothing(witness: Any, server: Any, broken: bytes) -> None:
    server.sign(WITNESS)
    server.files["/policy.txt"] = broken
    Watch(witness, server.url).look()
    server.files["/policy.txt"] = policy_of(PROPERTY, COMMUNITY).encode()  # we are not entered yet
    Watch(witness, server.url).look()
    server.files["/policy.txt"] = policy_of(WITNESS, PROPERTY, COMMUNITY).encode()
    server.files["/checkpoint"] = broken
    Watch(witness, server.url).look()
    Watch(witness, "http://127.0.0.1:9").look()
    assert witness.lights.alone_since is None
    assert light_of(witness) == "green"


@pytest.mark.parametrize(
    ("off", "words"), [(-900, "慢约 15 分钟"), (900, "快约 15 分钟"), (-3 * 86_400, "慢约 3 天")]
)
def test_a_wrong_clock_is_said_on_the_page(witness: Any, server: Any, off: int, words: str) -> None:
    server.sign(WITNESS, PROPERTY)
    server.at = AT - off
    Watch(witness, server.url).look()
    assert light_of(witness) == "yellow"
    assert words in status_page(witness, "居民")
    server.at = AT - 300 if off > 0 else AT + 300
    Watch(witness, server.url).look()
    assert light_of(witness) == "green"  # it works, and should be set right all the same
    assert "约 5 分钟" in status_page(witness, "居民")
    server.at = AT + 60
    Watch(witness, server.url).look()
    assert "这台电脑的钟" not in status_page(witness, "居民")


def test_entries_that_the_log_does_not_let_us_read_are_told_as_that(
    witness: Any, server: Any, log: Any
) -> None:
    server.entries = 403
    source = TileSource(server.url, token=lambda: "")
    with pytest.raises(NotAdmitted):
        source(TileId(ENTRIES, 0, 5))
    log.grow(1)

    def read(tile: TileId) -> bytes:
        return source(tile) if tile.level == ENTRIES else log.read(tile)

    whole, witness.read = witness.read, read
    assert witness.add_checkpoint(log.submission(5)).status == 503
    assert "503号：对方的服务器不让我们读记录，多半是这台电脑的日期或时间不准" in status_page(witness, "居民")
    server.entries = 500
    assert witness.add_checkpoint(log.submission(5)).status == 503
    assert "503号：对方的服务器没有给出新记录" in status_page(witness, "居民")
    witness.read = whole
    assert witness.add_checkpoint(log.submission(5)).status == 200
    assert light_of(witness) == "green"


@pytest.mark.parametrize("guide", ["witness.zh.md", "witness.en.md"])
def test_the_guides_speak_of_the_clock_and_of_the_trust_file(guide: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / guide).read_text()
    assert 'policy = "policy.txt"' in text
    assert "签名不够" in text
    assert ("钟要准" if "zh" in guide else "The clock must be right") in text


def test_the_program_takes_the_trust_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "--policy" in capsys.readouterr().out
