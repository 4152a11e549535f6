"""The one clock: instants are UTC, legal days are those of Asia/Shanghai (trust.md C-1)."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

#: China has one legal time; a legal day begins at 00:00 here, whoever looks and from wherever.
LEGAL_ZONE: Final = ZoneInfo("Asia/Shanghai")

_fixed: ContextVar[datetime | None] = ContextVar("fixed_clock", default=None)


def now() -> datetime:
    """The present instant in UTC. Only views, jobs and the command line ask; acts are told (`by.at`)."""
    return _fixed.get() or datetime.now(UTC)  # noqa: TID251 - this is the place


@contextmanager
def fixed(at: datetime) -> Iterator[None]:
    """Hold the clock at `at` within this context (tests, replays).

    :raises ValueError: `at` has no zone
    """
    if at.tzinfo is None:
        raise ValueError("an instant needs a zone")
    token = _fixed.set(at.astimezone(UTC))
    try:
        yield
    finally:
        _fixed.reset(token)


def legal_day(at: datetime) -> date:
    """The legal day that holds the instant."""
    return at.astimezone(LEGAL_ZONE).date()


def start_of_legal_day(day: date) -> datetime:
    """The instant, in UTC, at which the legal day begins."""
    return datetime.combine(day, time(), LEGAL_ZONE).astimezone(UTC)
