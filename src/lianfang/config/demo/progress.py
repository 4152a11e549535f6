"""Says what is being done, how much of it, and how long it will still take."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: Within a stage nothing is said more often than this.
_SAY_EVERY: Final = 2.0


class Progress:
    """One stage after the other; each knows how much it will do.

    Measures with the monotonic clock: durations, not instants.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._stage, self._total, self._count = "", 0, 0
        self._began = self._said = time.monotonic()

    def begin(self, stage: str, total: int) -> None:
        """A stage begins that does `total` things."""
        self._stage, self._total, self._count = stage, total, 0
        self._began = self._said = time.monotonic()
        self._say(f"{stage}: {total:,} …")

    def part(self, stage: str, total: int) -> Progress:
        """A stage within this one, with a count of its own."""
        inner = Progress(self._say)
        inner.begin(stage, total)
        return inner

    def done(self, count: int = 1) -> None:
        """So many more are done."""
        self._count += count
        now = time.monotonic()
        if now - self._said >= _SAY_EVERY and self._count < self._total:
            self._said = now
            left = (now - self._began) / self._count * (self._total - self._count) if self._count else 0
            self._say(
                f"{self._stage}: {self._count:,} of {self._total:,}"
                f" ({100 * self._count // self._total} %), about {left:.0f} s left"
            )
