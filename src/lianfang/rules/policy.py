"""What the dated documents say, as values; which of several is the one to use. No database, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date
    from uuid import UUID


class Kind(StrEnum):
    """What a document is about."""

    ISOLATION = "isolation"
    COMPETENCE = "competence"
    REASONS = "reasons"
    CAPS = "caps"
    REMEDIES = "remedies"
    LISTED_AREAS = "listed_areas"
    WORDING = "wording"
    GUIDANCE = "guidance"


class Measure(StrEnum):
    """What a person may be ordered to do."""

    HOME_ISOLATION = "home_isolation"
    FACILITY_ISOLATION = "facility_isolation"
    HOME_MONITORING = "home_monitoring"


class ReleaseAt(StrEnum):
    """The instant of the last day at which a term is over."""

    START_OF_NEXT_DAY = "start_of_next_day"
    SAME_HOUR = "same_hour"


#: The whole country, above every province.
NATIONAL: Final = "CN"

#: Lengths of division codes from province to community (GB/T 2260 and the statistical extension).
_CODE_LENGTHS: Final = (2, 4, 6, 9, 12)


def jurisdictions(area: str) -> tuple[str, ...]:
    """The codes whose documents reach an area, the most specific first.

    >>> jurisdictions("d510402.s510402001.c510402001003.mk3")
    ('510402001003', '510402001', '510402', '5104', '51', 'CN')
    """
    codes = [label[1:] for label in area.split(".") if label[:1] in {"d", "s", "c"} and label[1:].isdigit()]
    if not codes:
        return (NATIONAL,)
    longest = codes[-1]
    return (*(longest[:n] for n in reversed(_CODE_LENGTHS) if n <= len(longest)), NATIONAL)


@dataclass(frozen=True, slots=True)
class Sourced:
    """What every document carries: where it applies, when, after which text, and who checked it."""

    id: UUID
    version: str
    jurisdiction: str
    effective_from: date
    effective_to: date | None
    title: str
    document_no: str
    source: str
    verified_by: str
    demonstration: bool

    @property
    def is_verified(self) -> bool:
        """Whether a person compared it with the official text."""
        return bool(self.verified_by)


@dataclass(frozen=True, slots=True)
class IsolationRule:
    """For one reason: which measure, for how many days, counted how (domain.md §4)."""

    origin: Sourced
    reason: str
    measure: Measure
    days: int
    anchor_event: str
    anchor_counts_as: int
    release_at: ReleaseAt
    legal_basis: str
    legal_basis_en: str
    follow_on_measure: Measure | None
    follow_on_days: int
    tests_on_days: tuple[int, ...]
    release_conditions: tuple[str, ...]

    @property
    def id(self) -> UUID:
        """The document."""
        return self.origin.id

    @property
    def version(self) -> str:
        """What an order keeps of the rule it was opened under."""
        return self.origin.version


@dataclass(frozen=True, slots=True)
class CompetentOrgan:
    """One organ that may issue a kind of order, and whether somebody else must sign too."""

    kind: str
    organ_kind: str
    level: str
    second_signer: bool


@dataclass(frozen=True, slots=True)
class Competence:
    """Who may order what (product decision 6)."""

    origin: Sourced
    organs: tuple[CompetentOrgan, ...]

    def of(self, *, kind: str, organ_kind: str, level: str) -> CompetentOrgan | None:
        """The row that makes an organ of this kind and level competent for this kind of order."""
        return next(
            (o for o in self.organs if (o.kind, o.organ_kind, o.level) == (kind, organ_kind, level)), None
        )


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of the catalogue: a health fact, the event days are counted from, the words for it."""

    code: str
    zh: str
    en: str
    anchor_event: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The reasons for which a person may be restricted; there are no others."""

    origin: Sourced
    reasons: tuple[Reason, ...]

    def find(self, code: str) -> Reason | None:
        """The reason of that code."""
        return next((r for r in self.reasons if r.code == code), None)


@dataclass(frozen=True, slots=True)
class Caps:
    """Ceilings: on one order, on chained orders, on one officer's orders in a day (O-1, O-5, O-7)."""

    origin: Sourced
    longest_days: dict[str, int]
    chained_days: dict[str, int]
    chain_gap_hours: int
    alone_per_day: int
    seconded_per_day: int
    presence_days: int


@dataclass(frozen=True, slots=True)
class Remedy:
    """One way to object: what, to whom, within how many days, how to reach them."""

    code: str
    zh: str
    en: str
    to: str
    within_days: int
    within_zh: str
    within_en: str
    reach: str


@dataclass(frozen=True, slots=True)
class Remedies:
    """All ways to object that are printed on a notice."""

    origin: Sourced
    remedies: tuple[Remedy, ...]


@dataclass(frozen=True, slots=True)
class ListedArea:
    """A division from which an arrival calls for a look."""

    code: str
    name: str
    level: str
    reason: str


@dataclass(frozen=True, slots=True)
class ListedAreas:
    """The divisions listed on a day, and how far back a stay there counts."""

    origin: Sourced
    look_back_days: int
    areas: tuple[ListedArea, ...]

    def covering(self, division: str) -> ListedArea | None:
        """The longest listed code that holds the division."""
        held = [a for a in self.areas if division.startswith(a.code)]
        return max(held, key=lambda a: len(a.code), default=None)


@dataclass(frozen=True, slots=True)
class Wording:
    """Duties, protections and contacts that a notice prints, in both languages."""

    origin: Sourced
    duties: tuple[tuple[str, str], ...]
    protections: tuple[tuple[str, str], ...]
    legal_basis: tuple[tuple[str, str], ...]


_T = TypeVar("_T", bound=Sourced)


def in_force(document: Sourced, *, on: date) -> bool:
    """Whether the day lies inside the document's days, both ends included."""
    return document.effective_from <= on and (document.effective_to is None or on <= document.effective_to)


def choose(documents: Iterable[_T], *, reach: Collection[str], on: date) -> _T | None:
    """The document to use: the most specific jurisdiction wins, then the latest `effective_from`."""
    fit = [d for d in documents if d.jurisdiction in reach and in_force(d, on=on)]
    return max(fit, key=lambda d: (_specificity(d.jurisdiction), d.effective_from), default=None)


def _specificity(jurisdiction: str) -> int:
    return 0 if jurisdiction == NATIONAL else len(jurisdiction)
