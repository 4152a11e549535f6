"""The chain's files: tiles and bundles derived from the table, and the checkpoint that everybody reads.

They lie under `chain/` in the data folder, at the paths at which they are served. A file is written beside its
place, fsynced, renamed, and its folder fsynced; a tile that exists must have the same bytes, else we stop. All
of it can be written again from the table, byte for byte.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.conf import settings

from lianfang.kernel import ids
from lianfang.kernel.points import point
from lianfang_chain.note import MalformedNote
from lianfang_chain.tiles import ENTRIES, FULL, TileId, TileWriter, bundle_of, entries_of
from lianfang_chain.tree import leaf_hash

from .models import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CHUNK: Final = 2_048


class FilesDiffer(Exception):
    """A published tile has other bytes than the table says. Nothing is signed until `fsck` has looked."""

    def __str__(self) -> str:
        return f'{super().__str__()}: nothing is signed until `lianfang fsck --rebuild` (docs/chain.md, "Damaged files")'


def folder() -> Path:
    return Path(settings.LIANFANG_DATA) / "chain"


def read(tile: TileId, among: Path | None = None) -> bytes:
    """A tile or bundle; of a partial one that is gone, the beginning of the full one.

    One that was cut off is not handed out: everybody who gets it may keep it for ever. Changed bytes are: who
    checks them against a checkpoint sees it, and so do `grow` and `fsck`. `among` is the folder of another chain.

    :raises FileNotFoundError: it was never published
    :raises MalformedNote: the file is not whole
    """
    files = among or folder()
    try:
        return _whole(tile, (files / tile.path).read_bytes())
    except FileNotFoundError:
        if tile.width == FULL:
            raise
    whole = _whole(tile.full, (files / tile.full.path).read_bytes())
    if tile.level == ENTRIES:
        return bundle_of(entries_of(whole, width=FULL)[: tile.width])
    return whole[: tile.width * 32]


def _whole(tile: TileId, data: bytes) -> bytes:
    """:raises MalformedNote: see `read`"""
    if tile.level == ENTRIES:
        entries_of(data, width=tile.width)
    elif len(data) != tile.width * 32:
        raise MalformedNote(f"{tile.path} is not whole")
    return data


def write(files: Iterable[tuple[TileId, bytes]]) -> None:
    """Durable when this returns.

    :raises FilesDiffer: a file is there with other bytes
    """
    folders: set[Path] = set()
    for tile, data in files:
        file = folder() / tile.path
        if file.exists():
            if file.read_bytes() != data:
                raise FilesDiffer(tile.path)
            continue
        folders |= _place(file, data)
        point("ledger.publish.after_tile")
    for changed in folders:
        _sync(changed)


def publish_checkpoint(note: bytes) -> None:
    """Replace what `/checkpoint` says; the tiles of its size are durable by then (L-2)."""
    file = folder() / "checkpoint"
    if not file.exists() or file.read_bytes() != note:
        point("ledger.publish.before_checkpoint")
        for changed in _place(file, note):
            _sync(changed)
        point("ledger.publish.after_checkpoint")


def published_checkpoint() -> bytes:
    """What `/checkpoint` says; empty when nothing was published yet."""
    file = folder() / "checkpoint"
    return file.read_bytes() if file.exists() else b""


def publish_organs(note: bytes) -> None:
    """Replace the signed list of the organs' keys."""
    if published_organs() != note:
        for changed in _place(folder() / "organs", note):
            _sync(changed)


def published_organs() -> bytes:
    """The signed list of the organs' keys; empty before the first."""
    file = folder() / "organs"
    return file.read_bytes() if file.exists() else b""


def drop_partials(files: Iterable[tuple[TileId, bytes]]) -> None:
    """Remove the partial tiles of those that are full now; `read` serves them out of the full ones."""
    for tile, _ in files:
        if tile.width == FULL:
            shutil.rmtree(folder() / f"{tile.path}.p", ignore_errors=True)


def leaves_from(start: int) -> Iterator[tuple[bytes, bytes]]:
    """Entries with their leaf hashes, from an index on, in order and without a gap.

    :raises FilesDiffer: the table has a gap
    """
    while True:
        rows = list(
            Entry.objects.filter(idx__gte=start)
            .order_by("idx")
            .values_list("idx", "data", "leaf_hash")[:_CHUNK]
        )
        for index, data, leaf in rows:
            if index != start:
                raise FilesDiffer(f"the table has no entry {start}")
            start += 1
            yield bytes(data), bytes(leaf)
        if len(rows) < _CHUNK:
            return


def grow(writer: TileWriter, size: int) -> list[tuple[TileId, bytes]]:
    """Bring the files to `size`; returns the tiles that are full now. Durable when this returns.

    :raises FilesDiffer: the table has a gap, or a file has other bytes than the table says
    """
    filled = []
    if writer.size < size:
        for data, leaf in leaves_from(writer.size):
            # The schema says the same; here it holds for the bytes that were read, too.
            if leaf_hash(data) != leaf:
                raise FilesDiffer(f"entry {writer.size} is not what its hash says")
            writer.append(data, leaf)
            if writer.size % _CHUNK == 0:
                full = writer.take_full()
                write(full)
                filled += [(tile, b"") for tile, _ in full]
            if writer.size == size:
                break
    files = writer.take()
    write(files)
    if writer.size != size:
        raise FilesDiffer(f"the tree has {size} entries and the table {writer.size}")
    return filled + [(tile, b"") for tile, _ in files if tile.width == FULL]


def _place(file: Path, data: bytes) -> set[Path]:
    """Write one file; returns the folders that are to be fsynced."""
    changed = {file.parent}
    parent = file.parent
    while not parent.exists():
        changed.add(parent.parent)
        parent = parent.parent
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{ids.new_id().hex}")
    try:
        with draft.open("wb") as target:
            target.write(data)
            target.flush()
            os.fsync(target.fileno())
        draft.replace(file)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return changed


def _sync(changed: Path) -> None:
    descriptor = os.open(changed, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
