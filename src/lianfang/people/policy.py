"""Pure rules about people: ages that matter, dependants, what a reader may see."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date

#: Children's data are sensitive below this age (PIPL art. 28); from it on people act for themselves.
ACTS_ALONE_FROM: Final = 14
OF_AGE: Final = 18
#: From this age a person left alone needs somebody to look after them (care flag `over_70`).
ELDER_FROM: Final = 70
#: Children who cannot be left without an adult.
CHILD_UNDER: Final = 14
#: So long after it was asked for, an export may be agreed to and fetched.
EXPORT_LASTS: Final = timedelta(days=1)
#: So long requests stay on the page.
EXPORTS_SHOWN: Final = timedelta(days=7)


class IdType(StrEnum):
    """What kind of paper the number stands on."""

    CN_ID = "cn_id"
    PASSPORT = "passport"
    HKMO_PERMIT = "hkmo_permit"
    TW_PERMIT = "tw_permit"
    NONE = "none"


class Sex(StrEnum):
    """As on the identity card; unknown where none was given."""

    FEMALE = "F"
    MALE = "M"
    UNKNOWN = "U"


class Care(StrEnum):
    """Special care somebody needs (domain.md §3.0)."""

    LIVES_ALONE = "lives_alone"
    OVER_70 = "over_70"
    PREGNANT = "pregnant"
    DISABLED = "disabled"
    DIALYSIS = "dialysis"
    CHRONIC_DRUG = "chronic_drug"
    INFANT = "infant"
    NO_SMARTPHONE = "no_smartphone"


class Source(StrEnum):
    """How a record came to be."""

    SELF = "self"
    PROXY = "proxy"
    IMPORT = "import"
    PAPER = "paper"


class PersonField(StrEnum):
    """What the reader can be asked for. The masked name and the number's last two come with any reading."""

    NAME = "name"
    SEX = "sex"
    BIRTH_DATE = "birth_date"
    ID_NO = "id_no"
    PHONE = "phone"
    ADDRESS = "address"
    HOUSEHOLD = "household"
    CARE = "care"
    ORIGIN = "origin"


class WhyDependant(StrEnum):
    """Why somebody must be cared for when another is isolated."""

    CHILD = "child"
    WARD = "ward"
    ELDER = "elder"
    DISABLED = "disabled"


#: Care flags of people who cannot be left on their own.
NEEDS_OTHERS: Final = frozenset({Care.DISABLED, Care.DIALYSIS, Care.INFANT})


def age(born: date, *, on: date) -> int:
    """Completed years; born on 29 February counts from 1 March in other years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def dependant_because(
    born: date | None, care: frozenset[str], *, ward: bool, on: date
) -> WhyDependant | None:
    """Why this member of a household depends on others, or None."""
    years = age(born, on=on) if born is not None else None
    if years is not None and years < CHILD_UNDER:
        return WhyDependant.CHILD
    if ward:
        return WhyDependant.WARD
    if care & NEEDS_OTHERS:
        return WhyDependant.DISABLED
    if (years is not None and years >= ELDER_FROM) or Care.OVER_70 in care:
        return WhyDependant.ELDER
    return None
