"""Disclosures at rest: sealed under a key of their entry, which is sealed under the installation's key file.

AES-256-GCM throughout. An entry's key is used for its own positions only and never again, so the position is
the nonce; sealing the rest anew after a partial erasure takes a new key.
"""

from __future__ import annotations

import contextlib
import struct
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lianfang.kernel import ids
from lianfang_chain.disclosure import Disclosure

from . import keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID

OFFICER_POSITION: Final = -1
#: Before each sealed piece: the position of its commitment in the entry, and how many bytes follow.
_PIECE: Final = struct.Struct(">hI")


class Closed(Exception):
    """The disclosures were sealed under a key file that is not here."""


def seal(entry_id: UUID, disclosures: Mapping[int, Disclosure]) -> tuple[bytes, bytes]:
    """A fresh key, sealed, and the disclosures by position, each sealed under it, one behind the other.

    :raises KeyUnusable: the key file is gone, or not what was written
    """
    return _seal(keys.sealing_key(), entry_id, disclosures)


def shut(entry_id: UUID, disclosures: Mapping[int, Disclosure]) -> tuple[bytes, bytes]:
    """The same under a key that is forgotten at once: rows as every entry has them, `Closed` for ever."""
    return _seal(ids.random_bytes(32), entry_id, disclosures)


def _seal(sealing_key: bytes, entry_id: UUID, disclosures: Mapping[int, Disclosure]) -> tuple[bytes, bytes]:
    key, nonce = ids.random_bytes(32), ids.random_bytes(12)
    sealed_key = nonce + AESGCM(sealing_key).encrypt(nonce, key, entry_id.bytes)
    cipher = AESGCM(key)
    pieces = []
    for position, disclosure in disclosures.items():
        piece = cipher.encrypt(_nonce(position), bytes(disclosure), entry_id.bytes)
        pieces += [_PIECE.pack(position, len(piece)), piece]
    return sealed_key, b"".join(pieces)


def open_sealed(entry_id: UUID, sealed_key: bytes, sealed: bytes) -> dict[int, Disclosure]:
    """The disclosures by position. Those of an older backup, whose key was shredded since, are left out: erased.

    :raises Closed: the key file is another
    """
    try:
        key = _case_key(keys.sealing_key(), entry_id, sealed_key)
    except InvalidTag:
        former = keys.former_sealing_key()
        if former is None:
            raise Closed from None
        try:
            key = _case_key(former, entry_id, sealed_key)
        except InvalidTag:
            raise Closed from None
    cipher = AESGCM(key)
    opened = {}
    for position, piece in _pieces(sealed):
        with contextlib.suppress(InvalidTag):
            opened[position] = Disclosure.parse(cipher.decrypt(_nonce(position), piece, entry_id.bytes))
    return opened


def positions(sealed: bytes) -> list[int]:
    """Which commitments have their disclosure here; no key is needed to tell."""
    return [position for position, _ in _pieces(sealed)]


def _pieces(sealed: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(sealed):
        position, width = _PIECE.unpack_from(sealed, at)
        at += _PIECE.size + width
        yield position, sealed[at - width : at]


def is_current(entry_id: UUID, sealed_key: bytes) -> bool:
    """Whether the entry's key is sealed under the present key file."""
    try:
        _case_key(keys.sealing_key(), entry_id, sealed_key)
    except InvalidTag:
        return False
    return True


def _case_key(sealing_key: bytes, entry_id: UUID, sealed_key: bytes) -> bytes:
    return AESGCM(sealing_key).decrypt(sealed_key[:12], sealed_key[12:], entry_id.bytes)


def _nonce(position: int) -> bytes:
    return (position + 1).to_bytes(12, "big")
