"""The published files are looked over again and again: bytes that changed on the disk are noticed within the hour.

A tile that was cut off is not served (`publication.read`). One whose bytes changed is, for to see that would cost every
reading a look elsewhere; whoever checks it against a checkpoint refuses it, and the command must know that it was ours.
Bundle by bundle: the entries lead to their tile, the tile to the one above it, the right edge to the root that was
signed. Nothing is mended here: `lianfang fsck` says what it is, and writes the files anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lianfang_chain.note import MalformedNote
from lianfang_chain.tiles import ENTRIES, FULL, TileHashes, TileId, entries_of, fold
from lianfang_chain.tree import Edge, NotProved, leaf_hash

from . import publication
from .models import Checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable

#: Once round within the hour, if it is called each five seconds (`jobs.loop`).
LOOKS: Final = 700
#: A bundle takes some 0.7 ms, so a look delays a round by at most 11 ms. Above 2.8 million entries, once round takes
#: longer than an hour.
MOST_AT_ONCE: Final = 16


class Watch:
    """Where it has come to, and which bundles are damaged: their number, and -1 for the right edge."""

    def __init__(self) -> None:
        self._next = 0
        self.damaged: set[int] = set()

    def look(self) -> None:
        """The next few bundles, and behind the last of them the right edge."""
        last = Checkpoint.objects.order_by("-size").first()
        if last is None:
            return
        full = last.size // FULL
        for _ in range(min(MOST_AT_ONCE, full // LOOKS + 1)):
            if self._next < full:
                self._note(self._next, lambda: _bundle_fits(self._next, last.size))
                self._next += 1
                continue
            self._note(-1, lambda: _edge_fits(last.size, bytes(last.root)))
            self.damaged = {number for number in self.damaged if number < full}
            self._next = 0
            break

    def _note(self, number: int, fits: Callable[[], bool]) -> None:
        self.damaged.discard(number)
        try:
            if fits():
                return
        except (OSError, MalformedNote, NotProved):
            pass
        self.damaged.add(number)


def _bundle_fits(number: int, size: int) -> bool:
    """A full bundle, its tile, and each tile above that this one is the last of."""
    tile = publication.read(TileId(0, number))
    entries = entries_of(publication.read(TileId(ENTRIES, number)), width=FULL)
    if b"".join(map(leaf_hash, entries)) != tile:
        return False
    level = 0
    while True:
        level, (number, place) = level + 1, divmod(number, FULL)
        above = publication.read(TileId(level, number, min(FULL, (size >> 8 * level) - number * FULL)))
        if above[place * 32 :][:32] != fold([tile[i : i + 32] for i in range(0, len(tile), 32)]):
            return False
        if place != FULL - 1:
            return True
        tile = above


def _edge_fits(size: int, root: bytes) -> bool:
    """The partial tiles lead to the root, and the partial bundle to its tile."""
    hashes = TileHashes(size, publication.read)
    if Edge.of(size, hashes).root() != root:
        return False
    first = size - size % FULL
    if first == size:
        return True
    entries = entries_of(publication.read(TileId(ENTRIES, first // FULL, size - first)), width=size - first)
    return list(map(leaf_hash, entries)) == list(hashes.leaves(first, size))
