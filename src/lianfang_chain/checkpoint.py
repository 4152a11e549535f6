"""Checkpoints (C2SP tlog-checkpoint v1.0.0): origin, size, root; three lines and never a fourth.

Extension lines are legal in the specification and refused here: it discourages them, ML-DSA cosignatures
do not cover them, and witnesses in the field reject them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from .note import (
    MalformedNote,
    NotSigned,
    OpenedNote,
    Signer,
    VerifierKey,
    base64_of,
    bytes_of_base64,
    decimal,
    open_note,
)

__all__ = ["EMPTY_ROOT", "Checkpoint", "EmptyTreeRoot", "open_checkpoint", "sign_checkpoint"]

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


class EmptyTreeRoot(MalformedNote):
    """A checkpoint of size 0 with another root. Its own class, because a witness has its own answer to it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64_of(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """:raises MalformedNote: not exactly origin, size and root, or a wrong root of the empty tree"""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0]:
            raise MalformedNote("a checkpoint of ours has three lines")
        size, root = decimal(lines[1]), bytes_of_base64(lines[2])
        if len(root) != 32:
            raise MalformedNote("a root has 32 bytes")
        if size == 0 and root != EMPTY_ROOT:
            raise EmptyTreeRoot("the empty tree has one root only")
        return cls(lines[0], size, root)


def sign_checkpoint(checkpoint: Checkpoint, log: Signer) -> bytes:
    """The signed note. The caller makes sure that no other root was ever signed for this size."""
    return f"{checkpoint.text}\n{log.sign(checkpoint.text).line}".encode()


def open_checkpoint(
    data: bytes, log: VerifierKey, *, others: tuple[VerifierKey, ...] = ()
) -> tuple[Checkpoint, OpenedNote]:
    """Parse and verify a checkpoint of `log`, whose key name must be its origin.

    :raises MalformedNote: not a checkpoint, or of another origin
    :raises NotSigned: the log did not sign it, or a line of a known key is wrong
    """
    opened = open_note(data, (log, *others))
    if opened.by(log) is None:
        raise NotSigned("the log did not sign this checkpoint")
    checkpoint = Checkpoint.parse(opened.text)
    if checkpoint.origin != log.name:
        raise MalformedNote("a checkpoint of another log")
    return checkpoint, opened
