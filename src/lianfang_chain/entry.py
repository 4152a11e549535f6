"""What one entry says: a map in deterministic CBOR, signed by the organ that acted (COSE_Sign1, EdDSA).

The leaf of the tree is the signed act, so the organ vouches for the content and the log for order and
presence. Never a name, a door or a household in here: persons appear as salted commitments, and the scope is
a public place, for orders on persons the community.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from .cbor import NotCanonical, Tag, Value, decode, encode
from .note import ED25519, NotSigned, Signer, VerifierKey
from .tree import leaf_hash

__all__ = ["MAX_ENTRY_BYTES", "Act", "Entry", "organ_key_name", "scope_of", "sign_entry"]

SCHEMA: Final = "lf/1"
HASH_ALGORITHM: Final = "sha-256"
MAX_ENTRY_BYTES: Final = 4_096  # our rule; the format allows 65,535. Large documents go in by hash.
MAX_COMMITMENTS: Final = 64
COSE_SIGN1: Final = 18
EDDSA: Final = -8
_ALGORITHM, _KEY_ID = 1, 4
KIND: Final = re.compile(r"[a-z][a-z_]*(?::[a-z][a-z_]*){1,3}")
# The last label of an area path says what kind of place it is. "h", a dwelling, is not among them: an entry
# never names one (L-3).
SCOPE_CLASS: Final[Mapping[str, str]] = {
    "d": "district",
    "s": "street",
    "c": "community",
    "g": "grid",
    "m": "compound",
    "b": "building",
    "w": "stairwell",
}
_LABEL: Final = re.compile(r"[a-z][0-9a-z]{1,40}")


@dataclass(frozen=True, slots=True)
class Act:
    """The content of one entry, by the numbers of its map."""

    kind: str  # 2: room, thing and act
    act_id: UUID  # 3: random for each case, so that the case's entries find each other and nothing else
    issued_at: int  # 4: POSIX seconds; for orders on persons the hour
    organ: str  # 5: code of the organ that signs
    scope: str  # 6: public area path
    basis: str  # 7: legal basis
    terms: Mapping[str, str | int]  # 8: what is public of it
    commitments: tuple[bytes, ...] = ()  # 9: sorted, decoys among them
    prior: bytes | None = None  # 10: leaf hash of the entry that this one amends, ends or answers
    officer: bytes = field(default=b"")  # 11: commitment to the officer's pseudonym

    @property
    def scope_class(self) -> str:
        return SCOPE_CLASS[self.scope.rpartition(".")[2][0]]

    def check(self) -> None:
        """:raises NotCanonical: a field outside its form"""
        problem = _problem(self)
        if problem:
            raise NotCanonical(problem)

    def to_map(self) -> dict[int, Value]:
        self.check()
        return {
            1: SCHEMA,
            2: self.kind,
            3: self.act_id.bytes,
            4: self.issued_at,
            5: self.organ,
            6: [self.scope_class, self.scope],
            7: self.basis,
            8: dict(self.terms),
            9: list(self.commitments),
            10: self.prior,
            11: self.officer,
            12: HASH_ALGORITHM,
        }

    @classmethod
    def from_map(cls, value: Value) -> Act:
        """:raises NotCanonical: not an entry of version 1, to the last field"""
        match value:
            case {
                1: "lf/1",
                2: str(kind),
                3: bytes(act_id),
                4: int(issued_at),
                5: str(organ),
                6: [str(scope_class), str(scope)],
                7: str(basis),
                8: dict(terms),
                9: list(commitments),
                10: None | bytes() as prior,
                11: bytes(officer),
                12: "sha-256",
                **rest,
            } if not rest and len(act_id) == 16:
                # `tuple` and `dict` below hold only what `check` has looked at.
                act = cls(kind, UUID(bytes=act_id), issued_at, organ, scope, basis, terms,
                          tuple(commitments), prior, officer)  # fmt: skip
                act.check()
                if act.scope_class != scope_class:
                    raise NotCanonical("the class does not fit the scope")
                return act
        raise NotCanonical("not an entry of version 1")


def _problem(act: Act) -> str:
    if not KIND.fullmatch(act.kind):
        return "not a kind"
    if isinstance(act.issued_at, bool) or not 0 <= act.issued_at < 1 << 40:
        return "an instant out of range"
    if not act.organ or not act.basis:
        return "no organ or no legal basis"
    labels = act.scope.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels) or labels[-1][0] not in SCOPE_CLASS:
        return "not a public scope"
    if any(label[0] == "h" for label in labels):
        return "a scope that names a dwelling"
    for name, value in act.terms.items():
        if not isinstance(name, str) or not name:
            return "a term without a name"
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            return f"the term {name} is neither text nor an integer"
    if len(act.commitments) > MAX_COMMITMENTS or len(act.commitments) % 4:
        return "commitments come in fours"
    if any(not isinstance(c, bytes) or len(c) != 32 for c in act.commitments):
        return "a commitment has 32 bytes"
    if list(act.commitments) != sorted(set(act.commitments)):
        return "commitments that are not sorted"
    if act.prior is not None and len(act.prior) != 32:
        return "a leaf hash has 32 bytes"
    if len(act.officer) != 32:
        return "no officer"
    return ""


def organ_key_name(origin: str, organ: str) -> str:
    """The name under which an organ's key stands in the list of organs."""
    return f"{origin}/organ/{organ}"


def key_id(public: bytes) -> bytes:
    return hashlib.sha256(public).digest()[:8]


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    return encode(["Signature1", protected, b"", payload])  # RFC 9052 §4.4


def sign_entry(act: Act, organ: Signer) -> bytes:
    """The entry's bytes, which are the leaf.

    :raises NotCanonical: a field outside its form, or more than `MAX_ENTRY_BYTES`
    """
    payload = encode(act.to_map())
    protected = encode({_ALGORITHM: EDDSA, _KEY_ID: key_id(organ.key.public)})
    signature = organ.sign_bytes(_to_be_signed(protected, payload))
    data = encode(Tag(COSE_SIGN1, [protected, {}, payload, signature]))
    if len(data) > MAX_ENTRY_BYTES:
        raise NotCanonical(f"an entry of {len(data)} bytes, at most {MAX_ENTRY_BYTES}")
    return data


@dataclass(frozen=True, slots=True)
class Entry:
    """A parsed entry. The organ's signature is checked by `verify`, not by `parse`."""

    data: bytes
    act: Act
    key_id: bytes
    protected: bytes
    payload: bytes
    signature: bytes

    @classmethod
    def parse(cls, data: bytes) -> Entry:
        """:raises NotCanonical: not an entry in its one encoding"""
        value = decode(data, max_bytes=MAX_ENTRY_BYTES)
        match value:
            case Tag(
                number=18, value=[bytes(protected), dict(unprotected), bytes(payload), bytes(signature)]
            ):
                pass
            case _:
                raise NotCanonical("not a COSE_Sign1")
        if unprotected or len(signature) != 64:
            raise NotCanonical("unprotected headers, or not an Ed25519 signature")
        match decode(protected):
            case {1: -8, 4: bytes(kid), **rest} if not rest and len(kid) == 8:
                return cls(data, Act.from_map(decode(payload)), kid, protected, payload, signature)
        raise NotCanonical("not the headers of an entry")

    @property
    def leaf(self) -> bytes:
        return leaf_hash(self.data)

    def verify(self, organ: VerifierKey) -> None:
        """:raises NotSigned: this key did not sign the entry"""
        if organ.key_type != ED25519 or key_id(organ.public) != self.key_id:
            raise NotSigned("another key signed this entry")
        message = _to_be_signed(self.protected, self.payload)
        organ.verify_bytes(message, self.signature)

    def view(self) -> dict[str, object]:
        """The entry for people, as JSON; it is a view and nothing is signed over it."""
        act = self.act
        return {
            "schema": SCHEMA,
            "kind": act.kind,
            "act_id": str(act.act_id),
            "issued_at": act.issued_at,
            "organ": act.organ,
            "scope_class": act.scope_class,
            "scope": act.scope,
            "basis": act.basis,
            "terms": dict(act.terms),
            "commitments": [c.hex() for c in act.commitments],
            "prior": act.prior.hex() if act.prior else None,
            "officer": act.officer.hex(),
            "hash": HASH_ALGORITHM,
            "leaf_hash": self.leaf.hex(),
        }


def scope_of(data: bytes) -> str:
    """The place that an entry names, without a look at the rest: for a mirror, which only sorts by it.

    :raises NotCanonical: it names none
    """
    match decode(data, max_bytes=MAX_ENTRY_BYTES):
        case Tag(number=18, value=[_, _, bytes(payload), _]):
            match decode(payload):
                case {6: [str(), str(scope)]}:
                    return scope
    raise NotCanonical("not an entry")
