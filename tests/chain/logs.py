"""A small log in memory or on disk, and a witness of it, for the tests."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from lianfang_chain.checkpoint import Checkpoint, sign_checkpoint
from lianfang_chain.client import Unreachable
from lianfang_chain.note import COSIGNATURE, ED25519, Signer
from lianfang_chain.submission import AddCheckpoint
from lianfang_chain.tiles import ENTRIES, FULL, TileHashes, TileId, TileWriter
from lianfang_chain.tree import consistency_proof, leaf_hash
from lianfang_chain.witness.judge import Witness
from lianfang_chain.witness.store import Store

ORIGIN = "log.example/chain"
AT = 1_581_600_000


def seed(name: Any) -> Any:
    return hashlib.sha256(name.encode()).digest()


LOG = Signer(ORIGIN, ED25519, seed("log"))
WITNESS = Signer(f"{ORIGIN}/residents", COSIGNATURE, seed("residents"))


class SmallLog:
    """Entries are what you give; `files` are the tiles by id, as they would be served."""

    def __init__(self, signer: Any = LOG) -> None:
        self.signer, self.writer = signer, TileWriter()
        self.files: dict[TileId, bytes] = {}
        self.roots: dict[int, bytes] = {}
        self._publish()

    def _publish(self) -> None:
        self.files.update(self.writer.take())
        self.roots[self.writer.size] = self.writer.root()

    def add(self, *entries: Any) -> Any:
        for entry in entries:
            self.writer.append(entry, leaf_hash(entry))
        self._publish()
        return self

    def grow(self, count: Any, name: Any = "e") -> Any:
        return self.add(*(f"{name} {self.writer.size + i}".encode() for i in range(count)))

    @property
    def size(self) -> Any:
        return self.writer.size

    def note(self, size: Any = None) -> Any:
        size = self.size if size is None else size
        return sign_checkpoint(Checkpoint(self.signer.key.name, size, self.roots[size]), self.signer)

    def read(self, tile: TileId) -> bytes:
        """A full tile serves where a partial one was not kept."""
        if tile in self.files:
            return self.files[tile]
        full = self.files.get(tile.full)
        if full is None or tile.level == ENTRIES or tile.width == FULL:
            raise Unreachable(tile.path)
        return full[: tile.width * 32]

    def proof(self, old: Any, new: Any = None) -> Any:
        new = self.size if new is None else new
        return consistency_proof(old, new, TileHashes(new, self.read))

    def submission(self, old: Any, new: Any = None) -> Any:
        return bytes(AddCheckpoint(old, tuple(self.proof(old, new)), self.note(new)))


def a_witness(folder: Path, log: Any, places: Any = ("",)) -> Any:
    return Witness(Store(folder, LOG.key), WITNESS, log.read, lambda: AT, places)
