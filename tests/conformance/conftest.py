"""A log in the folder that our own pages serve, under a real server, and a witness who may read its entries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.servers.basehttp import WSGIRequestHandler
from tests.chain.logs import LOG, ORIGIN, WITNESS

from lianfang.kernel import clock
from lianfang.ledger import publication
from lianfang_chain.checkpoint import Checkpoint, sign_checkpoint
from lianfang_chain.note import Signer
from lianfang_chain.reading import reading_token
from lianfang_chain.tiles import TileWriter
from lianfang_chain.tree import leaf_hash


class PublishedLog:
    """A growing log in a folder, with the root of each step."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.writer = folder, TileWriter()
        self.leaves: list[bytes] = []
        self.steps: dict[int, bytes] = {}
        folder.mkdir(parents=True)

    def grow_to(self, size: Any) -> None:
        while self.writer.size < size:
            entry = f"entry {self.writer.size}".encode()
            self.leaves.append(leaf_hash(entry))
            self.writer.append(entry, self.leaves[-1])
        for tile, data in self.writer.take():
            file = self.folder / tile.path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        checkpoint = Checkpoint(ORIGIN, size, self.writer.root())
        self.steps[size] = checkpoint.root
        (self.folder / "checkpoint").write_bytes(sign_checkpoint(checkpoint, LOG))

    def read(self, tile: Any) -> Any:
        return (self.folder / tile.path).read_bytes()


class Pages:
    """`/open/chain/` of a running server, and the token of a witness of all places."""

    def __init__(self, server: Any, signer: Signer, origin: str) -> None:
        self.server, self.address = server, f"{server.url}/open/chain"
        self._signer, self._origin = signer, origin

    @property
    def token(self) -> str:
        return reading_token(self._signer, self._origin, at=int(clock.now().timestamp()))


@pytest.fixture
def published(tmp_path: Path, settings: Any) -> PublishedLog:
    """What the pages of this installation serve, written without its database, for sizes that appends reach slowly."""
    settings.LIANFANG_DATA, settings.LIANFANG_CHAIN_ORIGIN = tmp_path, ORIGIN
    settings.LIANFANG_WITNESSES = [{"name": "residents", "vkey": str(WITNESS.key)}]
    return PublishedLog(publication.folder())


@pytest.fixture
def pages(live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Pages:
    # Django's test server sends head and body apart; a client that is to acknowledge the first waits 40 ms each time.
    monkeypatch.setattr(WSGIRequestHandler, "disable_nagle_algorithm", True)
    return Pages(live_server, WITNESS, str(settings.LIANFANG_CHAIN_ORIGIN))
