"""What a witness keeps in its folder, and what is durable when a call returns.

    witness.key       private key, mode 0600; whoever has it can sign as this party
    held              the last checkpoint that was cosigned, with both signatures
    hashes            32 bytes for each entry of the chain, in order
    entries           the entries of the own places: index, length, bytes; after each step a mark: size, length 0
    fork-evidence.txt there only after the log told two stories; from then on nothing is cosigned
    fork-1.note, -2   the two notes out of it, for a plain signed-note verifier; made anew when they are gone
    lock              empty; who works in the folder holds it

`held` is replaced by rename after the other two are on the disk. A crash leaves `hashes` and `entries` longer
than `held` says, never shorter; what is behind is overwritten by the next step. The mark tells a file that is whole
from one that was cut off after a record: who keeps the entries of some places does not know how many there are.
Whatever else does not fit is damage, and the folder is refused. One process at a time has the folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

from lianfang_chain.checkpoint import Checkpoint, open_checkpoint
from lianfang_chain.evidence import ForkEvidence
from lianfang_chain.note import MalformedNote, NotSigned, VerifierKey
from lianfang_chain.tiles import fold
from lianfang_chain.tree import Edge, NotProved, leaf_hash, root_of

__all__ = ["DamagedFolder", "Store", "write_whole"]

HASH: Final = 32
_HEAD: Final = 10  # index and length before an entry
_EVIDENCE: Final = "fork-evidence.txt"
_NOTES: Final = ("fork-1.note", "fork-2.note")
_STEP: Final = 8  # upper levels are kept in memory for complete subtrees of 256 leaves and more


class DamagedFolder(OSError):
    """The folder contradicts itself and must not be used: a file is shorter than what was cosigned, or other.

    An OSError, because to a reader of the folder it is a disk that failed.
    """


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
        data, at = entries.read_bytes(), 0
        while at + _HEAD <= len(data):
            index = int.from_bytes(data[at : at + 8], "big")
            length = int.from_bytes(data[at + 8 : at + _HEAD], "big")
            if not length:
                if hashes.stat().st_size > index * HASH:
                    raise DamagedFolder("held: the file is gone")
                return
            at += _HEAD + length

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
        self._entries_end = self._read_entries()[1]

    def own_entries(self) -> list[tuple[int, bytes]]:
        """All entries of the own places, with their index; what lies behind the mark of what is held is not read.

        :raises DamagedFolder: a record of what is held is not as it was stored, or the file ends before its mark
        """
        return self._read_entries()[0]

    def _read_entries(self) -> tuple[list[tuple[int, bytes]], int]:
        """The entries, and the byte behind the mark of what is held."""
        size = self.size  # before the file is read: all below it was on the disk by then
        try:
            data = (self.folder / "entries").read_bytes()
        except FileNotFoundError as error:
            raise DamagedFolder("entries: the file is gone") from error
        entries: list[tuple[int, bytes]] = []
        at, least = 0, 0  # the next record is of this index at least
        while size and at + _HEAD <= len(data):
            index = int.from_bytes(data[at : at + 8], "big")
            end = at + _HEAD + int.from_bytes(data[at + 8 : at + _HEAD], "big")
            if end == at + _HEAD and least <= index <= size:
                at, least = end, index
                if index == size:
                    return entries, at
                continue
            entry = data[at + _HEAD : end]
            if not least <= index < size or leaf_hash(entry) != self.leaf(index):
                raise DamagedFolder(f"entries: the record at byte {at} is not what was stored there")
            entries.append((index, entry))
            at, least = end, index + 1
        if size:
            raise DamagedFolder(f"entries: cut off at byte {len(data)}, before the mark of {size}")
        return [], 0

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

    def advance(
        self, checkpoint: Checkpoint, note: bytes, leaves: list[bytes], own: Iterable[tuple[int, bytes]]
    ) -> None:
        """Take the checkpoint as the one held. Everything is on the disk when this returns.

        The caller has made sure that `leaves` continue the history held up to the checkpoint's root.

        :raises DamagedFolder: what was stored before is shorter by now, or its file was removed
        """
        start = self.size
        assert start + len(leaves) == checkpoint.size
        # Written at known places: what an earlier, failed attempt left behind is overwritten.
        records = b"".join(index.to_bytes(8, "big") + len(d).to_bytes(2, "big") + d for index, d in own)
        if leaves:
            records += checkpoint.size.to_bytes(8, "big") + bytes(2)
        _write_at(self._entries, self._entries_end, records)
        _write_at(self._hashes, start * HASH, b"".join(leaves))
        write_whole(self.folder / "held", note)
        for leaf in leaves:
            self._edge.append(leaf)
        first = start - start % 256
        for at in range(first, checkpoint.size - checkpoint.size % 256, 256):
            self._remember_full(os.pread(self._hashes.fileno(), 256 * HASH, at * HASH), at)
        self._entries_end += len(records)
        self.held, self.note = checkpoint, note

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


def _write_at(file: BinaryIO, position: int, data: bytes) -> None:
    """Write and cut off what follows; on the disk when this returns.

    :raises DamagedFolder: the file is shorter, or has no name any more
    """
    there = os.fstat(file.fileno())
    if there.st_size < position or not there.st_nlink:
        raise DamagedFolder(
            f"{Path(file.name).name}: {there.st_size} bytes where {position} were stored, or removed"
        )
    file.truncate(position)
    file.seek(position)
    while data:
        data = data[file.write(data) :]
    os.fsync(file.fileno())


def _appendable(file: Path) -> BinaryIO:
    """The file, made if need be, open for reading and for writing at its end."""
    if not file.exists():
        file.touch(mode=0o600)
        sync_folder(file.parent)
    return file.open("r+b", buffering=0)
