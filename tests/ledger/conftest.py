"""A chain of its own for each test, and witnesses that answer over real HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.factories.ledger import AT

from lianfang.kernel import ids
from lianfang.ledger import keys, publication
from lianfang.ledger.sequencer import Sequencer
from lianfang_chain.note import COSIGNATURE, Signer
from lianfang_chain.witness.judge import Witness
from lianfang_chain.witness.server import WitnessServer
from lianfang_chain.witness.store import Store

NAMES = ("residents", "property", "community")


class Party:
    """One witness in a thread, reading the log's files directly."""

    #: What their clocks say: the instant of the log's last round, as `off` of each has it.
    clock = int(AT.timestamp())

    def __init__(self, name: Any, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.signer = Signer(f"{keys.origin()}/{name}", COSIGNATURE, ids.random_bytes(32))
        self.server: WitnessServer | None = None
        self.port, self.off = 0, 0
        self.start()

    def start(self) -> None:
        store = Store(self.folder, keys.log_signer().key)
        witness = Witness(store, self.signer, publication.read, lambda: Party.clock + self.off)
        server = WitnessServer(("127.0.0.1", self.port), witness, self.name)
        self.server, self.port = server, int(server.server_address[1])
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server.witness.store.close()
            self.server = None

    @property
    def size(self) -> Any:
        assert self.server is not None
        return self.server.witness.store.size

    @property
    def note(self) -> bytes:
        """What it has cosigned last, as anybody can read it."""
        return self.server.witness.store.note if self.server else b""

    @property
    def setting(self) -> Any:
        return {"name": self.name, "vkey": str(self.signer.key), "url": f"http://127.0.0.1:{self.port}"}


@pytest.fixture
def chain(settings: Any, tmp_path: Path) -> Any:
    """A data folder of its own, without witnesses."""
    settings.LIANFANG_DATA = tmp_path
    settings.LIANFANG_WITNESSES = []
    return tmp_path


@pytest.fixture
def parties(settings: Any, chain: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Three witnesses, configured. Their clocks go with the log's."""
    one_round = Sequencer.run_once

    def at_its_instant(self: Sequencer, at: datetime) -> Any:
        Party.clock = int(at.timestamp())
        return one_round(self, at)

    monkeypatch.setattr(Sequencer, "run_once", at_its_instant)
    Party.clock = int(AT.timestamp())
    made = [Party(name, tmp_path / f"witness-{name}") for name in NAMES]
    settings.LIANFANG_WITNESSES = [party.setting for party in made]
    yield made
    for party in made:
        party.stop()
