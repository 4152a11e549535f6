"""A chain of its own for each test, and witnesses that answer over real HTTP."""

from __future__ import annotations

import threading

import pytest
from tests.factories.ledger import AT

from lianfang.kernel import ids
from lianfang.ledger import keys, publication
from lianfang_chain.note import COSIGNATURE, Signer
from lianfang_chain.witness.judge import Witness
from lianfang_chain.witness.server import WitnessServer
from lianfang_chain.witness.store import Store

NAMES = ("residents", "property", "community")


class Party:
    """One witness in a thread, reading the log's files directly."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.signer = Signer(f"{keys.origin()}/{name}", COSIGNATURE, ids.random_bytes(32))
        self.server, self.port = None, 0
        self.start()

    def start(self):
        store = Store(self.folder, keys.log_signer().key)
        witness = Witness(store, self.signer, publication.read, lambda: int(AT.timestamp()))
        self.server = WitnessServer(("127.0.0.1", self.port), witness, self.name)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server.witness.store.close()
            self.server = None

    @property
    def size(self):
        return self.server.witness.store.size

    @property
    def setting(self):
        return {"name": self.name, "vkey": str(self.signer.key), "url": f"http://127.0.0.1:{self.port}"}


@pytest.fixture
def chain(settings, tmp_path):
    """A data folder of its own, without witnesses."""
    settings.LIANFANG_DATA = tmp_path
    settings.LIANFANG_WITNESSES = []
    return tmp_path


@pytest.fixture
def parties(settings, chain, tmp_path):
    """Three witnesses, configured."""
    made = [Party(name, tmp_path / f"witness-{name}") for name in NAMES]
    settings.LIANFANG_WITNESSES = [party.setting for party in made]
    yield made
    for party in made:
        party.stop()
