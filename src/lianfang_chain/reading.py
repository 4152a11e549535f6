"""The pass with which a witness reads entry bundles: its own signature over the origin and the hour.

No secret is shared, so none can leak: the log knows the witnesses' public keys anyhow. The signed words differ
from those of a cosignature in the first line, so neither can be passed off as the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .note import MalformedNote, NotSigned, Signer, VerifierKey, base64_of, bytes_of_base64

__all__ = ["VALID_SECONDS", "reader_of", "reading_token"]

VALID_SECONDS: Final = 600


def _message(origin: str, at: int) -> bytes:
    return f"lianfang-read/v1\ntime {at}\n{origin}\n".encode()


def reading_token(signer: Signer, origin: str, *, at: int) -> str:
    raw = signer.key.key_id + at.to_bytes(8, "big") + signer.sign_bytes(_message(origin, at))
    return base64_of(raw)


def reader_of(token: str, known: Iterable[VerifierKey], origin: str, *, at: int) -> VerifierKey | None:
    """Whose token this is; None when it is nobody's, too old, or of the future."""
    try:
        raw = bytes_of_base64(token)
    except MalformedNote:
        return None
    if len(raw) != 76:
        return None
    made = int.from_bytes(raw[4:12], "big")
    if abs(at - made) > VALID_SECONDS:
        return None
    for key in known:
        if key.key_id == raw[:4]:
            try:
                key.verify_bytes(_message(origin, made), raw[12:])
            except NotSigned:
                return None
            return key
    return None
