"""A small log in memory or on disk, and a witness of it, for the tests."""

from __future__ import annotations

import hashlib

from lianfang_chain.checkpoint import Checkpoint, sign_checkpoint
from lianfang_chain.client import Unreachable
from lianfang_chain.note import COSIGNATURE, ED25519, Signer
from lianfang_chain.submission import AddCheckpoint
from lianfang_chain.tiles import ENTRIES, FULL, TileHashes, TileWriter
from lianfang_chain.tree import consistency_proof, leaf_hash
from lianfang_chain.witness.judge import Witness
from lianfang_chain.witness.store import Store

ORIGIN = "log.example/chain"
AT = 1_581_600_000


def seed(name):
    return hashlib.sha256(name.encode()).digest()


LOG = Signer(ORIGIN, ED25519, seed("log"))
WITNESS = Signer(f"{ORIGIN}/residents", COSIGNATURE, seed("residents"))


class SmallLog:
    """Entries are what you give; `files` are the tiles by id, as they would be served."""

    def __init__(self, signer=LOG):
        self.signer, self.writer, self.files, self.roots = signer, TileWriter(), {}, {}
        self._publish()

    def _publish(self):
        self.files.update(self.writer.take())
        self.roots[self.writer.size] = self.writer.root()

    def add(self, *entries):
        for entry in entries:
            self.writer.append(entry, leaf_hash(entry))
        self._publish()
        return self

    def grow(self, count, name="e"):
        return self.add(*(f"{name} {self.writer.size + i}".encode() for i in range(count)))

    @property
    def size(self):
        return self.writer.size

    def note(self, size=None):
        size = self.size if size is None else size
        return sign_checkpoint(Checkpoint(self.signer.key.name, size, self.roots[size]), self.signer)

    def read(self, tile):
        """A full tile serves where a partial one was not kept."""
        if tile in self.files:
            return self.files[tile]
        full = self.files.get(tile.full)
        if full is None or tile.level == ENTRIES or tile.width == FULL:
            raise Unreachable(tile.path)
        return full[: tile.width * 32]

    def proof(self, old, new=None):
        new = self.size if new is None else new
        return consistency_proof(old, new, TileHashes(new, self.read))

    def submission(self, old, new=None):
        return bytes(AddCheckpoint(old, tuple(self.proof(old, new)), self.note(new)))


def a_witness(folder, log, places=("",)):
    return Witness(Store(folder, LOG.key), WITNESS, log.read, lambda: AT, places)
