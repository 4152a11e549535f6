"""That a reading of a person stands in the journal as shown (R-2): its line, and the path to the root of its hour.

The root is a term of an entry of the chain, whose paper proof stands in the same file; so one file answers both
questions. Text, as people and programs read it: the first line, the line of the journal, its place, the path, an empty
line, the code of the entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .cbor import NotCanonical, decode
from .note import MalformedNote, base64_of, bytes_of_base64
from .policy import Policy
from .proof import Proved, from_qr_text, to_qr_text, verify_paper_proof
from .tree import NotProved, leaf_hash, verify_inclusion

__all__ = ["FIRST_LINE", "KIND", "Reading", "ReadingProof"]

FIRST_LINE: Final = "lianfang-read-proof/v1"
KIND: Final = "accounts:read_log:batch"
MAX_PATH: Final = 63


@dataclass(frozen=True, slots=True)
class Reading:
    """What the line says, of what people want to know."""

    number: int
    at: str
    pseudonym: str
    organ: str
    purpose: str
    reason: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadingProof:
    """`leaf` is the line, `paper` the paper proof of the entry with the root over `count` lines."""

    leaf: bytes
    position: int
    count: int
    path: tuple[bytes, ...]
    paper: bytes

    def __str__(self) -> str:
        lines = [
            FIRST_LINE,
            base64_of(self.leaf),
            f"{self.position} {self.count}",
            *map(base64_of, self.path),
        ]
        return "\n".join([*lines, "", to_qr_text(self.paper), ""])

    @classmethod
    def parse(cls, text: str) -> ReadingProof:
        """:raises MalformedNote: not the one text of any such proof"""
        head, _, code = text.partition("\n\n")
        first, *lines = head.split("\n")
        if first != FIRST_LINE or not 2 <= len(lines) <= 2 + MAX_PATH:
            raise MalformedNote("no proof of a reading")
        place = lines[1].split(" ")
        if len(place) != 2 or not all(n.isascii() and n.isdigit() and len(n) < 16 for n in place):
            raise MalformedNote("no place in the journal")
        found = cls(
            bytes_of_base64(lines[0]),
            int(place[0]),
            int(place[1]),
            tuple(map(bytes_of_base64, lines[2:])),
            from_qr_text(code.rstrip("\n")),
        )
        if str(found) != text:
            raise MalformedNote("not the one text of this proof")
        return found

    def verify(self, policy: Policy) -> tuple[Reading, Proved]:
        """The line and the entry over it.

        :raises NotProved: the path leads to another root than the chain has, or the entry is of another kind
        :raises NotCanonical: the line is not of the journal's form
        :raises MalformedNote, NotSigned: see `verify_paper_proof`
        """
        proved = verify_paper_proof(self.paper, policy)
        act = proved.entry.act if proved.entry else None
        if act is None or act.kind != KIND:
            raise NotProved("this entry is no digest of the journal")
        try:
            root = bytes.fromhex(str(act.terms.get("root", "")))
        except ValueError:
            raise NotProved("the digest has no root") from None
        if act.terms.get("readings") != self.count:
            raise NotProved("the digest is of another number of readings")
        verify_inclusion(leaf_hash(self.leaf), self.position, self.count, self.path, root)
        match decode(self.leaf):
            case [1, int(number), bytes(), bytes(), bytes(), str(at), *said] if len(said) >= 5:
                texts = [text for text in said if isinstance(text, str)]
                if len(texts) == len(said):
                    pseudonym, organ, purpose, _surface, reason, *fields = texts
                    return Reading(number, at, pseudonym, organ, purpose, reason, tuple(fields)), proved
        raise NotCanonical("not a line of the journal")
