"""Salted commitments (after SD-JWT, RFC 9901): the chain holds hashes, the values can be deleted.

A commitment is SHA-256 over 0x02, "lf-sd/1" and the disclosure [salt, field, value]. Each field of each entry
has its own 128-bit salt from the operating system; a salt derived from a master key could be derived again
after the deletion. Decoys hide how many fields there are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from .cbor import NotCanonical, decode, encode

__all__ = ["OFFICER", "Commitments", "Disclosure", "commit", "commit_officer"]

SALT_BYTES: Final = 16
GROUP: Final = 4  # commitments come in multiples of this, so their number says little
OFFICER: Final = "officer"
_PREFIX: Final = b"\x02lf-sd/1"


@dataclass(frozen=True)
class Disclosure:
    """One field with its salt: who has it can show that the entry commits to the value."""

    salt: bytes
    field: str
    value: str | int

    def __bytes__(self) -> bytes:
        return self._encoded

    @cached_property
    def _encoded(self) -> bytes:  # once to commit to it, once to seal it
        return encode([self.salt, self.field, self.value])

    @property
    def commitment(self) -> bytes:
        return hashlib.sha256(_PREFIX + bytes(self)).digest()

    @classmethod
    def parse(cls, data: bytes) -> Disclosure:
        """:raises NotCanonical: not one disclosure in its one encoding"""
        value = decode(data)
        match value:
            case [bytes(salt), str(name), bool()]:
                raise NotCanonical(f"the field {name!r} of {len(salt)} salt bytes has no text or number")
            case [bytes(salt), str(name), str() | int() as shown] if len(salt) == SALT_BYTES and name:
                return cls(salt, name, shown)
        raise NotCanonical("not a disclosure")


@dataclass(frozen=True, slots=True)
class Commitments:
    """What goes into the entry (`hashes`, sorted, decoys among them) and what stays outside.

    `disclosures`, in the order of their fields, by the position of their commitment in the entry.
    """

    hashes: tuple[bytes, ...]
    disclosures: Mapping[int, Disclosure]


def commit(secrets: Mapping[str, str | int], random: Callable[[int], bytes]) -> Commitments:
    """Commit to each field; no secrets, no commitments.

    :raises NotCanonical: a field or value that cannot be encoded
    """
    made: dict[bytes, Disclosure] = {}
    for name in sorted(secrets):
        disclosure = Disclosure(random(SALT_BYTES), name, secrets[name])
        made[disclosure.commitment] = disclosure
    decoys = [random(32) for _ in range(-len(made) % GROUP)]
    hashes = tuple(sorted([*made, *decoys]))
    return Commitments(hashes, {hashes.index(hash_): disclosure for hash_, disclosure in made.items()})


def commit_officer(pseudonym: str, random: Callable[[int], bytes]) -> Disclosure:
    """The officer who acted, committed apart from the fields so that it can be opened alone."""
    return Disclosure(random(SALT_BYTES), OFFICER, pseudonym)
