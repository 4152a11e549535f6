"""The gate's decision: from the situation at one scan to one of four verdicts.

Source: docs/gates.md, "The decision". The table `vectors/verdicts.json` states the same
rule as rows; a separate interpreter of that table must agree with `decide` for every
combination, here and in the gate app.

The order of the branches is the rule: life exit first, then the harsher verdict, where an
ended term or a slip in effect counts as "valid, with evidence of now".
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from lianfang_pass.situation import (
    Act,
    Clearance,
    Clock,
    Evidence,
    KeyList,
    LifeExit,
    Movement,
    Proof,
    Situation,
    Slip,
    Status,
    Temperature,
    Term,
)


class Verdict(StrEnum):
    ALLOW = "ALLOW"
    ALLOW_REG = "ALLOW_REG"
    CALL = "CALL"
    DENY = "DENY"


class Decision(NamedTuple):
    """What the guard is told: the verdict, why, and what else to keep in mind."""

    verdict: Verdict
    reason: str
    notes: tuple[str, ...] = ()


#: Given when the situation itself cannot be read. Never DENY: nothing certain is at worst CALL.
UNREADABLE: Final = Decision(Verdict.CALL, "UNREADABLE")

_PERSON_KNOWN: Final = frozenset({Proof.PAPER, Proof.PHONE, Proof.PHONE_STALE, Proof.FOUND})
_FREEING: Final = {Slip.RELEASE: "RELEASE_SLIP", Slip.LIFT: "LIFT_SLIP", Slip.ORDER_OVER: "TERM_ENDED"}
#: Where an order in force holds somebody: leaving the own compound, entering another place.
_HELD: Final = frozenset({Movement.HOME_OUT, Movement.PLACE_IN})
_ELSEWHERE: Final = frozenset({Movement.PLACE_OUT, Movement.PLACE_IN})


def decide(s: Situation) -> Decision:
    """The verdict for one situation. Total: every situation has one, and no exception."""
    verdict, reason = _verdict(s)
    return Decision(verdict, reason, _notes(s))


def decide_values(values: Mapping[str, object]) -> Decision:
    """The verdict for values as they come from outside; what cannot be read is CALL.

    A life exit is granted even when nothing else can be read.
    """
    try:
        situation = Situation.read(values)
    except ValueError:
        if values.get("life_exit") == "yes":
            return Decision(Verdict.ALLOW_REG, "LIFE_EXIT")
        return UNREADABLE
    return decide(situation)


def _verdict(s: Situation) -> tuple[Verdict, str]:
    if s.life_exit is LifeExit.YES:
        return Verdict.ALLOW_REG, "LIFE_EXIT"

    # Without a readable pass there is no index, and the list says nothing of this person.
    listed = s.proof in _PERSON_KNOWN and s.slip is Slip.NONE
    running = s.slip is Slip.ORDER_RUNNING or (listed and s.status is Status.BEFORE_END)

    if running and s.movement in _HELD:
        if s.clock is Clock.DOUBT:
            # A clock that may be behind could show an end as still to come.
            return Verdict.CALL, "CLOCK_IN_DOUBT"
        return Verdict.DENY, "ORDER_IN_FORCE"

    return _call(s, listed=listed) or _register(s, listed=listed, running=running) or _allow(s)


def _call(s: Situation, *, listed: bool) -> tuple[Verdict, str] | None:
    """Why the community must be asked, or nothing. Never at the own door of a known person."""
    reason = None
    if listed and s.status is Status.NO_END and s.movement is not Movement.HOME_IN:
        reason = "END_UNKNOWN"
    elif s.proof is Proof.BAD and s.slip is Slip.NONE:
        reason = "SIGNATURE_BAD"
    elif s.proof is Proof.NONE and s.slip is Slip.NONE:
        reason = "NO_PASS"
    elif s.act is Act.QUOTA_USED and s.movement is Movement.HOME_OUT:
        reason = "QUOTA_USED"
    elif s.movement is not Movement.HOME_IN and _perimeter_stops(s):
        reason = "PERIMETER_CLOSED"
    elif s.movement is Movement.PLACE_IN and s.clearance is Clearance.NOT_CLEARED:
        reason = "NOT_CLEARED"
    elif s.movement is Movement.PLACE_IN and s.temperature is Temperature.HIGH:
        reason = "TEMPERATURE"
    elif s.movement in _ELSEWHERE and listed:
        reason = _fault_of_the_pass(s)
    return (Verdict.CALL, reason) if reason else None


def _register(s: Situation, *, listed: bool, running: bool) -> tuple[Verdict, str] | None:
    """Why the guard writes the passage down before letting the person pass, or nothing."""
    reason = None
    if running:
        reason = "ORDER_HOMEWARD"
    elif listed and s.status is Status.NO_END:
        reason = "END_UNKNOWN"
    elif s.movement is Movement.HOME_IN and _perimeter_stops(s):
        reason = "PERIMETER_CLOSED"
    elif s.clearance is Clearance.NOT_CLEARED:
        reason = "NOT_CLEARED"
    elif s.temperature is Temperature.HIGH:
        reason = "TEMPERATURE"
    elif listed:
        reason = _fault_of_the_pass(s)
    return (Verdict.ALLOW_REG, reason) if reason else None


def _allow(s: Situation) -> tuple[Verdict, str]:
    # G-6: a known end that has come, or a slip in effect, is ALLOW whatever the age of the
    # list, the key list or the state of the clock (the time used is then the floor).
    if s.slip in _FREEING:
        return Verdict.ALLOW, _FREEING[s.slip]
    if s.status is Status.AFTER_END:
        return Verdict.ALLOW, "TERM_ENDED"
    if s.clock is Clock.DOUBT:
        return Verdict.ALLOW_REG, "CLOCK_IN_DOUBT"
    if s.evidence is Evidence.OLD:
        return Verdict.ALLOW_REG, "LIST_OLD"
    if s.evidence is Evidence.THREE_DAYS:
        return Verdict.ALLOW_REG, "LIST_DAY_OLD"
    if s.keys is KeyList.EXPIRED:
        return Verdict.ALLOW_REG, "KEYS_EXPIRED"
    return Verdict.ALLOW, "OK"


def _perimeter_stops(s: Situation) -> bool:
    if s.act is Act.PERIMETER_UNLISTED:
        return True
    ended = s.slip in _FREEING or (s.slip is Slip.NONE and s.status is Status.AFTER_END)
    return s.act is Act.PERIMETER_LISTED and s.evidence is not Evidence.DAY and not ended


def _fault_of_the_pass(s: Situation) -> str | None:
    """What is wrong with the pass itself. None of it is an order."""
    if s.status is Status.INVALID:
        return "PASS_INVALID"
    if s.status is Status.REFER:
        return "PASS_REISSUE"
    if s.term is Term.EXPIRED:
        return "PASS_EXPIRED"
    if s.term is Term.NOT_YET:
        return "PASS_NOT_YET"
    if s.proof is Proof.PHONE_STALE:
        return "CODE_STALE"
    if s.proof is Proof.FOUND:
        return "NUMBER_ONLY"
    return None


def _notes(s: Situation) -> tuple[str, ...]:
    notes = []
    if s.evidence is Evidence.OLD:
        notes.append("LIST_OLD")
    if s.clock is Clock.DOUBT:
        notes.append("CLOCK_IN_DOUBT")
    if s.keys is KeyList.EXPIRED:
        notes.append("KEYS_EXPIRED")
    if s.proof is Proof.PHONE_STALE and s.slip is Slip.NONE:
        notes.append("ASK_REFRESH")
    if s.proof is Proof.BAD:
        notes.append("KEEP_CODE")
    running = s.slip is Slip.ORDER_RUNNING or (
        s.slip is Slip.NONE and s.proof in _PERSON_KNOWN and s.status is Status.BEFORE_END
    )
    if running and s.life_exit is LifeExit.NO and s.movement not in _HELD:
        notes.append("TELL_COMMUNITY")
    return tuple(notes)
