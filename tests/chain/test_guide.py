"""A committee follows its guide, from the file that it is handed to the red light: in an environment of its own, with
neither Django nor psycopg. Every command, address and line of the configuration is taken out of the guide's text, so a
word that is wrong there is red here.

The machine has no network: the one package that the guide fetches is packed again out of the environment of the tests.
"""

from __future__ import annotations

import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final

import pytest
from tests.chain.logs import AT, LOG, ORIGIN, WITNESS, SmallLog
from tests.chain.test_watch import COMMUNITY, PROPERTY, policy_of

from lianfang_chain.client import Cosigned, NotCosigned, add_checkpoint, held_by, send
from lianfang_chain.note import VerifierKey
from lianfang_chain.reading import reader_of
from lianfang_chain.submission import AddCheckpoint
from lianfang_chain.witness.joining import fingerprint

pytestmark = pytest.mark.nightly  # an environment of its own is made: twelve seconds for each guide

ROOT: Final = Path(__file__).parents[2]
NAME: Final = f"{ORIGIN}/residents-2"
#: What the guide calls the public package, and what that one needs.
FETCHED: Final = ("cryptography", "cffi", "pycparser")


class Guide:
    """The text, and what a reader would copy out of it."""

    def __init__(self, file: str) -> None:
        self.text = (ROOT / "docs" / file).read_text()
        self.blocks = [
            "\n".join(line[4:] for line in block.splitlines())
            for block in re.findall(r"(?m)(?<=\n\n)((?:    .*\n)+)", self.text)
        ]

    def block(self, beginning: str) -> str:
        (found,) = (b for b in self.blocks if b.startswith(beginning))
        return found

    def inline(self, form: str) -> str:
        found = set(re.findall(rf"`({form})`", " ".join(self.text.split("\n"))))
        assert len(found) == 1, found
        return str(found.pop())


class Log:
    """A small log, served as the district serves its own: hashes to everybody, entries to the witnesses it has entered."""

    def __init__(self) -> None:
        self.log = SmallLog().grow(5)
        self.readers: list[VerifierKey] = []

    def get(self, path: str, authorization: str) -> tuple[int, bytes]:
        if path == "/open/chain/checkpoint":
            return 200, self.log.note()
        token = authorization.removeprefix("Bearer ")
        if "/entries/" in path and not reader_of(token, self.readers, ORIGIN, at=int(time.time())):
            return 403, b""
        tile = next((t for t in self.log.files if path == f"/open/chain/{t.path}"), None)
        return (200, self.log.files[tile]) if tile else (404, b"")


@contextmanager
def served(log: Log) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = log.get(self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/open/chain"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def packed(name: str, folder: Path) -> None:
    """An installed distribution as the wheel that it came from."""
    found = distribution(name)
    tag = re.search(r"(?m)^Tag: (\S+)$", found.read_text("WHEEL") or "")
    assert tag
    assert found.files
    with zipfile.ZipFile(folder / f"{name}-{found.version}-{tag[1]}.whl", "w") as wheel:
        for file in found.files:
            if ".." not in file.parts and file.suffix != ".pyc":
                wheel.write(str(file.locate()), str(file))


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Committee:
    """A person at a terminal of the committee's computer, whose home is a folder of ours."""

    def __init__(self, guide: Guide, at: Path) -> None:
        self.guide, self.desk, self.port = guide, at / "desk", free_port()
        self.desk.mkdir(parents=True)
        (packages := at / "packages").mkdir()
        for name in FETCHED:
            packed(name, packages)
        self.environment = {
            "HOME": str(at / "home"),
            "PATH": f"{sys.base_prefix}/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(packages),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        self.activate = guide.inline(r"source \S+")

    def types(self, *lines: str) -> str:
        """All lines in one terminal; each has to go well."""
        words = ["bash", "-e", "-c", "\n".join(lines)]
        done = subprocess.run(
            words, cwd=self.desk, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def running(self) -> Iterator[str]:
        """The witness in a terminal that stays open; what it has said when it says that it is started."""
        words = ["bash", "-c", f"{self.activate}\n{self.guide.block('lianfang-witness')}"]
        process = subprocess.Popen(
            words,
            cwd=self.desk,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert process.stdout
        try:
            said = ""
            for line in process.stdout:
                said += line
                if "见证程序已启动" in line:
                    break
            else:
                pytest.fail(said)
            yield said
        finally:
            os.killpg(process.pid, signal.SIGINT)  # Ctrl-C
            process.communicate()

    @property
    def page(self) -> str:
        """The address in the guide, at the port of this test."""
        (address,) = set(re.findall(r"<(http://[^>]+)>", self.guide.text))
        return str(address).replace("8471", str(self.port))

    def sees(self) -> str:
        return send("GET", self.page).body.decode()

    def holds(self) -> tuple[str, int]:
        status = json.loads(send("GET", f"{self.page}status.json").body)
        return status["light"], status["size"]


def made(guide: Guide, program: Path, *, at: int, mode: int) -> Path:
    """The file that the command hands over, out of a folder of the program whose files have this date and these rights."""
    program.mkdir()
    shutil.copytree(
        ROOT / "src/lianfang_chain",
        program / "src/lianfang_chain",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for file in (f for f in program.rglob("*") if f.is_file()):
        os.utime(file, (at, at))
        file.chmod(mode)
    shutil.copy(ROOT / "LICENSE", program)
    (program / ".venv").symlink_to(sys.prefix)
    subprocess.run(
        guide.inline(r"\S+ -m pip wheel[^`]+"), shell=True, cwd=program, check=True, capture_output=True
    )
    (wheel,) = program.glob("*.whl")
    return wheel


def configured(guide: Guide, committee: Committee, url: str) -> Path:
    """The lines of the guide with what the command has put in; returns the witness's folder."""
    given = tomllib.loads(guide.block("folder = "))
    del given["ca"]  # where the command says so; this log's server has no certificate
    folder = committee.desk / Path(given["folder"]).name
    given |= {
        "folder": str(folder),
        "name": NAME,
        "origin": ORIGIN,
        "log-vkey": str(LOG.key),
        "log-url": url,
        "port": committee.port,
    }
    (committee.desk / "witness.toml").write_text("".join(f"{k} = {v!r}\n" for k, v in given.items()))
    return folder


@pytest.mark.parametrize("file", ["witness.zh.md", "witness.en.md"])
def test_a_committee_that_follows_the_guide_is_a_witness(file: str, tmp_path: Path) -> None:
    guide = Guide(file)
    committee = Committee(guide, tmp_path)
    log, desk = Log(), committee.desk
    wheel = made(guide, tmp_path / "program", at=AT, mode=0o644)
    another = made(guide, tmp_path / "another", at=AT + 86_400, mode=0o600)
    assert wheel.read_bytes() == another.read_bytes()
    shutil.move(wheel, desk)

    committee.types(guide.block("python3 -m venv"))
    listed = json.loads(committee.types(committee.activate, "pip list --format json"))
    assert {p["name"] for p in listed} - {"pip", "setuptools"} == {*FETCHED, "lianfang-chain"}

    with served(log) as url:
        folder = configured(guide, committee, url)
        with committee.running() as said:
            private = (folder / "witness.key").read_text().strip()
            assert said.count("PRIVATE+KEY+") == said.count(private) == 1
            key = VerifierKey.parse(re.findall(rf"^ +({re.escape(NAME)}\+\S+)$", said, re.MULTILINE)[0])

            def asked(old: int) -> Any:
                proof = tuple(log.log.proof(old)) if old else ()
                note = log.log.note()
                return add_checkpoint(
                    committee.page, key, old=old, proof=proof, note=note, now=int(time.time())
                )

            paper = send("GET", f"{committee.page}joining").body.decode()
            assert str(key) in paper
            assert f"  {fingerprint(key)}\n" in said
            assert "".join(f"<b>{group}</b>" for group in fingerprint(key).split()) in paper

            assert committee.holds() == ("white", 0)
            assert isinstance(asked(0), NotCosigned)
            assert "公钥还没有登记" in committee.sees()
            log.readers.append(key)
            assert isinstance(asked(0), Cosigned)
            assert committee.holds() == ("green", 5)
            assert "一切正常" in committee.sees()

        log.log.grow(300)
        (desk / "policy.txt").write_text(policy_of(WITNESS, PROPERTY, COMMUNITY))
        with (desk / "witness.toml").open("a") as config:
            config.write(guide.inline(r"policy = [^`]+"))
        with committee.running() as said:
            assert "PRIVATE+KEY" not in said
            held = held_by(committee.page, LOG.key, key)
            assert held is not None
            assert held.size == 5
            assert isinstance(asked(5), Cosigned)
            assert committee.holds() == ("green", 305)

            other = SmallLog().grow(305, "other")
            body = bytes(AddCheckpoint(305, (), other.note()))
            assert send("POST", f"{committee.page}add-checkpoint", body=body).status == 422
            assert committee.holds() == ("red", 305)
            evidence = send("GET", f"{committee.page}fork-evidence.txt").body

    (desk / "fork-evidence.txt").write_bytes(evidence)
    verify = set(re.findall(r"lianfang-verify --policy \S+ [^\s`]+", guide.text))
    assert len(verify) == 1
    committee.types(committee.activate, *verify)

    # §7: the key is lost, and so is the envelope.
    (folder / "witness.key").unlink()
    program, where, _, making, _ = guide.inline(r"lianfang-witness --folder \S+ --new-key \S+").split()
    said = committee.types(
        committee.activate, f"{program} {where} {folder.name} {making} {ORIGIN}/residents-3"
    )
    assert (folder / "witness.key").read_text().strip() in said
