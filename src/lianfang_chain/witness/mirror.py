"""Fetch what is new from the log and look at every hash of it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from typing import Final

from lianfang_chain.cbor import NotCanonical
from lianfang_chain.checkpoint import Checkpoint
from lianfang_chain.client import Unreachable, send
from lianfang_chain.entry import scope_of
from lianfang_chain.tiles import ENTRIES, FULL, TileHashes, TileId, entries_of
from lianfang_chain.tree import Edge, NotProved, leaf_hash

__all__ = ["ALL_PLACES", "NotAdmitted", "TileSource", "fetch_new"]

Read = Callable[[TileId], bytes]
Keep = Callable[[list[bytes], list[tuple[int, bytes]]], None]
ALL_PLACES: Final = ""


class NotAdmitted(Unreachable):
    """The log serves entries, and not to us: our key is not entered there, or our clock is too far from its clock."""


class TileSource:
    """Tiles of a log over HTTP. A full tile serves where a partial one is gone."""

    def __init__(
        self, url: str, *, token: Callable[[], str], tls: ssl.SSLContext | None = None, timeout: float = 10.0
    ) -> None:
        self._url, self._token, self._tls, self._timeout = url.rstrip("/"), token, tls, timeout

    def __call__(self, tile: TileId) -> bytes:
        """:raises Unreachable: the log does not serve it; `NotAdmitted` where it is ours that is at fault"""
        headers = {}
        if tile.level == ENTRIES:
            headers["Authorization"] = f"Bearer {self._token()}"
        answer = send(
            "GET", f"{self._url}/{tile.path}", headers=headers, timeout=self._timeout, tls=self._tls
        )
        if answer.status == 403 and tile.level == ENTRIES:
            raise NotAdmitted(f"{tile.path}: answered 403")
        if answer.status != 200:
            raise Unreachable(f"{tile.path}: answered {answer.status}")
        return answer.body


def fetch_new(edge: Edge, checkpoint: Checkpoint, read: Read, places: Sequence[str], keep: Keep) -> int:
    """Fetch the leaves behind `edge` up to the checkpoint, with their entries, and re-hash all of it.

    `keep` gets each tile's leaves and the entries of the own places among them, so that one tile is in memory however
    far behind we are; what it got counts for nothing until this returns. Then `edge` is the checkpoint's.

    Returns how many entries came without bytes: the log withholds those, and their hashes are checked through the root
    all the same. Whether they were another party's to see cannot be told from here.

    :raises Unreachable: the log does not serve a tile
    :raises NotProved: the tiles do not lead to the checkpoint's root, or an entry is not what its hash says
    :raises MalformedNote: a bundle of a wrong form
    """
    withheld = 0
    while edge.size < checkpoint.size:
        start, number = edge.size, edge.size // FULL
        first = number * FULL
        width = min(FULL, checkpoint.size - first)
        leaves = list(TileHashes(checkpoint.size, read).leaves(start, first + width))
        bundle = entries_of(read(TileId(ENTRIES, number, width)), width=width)
        own: list[tuple[int, bytes]] = []
        for index, leaf in enumerate(leaves, start):
            edge.append(leaf)
            entry = bundle[index - first]
            if not entry:
                withheld += 1
            elif leaf_hash(entry) != leaf:
                raise NotProved(f"entry {index} is not what its hash says")
            elif _lies_within(entry, places):
                own.append((index, entry))
        keep(leaves, own)
    if edge.root() != checkpoint.root:
        raise NotProved("the tiles lead to another root")
    return withheld


def _lies_within(data: bytes, places: Sequence[str]) -> bool:
    if ALL_PLACES in places:
        return True
    try:
        scope = scope_of(data)
    except NotCanonical:
        return False  # not an entry of ours; its hash is held like any other
    return any(scope == place or scope.startswith(f"{place}.") for place in places)
