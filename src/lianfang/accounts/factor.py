"""Time-based one-time codes (RFC 6238: SHA-1, 30 seconds, 6 digits) and the sealing of their secrets. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from datetime import datetime

PERIOD: Final = 30
#: Steps to either side of the present one that still count: phones' clocks differ.
SKEW: Final = 1
#: Without 0, O, 1, I, L, U: read aloud and typed from paper.
_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_NONCE: Final = 12


def step_of(at: datetime) -> int:
    """The time step that holds the instant."""
    return int(at.timestamp()) // PERIOD


def code_at(secret: bytes, step: int) -> str:
    """The code of a time step (RFC 4226 §5.3)."""
    digest = hmac.new(secret, step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def matching_step(secret: bytes, code: str, *, at: datetime, after: int) -> int | None:
    """The step whose code this is, near the instant and later than `after`; None if there is none."""
    now = step_of(at)
    for step in range(now - SKEW, now + SKEW + 1):
        # Always compare: how long it takes must not tell how near a guess came.
        fits = hmac.compare_digest(code_at(secret, step).encode(), code.encode())
        if fits and step > after:
            return step
    return None


def otpauth(secret: bytes, *, login: str, issuer: str) -> str:
    """The address a code generator reads from a QR code."""
    text = base32(secret)
    return f"otpauth://totp/{quote(issuer)}:{quote(login)}?secret={text}&issuer={quote(issuer)}"


def base32(secret: bytes) -> str:
    """The secret as people type it."""
    return base64.b32encode(secret).decode().rstrip("=")


def seal(secret: bytes, *, key: str, owner: bytes, nonce: bytes) -> bytes:
    """Encrypt a secret for its owner's row: copied into another row it does not open."""
    return nonce + AESGCM(_key(key)).encrypt(nonce, secret, owner)


def unseal(sealed: bytes, *, key: str, owner: bytes) -> bytes:
    """:raises cryptography.exceptions.InvalidTag: not sealed with this key for this owner"""
    return AESGCM(_key(key)).decrypt(sealed[:_NONCE], sealed[_NONCE:], owner)


def _key(key: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=b"lianfang second factor").derive(key.encode())


def letters(random: bytes) -> str:
    """A code for paper, one letter for each byte."""
    # 256 is no multiple of 30: the first 16 letters come up 3 % more often, which costs 0.01 bit of 4.9.
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in random)


def digits(random: bytes, n: int) -> str:
    """A code for a telephone: `n` digits."""
    return str(int.from_bytes(random, "big") % 10**n).zfill(n)


def typed(text: str) -> str:
    """A code as it was typed: case, blanks and hyphens do not count."""
    return "".join(c for c in text.upper() if c.isalnum())


def code_hash(code: str, *, key: str) -> str:
    """What the database keeps of a code."""
    return hmac.new(key.encode(), typed(code).encode(), hashlib.sha256).hexdigest()
