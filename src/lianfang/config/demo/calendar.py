"""The days of the scenario, and by how many whole days a living demonstration moves them.

The story is told in the days of early 2020 (domain.md §6). Everything the generator makes is dated in
them; the shift is added at the very end, to every date alike: births, rules, offices, orders.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from lianfang.kernel.clock import LEGAL_ZONE, legal_day

if TYPE_CHECKING:
    from collections.abc import Iterator

#: On this day communities were told to register returnees (domain.md §4.1).
DAY_ONE: Final = date(2020, 1, 25)
#: A living demonstration shows this day as today: Ms Luo's last full day at home, 13 February.
TODAY_IS: Final = 20
#: From this day on places, households, offices and the demonstration's rules stand.
REGISTERED_ON: Final = date(2020, 1, 20)
#: Nobody begins an isolation later than this; fourteen days on, everybody is free.
LAST_ANCHOR_ON: Final = date(2020, 2, 25)
#: On this day everybody is released.
ALL_FREE_ON: Final = date(2020, 3, 11)


def day(number: int) -> date:
    """The date of the scenario's n-th day, counted from one."""
    return DAY_ONE + timedelta(days=number - 1)


def days() -> Iterator[date]:
    """Every day of the scenario, the day on which all are free among them."""
    return (DAY_ONE + timedelta(days=i) for i in range((ALL_FREE_ON - DAY_ONE).days + 1))


def shift_for(now: datetime) -> int:
    """By how many days the scenario moves for a demonstration filled at `now`.

    Within the scenario's own year it does not move: so tests, and people who replay, see the dates of the story.
    """
    today = legal_day(now)
    return 0 if today.year == DAY_ONE.year else (today - day(TODAY_IS)).days


def at(on: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """The instant, in UTC, at which clocks in the district show this time."""
    return datetime.combine(on, time(hour, minute, second), LEGAL_ZONE).astimezone(UTC)
