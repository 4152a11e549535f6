"""Tiles and entry bundles (C2SP tlog-tiles v0.1.0): where they are, what is in them, proofs out of them.

A full tile holds 256 hashes and never changes; a partial one serves a published size until the full one
exists. A hash at tile level L + 1 is the root of one full tile of level L; partial tiles are never hashed
upwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from .cbor import MAX_BYTES
from .note import MalformedNote
from .tree import Edge, NotProved, leaf_hash, node_hash

__all__ = [
    "ENTRIES",
    "FULL",
    "TileHashes",
    "TileId",
    "TileWriter",
    "bundle_of",
    "entries_of",
    "fold",
    "parse_tile_path",
    "sizes_in_partial_tiles",
    "tiles_at",
]

FULL: Final = 256
HASH: Final = 32
ENTRIES: Final = -1  # the "level" of an entry bundle


@dataclass(frozen=True, slots=True)
class TileId:
    """One tile, or one entry bundle (`level == ENTRIES`); `width` 256 is the full one."""

    level: int
    index: int
    width: int = FULL

    @property
    def path(self) -> str:
        level = "entries" if self.level == ENTRIES else str(self.level)
        number, groups = self.index, []
        while True:
            number, group = divmod(number, 1000)
            groups.append(f"{group:03}")
            if not number:
                break
        name = "/".join([*(f"x{g}" for g in reversed(groups[1:])), groups[0]])
        return f"tile/{level}/{name}" + ("" if self.width == FULL else f".p/{self.width}")

    @property
    def full(self) -> TileId:
        return TileId(self.level, self.index)

    def is_kept_at(self, size: int) -> bool:
        """Whether a partial tile is still to be had when the tree has `size` entries: the full one is not there yet."""
        return (self.index + 1) * FULL > size >> (8 * max(self.level, 0))


_PATH: Final = re.compile(
    r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


def parse_tile_path(path: str) -> TileId:
    """:raises MalformedNote: not the one path of any tile"""
    match = _PATH.fullmatch(path)
    if match is None or len(path) > 60:
        raise MalformedNote("not a tile path")
    level = ENTRIES if match[1] == "entries" else int(match[1])
    tile = TileId(level, int(match[2].replace("/", "").replace("x", "")), int(match[3] or FULL))
    if tile.path != path:
        raise MalformedNote("not the one path of this tile")
    return tile


def width_at(level: int, size: int) -> int:
    """How many hashes the last, partial tile of this level has in a tree of `size`; 0 when there is none."""
    return size >> (8 * max(level, 0)) & 0xFF


def tiles_at(size: int) -> Iterator[TileId]:
    """The partial tiles and the partial bundle that a checkpoint of `size` needs beside the full ones."""
    if width := size % FULL:
        yield TileId(ENTRIES, size // FULL, width)
    level = 0
    while size >> (8 * level):
        if width := width_at(level, size):
            yield TileId(level, size >> (8 * level + 8), width)
        level += 1


def sizes_in_partial_tiles(signed: Iterable[int], last: int) -> list[int]:
    """Of the sizes that were signed, ascending up to `last`, as few as have all partial tiles that are kept at `last`."""
    seen: set[TileId] = set()
    stops = []
    for size in sorted(signed):
        kept = {tile for tile in tiles_at(size) if tile.is_kept_at(last)} - seen
        if size == last or (size < last and kept):
            stops.append(size)
            seen |= kept
    return stops


def bundle_of(entries: Iterable[bytes]) -> bytes:
    """:raises ValueError: an entry does not fit its 16-bit length"""
    out = bytearray()
    for entry in entries:
        if len(entry) > MAX_BYTES:
            raise ValueError(f"an entry of {len(entry)} bytes")
        out += len(entry).to_bytes(2, "big") + entry
    return bytes(out)


def entries_of(bundle: bytes, *, width: int) -> list[bytes]:
    """:raises MalformedNote: not exactly `width` entries"""
    entries, at = [], 0
    while at < len(bundle):
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        if at + 2 > len(bundle) or end > len(bundle):
            raise MalformedNote("a bundle cut short")
        entries.append(bundle[at + 2 : end])
        at = end
    if len(entries) != width:
        raise MalformedNote(f"a bundle of {len(entries)} entries instead of {width}")
    return entries


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root of a complete subtree whose leaves are given; their number is a power of two."""
    row = hashes
    while len(row) > 1:
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


@lru_cache(maxsize=512)
def _rows(tile: bytes) -> tuple[list[bytes], ...]:
    """All complete subtrees of a tile by height. Kept, because the same few tiles are asked for all the time."""
    row = [tile[i : i + HASH] for i in range(0, len(tile), HASH)]
    rows = [row]
    for _ in range(8):
        row = [node_hash(a, b) for a, b in zip(row[::2], row[1::2], strict=False)]
        rows.append(row)
    return tuple(rows)


class TileHashes:
    """Nodes of a tree of `size`, read from its tiles by `read(TileId) -> bytes`.

    Tiles that were read are kept, so use one object for one question or one size. What the tiles say is not
    believed: a proof made of them is verified against a signed root by whoever asked.
    """

    def __init__(self, size: int, read: Callable[[TileId], bytes]) -> None:
        self.size = size
        self._read = read
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._nodes: dict[tuple[int, int], bytes] = {}

    def _tile(self, level: int, index: int) -> bytes:
        if (level, index) not in self._tiles:
            whole = self.size >> (8 * level)
            width = min(FULL, whole - index * FULL)
            if width <= 0:
                raise NotProved(f"a tree of {self.size} has no tile {level}/{index}")
            data = self._read(TileId(level, index, width))
            if len(data) != width * HASH:
                raise NotProved(f"tile {level}/{index} has {len(data)} bytes instead of {width * HASH}")
            self._tiles[level, index] = data
        return self._tiles[level, index]

    def node(self, level: int, index: int) -> bytes:
        if (level, index) not in self._nodes:
            tile_level, height = divmod(level, 8)
            first = index << height
            row = _rows(self._tile(tile_level, first // FULL))[height]
            place = first % FULL >> height
            if place >= len(row):
                raise NotProved(f"a tree of {self.size} has no node {level}/{index}")
            self._nodes[level, index] = row[place]
        return self._nodes[level, index]

    def leaves(self, start: int, end: int) -> Iterator[bytes]:
        for index in range(start, end):
            data = self._tile(0, index // FULL)
            at = index % FULL * HASH
            yield data[at : at + HASH]


class TileWriter:
    """Grows a tree and yields the tiles that a new size needs; a pure function of the leaves.

    It holds only the right edge: at most 255 hashes for each level and at most 255 entries.
    """

    def __init__(self) -> None:
        self.size = 0
        self._levels: list[list[bytes]] = []
        self._entries: list[bytes] = []
        self._edge = Edge()
        self._full: list[tuple[TileId, bytes]] = []

    @classmethod
    def resume(cls, size: int, read: Callable[[TileId], bytes]) -> TileWriter:
        """Continue behind the tiles of a size that was written before. The caller compares `root()`.

        :raises NotProved: a tile of a wrong length, or an entry that is not what its hash says
        :raises MalformedNote: a bundle of a wrong form
        """
        writer = cls()
        hashes = TileHashes(size, read)
        writer.size = size
        writer._edge = Edge.of(size, hashes)
        level = 0
        while size >> (8 * level):
            width = width_at(level, size)
            data = read(TileId(level, size >> (8 * level + 8), width)) if width else b""
            if len(data) != width * HASH:
                raise NotProved("a partial tile of a wrong length")
            writer._levels.append([data[i : i + HASH] for i in range(0, len(data), HASH)])
            level += 1
        if width := size % FULL:
            writer._entries = entries_of(read(TileId(ENTRIES, size // FULL, width)), width=width)
            # The root vouches for the hashes only, and these entries will stand in the full bundle.
            if [leaf_hash(entry) for entry in writer._entries] != writer._levels[0]:
                raise NotProved("a bundle that is not what its hashes say")
        return writer

    def append(self, entry: bytes, leaf: bytes) -> None:
        """Add one entry with its leaf hash, which the caller has computed or compared."""
        self._entries.append(entry)
        if len(self._entries) == FULL:
            self._full.append((TileId(ENTRIES, self.size // FULL), bundle_of(self._entries)))
            self._entries = []
        self._edge.append(leaf)
        self._add(0, leaf)
        self.size += 1

    def _add(self, level: int, value: bytes) -> None:
        if level == len(self._levels):
            self._levels.append([])
        row = self._levels[level]
        row.append(value)
        if len(row) == FULL:
            index = self.size >> (8 * level + 8)
            self._full.append((TileId(level, index), b"".join(row)))
            self._levels[level] = []
            self._add(level + 1, fold(row))

    def root(self) -> bytes:
        return self._edge.root()

    def take_full(self) -> list[tuple[TileId, bytes]]:
        """The tiles that became full since the last call."""
        files, self._full = self._full, []
        return files

    def take(self) -> list[tuple[TileId, bytes]]:
        """The full tiles since the last call, then the partial ones of the present size."""
        return self.take_full() + self.partial()

    def partial(self) -> list[tuple[TileId, bytes]]:
        """The partial tiles of the present size."""
        return [
            (tile, bundle_of(self._entries) if tile.level == ENTRIES else b"".join(self._levels[tile.level]))
            for tile in tiles_at(self.size)
        ]
