"""Disclosures at rest: sealed under a key of their entry, which is sealed under the installation's key file.

AES-256-GCM throughout. An entry's key is used for its own positions only and never again, so the position is
the nonce; sealing the rest anew after a partial erasure takes a new key.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lianfang.kernel import ids
from lianfang_chain.disclosure import Disclosure

from . import keys

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

OFFICER_POSITION: Final = -1


def seal(entry_id: UUID, disclosures: Mapping[int, Disclosure]) -> tuple[bytes, dict[int, bytes]]:
    """A fresh sealed key, and each disclosure sealed under it."""
    key, nonce = ids.random_bytes(32), ids.random_bytes(12)
    sealed_key = nonce + AESGCM(keys.sealing_key()).encrypt(nonce, key, entry_id.bytes)
    cipher = AESGCM(key)
    return sealed_key, {
        position: cipher.encrypt(_nonce(position), bytes(disclosure), entry_id.bytes)
        for position, disclosure in disclosures.items()
    }


def open_sealed(entry_id: UUID, sealed_key: bytes, sealed: Mapping[int, bytes]) -> dict[int, Disclosure]:
    """The disclosures by position. Rows of an older backup, whose key was shredded since, are left out: erased.

    :raises cryptography.exceptions.InvalidTag: the key file is another
    """
    key = AESGCM(keys.sealing_key()).decrypt(sealed_key[:12], sealed_key[12:], entry_id.bytes)
    cipher = AESGCM(key)
    opened = {}
    for position, data in sealed.items():
        with contextlib.suppress(InvalidTag):
            opened[position] = Disclosure.parse(cipher.decrypt(_nonce(position), data, entry_id.bytes))
    return opened


def _nonce(position: int) -> bytes:
    return (position + 1).to_bytes(12, "big")
