"""COSE_Sign1 with ES256 on P-256 (RFC 9052 §4.2), as narrow as our tokens need it.

We write algorithm -7 and read -7 and -9 (RFC 9864 gives ECDSA with P-256 and SHA-256 its own number). Tag 18
is demanded and the unprotected map must be empty: a lenient reader accepts a token with one bit changed in
either of them. ECDSA signatures can be altered into a second valid one, so nothing may use the hash of a
token as an identity; the identity is `cti`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from lianfang_chain import cbor
from lianfang_pass.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lianfang_pass.keys import PublicKey

ALG, KID, KCWT, TYP = 1, 4, 13, 16
ES256: Final = -7
ESP256: Final = -9
_SIGN1: Final = 18
_HALF: Final = 32
# Deterministic signatures (RFC 6979): one object, one byte string, and no generator that can fail us.
_ECDSA: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
#: The parts of a Sig_structure (RFC 9052 §4.4) that are always the same: a list of four, its context, no aad.
_CONTEXT: Final = b"\x84" + cbor.encode("Signature1")
_NO_AAD: Final = cbor.encode(b"")
#: Algorithm and identifier of a key take ten bytes; a header that holds a pass is longer.
_SHORT: Final = 32


class Sign1(NamedTuple):
    """A token as read: nothing in it is trusted before `verified_by` says so."""

    protected: Mapping[object, cbor.Value]
    protected_bytes: bytes
    payload: bytes
    signature: bytes

    @property
    def kid(self) -> bytes:
        kid = self.protected.get(KID)
        return kid if isinstance(kid, bytes) else b""

    def verified_by(self, key: PublicKey) -> bool:
        return key.verifies(_to_sign(self.protected_bytes, self.payload), self.signature)


def sign1(
    protected: Mapping[int, cbor.Value], payload: cbor.Value, *, key: ec.EllipticCurvePrivateKey
) -> bytes:
    """Sign `payload` and return the tagged COSE_Sign1; the algorithm is added to `protected`."""
    head = cbor.encode({ALG: ES256, **protected})
    body = cbor.encode(payload)
    r, s = decode_dss_signature(key.sign(_to_sign(head, body), _ECDSA))
    signature = r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")
    return cbor.encode(cbor.Tag(_SIGN1, [head, {}, body, signature]))


def read1(data: bytes, *, protected_keys: frozenset[int], max_bytes: int = cbor.MAX_BYTES) -> Sign1:
    """Read a COSE_Sign1 with exactly these protected headers. The signature is not yet checked.

    :raises Rejected: `cbor`, `cose`, `alg`
    """
    return read1_value(_decode(data, max_bytes), protected_keys)


def read1_value(value: cbor.Value, *protected_keys: frozenset[int]) -> Sign1:
    """As `read1`, for a token that stands inside another, with the protected headers of one of these kinds.

    :raises Rejected: `cbor`, `cose`, `alg`
    """
    if not isinstance(value, cbor.Tag) or value.number != _SIGN1:
        raise Rejected("cose")
    parts = value.value
    if not isinstance(parts, list) or len(parts) != 4:
        raise Rejected("cose")
    head, unprotected, body, signature = parts
    if not isinstance(head, bytes) or unprotected != {} or not isinstance(unprotected, dict):
        raise Rejected("cose")
    if not isinstance(body, bytes) or not isinstance(signature, bytes) or len(signature) != 2 * _HALF:
        raise Rejected("cose")
    protected = _known_header(head) if len(head) <= _SHORT else _decode(head, cbor.MAX_BYTES)
    if not isinstance(protected, dict) or protected.keys() not in protected_keys:
        raise Rejected("cose")
    if protected[ALG] not in (ES256, ESP256):
        raise Rejected("alg")
    if KID in protected and not isinstance(protected[KID], bytes):
        raise Rejected("cose")
    return Sign1(protected, head, body, signature)


def _decode(data: bytes, max_bytes: int) -> cbor.Value:
    try:
        return cbor.decode(data, max_bytes=max_bytes)
    except cbor.NotCanonical:
        raise Rejected("cbor") from None


@lru_cache(maxsize=256)
def _known_header(head: bytes) -> cbor.Value:
    """A short header, read once: all tokens of one key have the same. Nobody changes what comes back."""
    return _decode(head, _SHORT)


def _to_sign(protected: bytes, payload: bytes) -> bytes:
    return b"".join((_CONTEXT, cbor.encode_bytes(protected), _NO_AAD, cbor.encode_bytes(payload)))
