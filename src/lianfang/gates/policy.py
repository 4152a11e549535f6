"""Pure rules of this room: what a list must say of a person, and how silent a post is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from lianfang_pass.statuslist import ListStatus

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

#: How long a row stays SUSPENDED after its end, before it is tidied up. Gates free at the end by themselves.
TIDIED_AFTER: Final = timedelta(days=2)
#: Passages, and what names a passage, are kept 21 days; then only the counts of each hour (F10, trust.md §7).
KEPT_FOR: Final = timedelta(days=21)
AMBER_AFTER: Final = timedelta(minutes=15)
RED_AFTER: Final = timedelta(hours=4)
#: A post works this long without any network (passes.md §4.3). Who is silent for longer is not waited for.
GIVEN_UP_AFTER: Final = timedelta(hours=72)
#: A call for help is taken up within this time (a severe problem: domain.md F14).
ANSWERED_WITHIN: Final = timedelta(minutes=5)
#: What waits for an answer: a call, a chain that told two stories, and what could not be read and may be either.
ALARMS: Final = ("help", "fork", "unopened")

#: The reason of a passage out of fire or to childbirth: `override` then holds its one word (docs/gates.md).
LIFE_EXIT: Final = "LIFE_EXIT"


#: What a ticket may be about. `revoked`, `order`: known to the server and not yet to the gate. `unserved`: let out at the
#: end of an order whose release notice nobody had signed.
CAUSES: Final = ("revoked", "order", "unserved")

#: The reasons a gate offers for letting pass against its verdict, and for not letting pass (docs/gates.md), as a row has
#: them. Same as `OVERRIDES` of web/src/gate/verdict_view.ts; a test compares them.
OVERRIDES: Final = ("就医取药", "工作", "照护老幼", "社区同意", "信息有误", "未放行")
OTHER_WORD: Final = "其他"

#: The reason of a passage at or after the end of an order that the list or a slip names.
TERM_ENDED: Final = "TERM_ENDED"
#: Within this time a gate with a network hears what changed. What passes before is no fault of its list.
HEARD_WITHIN: Final = timedelta(minutes=1)
#: A pass that the same phone or desk renewed: whoever shows the one before is who they were.
REPLACED: Final = "replaced"


def lists_of(kind: str, own: Iterable[str], every: Iterable[str]) -> list[str]:
    """The lists that a post gets. The gate of a compound has that of its own street (passes.md §3.4 b).

    To a road, a venue and a site people of all streets come: where the list of theirs is missing, a phone pass from
    before an order would still let them in.
    """
    return sorted({*own} if kind == "compound" else {*own, *every})


class Period(Protocol):
    """A restriction: what `orders.queries.restrictions` gives, as far as a gate must know."""

    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Stand:
    """What the lists must say of a person's passes, and when that must be looked at again."""

    status: ListStatus
    until: datetime | None
    again_at: datetime | None


class Printed(Protocol):
    """A pass, as far as its row in a list depends on it."""

    @property
    def kind(self) -> str: ...
    @property
    def door(self) -> str: ...
    @property
    def initials(self) -> str: ...
    @property
    def birth_year(self) -> int | None: ...
    @property
    def revoked_at(self) -> datetime | None: ...


def listed(printed: Printed, holder: Stand | None) -> tuple[ListStatus, datetime | None]:
    """What the list must say of one pass: withdrawn, its holder under an order, incomplete, or nothing."""
    if printed.revoked_at is not None:
        return ListStatus.INVALID, None
    if holder is not None and holder.status is not ListStatus.VALID:
        return holder.status, holder.until
    return (ListStatus.REFER if is_incomplete(printed) else ListStatus.VALID), None


def unheard(*, fact_at: datetime, list_at: datetime | None, passed_at: datetime) -> bool:
    """Whether a gate let somebody pass because its list was older than what the server knew then.

    Without `list_at` the list is older than all whose instant is known. A gate that was in touch is given the time
    that any change needs to reach it.
    """
    if passed_at <= fact_at:
        return False
    if list_at is None:
        return True
    if list_at >= fact_at:
        return False
    in_touch = passed_at - list_at < AMBER_AFTER + HEARD_WITHIN
    return not in_touch or passed_at - fact_at >= HEARD_WITHIN


def is_incomplete(printed: Printed) -> bool:
    """Whether a guard cannot compare the person with the pass: data are missing, and it must be made anew once
    they are known (passes.md §4.2). A household's pass names no one person and has no birth year.
    """
    if not printed.door or not printed.initials:
        return True
    return printed.kind != "H" and printed.birth_year is None


def stand(periods: Iterable[Period], at: datetime) -> Stand:
    """From the restrictions that are in force or to come.

    `until` is the end of the last order that follows without a gap: the end of a successor reaches the gates
    before its predecessor ends. An order to come says nothing yet; the instant it begins is when to look again.
    """
    ordered = sorted(periods, key=lambda p: p.starts_at)
    in_force = [p for p in ordered if p.starts_at <= at < p.ends_at]
    later = [p.starts_at for p in ordered if p.starts_at > at]
    if not in_force:
        return Stand(ListStatus.VALID, None, min(later, default=None))
    until = max(p.ends_at for p in in_force)
    for period in ordered:
        if period.starts_at <= until < period.ends_at:
            until = period.ends_at
    again = [start for start in later if start > until]
    return Stand(ListStatus.SUSPENDED, until, min([*again, until + TIDIED_AFTER]))


class ActStage(StrEnum):
    """Where a quota or perimeter act stands; computed, never stored."""

    PROPOSED = "proposed"
    LAPSED = "lapsed"
    TO_COME = "to_come"
    IN_FORCE = "in_force"
    OVER = "over"
    LIFTED = "lifted"


def act_stage(
    *,
    starts_at: datetime,
    ends_at: datetime,
    signed_at: datetime | None,
    lifted_at: datetime | None,
    at: datetime,
) -> ActStage:
    """In force from its start or its signature, whichever is later, until its end or its lift."""
    if lifted_at is not None:
        return ActStage.LIFTED
    if signed_at is None:
        return ActStage.PROPOSED if at < ends_at else ActStage.LAPSED
    if at >= ends_at:
        return ActStage.OVER
    return ActStage.IN_FORCE if at >= max(starts_at, signed_at) else ActStage.TO_COME


#: How old evidence may be and still be of the day (passes.md §4.3, per disease). At least a shift of twelve hours: a list
#: taken when it began serves until it ends. At most the 72 hours for which a post works without any network.
DAY_HOURS: Final = range(12, 72 + 1)
#: From when on it is called old. At least a day: a post in touch once a day never has an old list. At most a week: by
#: then somebody goes to a silent post, whatever the disease.
OLD_HOURS: Final = range(24, 168 + 1)


def ages_fit(day_hours: int, old_hours: int) -> bool:
    """Whether command may set these ages: both within bounds, the first shorter."""
    return day_hours in DAY_HOURS and old_hours in OLD_HOURS and day_hours < old_hours


class Silence(StrEnum):
    """How a post looks to command."""

    FRESH = "fresh"
    AMBER = "amber"
    RED = "red"
    NEVER = "never"


def silence(last_at: datetime | None, now: datetime) -> Silence:
    """A post is amber after 15 minutes without contact, red after 4 hours."""
    if last_at is None:
        return Silence.NEVER
    quiet = now - last_at
    if quiet >= RED_AFTER:
        return Silence.RED
    return Silence.AMBER if quiet >= AMBER_AFTER else Silence.FRESH


class Lack(StrEnum):
    """What a post is without, by the plain word of a handover."""

    THERMOMETER = "thermometer"
    MASKS = "masks"


def lacks(*, thermometer: object, masks: object) -> tuple[Lack, ...]:
    """A thermometer that was said not to work (0), no mask left (0). How many masks are too few, nobody has said.

    :param thermometer: what the last handover that spoke of it said of it; None where none did
    :param masks: as above
    """
    said = ((Lack.THERMOMETER, thermometer), (Lack.MASKS, masks))
    return tuple(lack for lack, count in said if count == 0)


def is_dead(*, withdrawn_at: datetime | None, last_at: datetime, at: datetime) -> bool:
    """Whether nobody counts on a device to send what it has written."""
    return withdrawn_at is not None or at - last_at >= GIVEN_UP_AFTER


@dataclass(frozen=True, slots=True)
class Unstored:
    """Rows that a device has written and that are not here."""

    missing: int
    unsent: int


def unstored(*, written: int, highest: int, stored: int, dead: bool) -> Unstored:
    """A number below the highest stored one is missing (G-2). One above it is still to come from a device that
    lives, and missing of one that is dead.

    :param written: the highest number that the device says it has written; 0 of a client that does not say it
    """
    gaps, tail = highest - stored, max(0, written - highest)
    return Unstored(gaps + tail, 0) if dead else Unstored(gaps, tail)


def unsent_estimate(rates: Iterable[int], quiet: timedelta) -> int:
    """How many passages a silent post has probably not sent: its usual number an hour, times the silence."""
    usual = list(rates)
    if not usual:
        return 0
    return round(sum(usual) / len(usual) * quiet.total_seconds() / 3600)
