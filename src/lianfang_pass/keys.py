"""P-256 keys as COSE_Key maps, their thumbprints and key identifiers (RFC 9052 §7, RFC 9053, RFC 9679)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lianfang_chain import cbor
from lianfang_pass.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Mapping

_KTY, _CRV, _X, _Y = 1, -1, -2, -3
_EC2, _P256 = 2, 1
_SIZE: Final = 32
_ES256: Final = ec.ECDSA(hashes.SHA256())
KID_SIZE: Final = 4


@dataclass(frozen=True)
class PublicKey:
    """A P-256 public key: the two coordinates, 32 bytes each."""

    x: bytes
    y: bytes

    @classmethod
    def of(cls, key: ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey) -> PublicKey:
        public = key.public_key() if isinstance(key, ec.EllipticCurvePrivateKey) else key
        point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        made = cls(point[1:33], point[33:])
        vars(made)["handle"] = public  # at hand already: no point is checked and decompressed twice
        return made

    @classmethod
    def read(cls, value: object) -> PublicKey:
        """Read a COSE_Key map; the y coordinate may be given as its sign only.

        :raises Rejected: `key` - not exactly a P-256 key, or not a point of the curve
        """
        if not isinstance(value, dict) or set(value) != {_KTY, _CRV, _X, _Y}:
            raise Rejected("key")
        x, y = value[_X], value[_Y]
        # `is` because True == 1: a boolean is no number here.
        if type(value[_KTY]) is not int or type(value[_CRV]) is not int:
            raise Rejected("key")
        if value[_KTY] != _EC2 or value[_CRV] != _P256 or not isinstance(x, bytes) or len(x) != _SIZE:
            raise Rejected("key")
        if isinstance(y, bool):
            point = bytes([2 + y]) + x
        elif isinstance(y, bytes) and len(y) == _SIZE:
            point = b"\x04" + x + y
        else:
            raise Rejected("key")
        return cls.from_point(point)

    @classmethod
    def from_point(cls, point: bytes) -> PublicKey:
        """Read an X9.62 point.

        :raises Rejected: `key` - not a point of P-256
        """
        return _key_at(point)

    def cose(self) -> Mapping[int, cbor.Value]:
        return {_KTY: _EC2, _CRV: _P256, _X: self.x, _Y: self.y}

    def cose_short(self) -> Mapping[int, cbor.Value]:
        """With the sign of y only: 33 bytes less in a QR code."""
        return {_KTY: _EC2, _CRV: _P256, _X: self.x, _Y: bool(self.y[-1] & 1)}

    def point(self) -> bytes:
        return b"\x04" + self.x + self.y

    @cached_property
    def thumbprint(self) -> bytes:
        """SHA-256 of the deterministic COSE_Key with the whole y (RFC 9679 §4.2)."""
        return hashlib.sha256(cbor.encode(self.cose())).digest()

    @cached_property
    def kid(self) -> bytes:
        """The first four bytes of the thumbprint. Not unique: a verifier tries every key that has it."""
        return self.thumbprint[:KID_SIZE]

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether this is an ES256 signature of the key: r and s, 32 bytes each (RFC 9053 §2.1)."""
        if len(signature) != 2 * _SIZE:
            return False
        r, s = int.from_bytes(signature[:_SIZE], "big"), int.from_bytes(signature[_SIZE:], "big")
        try:
            self.handle.verify(encode_dss_signature(r, s), message, _ES256)
        except InvalidSignature:
            return False
        return True

    @cached_property
    def handle(self) -> ec.EllipticCurvePublicKey:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), self.point())


@lru_cache(maxsize=4_096)  # who has passed once passes again: the square root of a short point is taken once
def _key_at(point: bytes) -> PublicKey:
    try:
        return PublicKey.of(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point))
    except ValueError:
        raise Rejected("key") from None


@lru_cache(maxsize=64)
def kid_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The identifier of a signing key; worked out once, since it stands in everything the key signs."""
    return PublicKey.of(key).kid


def private_key_from_seed(seed: bytes) -> ec.EllipticCurvePrivateKey:
    """The private key with the number in `seed` (for vectors, and for keys made from given randomness).

    :raises ValueError: the number is no private key of P-256
    """
    return ec.derive_private_key(int.from_bytes(seed, "big"), ec.SECP256R1())
