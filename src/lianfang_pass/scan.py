"""From what a gate was shown to the situation that is decided: the one place where tokens, keys, lists and the clock
meet. Total: whatever text comes in, a decision comes out (G-8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from lianfang_pass import base45, clock_floor, evidence, tokens
from lianfang_pass.errors import Rejected
from lianfang_pass.evidence import ListRow
from lianfang_pass.keylist import Purpose
from lianfang_pass.situation import (
    Act,
    Clearance,
    Clock,
    LifeExit,
    Movement,
    Proof,
    Situation,
    Slip,
    Temperature,
    Term,
)
from lianfang_pass.situation import (
    KeyList as KeyListState,
)
from lianfang_pass.tokens import Flag, Identity, Pass, PassClass, ReadCode, ReadPass, ReadSlip
from lianfang_pass.verdict import Decision, decide

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lianfang_pass.keylist import KeyList
    from lianfang_pass.rules import RuleSet
    from lianfang_pass.statuslist import ShardState
    from lianfang_pass.tokens import SlipClaims

_AT_HOME: Final = frozenset({PassClass.HOUSEHOLD, PassClass.PERSON})
#: An index may get a new holder this long after its pass ended (credentials keeps to the same figure).
INDEX_REST: Final = tokens.LONGEST_LIFE


@dataclass(frozen=True)
class StoreRow:
    """Somebody of the own compound, as the gate's store has them: looked up, never listed."""

    pass_no: str | None  # None: no card of their own
    list_uri: str | None  # None: they never had a pass, so no list speaks of them
    index: int | None
    kind: PassClass
    identity: Identity
    ended_at: int | None = None  # of a pass that is over or withdrawn


@dataclass(frozen=True)
class Gate:
    """Where the device stands: the zones of its own compounds (none at a road checkpoint)."""

    compounds: frozenset[str]


@dataclass(frozen=True)
class Held:
    """What the device has verified and stored so far."""

    keys: KeyList | None
    shards: Mapping[str, ShardState]
    floor: int = 0
    offset: int = 0
    rules: RuleSet | None = None


@dataclass(frozen=True)
class Look:
    """One look at a person at a gate, before anything is decided."""

    texts: Sequence[str]  # codes scanned: a pass, slips, or both, in any order
    inward: bool
    device_time: int
    found: StoreRow | None = None  # what the guard looked up by number, or door and birth year
    life_exit: bool = False
    temperature_high: bool = False
    used: int = 0  # ways out already in the window of a quota


class Outcome(NamedTuple):
    decision: Decision
    situation: Situation
    time_used: int
    floor: int  # to keep: it may have risen
    cti: bytes | None
    shown: Pass | None
    phone_signed_at: int | None
    order_end: int | None  # to tell the person, when an order is in force


class _Shown(NamedTuple):
    proof: Proof = Proof.NONE
    claims: Pass | None = None
    phone_signed_at: int | None = None
    slips: tuple[SlipClaims, ...] = ()
    newest: int = 0


def look(asked: Look, *, gate: Gate, held: Held) -> Outcome:
    """Decide. Raises nothing, whatever the texts are."""
    shown = _Shown()
    for text in asked.texts:
        shown = _add(shown, text, held.keys)
    floor = max(held.floor, shown.newest)
    clock = clock_floor.time_used(device=asked.device_time, offset=held.offset, floor=floor)
    now = clock.at

    proof = shown.proof
    # In doubt the gate cannot tell a stale code from its own wrong clock; it registers anyway.
    if proof is Proof.PHONE and not clock.in_doubt and _stale(shown.phone_signed_at, now):
        proof = Proof.PHONE_STALE
    claims = shown.claims
    person = _person(shown, asked.found)
    if claims is None and asked.found is not None:
        proof = Proof.FOUND

    slips = [slip for slip in shown.slips if now < slip.expires_at and slip.identity == person]
    row = _row(claims, asked.found, held, now)
    weighed = evidence.weigh(
        now=now,
        row=row,
        pass_signed_at=claims.issued_at if claims else None,
        on_phone=claims is not None and not claims.on_paper,
        slips=slips,
    )
    slip = weighed.slip
    # G-9: an order slip alone does not say whose home this is. On the way in the guard asks.
    alone = asked.inward and gate.compounds and claims is None and asked.found is None
    if alone and slip is Slip.ORDER_RUNNING:
        slip = Slip.NONE
    movement = _movement(asked, gate, claims)
    kind = claims.kind if claims else asked.found.kind if asked.found else PassClass.PERSON
    situation = Situation(
        life_exit=LifeExit.YES if asked.life_exit else LifeExit.NO,
        movement=movement,
        proof=proof,
        term=_term(claims, asked.found, now),
        status=weighed.status,
        slip=slip,
        evidence=weighed.age(now, held.rules.ages if held.rules else evidence.AGES),
        clock=Clock.DOUBT if clock.in_doubt else Clock.SURE,
        keys=KeyListState.CURRENT
        if held.keys is not None and now < held.keys.expires_at
        else KeyListState.EXPIRED,
        act=held.rules.act(now, compounds=gate.compounds, kind=kind, movement=movement, used=asked.used)
        if held.rules
        else Act.NONE,
        clearance=_clearance(claims, gate),
        temperature=Temperature.HIGH if asked.temperature_high else Temperature.NORMAL,
    )
    ends = [slip.end for slip in slips if slip.kind is tokens.SlipKind.ORDER and now < slip.end]
    if row is not None and row.end is not None and now < row.end:
        ends.append(row.end)
    return Outcome(
        decision=decide(situation),
        situation=situation,
        time_used=now,
        floor=floor,
        cti=claims.cti if claims else None,
        shown=claims,
        phone_signed_at=shown.phone_signed_at,
        order_end=max(ends, default=None),
    )


def _add(shown: _Shown, text: str, keys: KeyList | None) -> _Shown:
    """Take in one scanned text. A bad code never hides a good one scanned before it."""
    try:
        read = tokens.read(base45.from_text(text))
    except Rejected:
        return _worse(shown)
    if keys is None:
        return _worse(shown)
    if isinstance(read, ReadSlip):
        if not keys.signed(read.token, Purpose.SLIP, signed_at=read.claims.issued_at):
            return _worse(shown)
        newest = max(shown.newest, read.claims.issued_at)
        return shown._replace(slips=(*shown.slips, read.claims), newest=newest)
    within = read.within if isinstance(read, ReadCode) else read
    if not _issued_by_us(within, keys):
        return _worse(shown)
    claims = within.claims
    newest = max(shown.newest, claims.issued_at)
    if isinstance(read, ReadCode):
        if not read.holder_signed():
            return _worse(shown)._replace(newest=newest)
        return _Shown(Proof.PHONE, claims, read.signed_at, shown.slips, newest)
    # A phone pass shown bare is a copy of the pass without its holder: as stale as a code can be.
    proof = Proof.PAPER if claims.on_paper else Proof.PHONE_STALE
    return _Shown(proof, claims, shown.phone_signed_at, shown.slips, newest)


def _person(shown: _Shown, found: StoreRow | None) -> Identity | None:
    """Whose slips count: the pass's holder, else who was looked up, else whose slip was scanned last."""
    if shown.claims is not None:
        return shown.claims.identity
    if found is not None:
        return found.identity
    return shown.slips[-1].identity if shown.slips else None


def _stale(signed_at: int | None, now: int) -> bool:
    return signed_at is None or abs(signed_at - now) > tokens.CODE_WINDOW


def _worse(shown: _Shown) -> _Shown:
    return shown._replace(proof=Proof.BAD) if shown.claims is None else shown


def _issued_by_us(read: ReadPass, keys: KeyList) -> bool:
    return keys.signed(read.token, Purpose.PASS, signed_at=read.claims.issued_at)


def _row(claims: Pass | None, found: StoreRow | None, held: Held, now: int) -> ListRow | None:
    uri: str | None
    index: int | None
    if claims is not None:
        uri, index, ended_at = claims.list_uri, claims.index, claims.expires_at
    elif found is not None:
        uri, index, ended_at = found.list_uri, found.index, found.ended_at or now
    else:
        return None
    shard = held.shards.get(uri) if uri is not None else None
    if shard is None or index is None:
        return None
    row = shard.row(index)
    if row is None or now >= ended_at + INDEX_REST:
        # Beyond its rest an index may belong to somebody else: their order is not this person's.
        return ListRow(None, None, shard.signed_at)
    return ListRow(row.status, row.end, shard.signed_at)


def _movement(asked: Look, gate: Gate, claims: Pass | None) -> Movement:
    if claims is not None:
        at_home = claims.kind in _AT_HOME and not gate.compounds.isdisjoint(claims.zones)
    else:
        at_home = asked.found is not None  # the store holds the own compound only
    if at_home:
        return Movement.HOME_IN if asked.inward else Movement.HOME_OUT
    return Movement.PLACE_IN if asked.inward else Movement.PLACE_OUT


def _term(claims: Pass | None, found: StoreRow | None, now: int) -> Term:
    if claims is None:
        return Term.EXPIRED if found is not None and found.ended_at is not None else Term.IN_TERM
    if now >= claims.expires_at:
        return Term.EXPIRED
    if claims.not_before is not None and claims.not_before > now + clock_floor.TOLERANCE:
        return Term.NOT_YET
    return Term.IN_TERM


def _clearance(claims: Pass | None, gate: Gate) -> Clearance:
    if claims is None or claims.kind is not PassClass.WORKER or Flag.NOT_CLEARED not in claims.flags:
        return Clearance.NOT_ASKED
    here = not gate.compounds.isdisjoint(claims.zones)
    return Clearance.NOT_CLEARED if here else Clearance.NOT_ASKED
