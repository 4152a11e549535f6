"""The deadline grid: hours × days of three years × ways of counting, once per zone of the process.

Whole: `LIANFANG_SIZE=release python -m pytest tests/orders/test_term.py`. As a program it prints the
digest of what `term` answers in this process's zone; `expected` is another count of the same, on integers.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from lianfang.orders.policy import Term, term
from lianfang.rules.policy import ReleaseAt

if TYPE_CHECKING:
    from collections.abc import Iterator

ZONES: Final = (
    "UTC",
    "Asia/Shanghai",
    "Asia/Urumqi",
    "Asia/Tokyo",
    "Asia/Kathmandu",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Pacific/Auckland",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Africa/Casablanca",
)
FIRST_DAY: Final = date(2020, 1, 1)
DAYS: Final = 1096
HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Kind:
    """One way of counting."""

    days: int
    anchor_counts_as: int
    release_at: ReleaseAt


KINDS: Final = (
    Kind(14, 0, ReleaseAt.START_OF_NEXT_DAY),
    Kind(14, 1, ReleaseAt.START_OF_NEXT_DAY),
    Kind(14, 0, ReleaseAt.SAME_HOUR),
    Kind(7, 0, ReleaseAt.START_OF_NEXT_DAY),
    Kind(3, 1, ReleaseAt.START_OF_NEXT_DAY),
)
Cell = tuple[Kind, int, int]
_TOTAL: Final = len(KINDS) * DAYS * HOURS


def cells(n: int) -> Iterator[Cell]:
    """About `n` cells spread over the whole grid, always the same ones; all of them if `n` reaches that far.

    The step is coprime to the size of the grid, so that hours, days and kinds all vary.
    """
    n = min(n, _TOTAL)
    for i in range(n):
        k = i * 7919 % _TOTAL
        yield KINDS[k % len(KINDS)], k // len(KINDS) % DAYS, k // (len(KINDS) * DAYS)


def answered(cell: Cell) -> Term:
    """What the product answers."""
    kind, day, hour = cell
    anchor = datetime(2019, 12, 31, 16, tzinfo=UTC) + timedelta(days=day, hours=hour)
    return term(kind, anchor)


def expected(cell: Cell) -> Term:
    """The same, counted on whole days since 2020-01-01 by the rule of domain.md §4; no zone takes part."""
    kind, day, hour = cell
    if kind.release_at is ReleaseAt.SAME_HOUR:
        end_day, end_hour = day + kind.days, hour
    else:
        counted, end_day = 0, day if kind.anchor_counts_as or hour == 0 else day + 1
        while counted < kind.days:
            counted, end_day = counted + 1, end_day + 1
        end_hour = 0
    ends_at = datetime(2019, 12, 31, 16, tzinfo=UTC) + timedelta(days=end_day, hours=end_hour)
    return Term(FIRST_DAY + timedelta(days=end_day - 1), ends_at)


def line(result: Term) -> bytes:
    """One answer, for the digest."""
    return f"{result.last_full_day.isoformat()} {result.ends_at.isoformat()}\n".encode()


def main() -> None:
    """Print the digest of the first n cells as answered in this process."""
    digest = hashlib.sha256()
    for cell in cells(int(sys.argv[1])):
        digest.update(line(answered(cell)))
    print(digest.hexdigest())


if __name__ == "__main__":
    main()
