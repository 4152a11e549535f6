"""Pure rules of this room."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

ONE_DAY: Final = timedelta(days=1)
#: A release notice later than this after the end is a finding (R-late of S11); the person is free all the same.
NOTICE_LATE_AFTER: Final = timedelta(hours=24)


def late_hours(over_at: datetime, noticed_at: datetime | None, at: datetime) -> int:
    """Whole hours by which the release notice came, or is, too late; 0 where it is in time."""
    delay = (noticed_at or at) - over_at
    return int(delay.total_seconds() // 3600) if delay > NOTICE_LATE_AFTER else 0
