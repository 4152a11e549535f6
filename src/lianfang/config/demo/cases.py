"""The curve of home isolation, and what happens in each case, minute by minute.

Some 3,000 cases at full scale (domain.md §6). New cases rise until the ninth day and then fall; the last
person is free on 11 March. Pure: what is made of a case, the acts make, and the rule in force says when it ends.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from lianfang.people.policy import OF_AGE, age

from .calendar import DAY_ONE, LAST_ANCHOR_ON, REGISTERED_ON, at
from .estates import apportion

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random  # noqa: TID251 - the generator is passed in, seeded

    from .population import HouseholdOf

CASES: Final = 3_000
#: A district at 1 % still shows every page something.
FEWEST_CASES: Final = 30
#: An officer signs for so many people in 24 hours without a second signer (O-7: 20); we stay well below.
SIGNS_A_DAY: Final = 14
#: Ms Luo arrives on 30 January at 14:20 (S1).
LUO_ARRIVED: Final = at(date(2020, 1, 30), 14, 20)

_RISE, _FALL = 1.7, 5.2
_STEP: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Case:
    """One person's isolation as it happened. Instants of the scenario, before any shift."""

    no: int
    household: int
    member: int
    community: str
    reason: str
    anchor_at: datetime
    reported_at: datetime | None
    proposed_at: datetime
    signed_at: datetime
    served_at: datetime
    officer: int
    lifted_at: datetime | None = None
    lift_reason: str = ""
    #: The case of the person with whom this one chose to isolate.
    together_with: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A household from which a case may come."""

    household: int
    community: str


@dataclass(slots=True)
class _Desk:
    """Health officers, each with the instants of the last signatures: the least busy one signs."""

    signed: list[deque[datetime]] = field(default_factory=list)

    def sign(self, when: datetime) -> int:
        """The officer who signs at `when`; instants need not come in order within a day."""
        for queue in self.signed:
            while queue and queue[0] <= when - timedelta(hours=36):
                queue.popleft()
        officer = min(range(len(self.signed)), key=lambda i: (len(self.signed[i]), i))
        self.signed[officer].append(when)
        return officer


def cases_at(scale: float) -> int:
    """How many isolations there are in all in a district of this scale."""
    return max(FEWEST_CASES, round(CASES * scale))


def curve(total: int) -> dict[date, int]:
    """New cases on each day of the scenario; they sum to `total`."""
    last = (LAST_ANCHOR_ON - DAY_ONE).days
    weights = {
        (DAY_ONE + timedelta(days=i)).isoformat(): (i + 1) ** _RISE * math.exp(-(i + 1) / _FALL)
        for i in range(last + 1)
    }
    return {date.fromisoformat(day): count for day, count in apportion(total, weights).items()}


def officers_for(total: int) -> int:
    """How many health officers sign, so that nobody comes near the ceiling of a day."""
    return max(2, math.ceil(1.6 * max(curve(total).values()) / SIGNS_A_DAY))


def make(
    rng: Random,
    *,
    scale: float,
    households: Sequence[HouseholdOf | None],
    candidates: Sequence[Candidate],
    luo: int,
    keep_free: Iterable[int] = (),
) -> list[Case]:
    """All cases, by day. No household is struck twice, so nobody is ever under two measures.

    :param luo: the household of Ms Luo, whose case begins on the sixth day
    :param keep_free: households no case comes from (Mr Wu's)
    """
    total = cases_at(scale)
    pool = [c for c in candidates if c.household != luo and c.household not in set(keep_free)]
    rng.shuffle(pool)
    fresh = iter(pool)
    desk = _Desk([deque() for _ in range(officers_for(total))])
    luos_community = next(c.community for c in candidates if c.household == luo)
    made: list[Case] = []
    for on, wanted in curve(total).items():
        count = 0
        if on == LUO_ARRIVED.date():
            made += _luo(luo, luos_community, len(made), desk)
            count = 2
        while count < wanted:
            candidate = next(fresh)
            home = households[candidate.household]
            assert home is not None, "a vacant dwelling has no case"
            adults = [i for i, m in enumerate(home.members) if age(m.born, on=REGISTERED_ON) >= OF_AGE]
            index = _case(rng, len(made), candidate, member=rng.choice(adults), on=on)
            index = replace(index, officer=desk.sign(index.signed_at))
            made.append(index)
            count += 1
            others = [i for i in adults if i != index.member]
            if others and count < wanted and rng.random() < 0.3:
                made.append(_together(index, len(made), member=rng.choice(others), desk=desk))
                count += 1
    return made


def _luo(household: int, community: str, no: int, desk: _Desk) -> list[Case]:
    on = LUO_ARRIVED.date()
    own = Case(
        no=no, household=household, member=0, community=community, reason="area_returnee_high",
        anchor_at=LUO_ARRIVED, reported_at=at(on, 14, 24), proposed_at=at(on, 15, 5),
        signed_at=at(on, 15, 32), served_at=at(on, 15, 50),
        officer=desk.sign(at(on, 15, 32)),
    )  # fmt: skip
    return [own, _together(own, no + 1, member=1, desk=desk)]


def _together(index: Case, no: int, *, member: int, desk: _Desk) -> Case:
    """A cohabitant who chooses to isolate too: an own order, counted from the same event."""
    signed_at = index.signed_at + _STEP
    return replace(
        index, no=no, member=member, reason="cohabitant", reported_at=None,
        proposed_at=index.proposed_at + _STEP, signed_at=signed_at, served_at=index.served_at + _STEP,
        officer=desk.sign(signed_at), together_with=index.no,
        lifted_at=index.lifted_at + _STEP if index.lifted_at else None,
    )  # fmt: skip


#: Reason → share of the cases that are neither cohabitants nor close contacts, and the longest time since the
#: event counted from, in days.
_REASONS: Final = {
    "area_returnee_high": (0.97, 2),
    "secondary_contact": (0.025, 2),
    "released_patient": (0.005, 1),
}
_CONTACT_DAYS: Final = 4


def _case(rng: Random, no: int, candidate: Candidate, *, member: int, on: date) -> Case:
    reason = rng.choices(list(_REASONS), [share for share, _ in _REASONS.values()])[0]
    longest = _REASONS[reason][1]
    # One in fifteen, so that the smallest district has a close contact too: some 100 of 3,000 in February.
    if no % 15 == 12:
        reason, longest = "close_contact", _CONTACT_DAYS
    arrived = at(on, rng.randint(8, 18), rng.randint(0, 59))
    days_before = rng.choices(range(longest + 1), [6, 3, 1, 1, 1][: longest + 1])[0]
    anchor_at = arrived - timedelta(days=days_before, minutes=rng.randint(0, 180) if days_before else 0)
    returned = reason == "area_returnee_high"
    reported_at = arrived + timedelta(minutes=rng.randint(2, 20)) if returned else None
    proposed_at = (reported_at or arrived) + timedelta(minutes=rng.randint(20, 70))
    signed_at = proposed_at + timedelta(minutes=rng.randint(10, 50))
    served_at = signed_at + timedelta(minutes=rng.randint(8, 100))
    lifted_at = None
    # Two in thirty, or one of them where the other is a cohabitant: no district is without a lift.
    if no % 30 in (8, 9):
        lifted_at = at(on + timedelta(days=rng.randint(2, 6)), rng.randint(9, 17), rng.randint(0, 59))
    return Case(
        no=no, household=candidate.household, member=member, community=candidate.community, reason=reason,
        anchor_at=anchor_at, reported_at=reported_at, proposed_at=proposed_at, signed_at=signed_at,
        served_at=served_at, officer=0, lifted_at=lifted_at, lift_reason=rng.choice(_LIFT_REASONS) if lifted_at else "",
    )  # fmt: skip


_LIFT_REASONS: Final = ("经复核不属于管理范围", "流行病学调查排除接触")
