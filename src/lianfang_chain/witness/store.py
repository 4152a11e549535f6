"""What a witness keeps in its folder, and what is durable when a call returns.

    witness.key       private key, mode 0600; whoever has it can sign as this party
    held              the last checkpoint that was cosigned, with both signatures
    hashes            32 bytes for each entry of the chain, in order
    entries           the entries of the own places: index, length, bytes; after each step a mark: size, length 0
    fork-evidence.txt there only after the log told two stories; from then on nothing is cosigned
    fork-1.note, -2   the two notes out of it, for a plain signed-note verifier; made anew when they are gone
    lock              empty; who works in the folder holds it

`held` is replaced by rename after the other two are on the disk. A crash, or a step that failed, leaves `hashes` and
`entries` longer than `held` says, never shorter; the next step cuts that off. The mark tells a file that is whole
from one that was cut off after a record: who keeps the entries of some places does not know how many there are.
Whatever else does not fit is damage, and the folder is refused. One process at a time has the folder.

The entries are hashed at the start, when the kernel says that somebody else wrote to the files, and once an hour; a view
of the page in between costs two `stat`. KNOWN: a byte changed within the same few milliseconds as an own step is found
within the hour, not at the next view.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final

from lianfang_chain.checkpoint import Checkpoint, open_checkpoint
from lianfang_chain.evidence import ForkEvidence
from lianfang_chain.note import MalformedNote, NotSigned, VerifierKey
from lianfang_chain.tiles import fold
from lianfang_chain.tree import Edge, NotProved, leaf_hash, root_of

__all__ = ["DamagedFolder", "Own", "Store", "write_whole"]

HASH: Final = 32
_HEAD: Final = 10  # index and length before an entry
_EVIDENCE: Final = "fork-evidence.txt"
_NOTES: Final = ("fork-1.note", "fork-2.note")
RECENT: Final = 20  # as many of the own entries as the page shows
HASH_AGAIN_SECONDS: Final = 3_600  # 0.3 s of work for 100,000 entries
_WAITING: Final = 1 << 20  # bytes of hashes in memory before they wait in a file without a name
_STEP: Final = 8  # upper levels are kept in memory for complete subtrees of 256 leaves and more


class DamagedFolder(OSError):
    """The folder contradicts itself and must not be used: a file is shorter than what was cosigned, or other.

    An OSError, because to a reader of the folder it is a disk that failed.
    """


@dataclass(frozen=True, slots=True)
class Own:
    """The entries of the own places as the page shows them, and what is damaged in the folder that should hold them."""

    count: int = 0
    recent: tuple[tuple[int, bytes], ...] = ()
    damage: str = ""


#: The size held; of both files the inode, the length and the time of the last change, which nobody can set back.
_Stamp = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the last look at the entries told. True as long as the files have this stamp; never without one."""

    own: Own
    stamp: _Stamp | None
    at: int | None = None  # when they were hashed; None: at the start


@dataclass(slots=True)
class _Draft:
    """How far a step has written entries behind what is held. The hashes wait: see `Store.advance`."""

    size: int
    hashes: SpooledTemporaryFile[bytes]
    entries_end: int
    count: int
    recent: deque[tuple[int, bytes]]
    untouched: (
        bool  # nobody had changed the files before the step, so afterwards what is in memory is still true
    )


def write_whole(file: Path, data: bytes) -> None:
    """Replace a file; old or new content is there after a crash, and the new one when this returns."""
    draft = file.with_name(f".{file.name}.new")
    with draft.open("wb") as target:
        target.write(data)
        target.flush()
        os.fsync(target.fileno())
    draft.replace(file)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Store:
    """The folder of one witness for one log.

    :raises DamagedFolder: see the class
    :raises BlockingIOError: another process has the folder
    """

    def __init__(self, folder: Path, log: VerifierKey) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder, self.log = folder, log
        self.held: Checkpoint | None = None
        self.note = b""
        self._upper: list[bytearray] = []
        self._draft: _Draft  # within a `step`
        self._edge = Edge()
        with contextlib.ExitStack() as opened:
            lock = opened.enter_context((folder / "lock").open("wb"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.evidence = self._open_evidence()
            if (folder / "held").exists():
                self._open_held()
            else:
                self._never_held()
            self._hashes = opened.enter_context(_appendable(folder / "hashes"))
            self._entries = opened.enter_context(_appendable(folder / "entries"))
            self._load()
            self._files = opened.pop_all()  # closed by `close`, or above when the folder is refused

    @property
    def size(self) -> int:
        return self.held.size if self.held else 0

    def close(self) -> None:
        self._files.close()

    def _open_held(self) -> None:
        """What was cosigned last. The other two files were made before it, so they are there too."""
        self.note = (self.folder / "held").read_bytes()
        try:
            self.held, _ = open_checkpoint(self.note, self.log)
        except (MalformedNote, NotSigned) as error:
            raise DamagedFolder(f"held: not what {self.log.name} signed: {error}") from error
        for name in ("hashes", "entries"):
            if not (self.folder / name).exists():
                raise DamagedFolder(f"{name}: the file is gone")

    def _never_held(self) -> None:
        """Without `held` the witness begins anew and would cosign any story, so it must be a folder that never held one.

        :raises DamagedFolder: there are more hashes than the first step brought, so there was a step after `held`
        """
        hashes, entries = (self.folder / name for name in ("hashes", "entries"))
        if not (hashes.exists() and entries.exists()):
            return
        for _, index, length, _ in _records(entries):
            if index is not None and not length:
                if hashes.stat().st_size > index * HASH:
                    raise DamagedFolder("held: the file is gone")
                return

    def _load(self) -> None:
        length = os.fstat(self._hashes.fileno()).st_size
        if length < self.size * HASH:
            raise DamagedFolder(f"hashes: {length} bytes for {self.size} entries")
        self._hashes.truncate(self.size * HASH)
        self._hashes.seek(0)
        for start in range(0, self.size - self.size % 256, 256):
            self._remember_full(self._hashes.read(256 * HASH), start)
        self._edge = Edge.of(self.size, self)
        if self.held and self._edge.root() != self.held.root:
            raise DamagedFolder("hashes: they do not lead to the root that was cosigned")
        stamp = self._stamp()
        own, self._entries_end = self._hash_entries()
        self._seen = _Seen(own, stamp)

    def own_entries(self) -> list[tuple[int, bytes]]:
        """All entries of the own places, with their index; what lies behind the mark of what is held is not read.

        :raises DamagedFolder: a record of what is held is not as it was stored, or the file ends before its mark
        """
        return [(index, entry) for index, entry, _ in self._held_entries() if entry]

    def look(self, at: int) -> Own:
        """The own entries for a view at `at`, out of memory unless the files were changed behind it, or once an hour."""
        seen, stamp = self._seen, None
        try:
            stamp = self._stamp()
            if stamp != seen.stamp or (seen.at is not None and abs(at - seen.at) >= HASH_AGAIN_SECONDS):
                seen = _Seen(self._hash_entries()[0], stamp, at)
        except DamagedFolder as error:
            seen = _Seen(Own(damage=str(error)), stamp, at)
        if seen.at is None:
            seen = _Seen(seen.own, seen.stamp, at)
        self._seen = seen
        return seen.own

    def _stamp(self) -> _Stamp:
        stamp: list[object] = [self.size]
        for name in ("entries", "hashes"):
            try:
                status = (self.folder / name).stat()
            except FileNotFoundError as error:
                raise DamagedFolder(f"{name}: the file is gone") from error
            stamp += status.st_ino, status.st_size, status.st_ctime_ns
        return tuple(stamp)

    def _hash_entries(self) -> tuple[Own, int]:
        """The own entries, and the byte behind the mark of what is held; one record at a time is in memory."""
        count, end = 0, 0
        recent: deque[tuple[int, bytes]] = deque(maxlen=RECENT)
        for index, entry, end in self._held_entries():  # noqa: B007 - the last one is wanted
            if entry:
                count += 1
                recent.append((index, entry))
        return Own(count, tuple(recent)), end

    def _held_entries(self) -> Iterator[tuple[int, bytes, int]]:
        """Each record up to the mark of what is held, compared with its hash, and the byte behind it; marks are empty."""
        size = self.size  # before the file is read: all below it was on the disk by then
        if not size:
            return
        at, least = 0, 0  # the next record is of this index at least
        for end, index, length, entry in _records(self.folder / "entries"):
            if index is None:
                raise DamagedFolder(f"entries: cut off at byte {end}, before the mark of {size}")
            if length:
                fits = least <= index < size and leaf_hash(entry) == self.leaf(index)
            else:
                fits = least <= index <= size
            if not fits:
                raise DamagedFolder(f"entries: the record at byte {at} is not what was stored there")
            yield index, entry, end
            if index == size:
                return
            at, least = end, index + 1 if length else index

    def node(self, level: int, index: int) -> bytes:
        """A node of the tree held, for proofs about it.

        :raises DamagedFolder: the file of hashes is shorter by now
        """
        if level >= _STEP:
            row = self._upper[level - _STEP]
            return bytes(row[index * HASH : (index + 1) * HASH])
        start, count = index << level, 1 << level
        data = os.pread(self._hashes.fileno(), count * HASH, start * HASH)
        if len(data) != count * HASH:
            raise DamagedFolder(f"hashes: no {count} hashes from {start} on")
        return fold([data[i : i + HASH] for i in range(0, len(data), HASH)])

    def root_at(self, size: int) -> bytes:
        """The root that the own history has at a size up to the one held."""
        return root_of(size, self)

    def edge(self) -> Edge:
        """A copy of the right edge, for trying out what would follow."""
        return self._edge.copy()

    def leaf(self, index: int) -> bytes:
        return os.pread(self._hashes.fileno(), HASH, index * HASH)

    def _remember_full(self, tile: bytes, start: int) -> None:
        value = fold([tile[i : i + HASH] for i in range(0, len(tile), HASH)])
        index, level = start >> _STEP, 0
        while True:
            if level == len(self._upper):
                self._upper.append(bytearray())
            self._upper[level] += value
            if index % 2 == 0:
                return
            row = self._upper[level]
            value = fold([bytes(row[-2 * HASH : -HASH]), bytes(row[-HASH:])])
            index, level = index >> 1, level + 1

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """Around `add` and `advance`. What an earlier, failed step left behind what is held is cut off.

        :raises DamagedFolder: what was stored before is shorter by now, or its file was removed
        """
        own, stamp = self._seen.own, self._seen.stamp
        untouched = not own.damage and stamp == self._stamp()
        _cut(self._entries, self._entries_end)
        _cut(self._hashes, self.size * HASH)
        with SpooledTemporaryFile(max_size=_WAITING, dir=str(self.folder)) as hashes:
            recent = deque(own.recent, maxlen=RECENT)
            self._draft = _Draft(self.size, hashes, self._entries_end, own.count, recent, untouched)
            yield

    def add(self, leaves: list[bytes], own: list[tuple[int, bytes]]) -> None:
        """Write what follows in the step. Nothing of it is held before `advance`."""
        draft = self._draft
        records = b"".join(index.to_bytes(8, "big") + len(d).to_bytes(2, "big") + d for index, d in own)
        _write_at(self._entries, draft.entries_end, records)
        draft.hashes.write(b"".join(leaves))
        draft.entries_end += len(records)
        draft.size += len(leaves)
        draft.count += len(own)
        draft.recent.extend(own)

    def advance(self, checkpoint: Checkpoint, note: bytes, edge: Edge) -> None:
        """Take the checkpoint as the one held. Everything is on the disk when this returns.

        The entries with their mark are on the disk before the first hash is: `_never_held` counts on that.
        The caller has made sure that what was added in this step continues the history held up to the checkpoint's
        root; `edge` is the right edge there.

        :raises DamagedFolder: what was stored before is shorter by now, or its file was removed
        """
        start, draft = self.size, self._draft
        assert draft.size == checkpoint.size == edge.size
        if draft.size > start:
            mark = checkpoint.size.to_bytes(8, "big") + bytes(2)
            _write_at(self._entries, draft.entries_end, mark)
            draft.entries_end += len(mark)
        _sync(self._entries, draft.entries_end)
        draft.hashes.seek(0)
        at = start * HASH
        while chunk := draft.hashes.read(_WAITING):
            _write_at(self._hashes, at, chunk)
            at += len(chunk)
        _sync(self._hashes, draft.size * HASH)
        write_whole(self.folder / "held", note)
        self._edge = edge
        first = start - start % 256
        for at in range(first, checkpoint.size - checkpoint.size % 256, 256):
            self._remember_full(os.pread(self._hashes.fileno(), 256 * HASH, at * HASH), at)
        self._entries_end = draft.entries_end
        self.held, self.note = checkpoint, note
        own = Own(draft.count, tuple(draft.recent))
        self._seen = _Seen(own, self._stamp() if draft.untouched else None, self._seen.at)

    def sign_anew(self, note: bytes) -> None:
        """The same checkpoint under another key of this witness; on the disk when this returns."""
        write_whole(self.folder / "held", note)
        self.note = note

    def keep_evidence(self, evidence: ForkEvidence) -> None:
        """Write the first evidence down; later ones add nothing, the log is dead for this witness."""
        if not self.evidence:
            write_whole(self.folder / _EVIDENCE, str(evidence).encode())
            self.evidence = str(evidence)
            self._show(evidence)

    def _open_evidence(self) -> str:
        """The evidence of a fork, or nothing. From here on it is known without the file.

        :raises DamagedFolder: the file is not as it was written, or it is gone and its notes are there
        """
        file = self.folder / _EVIDENCE
        if not file.exists():
            if any((self.folder / name).exists() for name in _NOTES):
                raise DamagedFolder(f"{_EVIDENCE}: the file is gone")
            return ""
        try:
            text = file.read_bytes().decode()
            evidence = ForkEvidence.parse(text)
            evidence.verify(self.log)
        except (UnicodeDecodeError, MalformedNote, NotSigned, NotProved) as error:
            raise DamagedFolder(f"{_EVIDENCE}: not as it was written: {error}") from error
        if str(evidence) != text:
            raise DamagedFolder(f"{_EVIDENCE}: not as it was written")
        self._show(evidence)
        return text

    def _show(self, evidence: ForkEvidence) -> None:
        for name, note in zip(_NOTES, (evidence.smaller, evidence.larger), strict=True):
            file = self.folder / name
            if not file.exists():
                write_whole(file, note)
            elif file.read_bytes() != note:
                raise DamagedFolder(f"{name}: not what {_EVIDENCE} says")


def _records(file: Path) -> Iterator[tuple[int, int | None, int, bytes]]:
    """Each record as the byte behind it, its index, length and bytes (fewer where the file ends); then the file's length.

    :raises DamagedFolder: there is no file
    """
    try:
        source = file.open("rb")
    except FileNotFoundError as error:
        raise DamagedFolder(f"{file.name}: the file is gone") from error
    with source:
        at = 0
        while len(head := source.read(_HEAD)) == _HEAD:
            length = int.from_bytes(head[8:], "big")
            at += _HEAD + length
            yield at, int.from_bytes(head[:8], "big"), length, source.read(length)
        yield at + len(head), None, 0, b""


def _cut(file: BinaryIO, position: int) -> None:
    """Cut off what lies behind a place; on the disk when this returns.

    :raises DamagedFolder: the file is shorter, or has no name any more
    """
    if _length(file, position) > position:
        file.truncate(position)
        os.fsync(file.fileno())


def _write_at(file: BinaryIO, position: int, data: bytes) -> None:
    while data:
        written = os.pwrite(file.fileno(), data, position)
        data, position = data[written:], position + written


def _sync(file: BinaryIO, position: int) -> None:
    """:raises DamagedFolder: the file is shorter than what was written, or has no name any more"""
    os.fsync(file.fileno())
    _length(file, position)


def _length(file: BinaryIO, least: int) -> int:
    there = os.fstat(file.fileno())
    if there.st_size < least or not there.st_nlink:
        raise DamagedFolder(
            f"{Path(file.name).name}: {there.st_size} bytes where {least} were stored, or removed"
        )
    return there.st_size


def _appendable(file: Path) -> BinaryIO:
    """The file, made if need be, open for reading and for writing at its end."""
    if not file.exists():
        file.touch(mode=0o600)
        sync_folder(file.parent)
    return file.open("r+b", buffering=0)
