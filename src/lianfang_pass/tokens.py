"""Passes, rotating codes and slips: writing them, and reading them strictly (docs/gates.md, "Tokens").

Reading is in two steps: `read` gives the claims of something of the right form, `KeyList.signed` says whether
a key of the right purpose signed it. Nothing here asks the time; what dates mean is in `lianfang_pass.scan`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag, StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from lianfang_chain import cbor
from lianfang_pass import cose
from lianfang_pass.claims import (
    AUD,
    CNF,
    CNONCE,
    CTI,
    EXP,
    IAT,
    ISS,
    ISSUER,
    LF,
    NBF,
    STATUS,
    Claims,
    texts,
)
from lianfang_pass.errors import Rejected
from lianfang_pass.keys import PublicKey, kid_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric import ec

CTI_SIZE: Final = 8
LONGEST_LIFE: Final = 31 * 86_400
MAX_INDEX: Final = 2**32 - 1
KBT_TYPE: Final = 294  # application/kb+cwt, of the SD-CWT draft
#: How far a rotating code may lie from the gate's time, before or after.
CODE_WINDOW: Final = 90
MOST_BYTES: Final = 2048
MOST_ZONES: Final = 8

_CLASS, _DOOR, _ZONES, _INITIALS, _BIRTH_YEAR, _FLAGS = 1, 2, 3, 4, 5, 6
_SLIP_KIND, _ORDER_NO, _START, _END, _MEMBER_NO = 7, 8, 9, 10, 11
_COSE_KEY = 1

_ISSUED = frozenset({cose.ALG, cose.KID})
_BOUND = frozenset({cose.ALG, cose.KCWT, cose.TYP})


class PassClass(StrEnum):
    HOUSEHOLD = "H"
    WORKER = "W"
    SUPPLY = "S"
    VOLUNTEER = "V"
    VISITOR = "X"
    MEDICAL = "M"
    PERSON = "P"


class Flag(IntFlag):
    NONE = 0
    PAPER = 1
    SOFT_KEY = 2  # the phone key can be copied by a determined owner
    NOT_CLEARED = 4  # class worker, at the own work site
    PROXY = 8  # asked for by somebody on the holder's behalf


_CLASSES: Final = {kind.value: kind for kind in PassClass}
_FLAG_SETS: Final = tuple(Flag(n) for n in range(16))


class SlipKind(StrEnum):
    RELEASE = "R"
    LIFT = "L"
    ORDER = "O"


class Identity(NamedTuple):
    """What ties a slip to a pass and a pass to a person at the gate: no name, no document number."""

    door: str
    member_no: int | None
    initials: str
    birth_year: int | None


@dataclass(frozen=True)
class Pass:
    cti: bytes
    issued_at: int
    expires_at: int
    list_uri: str
    index: int
    kind: PassClass
    identity: Identity
    zones: tuple[str, ...]  # for a household or person: the own compound first
    flags: Flag = Flag.NONE
    not_before: int | None = None
    holder_key: PublicKey | None = None

    @property
    def on_paper(self) -> bool:
        return self.holder_key is None


@dataclass(frozen=True)
class SlipClaims:
    cti: bytes
    kind: SlipKind
    issued_at: int
    not_before: int  # release: the order's end; lift: the lift; order: the order's start
    expires_at: int
    order_no: str
    identity: Identity
    start: int
    end: int


@dataclass(frozen=True)
class Read:
    """Something of the right form, with the token its signature is checked on."""

    token: cose.Sign1 = field(repr=False)


@dataclass(frozen=True)
class ReadPass(Read):
    claims: Pass


@dataclass(frozen=True)
class ReadSlip(Read):
    claims: SlipClaims


@dataclass(frozen=True)
class ReadCode(Read):
    """A rotating code: the pass within, and when the phone signed."""

    within: ReadPass
    signed_at: int

    def holder_signed(self) -> bool:
        key = self.within.claims.holder_key
        return key is not None and self.token.verified_by(key)


# --- writing ---------------------------------------------------------------------------------------------


def sign_pass(claims: Pass, *, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Sign a pass with the key of purpose `pass`.

    :raises ValueError: the claims could not be read again
    """
    body: dict[int, cbor.Value] = {
        ISS: ISSUER,
        EXP: claims.expires_at,
        IAT: claims.issued_at,
        CTI: claims.cti,
        STATUS: {"status_list": {"idx": claims.index, "uri": claims.list_uri}},
        LF: {
            _CLASS: claims.kind.value,
            _ZONES: list(claims.zones),
            _FLAGS: int(claims.flags),
            **_identity(claims.identity),
        },
    }
    if claims.not_before is not None:
        body[NBF] = claims.not_before
    if claims.holder_key is not None:
        body[CNF] = {_COSE_KEY: claims.holder_key.cose_short()}
    token = cose.sign1({cose.KID: kid_of(key)}, body, key=key)
    if read_pass(token).claims != claims:
        raise ValueError("a pass that would not be read as it was meant")
    return token


def sign_code(
    pass_token: bytes, *, at: int, key: ec.EllipticCurvePrivateKey, nonce: bytes | None = None
) -> bytes:
    """What the phone does every 30 seconds: bind the pass to now with the holder's key."""
    body: dict[int, cbor.Value] = {AUD: ISSUER, IAT: at}
    if nonce is not None:
        body[CNONCE] = nonce
    return cose.sign1(
        {cose.KCWT: cbor.decode(pass_token, max_bytes=MOST_BYTES), cose.TYP: KBT_TYPE}, body, key=key
    )


def sign_slip(claims: SlipClaims, *, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Sign a slip with the key of purpose `slip`.

    :raises ValueError: the claims could not be read again
    """
    body: dict[int, cbor.Value] = {
        ISS: ISSUER,
        EXP: claims.expires_at,
        NBF: claims.not_before,
        IAT: claims.issued_at,
        CTI: claims.cti,
        LF: {
            _SLIP_KIND: claims.kind.value,
            _ORDER_NO: claims.order_no,
            _START: claims.start,
            _END: claims.end,
            **_identity(claims.identity),
        },
    }
    token = cose.sign1({cose.KID: kid_of(key)}, body, key=key)
    if read_slip(token).claims != claims:
        raise ValueError("a slip that would not be read as it was meant")
    return token


def _identity(identity: Identity) -> Mapping[int, cbor.Value]:
    entries: dict[int, cbor.Value] = {_DOOR: identity.door, _INITIALS: identity.initials}
    if identity.member_no is not None:
        entries[_MEMBER_NO] = identity.member_no
    if identity.birth_year is not None:
        entries[_BIRTH_YEAR] = identity.birth_year
    return entries


# --- reading ---------------------------------------------------------------------------------------------


def read(data: bytes) -> ReadPass | ReadSlip | ReadCode:
    """Read whatever of the three was scanned.

    :raises Rejected: it is none of them
    """
    try:
        value = cbor.decode(data, max_bytes=MOST_BYTES)
    except cbor.NotCanonical:
        raise Rejected("cbor") from None
    token = cose.read1_value(value, _ISSUED, _BOUND)
    if cose.KCWT in token.protected:
        return _read_code(token)
    claims = Claims.of(token)
    return _read_pass(token, claims) if claims.has(STATUS) else _read_slip(token, claims)


def read_pass(data: bytes) -> ReadPass:
    """:raises Rejected: not a pass"""
    found = read(data)
    if not isinstance(found, ReadPass):
        raise Rejected("kind")
    return found


def read_slip(data: bytes) -> ReadSlip:
    """:raises Rejected: not a slip"""
    found = read(data)
    if not isinstance(found, ReadSlip):
        raise Rejected("kind")
    return found


def _read_code(token: cose.Sign1) -> ReadCode:
    if token.protected[cose.TYP] != KBT_TYPE or type(token.protected[cose.TYP]) is not int:
        raise Rejected("typ")
    within = cose.read1_value(token.protected[cose.KCWT], _ISSUED)
    try:
        claims = Claims(cbor.decode(token.payload))
    except cbor.NotCanonical:
        raise Rejected("cbor") from None
    if claims.text(AUD) != ISSUER:
        raise Rejected("aud")
    signed_at = claims.number(IAT)
    if claims.has(CNONCE):
        claims.raw(CNONCE, least=8, most=64)
    claims.done()
    inner = _read_pass(within, Claims.of(within))
    if inner.claims.holder_key is None:
        raise Rejected("cnf")
    return ReadCode(token, inner, signed_at)


def _read_pass(token: cose.Sign1, claims: Claims) -> ReadPass:
    status = claims.inner(STATUS)
    reference = status.inner("status_list")
    status.done()
    index = reference.number("idx", most=MAX_INDEX)
    uri = reference.text("uri")
    reference.done()
    holder_key = None
    if claims.has(CNF):
        confirmation = claims.inner(CNF)
        holder_key = PublicKey.read(confirmation.take(_COSE_KEY))
        confirmation.done()
    lf = claims.inner(LF)
    kind = _CLASSES.get(lf.text(_CLASS, most=1))
    flags = _FLAG_SETS[lf.number(_FLAGS, most=15)]
    if kind is None or (Flag.PAPER in flags) != (holder_key is None):
        raise Rejected("claims")
    found = Pass(
        cti=claims.raw(CTI, least=CTI_SIZE, most=CTI_SIZE),
        issued_at=claims.number(IAT),
        not_before=claims.maybe_number(NBF),
        expires_at=claims.number(EXP),
        list_uri=uri,
        index=index,
        kind=kind,
        identity=_read_identity(lf),
        zones=texts(lf.items(_ZONES, most=MOST_ZONES), most=32),
        flags=flags,
        holder_key=holder_key,
    )
    lf.done()
    claims.done()
    begins = found.not_before or found.issued_at
    if not begins < found.expires_at <= begins + LONGEST_LIFE:
        raise Rejected("claims")
    return ReadPass(token, found)


def _read_slip(token: cose.Sign1, claims: Claims) -> ReadSlip:
    lf = claims.inner(LF)
    kind = lf.text(_SLIP_KIND, most=1)
    if kind not in list(SlipKind):
        raise Rejected("claims")
    found = SlipClaims(
        cti=claims.raw(CTI, least=CTI_SIZE, most=CTI_SIZE),
        kind=SlipKind(kind),
        issued_at=claims.number(IAT),
        not_before=claims.number(NBF),
        expires_at=claims.number(EXP),
        order_no=lf.text(_ORDER_NO, most=48),
        identity=_read_identity(lf),
        start=lf.number(_START),
        end=lf.number(_END),
    )
    lf.done()
    claims.done()
    if not (found.start < found.end and found.not_before < found.expires_at):
        raise Rejected("claims")
    # The instant from which a slip counts follows from its kind; a slip that says otherwise is no slip.
    if found.kind is SlipKind.RELEASE and found.not_before != found.end:
        raise Rejected("claims")
    if found.kind is SlipKind.ORDER and found.not_before != found.start:
        raise Rejected("claims")
    return ReadSlip(token, found)


def _read_identity(lf: Claims) -> Identity:
    return Identity(
        door=lf.text(_DOOR, most=32),
        member_no=lf.maybe_number(_MEMBER_NO, least=1, most=99),
        initials=lf.text(_INITIALS, most=8),
        birth_year=lf.maybe_number(_BIRTH_YEAR, least=1880, most=2100),
    )
