"""The body of `POST add-checkpoint` (C2SP tlog-witness): `old <size>`, a consistency proof, a signed note."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .note import MAX_NOTE_BYTES, MalformedNote, base64_of, bytes_of_base64, decimal

__all__ = ["MAX_BODY", "AddCheckpoint"]

MAX_HASHES: Final = 63
MAX_BODY: Final = MAX_NOTE_BYTES + 4_096


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    old: int
    proof: tuple[bytes, ...]
    note: bytes

    def __bytes__(self) -> bytes:
        head = f"old {self.old}\n" + "".join(f"{base64_of(h)}\n" for h in self.proof)
        return head.encode() + b"\n" + self.note

    @classmethod
    def parse(cls, body: bytes) -> AddCheckpoint:
        """:raises MalformedNote: not in this form; the note is not looked into"""
        head, separator, note = body.partition(b"\n\n")
        if not separator or len(body) > MAX_BODY:
            raise MalformedNote("no checkpoint, or too long")
        try:
            first, *hashes = head.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise MalformedNote("not ASCII") from error
        if not first.startswith("old ") or len(hashes) > MAX_HASHES:
            raise MalformedNote("not `old <size>` and at most 63 hashes")
        proof = tuple(bytes_of_base64(line) for line in hashes)
        if any(len(h) != 32 for h in proof):
            raise MalformedNote("a hash has 32 bytes")
        return cls(decimal(first[4:]), proof, note)
