"""The rules of orders, pure: counting days, who is restricted at an instant, what an officer may sign.

Instants are UTC, legal days those of Asia/Shanghai (C-1); no result depends on the zone of the process or of
the reader (C-2). Periods are half-open: `starts_at <= t < ends_at`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from lianfang.kernel.clock import LEGAL_ZONE, legal_day, start_of_legal_day
from lianfang.rules.policy import Measure, ReleaseAt

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from uuid import UUID

    from lianfang.rules.policy import Caps

#: Within this the person is told; later it is a task (O-10).
TELL_WITHIN: Final = timedelta(hours=2)
#: A longer term signed later than this before the earlier end may not reach every gate in time (passes.md 4.2): there the
#: earlier end counts and the person passes. The signer is warned; nothing is refused.
REACHES_GATES_WITHIN: Final = timedelta(hours=2)
#: An appeal is possible while restricted and this long after (AP-1).
APPEAL_AFTER_END: Final = timedelta(days=60)
#: An appeal about a status is answered within this, else it escalates (AP-3).
ANSWER_APPEAL_WITHIN: Final = timedelta(hours=24)
#: Less than this is nothing to order: slips and papers count minutes.
SHORTEST: Final = timedelta(minutes=1)
#: A second factor is at most so old when something is signed (T23).
FACTOR_FRESH_FOR: Final = timedelta(minutes=5)
#: A second signature waits so long for the order it belongs to.
SECOND_SIGNATURE_HOLDS: Final = timedelta(hours=24)
#: A proposal nobody signed is no longer asked for after this.
PROPOSAL_WAITS: Final = timedelta(hours=24)
#: A case is kept so long after it ended, for complaints and audits, then destroyed (trust.md §7, classes 4 and 5). The
#: trigger counts the same days (migration 0006).
CASE_KEPT_FOR: Final = timedelta(days=3 * 365)
#: Whose it was is open to the offices so long after an order ended, then only by an act with a reason (trust.md §7, class 4).
SEALED_AFTER: Final = timedelta(days=90)
#: The person may have a case kept longer, at most so long at a time; they may ask again.
LONGEST_HOLD: Final = timedelta(days=3 * 365)
#: Public sheets of an ended order are taken down within this (N-3).
TAKE_DOWN_WITHIN: Final = timedelta(hours=1)
#: A release notice is paperwork: signed up to so long before the end, late after so long.
NOTICE_AHEAD: Final = timedelta(days=1)
NOTICE_LATE_AFTER: Final = timedelta(hours=12)
#: Anything public names a place of at least so many households (product decision 9).
FEWEST_HOUSEHOLDS: Final = 5


# --- Counting days -----------------------------------------------------------------------------------------


class CountsDays(Protocol):
    """The parameters by which a rule counts; every one is explicit, none has a default (domain.md §4)."""

    @property
    def days(self) -> int: ...
    @property
    def anchor_counts_as(self) -> int: ...
    @property
    def release_at(self) -> ReleaseAt: ...


@dataclass(frozen=True, slots=True)
class Term:
    """When a measure is over: the last day wholly inside it, and the instant of release."""

    last_full_day: date
    ends_at: datetime


def term(rule: CountsDays, anchor_at: datetime) -> Term:
    """Count a rule's days from the anchor.

    `start_of_next_day`: the day of the anchor is day 0 or day 1 as the rule says, and day 1 whenever the
    anchor is exactly 00:00; release is 00:00 after day N. `same_hour`: N times 24 hours from the anchor.

    :raises ValueError: the anchor has no zone, or the parameters contradict each other. A term by the hour
        that also calls the anchor's day "day 1" has two readings a day apart; such a text needs a person.
    """
    if anchor_at.tzinfo is None:
        raise ValueError("an instant needs a zone")
    if rule.days < 1 or rule.anchor_counts_as not in (0, 1):
        raise ValueError("days count from one, and an anchor counts as day 0 or day 1")
    if rule.release_at is ReleaseAt.SAME_HOUR:
        if rule.anchor_counts_as:
            raise ValueError("a term by the hour cannot also count the anchor's day")
        ends_at = anchor_at.astimezone(UTC) + timedelta(days=rule.days)
        return Term(legal_day(ends_at) - timedelta(days=1), ends_at)
    local = anchor_at.astimezone(LEGAL_ZONE)
    is_first_day = rule.anchor_counts_as == 1 or local.time() == time()
    first_day = local.date() if is_first_day else local.date() + timedelta(days=1)
    last_full_day = first_day + timedelta(days=rule.days - 1)
    return Term(last_full_day, start_of_legal_day(last_full_day + timedelta(days=1)))


def second_term(days: int, first_ends_at: datetime) -> Term:
    """Count the second phase of a rule (7 days, then 3): whole days from the end of the first, without a gap.

    It is the same instant whenever the second order is signed: signing late moves no end.

    :raises ValueError: the rule has no second phase, or the instant has no zone
    """
    if first_ends_at.tzinfo is None or days < 1:
        raise ValueError("a second phase has days and follows an instant with a zone")
    ends_at = first_ends_at.astimezone(UTC) + timedelta(days=days)
    return Term(legal_day(ends_at) - timedelta(days=1), ends_at)


# --- Status ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SignedOrder:
    """An order as far as status needs it."""

    id: UUID
    order_no: str
    kind: Measure
    signed_at: datetime
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Lifted:
    """An order ended early. It frees from `at` on, whatever comes later (O-4)."""

    order_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Status:
    """Who is free has no order in force; there is no other state (S-1, S-4)."""

    in_force: tuple[SignedOrder, ...]

    @property
    def is_free(self) -> bool:
        """No order in force."""
        return not self.in_force

    @property
    def ends_at(self) -> datetime | None:
        """The latest end among the orders in force."""
        return max((o.ends_at for o in self.in_force), default=None)


FREE: Final = Status(())


def status(orders: Iterable[SignedOrder], lifts: Iterable[Lifted], at: datetime) -> Status:
    """The status of a person at an instant: the orders in force then, and nothing else (S-1).

    # O-2: at the end instant the order is out by this comparison alone; no job, login or network takes part.
    # O-4: a lift beats its order from its own instant on, and nothing puts that order back.
    """
    lifted_at: dict[UUID, datetime] = {}
    for lift in lifts:
        lifted_at[lift.order_id] = min(lift.at, lifted_at.get(lift.order_id, lift.at))
    in_force = [
        o
        for o in orders
        if o.starts_at <= at < o.ends_at and not (o.id in lifted_at and lifted_at[o.id] <= at)
    ]
    return Status(tuple(sorted(in_force, key=lambda o: (o.ends_at, str(o.id)))))


def may_miss_gates(earlier_ends_at: datetime, *, at: datetime) -> bool:
    """Whether what is signed now after an earlier order may come to a gate without network after that one's end."""
    return at > earlier_ends_at - REACHES_GATES_WITHIN


def days_left(ends_at: datetime, *, at: datetime) -> int:
    """How many legal days, today among them, hold a part of what is left; 0 once it is over."""
    if at >= ends_at:
        return 0
    last_instant = ends_at - timedelta(microseconds=1)
    return (legal_day(last_instant) - legal_day(at)).days + 1


# --- Caps --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A half-open period of restriction."""

    starts_at: datetime
    ends_at: datetime


def chained(periods: Iterable[Period], candidate: Period, *, gap: timedelta) -> timedelta:
    """The time restricted in the chain to which the candidate belongs (O-5).

    Periods belong to one chain while no gap between them is longer than `gap`; overlaps count once.
    """
    runs: list[list[Period]] = []
    for p in sorted([*periods, candidate]):
        if p.ends_at <= p.starts_at:
            continue
        if runs and p.starts_at - max(q.ends_at for q in runs[-1]) <= gap:
            runs[-1].append(p)
        else:
            runs.append([p])
    run = next((r for r in runs if candidate in r), [])
    total, covered_to = timedelta(), None
    for p in run:
        start = p.starts_at if covered_to is None else max(p.starts_at, covered_to)
        if p.ends_at > start:
            total += p.ends_at - start
        covered_to = p.ends_at if covered_to is None else max(covered_to, p.ends_at)
    return total


class Needs(StrEnum):
    """What the caps ask of an order that is about to be signed."""

    ONE_SIGNATURE = "one_signature"
    SECOND_SIGNATURE = "second_signature"
    PLACE_ORDER = "place_order"


def signatures_needed(
    *,
    caps: Caps,
    measure: Measure,
    alone_before: int,
    all_before: int,
    chain: timedelta,
    competence_asks_second: bool,
) -> Needs:
    """How many bodies must sign: by the officer's day (O-7), the person's chain (O-5) and the competence.

    `alone_before` and `all_before` count other persons whom this officer ordered in the last 24 hours,
    without a second signer and in all.
    """
    if all_before >= caps.seconded_per_day:
        return Needs.PLACE_ORDER
    if (
        competence_asks_second
        or alone_before >= caps.alone_per_day
        or chain > timedelta(days=caps.chained_days[measure])
    ):
        return Needs.SECOND_SIGNATURE
    return Needs.ONE_SIGNATURE


def is_other_body(second: str, *, issuer: str, proposer: str | None) -> bool:
    """Whether a second signer comes from another organisation than issuer and proposer."""
    return bool(second) and second != issuer and second != proposer


def is_within_length(period: Period, *, measure: Measure, caps: Caps) -> bool:
    """Whether one order stays under the longest its kind may last (O-1)."""
    return period.starts_at < period.ends_at and period.ends_at - period.starts_at <= timedelta(
        days=caps.longest_days[measure]
    )


# --- Serving -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CareNeed:
    """A dependent child, elder or disabled person of the household of somebody who is ordered to stay."""

    person_id: UUID
    why: str


def may_be_served(needs: Iterable[CareNeed], cared_for: Collection[UUID]) -> tuple[CareNeed, ...]:
    """The dependants for whom nobody is named and no duty officer answers; none: it may be served."""
    return tuple(n for n in needs if n.person_id not in cared_for)


# --- The end of a case -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Objection:
    """An appeal: raised, and decided or not yet."""

    raised_at: datetime
    decided_at: datetime | None


def case_over_at(ends: Iterable[datetime], objections: Iterable[Objection]) -> datetime | None:
    """When a case was over: the last end or lift of its orders, or the last decision about an objection.

    None while an objection waits for its decision: as long as that is so, the case has no end (D-5).

    :param ends: of every order of the case, when it is over: its end, or its lift
    """
    instants = list(ends)
    for objection in objections:
        if objection.decided_at is None:
            return None
        instants.append(objection.decided_at)
    return max(instants, default=None)


def is_sealed(over_at: datetime, *, objected: bool, at: datetime) -> bool:
    """Whether the offices no longer see whose order it was.

    :param objected: an appeal waits for its decision; whoever decides must see whose it is
    """
    return not objected and at >= over_at + SEALED_AFTER


def destroyed_from(over_at: datetime | None, holds: Iterable[datetime]) -> datetime | None:
    """From when on a case is to be destroyed; None while nobody can say.

    # D-5: a hold by the person keeps it until the hold ends, however long the term has been over.

    :param holds: until when the person asked that it be kept
    """
    return None if over_at is None else max([over_at + CASE_KEPT_FOR, *holds])


# --- Numbers -----------------------------------------------------------------------------------------------


def order_number(*, incident: str, division: str, form: str, day: date, seq: int) -> str:
    """`{incident}-{division6}-{form}-{yyyymmdd}-{seq6}{check}`, as on every print and in every code."""
    body = f"{incident}-{division[:6]}-{form}-{day:%Y%m%d}-{seq:06d}"
    return body + check_digit(body)


def is_order_number(number: str) -> bool:
    """Whether the check digit fits: one wrong digit, or two neighbours swapped, does not."""
    return len(number) > 1 and number[-1] == check_digit(number[:-1])


def check_digit(body: str) -> str:
    """ISO 7064 MOD 11,10 over the digits of the number."""
    product = 10
    for c in body:
        if c.isdigit():
            s = (int(c) + product) % 10 or 10
            product = s * 2 % 11
    return str((11 - product) % 10)


# --- Public sheets -----------------------------------------------------------------------------------------


def public_place(ancestors: Sequence[tuple[str, int]]) -> str | None:
    """The smallest place that may be named in public: the first with enough households.

    `ancestors` are (area, households), smallest first.
    """
    return next((area for area, households in ancestors if households >= FEWEST_HOUSEHOLDS), None)
