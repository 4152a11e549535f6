"""Signed notes (C2SP signed-note v1.0.0): a text, an empty line, signature lines.

Two key types are ours: 0x01, plain Ed25519 over the text (the log, the organs), and 0x04, a timestamped
Ed25519 cosignature of a checkpoint (the witnesses). Lines of other types and of unknown keys are carried
along and ignored, so a national algorithm can be added as type 0xff without touching a reader.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = [
    "COSIGNATURE",
    "ED25519",
    "MAX_NOTE_BYTES",
    "MalformedNote",
    "Note",
    "NotSigned",
    "OpenedNote",
    "UnknownWitness",
    "Signature",
    "Signer",
    "VerifiedSignature",
    "VerifierKey",
    "base64_of",
    "bytes_of_base64",
    "decimal",
    "open_note",
    "parse_note",
]

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04
MAX_NOTE_BYTES: Final = 32_768
MAX_SIGNATURES: Final = 64  # the specification asks for at least 16
_DASH: Final = "\u2014 "
_PRIVATE: Final = "PRIVATE+KEY+"


class MalformedNote(ValueError):
    """The bytes are not a signed note, a key or a checkpoint in the exact form of the specification."""


class NotSigned(ValueError):
    """No known key signed the note, or the signature of a known key is wrong."""


class UnknownWitness(NotSigned):
    """A witness signed whom the trust file does not name, and what is known is right: the file may be the older one."""


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def bytes_of_base64(text: str) -> bytes:
    """Standard alphabet, padded, no stray bits: exactly what `base64_of` writes.

    :raises MalformedNote: anything else
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError) as error:
        raise MalformedNote("not base64") from error
    if base64_of(data) != text:
        raise MalformedNote("not the one base64 form")
    return data


def decimal(text: str, *, below: int = 1 << 63) -> int:
    """ASCII digits without a leading zero. `int()` alone also takes '٣', '1_0' and ' 1'.

    :raises MalformedNote: anything else, or not below `below`
    """
    if not (0 < len(text) < 20 and text.isascii() and text.isdigit()) or (text[0] == "0" and text != "0"):
        raise MalformedNote("not a decimal number")
    number = int(text)
    if number >= below:
        raise MalformedNote("a number out of range")
    return number


def _check_name(name: str) -> None:
    if not name or "+" in name or any(c.isspace() or c < " " for c in name):
        raise MalformedNote("not a key name")


def _key_id(name: str, key_type: int, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes((key_type,)) + public).digest()[:4]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name and type; the string form is `name+id+base64` (a "vkey")."""

    name: str
    key_type: int
    public: bytes
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        _check_name(self.name)
        if self.key_type not in (ED25519, COSIGNATURE):
            raise MalformedNote(f"key type {self.key_type} is not one of ours")
        if len(self.public) != 32:
            raise MalformedNote("an Ed25519 key has 32 bytes")
        object.__setattr__(self, "key_id", _key_id(self.name, self.key_type, self.public))

    @classmethod
    def parse(cls, vkey: str) -> VerifierKey:
        """:raises MalformedNote: not a vkey, a type that is not ours, or the id does not fit the key"""
        name, _, rest = vkey.partition("+")
        key_id, _, encoded = rest.partition("+")
        raw = bytes_of_base64(encoded)
        if not raw:
            raise MalformedNote("a key without bytes")
        key = cls(name, raw[0], raw[1:])
        if key.key_id.hex() != key_id:
            raise MalformedNote("the key id does not fit the key")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64_of(bytes((self.key_type,)) + self.public)}"

    def verify(self, text: str, signature: bytes) -> int | None:
        """Check the bytes behind the key id; return the instant of a cosignature (POSIX seconds), else None.

        :raises NotSigned: the signature does not fit
        """
        at: int | None = None
        message = text.encode()
        if self.key_type == COSIGNATURE:
            if len(signature) != 72:
                raise NotSigned(f"{self.name}: a cosignature has 72 bytes")
            at = int.from_bytes(signature[:8], "big")
            message, signature = _cosigned(at, text), signature[8:]
        self.verify_bytes(message, signature)
        return at

    def verify_bytes(self, message: bytes, signature: bytes) -> None:
        """:raises NotSigned: not the bare Ed25519 signature of this key over the message"""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError) as error:
            raise NotSigned(f"{self.name}: the signature is wrong") from error


def _cosigned(at: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: whose it says it is, and its bytes."""

    name: str
    key_id: bytes
    raw: bytes

    @property
    def line(self) -> str:
        return f"{_DASH}{self.name} {base64_of(self.key_id + self.raw)}\n"

    @classmethod
    def parse(cls, line: str) -> Signature:
        """:raises MalformedNote: not one line, with its line feed, in the exact form"""
        if not line.startswith(_DASH) or not line.endswith("\n") or line.count("\n") != 1:
            raise MalformedNote("not a signature line")
        name, _, encoded = line[len(_DASH) : -1].rpartition(" ")
        _check_name(name)
        raw = bytes_of_base64(encoded)
        if len(raw) < 5:
            raise MalformedNote("a signature of no bytes")
        return cls(name, raw[:4], raw[4:])


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note. Nothing is verified yet."""

    text: str
    signatures: tuple[Signature, ...]

    def __bytes__(self) -> bytes:
        return (self.text + "\n" + "".join(s.line for s in self.signatures)).encode()

    def with_signatures(self, more: Iterable[Signature]) -> Note:
        """The same text with further lines; a line of a key that is there already is left out."""
        lines = list(self.signatures)
        for signature in more:
            if all((s.name, s.key_id) != (signature.name, signature.key_id) for s in lines):
                lines.append(signature)
        return Note(self.text, tuple(lines))


@dataclass(frozen=True, slots=True)
class VerifiedSignature:
    key: VerifierKey
    signature: Signature
    at: int | None


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note of which `verified` holds the lines of known keys, each once, in the order of the note."""

    note: Note
    verified: tuple[VerifiedSignature, ...]

    @property
    def text(self) -> str:
        return self.note.text

    def by(self, key: VerifierKey) -> VerifiedSignature | None:
        return next((v for v in self.verified if v.key == key), None)


def parse_note(data: bytes, *, most: int = MAX_NOTE_BYTES) -> Note:
    """:raises MalformedNote: not a signed note, more than `most` bytes, or more than `MAX_SIGNATURES` lines"""
    if len(data) > most:
        raise MalformedNote("too long")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedNote("not UTF-8") from error
    if any(c < " " and c != "\n" for c in whole):
        raise MalformedNote("a control character")
    # The last empty line separates, because a text may hold empty lines of its own.
    text, separator, lines = whole.rpartition("\n\n")
    if not separator or not text or not lines.endswith("\n"):
        raise MalformedNote("no signature block")
    block = lines[:-1].split("\n")
    if len(block) > MAX_SIGNATURES:
        raise MalformedNote("too many signatures")
    return Note(text + "\n", tuple(Signature.parse(line + "\n") for line in block))


def open_note(data: bytes, known: Sequence[VerifierKey], *, most: int = MAX_NOTE_BYTES) -> OpenedNote:
    """Parse and verify: at least one known key signed, and no line of a known key is wrong.

    :raises MalformedNote: see `parse_note`
    :raises NotSigned: see the class
    """
    note = parse_note(data, most=most)
    verified: dict[VerifierKey, VerifiedSignature] = {}
    for signature in note.signatures:
        for key in known:
            if (key.name, key.key_id) == (signature.name, signature.key_id):
                at = key.verify(note.text, signature.raw)
                verified.setdefault(key, VerifiedSignature(key, signature, at))
    if not verified:
        raise NotSigned("no known key signed this note")
    return OpenedNote(note, tuple(verified.values()))


class Signer:
    """A private key with its name; its string form is the one of Go's note package."""

    def __init__(self, name: str, key_type: int, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._seed = seed
        self.key = VerifierKey(name, key_type, self._private.public_key().public_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> Signer:
        """:raises MalformedNote: not the string form of a private key, or its id does not fit"""
        if not text.startswith(_PRIVATE):
            raise MalformedNote("not a private key")
        name, _, rest = text[len(_PRIVATE) :].strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        raw = bytes_of_base64(encoded)
        if len(raw) != 33:
            raise MalformedNote("not a private key")
        signer = cls(name, raw[0], raw[1:])
        if signer.key.key_id.hex() != key_id:
            raise MalformedNote("the key id does not fit the key")
        return signer

    def private_text(self) -> str:
        encoded = base64_of(bytes((self.key.key_type,)) + self._seed)
        return f"{_PRIVATE}{self.key.name}+{self.key.key_id.hex()}+{encoded}"

    def sign(self, text: str) -> Signature:
        """Sign the text as it stands (type 0x01)."""
        if self.key.key_type != ED25519:
            raise TypeError("this key cosigns; it does not sign")
        return Signature(self.key.name, self.key.key_id, self._private.sign(text.encode()))

    def cosign(self, text: str, *, at: int) -> Signature:
        """Cosign a checkpoint text as the largest consistent tree seen at `at` (type 0x04)."""
        if self.key.key_type != COSIGNATURE:
            raise TypeError("this key signs; it does not cosign")
        raw = at.to_bytes(8, "big") + self._private.sign(_cosigned(at, text))
        return Signature(self.key.name, self.key.key_id, raw)

    def sign_bytes(self, message: bytes) -> bytes:
        """The bare Ed25519 signature, for COSE."""
        return self._private.sign(message)
