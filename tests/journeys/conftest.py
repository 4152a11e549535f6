"""A whole system for the journeys: started by its own command, over https, under a name that is not localhost."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

HOST = "lianfang.test"
CHROMIUM = "/usr/bin/chromium"
OUTPUT = Path(__file__).parents[1] / "output"
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", f"--host-resolver-rules=MAP {HOST} 127.0.0.1",
]  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class System:
    """One running installation with the demonstration district."""

    data: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    said: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"https://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("LIANFANG_", "DJANGO_"))}
        return kept | {"LIANFANG_DATA": str(self.data), "LIANFANG_THREADS": "8"}

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command `lianfang` against this installation."""
        return subprocess.run(
            [sys.executable, "-m", "lianfang.config.cli", *words],
            env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def start(self, *, seconds: float = 240) -> None:
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
            self.process.send_signal(signal.SIGINT)
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


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    folder = Path(tempfile.mkdtemp(prefix="lianfang-journey-"))
    folder.chmod(0o755)
    found = System(folder / "data", _free_port())
    try:
        found.start()
        yield found
    finally:
        found.stop()
        shutil.rmtree(folder, ignore_errors=True)


# Not for the whole run: one process cannot hold two of them, and tests of the apps alone start their own.
@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright, system: System) -> Iterator[Browser]:
    found = playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[*QUIET, f"--ignore-certificate-errors-spki-list={system.key_pin()}"],
    )
    yield found
    found.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A phone, in Chinese."""
    found = browser.new_context(
        viewport={"width": 390, "height": 844},
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        service_workers="allow",
    )
    found.set_default_timeout(15_000)
    yield found
    found.close()


def picture(page: Page, name: str) -> None:
    """Keep a screenshot for whoever wants to look."""
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / f"{name}.png", full_page=True)


def log_in(page: Page, system: System, login: str) -> None:
    """Password and second factor, as an officer does it."""
    from lianfang.config.demo import logins

    password = next(p for name, p, _ in logins() if name == login)
    page.goto(f"{system.address}/login/")
    page.fill("input[name=username], input[name=login]", login)
    page.fill("input[name=password]", password)
    page.click("main button[type=submit], main button:not([type])")
    page.wait_for_load_state()
    if "second-factor" in page.url:
        page.fill("input[name=code]", system.code(login))
        page.click("main button[type=submit], main button:not([type])")
        page.wait_for_load_state()
    assert "/login/" not in page.url, page.inner_text("main")
