"""The signed key list: which key may sign what, when, and which are withdrawn for ever.

Signed by the root key whose whole thumbprint the device got at enrolment.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lianfang_pass import cose
from lianfang_pass.claims import EXP, IAT, ISS, ISSUER, KEYS, VERSION, Claims
from lianfang_pass.errors import Rejected
from lianfang_pass.keys import PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cryptography.hazmat.primitives.asymmetric import ec

    from lianfang_chain import cbor

TYPE: Final = "application/lf-keys+cwt"
LIFE: Final = 30 * 86_400
MAX_BYTES: Final = 65_535
FORMAT: Final = 1
FILE_HEADERS: Final = frozenset({cose.ALG, cose.KID, cose.TYP})

_FORMAT, _ENTRIES = 1, 2
_KEY, _PURPOSE, _NBF, _EXP, _WITHDRAWN = 1, 2, 3, 4, 5


class Purpose(StrEnum):
    """What a key may be used for. `seal` keys encrypt towards the server and sign nothing."""

    PASS = "pass"  # noqa: S105 - a purpose, not a password
    STATUSLIST = "statuslist"
    DELTA = "delta"
    SLIP = "slip"
    PERMIT = "permit"
    RULES = "rules"
    RECEIPT = "receipt"
    SEAL = "seal"


@dataclass(frozen=True)
class ListedKey:
    key: PublicKey
    purpose: str  # a purpose we do not know is kept and never matches
    not_before: int
    expires_at: int
    withdrawn_at: int | None = None


@dataclass(frozen=True)
class KeyList:
    version: int
    issued_at: int
    expires_at: int
    keys: tuple[ListedKey, ...]
    #: Thumbprints once seen as withdrawn; a later list cannot bring them back.
    withdrawn: frozenset[bytes] = field(default=frozenset())

    def candidates(self, kid: bytes, purpose: Purpose, *, signed_at: int) -> Iterator[PublicKey]:
        """Every key that may have signed this: identifiers of four bytes can collide, so all are tried."""
        for listed in self.keys:
            if (
                listed.purpose == purpose
                and listed.key.kid == kid
                and listed.not_before <= signed_at < listed.expires_at
                and listed.key.thumbprint not in self.withdrawn
            ):
                yield listed.key

    def signed(self, token: cose.Sign1, purpose: Purpose, *, signed_at: int) -> bool:
        """Whether a key of this purpose, valid at `signed_at`, signed the token."""
        return any(token.verified_by(key) for key in self.candidates(token.kid, purpose, signed_at=signed_at))

    def sealing_key(self, at: int) -> PublicKey | None:
        """The key to seal rows to: the valid one that began last."""
        valid = [
            listed
            for listed in self.keys
            if listed.purpose == Purpose.SEAL
            and listed.not_before <= at < listed.expires_at
            and listed.key.thumbprint not in self.withdrawn
        ]
        return max(valid, key=lambda listed: listed.not_before).key if valid else None


def sign_key_list(
    keys: Sequence[ListedKey], *, version: int, at: int, root: ec.EllipticCurvePrivateKey
) -> bytes:
    """Sign the list of all keys with the root key."""
    entries: list[cbor.Value] = []
    for listed in keys:
        entry: dict[int, cbor.Value] = {
            _KEY: listed.key.cose(),
            _PURPOSE: listed.purpose,
            _NBF: listed.not_before,
            _EXP: listed.expires_at,
        }
        if listed.withdrawn_at is not None:
            entry[_WITHDRAWN] = listed.withdrawn_at
        entries.append(entry)
    payload: dict[int, cbor.Value] = {
        ISS: ISSUER,
        IAT: at,
        EXP: at + LIFE,
        VERSION: version,
        KEYS: {_FORMAT: FORMAT, _ENTRIES: entries},
    }
    return cose.sign1({cose.KID: PublicKey.of(root).kid, cose.TYP: TYPE}, payload, key=root)


def accept_key_list(
    data: bytes, *, root: PublicKey, thumbprint: bytes, held: KeyList | None = None
) -> KeyList:
    """Read a key list and take it in place of the one held.

    The same version again is accepted if it is the same list; an older one never is.

    :raises Rejected: form, `root` - not the pinned root key, `signature`, `rollback`
    """
    if root.thumbprint != thumbprint:
        raise Rejected("root")
    token = cose.read1(data, protected_keys=FILE_HEADERS, max_bytes=MAX_BYTES)
    if token.protected[cose.TYP] != TYPE:
        raise Rejected("typ")
    if not token.verified_by(root):
        raise Rejected("signature")
    found = _read(token)
    if held is None:
        return found
    if found.version < held.version:
        raise Rejected("rollback")
    found = replace(found, withdrawn=found.withdrawn | held.withdrawn)
    if found.version == held.version and found != held:
        raise Rejected("rollback")
    return found


def _read(token: cose.Sign1) -> KeyList:
    claims = Claims.of(token, max_bytes=MAX_BYTES)
    issued_at, expires_at = claims.number(IAT), claims.number(EXP)
    version = claims.number(VERSION)
    body = claims.inner(KEYS)
    claims.done()
    if body.number(_FORMAT) != FORMAT:
        raise Rejected("format")
    keys = tuple(_read_entry(Claims(entry)) for entry in body.items(_ENTRIES, most=200))
    body.done()
    if not issued_at < expires_at:
        raise Rejected("claims")
    withdrawn = frozenset(listed.key.thumbprint for listed in keys if listed.withdrawn_at is not None)
    return KeyList(version, issued_at, expires_at, keys, withdrawn)


def _read_entry(entry: Claims) -> ListedKey:
    listed = ListedKey(
        key=PublicKey.read(entry.take(_KEY)),
        purpose=entry.text(_PURPOSE, most=20),
        not_before=entry.number(_NBF),
        expires_at=entry.number(_EXP),
        withdrawn_at=entry.maybe_number(_WITHDRAWN),
    )
    entry.done()
    return listed
