"""The signed rule set of a gate: quota and perimeter acts with their ends, the limit for a temperature, and how old
evidence may be.

An act that is over, or that does not name this gate, changes nothing: the gate only registers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lianfang_pass import cose
from lianfang_pass.claims import EXP, IAT, ISS, ISSUER, RULES, VERSION, Claims, texts
from lianfang_pass.errors import Rejected
from lianfang_pass.evidence import AGES, Ages
from lianfang_pass.keylist import FILE_HEADERS, Purpose
from lianfang_pass.keys import kid_of
from lianfang_pass.situation import Act, Movement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric import ec

    from lianfang_chain import cbor
    from lianfang_pass.keylist import KeyList

TYPE: Final = "application/lf-rules+cwt"
LIFE: Final = 30 * 86_400
MAX_BYTES: Final = 65_535
FORMAT: Final = 1
_FORMAT, _ACTS, _FEVER, _AGES = 1, 2, 3, 4
#: The longest age a rule set may name, in hours: a list lives 30 days.
_LONGEST_AGE: Final = 720
_NO, _KIND, _ZONES, _START, _END, _CLASSES, _TIMES, _WINDOW = range(1, 9)
#: Windows of a quota begin at 00:00 in Asia/Shanghai, which is UTC+8 all year.
_LEGAL_OFFSET: Final = 8 * 3600
_DAY: Final = 86_400


class ActKind(StrEnum):
    QUOTA = "quota"
    PERIMETER = "perimeter"


@dataclass(frozen=True)
class GateAct:
    """One signed act. A quota: `times` ways out in each `window` days for these classes. A perimeter: only
    these classes pass."""

    no: str
    kind: ActKind
    zones: tuple[str, ...]
    start: int
    end: int
    classes: str  # the letters of the classes it names
    times: int = 0
    window: int = 0

    def in_force(self, now: int, compounds: frozenset[str]) -> bool:
        return self.start <= now < self.end and not compounds.isdisjoint(self.zones)

    def window_start(self, now: int) -> int:
        """When the window that `now` lies in began; windows follow each other from the act's first legal day."""
        first = (self.start + _LEGAL_OFFSET) // _DAY
        day = (now + _LEGAL_OFFSET) // _DAY
        return (day - (day - first) % self.window) * _DAY - _LEGAL_OFFSET


@dataclass(frozen=True)
class RuleSet:
    version: int
    issued_at: int
    expires_at: int
    acts: tuple[GateAct, ...]
    fever_tenths: int = 373
    ages: Ages = AGES

    def act(self, now: int, *, compounds: frozenset[str], kind: str, movement: Movement, used: int) -> Act:
        """The value of the decision's dimension `act`. `used`: ways out already in the window."""
        found = Act.NONE
        for act in self.acts:
            if not act.in_force(now, compounds):
                continue
            if act.kind is ActKind.PERIMETER:
                return Act.PERIMETER_LISTED if kind in act.classes else Act.PERIMETER_UNLISTED
            if movement is Movement.HOME_OUT and kind in act.classes and used >= act.times:
                found = Act.QUOTA_USED
        return found


def sign_rules(
    acts: Sequence[GateAct],
    *,
    version: int,
    at: int,
    key: ec.EllipticCurvePrivateKey,
    fever_tenths: int = 373,
    ages: Ages = AGES,
) -> bytes:
    """Sign the rule set with a key of purpose `rules`.

    Other ages than a day and three are written only then: clients of before refuse a field that they do not know.
    """
    rows: list[cbor.Value] = []
    for act in acts:
        row: dict[int, cbor.Value] = {
            _NO: act.no,
            _KIND: act.kind.value,
            _ZONES: list(act.zones),
            _START: act.start,
            _END: act.end,
            _CLASSES: act.classes,
        }
        if act.kind is ActKind.QUOTA:
            row |= {_TIMES: act.times, _WINDOW: act.window}
        rows.append(row)
    body: dict[int, cbor.Value] = {_FORMAT: FORMAT, _ACTS: rows, _FEVER: fever_tenths}
    if ages != AGES:
        body[_AGES] = list(ages)
    head: dict[int, cbor.Value] = {cose.KID: kid_of(key), cose.TYP: TYPE}
    return cose.sign1(head, {ISS: ISSUER, IAT: at, EXP: at + LIFE, VERSION: version, RULES: body}, key=key)


def accept_rules(data: bytes, *, keys: KeyList, held: RuleSet | None = None) -> RuleSet:
    """:raises Rejected: form, `signature`, `rollback`"""
    token = cose.read1(data, protected_keys=FILE_HEADERS, max_bytes=MAX_BYTES)
    if token.protected[cose.TYP] != TYPE:
        raise Rejected("typ")
    claims = Claims.of(token)
    issued_at = claims.number(IAT)
    if not keys.signed(token, Purpose.RULES, signed_at=issued_at):
        raise Rejected("signature")
    version, expires_at = claims.number(VERSION), claims.number(EXP)
    body = claims.inner(RULES)
    claims.done()
    if body.number(_FORMAT) != FORMAT:
        raise Rejected("format")
    acts = tuple(_read_act(Claims(row)) for row in body.items(_ACTS, most=100))
    fever = body.number(_FEVER, least=360, most=400)
    ages = _read_ages(body.items(_AGES, most=2)) if body.has(_AGES) else AGES
    body.done()
    if held is not None and version < held.version:
        raise Rejected("rollback")
    return RuleSet(version, issued_at, expires_at, acts, fever, ages)


def _read_ages(hours: Sequence[cbor.Value]) -> Ages:
    """:raises Rejected: `claims` - not two numbers, 1 ≤ day ≤ old ≤ 720"""
    found = [n for n in hours if type(n) is int and 1 <= n <= _LONGEST_AGE]
    if len(found) != 2 or len(hours) != 2 or found[0] > found[1]:
        raise Rejected("claims")
    return Ages(found[0], found[1])


def _read_act(row: Claims) -> GateAct:
    kind = row.text(_KIND, most=12)
    if kind not in list(ActKind):
        raise Rejected("claims")
    quota = kind == ActKind.QUOTA
    act = GateAct(
        no=row.text(_NO, most=48),
        kind=ActKind(kind),
        zones=texts(row.items(_ZONES, most=600), most=32),
        start=row.number(_START),
        end=row.number(_END),
        classes=row.text(_CLASSES, least=0, most=8),
        times=row.number(_TIMES, most=100) if quota else 0,
        window=row.number(_WINDOW, least=1, most=31) if quota else 0,
    )
    row.done()
    if not act.start < act.end:
        raise Rejected("claims")
    return act
