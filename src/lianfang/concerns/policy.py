"""What a report asks for, and when it lapses. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection
    from decimal import Decimal

    from lianfang.rules.policy import ListedAreas

#: A report that needs an officer lapses after this if no officer decides: waiting is never a restriction.
DECIDE_WITHIN: Final = timedelta(hours=24)
#: A verified concern is shown to those who may order on it until so long after its event: two phases of 14 days.
SHOWN_FOR: Final = timedelta(days=28)
#: What led to nothing is kept so long after it was over, for questions about it (trust.md §7, classes 2 and 3).
KEPT_AFTER: Final = timedelta(days=30)
#: From this axillary temperature on it is a fever (domain.md §2.2).
FEVER_FROM: Final = 37.3


class Symptom(StrEnum):
    """What may be ticked."""

    FEVER = "fever"
    DRY_COUGH = "dry_cough"
    FATIGUE = "fatigue"
    SORE_THROAT = "sore_throat"
    BREATHLESS = "breathless"
    LOSS_OF_SMELL = "loss_of_smell"
    DIARRHOEA = "diarrhoea"


class Transport(StrEnum):
    """How somebody came."""

    RAIL = "rail"
    AIR = "air"
    COACH = "coach"
    CAR = "car"
    BOAT = "boat"


class Fact(StrEnum):
    """The fact in a report that decided the answer."""

    NOTHING_LISTED = "nothing_listed"
    LONG_AGO = "long_ago"
    LISTED_AREA = "listed_area"
    CONTACT = "contact"
    SYMPTOMS = "symptoms"
    NO_SYMPTOMS = "no_symptoms"


class State(StrEnum):
    """Where a concern stands; computed, never stored."""

    WAITING = "waiting"
    VERIFIED = "verified"
    DISMISSED = "dismissed"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a report asks for: nothing, or a look by a health officer for this reason."""

    fact: Fact
    category: str = ""
    anchor_event: str = ""

    @property
    def needs_officer(self) -> bool:
        """Whether somebody must look."""
        return bool(self.category)


def of_arrival(
    *,
    came_from: str,
    left_at: datetime,
    contact: bool,
    has_symptoms: bool,
    listed: ListedAreas | None,
    at: datetime,
) -> Finding:
    """The gravest of what an arrival tells: contact with a case, a listed area, symptoms."""
    if contact:
        return Finding(Fact.CONTACT, "close_contact", "last_exposure")
    area = None if listed is None else listed.covering(came_from)
    if area is not None and listed is not None and at - left_at <= timedelta(days=listed.look_back_days):
        return Finding(Fact.LISTED_AREA, area.reason, "left_area")
    if has_symptoms:
        return Finding(Fact.SYMPTOMS, "fever", "onset")
    return Finding(Fact.LONG_AGO if area is not None else Fact.NOTHING_LISTED)


def of_symptoms(*, symptoms: Collection[str], temp_c: Decimal | None) -> Finding:
    """Whether a report of symptoms asks for a look."""
    if symptoms or has_fever(temp_c):
        return Finding(Fact.SYMPTOMS, "fever", "onset")
    return Finding(Fact.NO_SYMPTOMS)


def has_fever(temp_c: Decimal | None) -> bool:
    """Whether a measured temperature is a fever."""
    return temp_c is not None and float(temp_c) >= FEVER_FROM


def state(*, reported_at: datetime, decided: str | None, at: datetime) -> State:
    """A decision stands; without one the concern waits 24 hours and then lapses by this comparison alone."""
    if decided is not None:
        return State(decided)
    return State.WAITING if at < reported_at + DECIDE_WITHIN else State.LAPSED


def kept_until(*, reported_at: datetime, anchor_at: datetime, decided: str | None) -> datetime:
    """Until when a concern is kept on which nobody orders: 30 days after it lapsed or was dismissed, a verified one 30
    days after those in which it was shown to whoever may order.
    """
    over = reported_at + DECIDE_WITHIN
    if decided == State.VERIFIED:
        over = max(over, anchor_at + SHOWN_FOR)
    return over + KEPT_AFTER
