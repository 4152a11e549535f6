"""Moves the clock of every Python process of a journey's installation by as many seconds as a file says.

Python imports this by itself at its start, since the folder is first on PYTHONPATH (tests/journeys/conftest.py).
The product has no such switch: nobody can move a real installation's clock but by moving the machine's.
"""

import mmap
import os
import struct
import time
from contextvars import ContextVar
from datetime import UTC, datetime

_HELD = mmap.mmap(os.open(os.environ["JOURNEY_CLOCK"], os.O_RDONLY), 8, prot=mmap.PROT_READ)
_time, _time_ns = time.time, time.time_ns


def ahead() -> float:
    """By how many seconds the story is ahead of the machine, behind it if negative."""
    seconds: float = struct.unpack("<d", _HELD[:8])[0]
    return seconds


class _Shifted:
    """In the place of the clock's own variable: held still by the product's `fixed`, else the moved present."""

    def __init__(self) -> None:
        self._fixed = ContextVar("fixed_clock", default=None)
        self.set, self.reset = self._fixed.set, self._fixed.reset

    def get(self) -> datetime:
        return self._fixed.get() or datetime.fromtimestamp(_time() + ahead(), UTC)


time.time = lambda: _time() + ahead()
time.time_ns = lambda: _time_ns() + int(ahead() * 1e9)

from lianfang.kernel import clock  # noqa: E402 - after the module it imports has been moved

clock._fixed = _Shifted()  # type: ignore[assignment]  # it has what the clock asks of it
