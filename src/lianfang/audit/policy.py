"""Pure rules of this room."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lianfang.orders.policy import NOTICE_LATE_AFTER

if TYPE_CHECKING:
    from datetime import datetime

ONE_DAY: Final = timedelta(days=1)


def late_hours(over_at: datetime, noticed_at: datetime | None, at: datetime) -> int:
    """Whole hours after the end that the release notice came, or is missing, where it is late; 0 where it is in time.

    Late is what the organ itself calls late (R-late of S11); the person is free all the same.
    """
    delay = (noticed_at or at) - over_at
    return int(delay.total_seconds() // 3600) if delay > NOTICE_LATE_AFTER else 0
