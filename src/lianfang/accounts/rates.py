"""How often one party may ask: a counter per class, party and fixed window, in PostgreSQL, so that all workers
count together.

Counted before the view's transaction begins: what a refusal rolls back, it does not forget. The party is the
login, or before a login the address; only a keyed hash of it is kept, for a day.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import connection

from lianfang.kernel.surfaces import Rate

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Limit:
    """So many times in a window; windows stand fixed on the clock."""

    most: int
    window: timedelta


#: Classes without a limit are bounded otherwise: by caches, by the protocol of the gates, or by the offices.
#: A street office, or a whole carrier, may stand behind one address: what is per address is generous, and
#: guessing is stopped by the lock of the login itself (axes), of the generator, and of the single code.
LIMITS: Final[Mapping[Rate, Limit]] = {
    Rate.LOGIN: Limit(100, timedelta(minutes=15)),
    Rate.CODE: Limit(60, timedelta(minutes=15)),
    Rate.EXACT_SEARCH: Limit(120, timedelta(hours=1)),
    Rate.REPORT: Limit(20, timedelta(hours=1)),
}
_KEPT: Final = timedelta(days=1)


def until(rate: Rate, party: str, *, at: datetime, limit: Limit | None = None) -> datetime | None:
    """Count one more; None while within the limit, else the instant from which it may be tried again."""
    limit = limit or LIMITS.get(rate)
    if limit is None:
        return None
    seconds = int(limit.window.total_seconds())
    began = datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_ratecount (rate, party, window_at, count) VALUES (%s, %s, %s, 1)"
            " ON CONFLICT (rate, party, window_at) DO UPDATE SET count = accounts_ratecount.count + 1"
            " RETURNING count",
            [rate, _hidden(rate, party), began],
        )
        count = int(cursor.fetchone()[0])
        if count == 1:
            cursor.execute("DELETE FROM accounts_ratecount WHERE window_at < %s", [at - _KEPT])
    return began + limit.window if count > limit.most else None


def _hidden(rate: Rate, party: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), f"{rate}|{party}".encode(), sha256).hexdigest()
