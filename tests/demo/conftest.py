"""The district filled in the days of the story, in a transaction that is rolled back."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from lianfang.config import demo
from lianfang.kernel import clock
from lianfang.kernel.clock import LEGAL_ZONE
from lianfang.kernel.row_security import set_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import DjangoDbBlocker

#: Noon of the twentieth day, and a day after everybody is free.
DAY_TWENTY = datetime(2020, 2, 13, 12, tzinfo=LEGAL_ZONE)
AFTER = datetime(2020, 3, 12, 12, tzinfo=LEGAL_ZONE)


@dataclass
class Filled:
    """What was said while it was filled, and how long it took."""

    at: datetime
    said: list[str] = field(default_factory=list)
    seconds: float = 0


def filled(blocker: DjangoDbBlocker, *, at: datetime, scale: float) -> Iterator[Filled]:
    """The district as it stands at an instant."""
    made = Filled(at)
    before, settings.DEMO = settings.DEMO, True
    try:
        with blocker.unblock(), clock.fixed(at), transaction.atomic():
            began = time.monotonic()
            demo.fill(scale=scale, say=made.said.append)
            made.seconds = time.monotonic() - began
            set_scope(areas=["d510402"])
            yield made
            transaction.set_rollback(True)
    finally:
        settings.DEMO = before
