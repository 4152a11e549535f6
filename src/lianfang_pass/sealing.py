"""Sealing to the server: HPKE base mode (RFC 9180), DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM.

Our own short form of the one-shot calls because `cryptography` 50 offers HPKE only without associated data in
its public interface, and because sealing with a given ephemeral key is what makes shared vectors possible.
The tests hold it against the vectors of RFC 9180 A.3 and against `cryptography`'s implementation, both ways.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from lianfang_pass.errors import Rejected
from lianfang_pass.keys import PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEM: Final = b"KEM" + (0x0010).to_bytes(2, "big")
_HPKE: Final = b"HPKE" + b"".join(n.to_bytes(2, "big") for n in (0x0010, 0x0001, 0x0001))
_VERSION: Final = b"HPKE-v1"
_BASE_MODE: Final = b"\x00"
_SECRET, _KEY, _NONCE = 32, 16, 12
ENCAPSULATED: Final = 65
TAG: Final = 16


def seal(
    plaintext: bytes, to: PublicKey, *, info: bytes, aad: bytes, ephemeral: ec.EllipticCurvePrivateKey
) -> bytes:
    """Return `enc || ciphertext`. A fresh ephemeral key for every call, or the content is open to all."""
    enc = PublicKey.of(ephemeral).point()
    shared = _extract_and_expand(ephemeral.exchange(ec.ECDH(), to.handle), enc + to.point())
    key, nonce = _schedule(shared, info)
    return enc + AESGCM(key).encrypt(nonce, plaintext, aad)


def unseal(sealed: bytes, private: ec.EllipticCurvePrivateKey, *, info: bytes, aad: bytes) -> bytes:
    """Return what was sealed to us.

    :raises Rejected: `sealed` - not sealed to this key, or info, aad or content are not the same
    """
    enc, ciphertext = sealed[:ENCAPSULATED], sealed[ENCAPSULATED:]
    if len(enc) != ENCAPSULATED or len(ciphertext) < TAG:
        raise Rejected("sealed")
    try:
        theirs = PublicKey.from_point(enc)
    except Rejected:
        raise Rejected("sealed") from None
    shared = _extract_and_expand(
        private.exchange(ec.ECDH(), theirs.handle), enc + PublicKey.of(private).point()
    )
    key, nonce = _schedule(shared, info)
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, aad)
    except InvalidTag:
        raise Rejected("sealed") from None


def _extract_and_expand(dh: bytes, context: bytes) -> bytes:
    prk = _extract(b"", b"eae_prk", dh, suite=_KEM)
    return _expand(prk, b"shared_secret", context, _SECRET, suite=_KEM)


def _schedule(shared: bytes, info: bytes) -> Iterator[bytes]:
    context = (
        _BASE_MODE
        + _extract(b"", b"psk_id_hash", b"", suite=_HPKE)
        + _extract(b"", b"info_hash", info, suite=_HPKE)
    )
    secret = _extract(shared, b"secret", b"", suite=_HPKE)
    yield _expand(secret, b"key", context, _KEY, suite=_HPKE)
    yield _expand(secret, b"base_nonce", context, _NONCE, suite=_HPKE)


def _extract(salt: bytes, label: bytes, ikm: bytes, *, suite: bytes) -> bytes:
    mac = hmac.HMAC(salt or bytes(_SECRET), hashes.SHA256())
    mac.update(_VERSION + suite + label + ikm)
    return mac.finalize()


def _expand(prk: bytes, label: bytes, info: bytes, length: int, *, suite: bytes) -> bytes:
    labelled = length.to_bytes(2, "big") + _VERSION + suite + label + info
    return HKDFExpand(algorithm=hashes.SHA256(), length=length, info=labelled).derive(prk)
