"""A whole system for the journeys: started by its own command, over https, under a name that is not localhost."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Error as PlaywrightError

from lianfang.config.tls import certificate_for
from lianfang.kernel import clock
from tests.browser import launch

from .steps import HERE, picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Playwright

HOST: Final = "lianfang.test"
OUTPUT: Final = Path(__file__).parents[1] / "output"
#: The story begins ten minutes before Ms Luo arrives (S1); the demonstration is filled up to this minute.
BEGINS_AT: Final = datetime(2020, 1, 30, 14, 10, tzinfo=HERE)


#: Moves the clock of the shared system by two weeks, and it only goes forward.
LAST: Final = "test_audited.py"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever the order of the day, the journey that moves the clock by weeks comes behind those that share it."""
    items.sort(key=lambda item: item.path.name == LAST)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(parent: int) -> list[tuple[int, str]]:
    """The Python processes a process has started, with their command lines."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(parent)], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.strip().partition(" ") for line in listed.splitlines()]
    return [(int(pid), words) for pid, _, words in rows if "python" in words]


@dataclass
class System:
    """One running installation with the demonstration district, at an instant of the story."""

    data: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"https://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("LIANFANG_", "DJANGO_"))}
        path = [str(Path(__file__).parent / "clock"), *filter(None, [os.environ.get("PYTHONPATH")])]
        return kept | {
            "LIANFANG_DATA": str(self.data), "LIANFANG_THREADS": "8",
            "PYTHONPATH": os.pathsep.join(path), "JOURNEY_CLOCK": str(self._clock),
        }  # fmt: skip

    @property
    def _clock(self) -> Path:
        return self.data.parent / "clock"

    def now(self) -> datetime:
        """The present instant of the story, in the district's zone."""
        ahead = struct.unpack("<d", self._clock.read_bytes())[0]
        return datetime.fromtimestamp(time.time() + ahead, HERE)

    def move_to(self, at: datetime) -> None:
        """Let every process, at once, see this instant; from it time runs on."""
        with self._clock.open("r+b" if self._clock.exists() else "w+b") as held:
            held.write(struct.pack("<d", at.timestamp() - time.time()))

    @contextmanager
    def nothing_runs(self) -> Iterator[None]:
        """While this holds, only the database and the pages run: the worker and the witnesses are halted."""
        halted = [pid for pid, words in _children(self._supervisor) if "uvicorn" not in words]
        assert any("lianfang.config.worker" in words for _, words in _children(self._supervisor))
        for pid in halted:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in halted:
                os.kill(pid, signal.SIGCONT)

    @property
    def _supervisor(self) -> int:
        return int((self.data / "run" / "supervisor.pid").read_text())

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command `lianfang` against this installation."""
        return subprocess.run(
            [sys.executable, "-m", "lianfang.config.cli", *words],
            env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def start(self, *, seconds: float = 240) -> None:
        # Browsers and witnesses judge certificates by the machine's clock, so it is made before the story's begins.
        certificate_for(HOST, self.data / "keys" / "tls", at=clock.now())
        if not (self.data / "demo").exists():
            (self.data / "demo").write_text("filling\n")
        log = self.data.parent / f"{self.data.name}.log"
        with log.open("ab") as output:
            before = output.tell()
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "lianfang.config.cli", "demo", "--scale", "0.002",
                    "--host", HOST, "--port", str(self.port),
                ],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        deadline = time.monotonic() + seconds
        while "Everything answers" not in log.read_bytes()[before:].decode(errors="replace"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                logs = "".join(
                    f"\n== {f.name}\n{f.read_text()[-2000:]}" for f in (self.data / "logs").glob("*.log")
                )
                pytest.fail(f"the system did not start:\n{log.read_text()[-4000:]}{logs}")
            time.sleep(0.1)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        self.process = None

    def code(self, login: str) -> str:
        """The present second-factor code of a login of the demonstration."""
        return self.command("code", login).stdout.strip()

    def key_pin(self) -> str:
        """Base64 of the SHA-256 of the server's public key: what the browser is told to trust."""
        certificate = x509.load_pem_x509_certificate(
            (self.data / "keys" / "tls" / f"{HOST}.crt").read_bytes()
        )
        spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(hashlib.sha256(spki).digest()).decode()


@contextmanager
def installed() -> Iterator[System]:
    """An installation of its own, begun at the beginning of the story and gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="lianfang-journey-"))
    folder.chmod(0o755)
    found = System(folder / "data", free_port())
    found.data.mkdir()
    found.move_to(BEGINS_AT)
    try:
        found.start()
        yield found
    finally:
        found.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def browser_for(playwright: Playwright, system: System) -> Iterator[Browser]:
    """A browser that finds the installation under its name and trusts its certificate."""
    found = launch(
        playwright,
        [
            f"--host-resolver-rules=MAP {HOST} 127.0.0.1",
            f"--ignore-certificate-errors-spki-list={system.key_pin()}",
        ],
    )
    yield found
    found.close()


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    with installed() as found:
        yield found


@pytest.fixture(scope="module")
def browser(playwright: Playwright, system: System) -> Iterator[Browser]:
    # Each journey begins a minute later: an officer's code is good once, and the last journey may have used it.
    system.move_to(system.now() + timedelta(minutes=1))
    with browser_for(playwright, system) as found:
        yield found


@contextmanager
def device(browser: Browser, system: System, *, width: int = 360, **options: Any) -> Iterator[BrowserContext]:
    """A phone or a desk's computer, in Chinese, its clock that of the story."""
    found = browser.new_context(
        viewport={"width": width, "height": 800},
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        service_workers="allow",
        **options,
    )
    found.set_default_timeout(15_000)
    found.clock.install(time=system.now())
    try:
        yield found
    except BaseException:
        for number, page in enumerate(found.pages):
            with suppress(PlaywrightError):
                picture(page, f"failed-{width}-{number}")
                print(page.url, page.inner_text("body"), sep="\n")
        raise
    finally:
        found.close()
