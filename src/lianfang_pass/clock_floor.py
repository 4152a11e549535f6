"""Which instant a gate counts with (docs/gates.md, "The clock"; trust T10).

The floor is the newest instant that the server has signed and this device has verified: time is at least that.
The holder's signature on a rotating code does not raise it, or anybody with a phone set a year ahead could end
every term at a gate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

TOLERANCE: Final = 300
#: Codes of so many different phones are compared, and so many seconds they may differ, before the guard is warned.
PHONES_COMPARED: Final = 10
PHONES_DIFFER: Final = 60


class TimeUsed(NamedTuple):
    at: int
    in_doubt: bool


def time_used(*, device: int, offset: int, floor: int) -> TimeUsed:
    """The time to count with: never before the floor, so a clock set back can undo no end that has passed."""
    now = device + offset
    return TimeUsed(max(now, floor), now < floor - TOLERANCE)


def phones_disagree(differences: Sequence[int]) -> bool:
    """Whether the last codes of different phones say that this clock is off. `phone time - gate time`, each."""
    if len(differences) < PHONES_COMPARED:
        return False
    middle = sorted(differences[-PHONES_COMPARED:])
    return abs(middle[PHONES_COMPARED // 2 - 1] + middle[PHONES_COMPARED // 2]) > 2 * PHONES_DIFFER
