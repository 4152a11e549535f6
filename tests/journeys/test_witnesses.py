"""Three parties hold the record: a committee installs its witness by its guide; then the log tells two stories.

The committee makes its key and starts its program → the command enters it → green → a day off, and caught up → the log
signs another history → red at the witness, an alarm on every desk and on the open page, evidence that a plain verifier
checks → the chain begins anew with the evidence as entry 0, and every act is proved again.
"""

from __future__ import annotations

import hashlib
import json
import re
import signal
import subprocess
import sys
import time
import tomllib
from contextlib import closing, contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest
from tlog_scales.signing import Vkey
from tlog_scales.tlog import Checkpoint

from lianfang_chain.checkpoint import Checkpoint as TreeHead
from lianfang_chain.checkpoint import sign_checkpoint
from lianfang_chain.note import Signer
from lianfang_chain.submission import AddCheckpoint

from .conftest import browser_for, device, free_port, installed
from .steps import fetched, give_audit, log_in, picture, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page, Playwright

    from .conftest import System

#: The words of `docs/witness.zh.md` for each light.
GREEN: Final = "一切正常"
RED: Final = "警报：记录对不上"
FORKED: Final = "信息链警报：记录对不上"


class Committee:
    """The computer in the committee's room: a folder, a key, a program."""

    def __init__(self, system: System, folder: Path) -> None:
        self.system, self.folder, self.port = system, folder, free_port()
        self.config = folder / "witness.toml"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def page(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def witness(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "lianfang_chain.witness", *words]

    def first_key(self) -> str:
        """§3 of the guide: the first start shows both lines, the private one for the paper; returns the public one."""
        said = ""
        for _ in range(100):
            said = (self.folder / "log").read_text()
            if "见证程序已启动" in said:
                break
            time.sleep(0.1)
        assert said.count("PRIVATE+KEY+") == 1
        found = re.search(r"^ +(\S+/residents-2\+[0-9a-f]{8}\+\S+)$", said, re.MULTILINE)
        assert found, said
        return found.group(1)

    def joining_paper(self) -> str:
        """§3 of the guide: what the committee reads aloud from its paper."""
        with closing(HTTPConnection("127.0.0.1", self.port)) as server:
            server.request("GET", "/joining")
            with server.getresponse() as answer:
                groups = re.findall(r"<b>(\w{4})</b>", answer.read().decode())
        return " ".join(groups[:8])

    def start(self) -> None:
        """§2 of the guide, the one command."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.witness("--config", str(self.config)),
                env=self.system.environment,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
            self.process = None


@contextmanager
def committee_of(system: System, folder: Path) -> Iterator[Committee]:
    folder.mkdir()
    found = Committee(system, folder)
    try:
        yield found
    finally:
        found.stop()


def takes_its_witness_home(system: System, committee: Committee) -> None:
    """The command hands out a file; the committee's program starts by it and shows its key, which the command enters."""
    done = system.command("chain", "invite", "--user", "admin", "--party", "residents")
    assert done.returncode == 0, done.stdout + done.stderr
    given = tomllib.loads(done.stdout[done.stdout.index("folder = ") :])
    given |= {
        "folder": str(committee.folder / "见证"),
        "port": committee.port,
        "log-url": f"https://127.0.0.1:{system.port}/open/chain",
        "ca": str(system.data / "keys" / "tls" / "authority.crt"),
    }
    committee.config.write_text("".join(f"{k} = {v!r}\n" for k, v in given.items()))
    committee.start()
    key = committee.first_key()
    heard = committee.joining_paper()
    system.stop()
    entered = [
        "chain",
        "new-key",
        "--user",
        "admin",
        "--party",
        "residents",
        "--vkey",
        key,
        "--url",
        committee.page,
    ]
    done = system.command(*entered, "--fingerprint", heard[::-1])
    assert done.returncode == 2
    assert "nothing was changed; --fingerprint" in done.stdout + done.stderr
    done = system.command(*entered, "--fingerprint", heard)
    assert done.returncode == 0, done.stdout + done.stderr
    system.start()


def says(page: Page, words: str) -> None:
    """Wait until the page, loaded again and again, says so."""
    until(page, lambda: words in " ".join(page.inner_text("body").split()))


def entries(page: Page) -> int:
    """How many entries a page of the chain counts."""
    found = re.search(r"(?:信息链里的记录|已有记录)\s+([\d,]+)", page.inner_text("main"))
    assert found, page.inner_text("main")
    return int(found.group(1).replace(",", ""))


def offer_another_story(system: System, folder: Path, address: str) -> int:
    """Whoever has the log's key signs a second history of the same length for one witness; its answer."""
    origin, size, *_ = (folder / "held").read_text().splitlines()
    log = Signer.parse((system.data / "keys" / "log.key").read_text().strip())
    other = sign_checkpoint(TreeHead(origin, int(size), hashlib.sha256(b"another").digest()), log)
    body = bytes(AddCheckpoint(int(size), (), other))
    with closing(HTTPConnection(urlsplit(address).netloc)) as server:
        server.request("POST", "/add-checkpoint", body)
        with server.getresponse() as answer:
            return answer.status


def fork(system: System, committee: Committee) -> list[int]:
    """The same for all three parties."""
    known = json.loads((system.data / "chain.json").read_text())["witnesses"]
    here = [(system.data / w["folder"], f"{w['url']}/") for w in known if w.get("folder")]
    return [
        offer_another_story(system, folder, address)
        for folder, address in [(committee.folder / "见证", committee.page), *here]
    ]


def by_a_plain_verifier(folder: Path, log: Vkey) -> None:
    """Two notes, both signed by the log, of one length and with two roots: tlog-scales, which is not ours, reads them."""
    first, second = (Checkpoint.from_text((folder / f"fork-{n}.note").read_text()) for n in (1, 2))
    for note in (first, second):
        note.verify(log)
    assert (first.origin, first.size) == (second.origin, second.size)
    assert first.root_hash != second.root_hash


def begin_anew(system: System, committee: Committee, evidence: Path) -> None:
    """As `docs/chain.md` has it for a fork."""
    committee.stop()
    system.stop()
    done = system.command("chain", "restart", str(evidence), "--user", "admin", "--reason", "两套历史")
    assert done.returncode == 0, done.stdout + done.stderr
    old = committee.folder / "见证"
    key = (old / "witness.key").read_bytes()
    old.rename(committee.folder / "旧见证")
    old.mkdir()
    (old / "witness.key").write_bytes(key)
    system.start()


@pytest.mark.timeout(420)
def test_a_committee_is_a_witness_and_everybody_sees_a_fork(playwright: Playwright, tmp_path: Path) -> None:
    with (
        installed() as system,
        committee_of(system, tmp_path / "committee") as committee,
        browser_for(playwright, system) as browser,
        device(browser, system, width=1280) as office,
        device(browser, system, width=1280) as company,
        device(browser, system, width=800) as room,
        device(browser, system) as anybody,
    ):
        takes_its_witness_home(system, committee)
        desk, manager, light, chain = (
            office.new_page(),
            company.new_page(),
            room.new_page(),
            anybody.new_page(),
        )
        log_in(desk, system, "security")
        give_audit(desk, system)
        light.goto(committee.page)
        says(light, GREEN)
        picture(light, "witness-1-green")
        chain.goto(f"{system.address}/open/chain/")
        says(chain, "居民 已核对")
        trusted = fetched(chain, f"{system.address}/open/chain/policy.txt")
        assert b"/residents-2+" in trusted

        # Off for a day: two of three are enough, and what was missed is checked when it is back.
        committee.stop()
        system.move_to(system.now() + timedelta(days=1))
        give_audit(desk, system)
        until(chain, lambda: entries(chain) > entries(light))
        whole = entries(chain)
        committee.start()
        until(light, lambda: GREEN in light.inner_text("body") and entries(light) >= whole)

        log_in(manager, system, "property")
        assert FORKED not in manager.inner_text("body")
        assert fork(system, committee) == [422, 422, 422]
        says(light, RED)
        picture(light, "witness-2-red")
        give_audit(desk, system)  # nothing waits for a witness
        says(manager, FORKED)
        picture(manager, "witness-3-property")
        says(chain, "警报：记录对不上")
        picture(chain, "witness-4-everybody")
        with light.expect_download() as taken:
            light.get_by_role("link", name="保存到 U 盘").click()
        evidence = tmp_path / "evidence.txt"
        evidence.write_bytes(taken.value.path().read_bytes())
        (policy := tmp_path / "policy.txt").write_bytes(trusted)
        verifier = [sys.executable, "-m", "lianfang_chain.verify", "--policy", str(policy), str(evidence)]
        assert subprocess.run(verifier, capture_output=True, check=False).returncode == 0
        line = next(line for line in trusted.decode().splitlines() if line.startswith("log "))
        by_a_plain_verifier(committee.folder / "见证", Vkey.from_string(line.split()[1]))

        begin_anew(system, committee, evidence)
        chain.reload()
        config = committee.config.read_text()
        new = fetched(chain, f"{system.address}/open/chain/policy.txt").decode()
        key = next(line.split()[1] for line in new.splitlines() if line.startswith("log "))
        for field, value in {"origin": key.partition("+")[0], "log-vkey": key}.items():
            config = re.sub(rf"(?m)^{field} = .*$", f"{field} = {value!r}", config)
        committee.config.write_text(config)
        committee.start()
        give_audit(desk, system)
        says(light, GREEN)
        manager.reload()
        until(manager, lambda: FORKED not in manager.inner_text("body"))
        says(chain, "居民 已核对")
        assert "警报" not in chain.inner_text("main")
