"""Citizen numbers and telephones at rest: sealed with AES-GCM, found by a blind index.

Keys lie in `keys/people/` of the data folder (mode 0600), outside the database: a copy of the database
alone opens nothing. Two keys, so that whoever may search need not be able to open.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from lianfang.kernel.ids import random_bytes

if TYPE_CHECKING:
    from uuid import UUID

#: First byte of every sealed value: the key it was sealed with. A second key would be 2.
_KEY_VERSION: Final = b"\x01"
_NONCE: Final = 12


def key(name: str) -> bytes:
    """The named key of 32 bytes; made on first use, never replaced."""
    return _key(settings.LIANFANG_DATA, name)


# Asked four times for each person of a roster: a path is not put together each time.
@lru_cache(maxsize=8)
def _key(folder: Path | str, name: str) -> bytes:
    path = Path(folder) / "keys" / "people" / f"{name}.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        mine = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
            target.write(random_bytes(32))
            target.flush()
            os.fsync(target.fileno())
        try:
            # A link never overwrites: of two processes starting together one wins, both read its key.
            os.link(mine, path)
        except FileExistsError:
            pass
        finally:
            mine.unlink()
    content = path.read_bytes()
    if len(content) != 32:
        raise ValueError(f"{path} does not hold a key of 32 bytes")
    return content


@lru_cache(maxsize=2)
def _cipher(secret: bytes) -> AESGCM:
    return AESGCM(secret)


def seal(text: str, *, of: UUID, field: str) -> bytes:
    """Seal a value for one person and field: moved to another row it does not open."""
    return seal_bytes(text.encode(), of=of, field=field)


def seal_bytes(content: bytes, *, of: UUID, field: str) -> bytes:
    """Seal a file that waits for its job."""
    nonce = random_bytes(_NONCE)
    return _KEY_VERSION + nonce + _cipher(key("seal")).encrypt(nonce, content, _bound(of, field))


def unseal_bytes(sealed: bytes | memoryview, *, of: UUID, field: str) -> bytes:
    """Open a sealed file.

    :raises cryptography.exceptions.InvalidTag: altered, or sealed for something else
    """
    sealed = bytes(sealed)
    assert sealed[:1] == _KEY_VERSION, "sealed with a key this version does not know"
    nonce = sealed[1 : 1 + _NONCE]
    return _cipher(key("seal")).decrypt(nonce, sealed[1 + _NONCE :], _bound(of, field))


def unseal(sealed: bytes | memoryview, *, of: UUID, field: str) -> str:
    """Open a sealed value.

    :raises cryptography.exceptions.InvalidTag: altered, or sealed for another person, field or key
    """
    return unseal_bytes(sealed, of=of, field=field).decode()


def _bound(of: UUID, field: str) -> bytes:
    return of.bytes + field.encode()


def blind_index(text: str, *, field: str) -> bytes:
    """A keyed hash of 16 bytes: equal for equal values, and without the key nothing can be tried against it."""
    return hmac.digest(key("index"), f"{field}\0{text}".encode(), hashlib.sha256)[:16]
