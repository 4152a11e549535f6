"""Citizen numbers and telephones that belong to nobody, and ids that the seed decides."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final
from uuid import UUID

from lianfang.people.citizen_number import DEMO_PREFIX, check_character

if TYPE_CHECKING:
    from datetime import date

#: The range of telephones that is nobody's: 1990000xxxx.
TEST_PHONES: Final = "1990000"
_PHONES: Final = 10_000
#: Ms Luo's and the offices' telephones; the generator deals out those above.
RESERVED_PHONES: Final = 200


class CitizenNumbers:
    """Deals out numbers with the unassigned prefix 999999: odd for men, each once."""

    def __init__(self) -> None:
        self._dealt: Counter[tuple[date, bool]] = Counter()

    def next(self, born: date, *, male: bool) -> str:
        """The next number for somebody born on that day.

        :raises OverflowError: more than 499 of one sex on one day
        """
        order = self._dealt[born, male] * 2 + (1 if male else 2)
        if order > 999:
            raise OverflowError(born)
        self._dealt[born, male] += 1
        first_17 = f"{DEMO_PREFIX}{born:%Y%m%d}{order:03d}"
        return first_17 + check_character(first_17)


class Phones:
    """Deals out telephones of the test range; it has 10,000 numbers, so a full district shares them."""

    def __init__(self) -> None:
        self._dealt = 0

    def next(self) -> str:
        """The next one; after the last the range begins anew."""
        number = RESERVED_PHONES + self._dealt % (_PHONES - RESERVED_PHONES)
        self._dealt += 1
        return f"{TEST_PHONES}{number:04d}"


class Ids:
    """Ids in the shape of version 4, ascending, the same for the same seed: `kind` keeps the series apart."""

    def __init__(self, *, kind: int) -> None:
        self._head = 0x4 << 76 | (kind & 0xFFF) << 64 | 0b10 << 62
        self._dealt = 0

    def next(self) -> UUID:
        """The next id."""
        self._dealt += 1
        return UUID(int=self._head | self._dealt)
