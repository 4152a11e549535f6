"""Citizen numbers after GB 11643-1999: 6 digits of division, 8 of birth, 3 of order, 1 check (MOD 11-2).

An own check: the usual library refuses every number whose division was not in force in the year of birth,
which is most adults of a district founded in 1983. An unknown division is a warning here, never a refusal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

#: No division has this prefix: numbers of invented people begin with it and can belong to nobody.
DEMO_PREFIX: Final = "999999"
#: Nobody lives longer (domain.md §4.6).
OLDEST_YEARS: Final = 130
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"
_SHAPE: Final = re.compile(r"[0-9]{17}[0-9X]")
_FLOAT: Final = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]+|[0-9]{15,18}\.0+")
_HALF_WIDTH: Final = {0xFF10 + i: str(i) for i in range(10)} | {
    0xFF38: "X",
    0xFF58: "X",
    0xFF0E: ".",
    0xFF0B: "+",
}
_INVISIBLE: Final = re.compile(r"[\s\u200b-\u200f\u2060]")
#: First two digits of the codes of provinces, regions and cities under the central government.
_PROVINCES: Final = frozenset(
    [
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
        "61",
        "62",
        "63",
        "64",
        "65",
        "71",
        "81",
        "82",
        "83",
    ]
)


class Fault(StrEnum):
    """Why a text is no citizen number."""

    DAMAGED = "damaged_by_spreadsheet"
    FIFTEEN = "fifteen_digits"
    SHAPE = "not_18_characters"
    BIRTH = "no_such_birth_date"
    FUTURE = "born_in_the_future"
    TOO_OLD = "born_too_long_ago"
    CHECK = "wrong_check_digit"


class NotACitizenNumber(ValueError):
    """The text is no citizen number; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class CitizenNumber:
    """A number that passed the check, and what it says."""

    text: str
    division: str
    birth_date: date
    male: bool
    division_known: bool

    @property
    def invented(self) -> bool:
        """Whether it belongs to the demonstration and so to nobody."""
        return self.division == DEMO_PREFIX


def check_character(first_17: str) -> str:
    """The eighteenth character for the first seventeen (ISO 7064 MOD 11-2)."""
    return _CHECKS[sum(int(d) * w for d, w in zip(first_17, _WEIGHTS, strict=True)) % 11]


def parse(
    text: str,
    *,
    on: date,
    known_divisions: Collection[str] | None = None,
    from_sheet: bool = False,
) -> CitizenNumber:
    """Read a citizen number as people write it: spaces, full-width digits and a small x are forgiven.

    :param on: the legal day of the reading
    :param from_sheet: refuse any number that ends in 000: a spreadsheet that kept 15 digits makes such, and
        of eleven so damaged one has a right check character (I-6). The few true ones are typed in by hand
    :raises NotACitizenNumber: with the fault
    """
    plain = normal(text)
    if _FLOAT.fullmatch(plain) or (from_sheet and len(plain) == 18 and plain.endswith("000")):
        raise NotACitizenNumber(Fault.DAMAGED)
    if re.fullmatch(r"[0-9]{15}", plain):
        raise NotACitizenNumber(Fault.FIFTEEN)
    if not _SHAPE.fullmatch(plain):
        raise NotACitizenNumber(Fault.SHAPE)
    try:
        born = date(int(plain[6:10]), int(plain[10:12]), int(plain[12:14]))
    except ValueError as error:
        raise NotACitizenNumber(_damage_or(plain, Fault.BIRTH)) from error
    if plain[17] != check_character(plain[:17]):
        raise NotACitizenNumber(_damage_or(plain, Fault.CHECK))
    if born > on:
        raise NotACitizenNumber(Fault.FUTURE)
    if (on.year - born.year, on.month, on.day) > (OLDEST_YEARS, born.month, born.day):
        raise NotACitizenNumber(Fault.TOO_OLD)
    division = plain[:6]
    known = (
        division in known_divisions
        if known_divisions is not None
        else plain[:2] in _PROVINCES and plain[4:6] != "00"
    )
    return CitizenNumber(plain, division, born, int(plain[16]) % 2 == 1, known)


def normal(text: str) -> str:
    """Half-width, upper case, without spaces and the marks spreadsheets put before text."""
    if text.isascii() and text.isalnum():
        return text.upper()
    plain = text.translate(_HALF_WIDTH).strip().lstrip("'’‘`\ufeff")
    return _INVISIBLE.sub("", plain).upper()


def _damage_or(plain: str, otherwise: Fault) -> Fault:
    """A spreadsheet keeps 15 digits and fills up with zeros: say that, it is the true cause."""
    return Fault.DAMAGED if plain.endswith("000") else otherwise
