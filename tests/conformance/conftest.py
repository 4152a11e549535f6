"""The system's own log with a witness, its pages under a real server, and a Go program that reads them."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.servers.basehttp import WSGIRequestHandler
from tests.conformance.system_log import SystemLog
from tests.factories.ledger import AT
from tests.ledger.conftest import Party

from lianfang.kernel import clock
from lianfang.ledger import collecting, keys
from lianfang_chain.note import Signer
from lianfang_chain.reading import reading_token

# Debian's golang-golang-x-mod-dev puts the source here; the build takes nothing from any network.
ENVIRONMENT = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "", "GOPROXY": "off"}


class Pages:
    """`/open/chain/` of a running server."""

    def __init__(self, server: Any) -> None:
        self.address = f"{server.url}/open/chain"

    def token(self, witness: Signer) -> str:
        """By which a witness may read entries."""
        return reading_token(witness, keys.origin(), at=int(clock.now().timestamp()))


class Sumdb:
    """A Go program on Debian's golang.org/x/mod/sumdb; it reads entries as a witness does."""

    def __init__(self, program: Path, pages: Pages) -> None:
        self._program, self._pages = program, pages

    def run(
        self, witness: Signer, *, old: int = 0, root: bytes = bytes(32), own: str = "", vkey: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """What it says of the log that the pages serve.

        :param own: inclusion proofs that we made ourselves (`own_proofs`)
        """
        words = [
            str(self._program), self._pages.address, vkey or str(keys.log_key()), self._pages.token(witness),
            str(old), base64.b64encode(root).decode(),
        ]  # fmt: skip
        return subprocess.run(words, input=own, capture_output=True, text=True, check=False)


def own_proofs(log: SystemLog, size: int) -> str:
    """Index and hashes of a few inclusion proofs, for their checker."""
    return "\n\n".join(
        "\n".join([str(index), *(base64.b64encode(h).decode() for h in log.path(index, size))])
        for index in places(size)
    )


def places(size: int) -> list[int]:
    """Of which entries proofs are looked at: the first, the last, and one between."""
    return sorted({0, size // 3, size - 1}) if size else []


@pytest.fixture
def log(
    live_server: Any, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SystemLog]:
    """An empty one, in a database that the server sees, too."""
    monkeypatch.setattr(collecting, "_TIMEOUT", 120.0)
    settings.LIANFANG_DATA = tmp_path
    Party.clock = int(AT.timestamp())
    party = Party("residents", tmp_path / "residents")
    settings.LIANFANG_WITNESSES = [party.setting]
    made = SystemLog(party)
    yield made
    made.close()
    party.stop()


@pytest.fixture
def pages(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Pages:
    # Django's test server sends head and body apart; a client that is to acknowledge the first waits 40 ms each time.
    monkeypatch.setattr(WSGIRequestHandler, "disable_nagle_algorithm", True)
    return Pages(live_server)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("go")
    target = folder / "sumdb"
    source = Path(__file__).parent / "sumdb" / "main.go"
    subprocess.run(
        ["go", "build", "-o", str(target), str(source)],
        check=True,
        env={**os.environ, **ENVIRONMENT, "GOCACHE": str(folder / "cache")},
    )
    return target


@pytest.fixture
def sumdb(program: Path, pages: Pages) -> Sumdb:
    return Sumdb(program, pages)
