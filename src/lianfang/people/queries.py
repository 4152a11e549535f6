"""Questions about people that other rooms may ask: references and facts for signing, never for display.

Everything shown to anybody comes from `reader.read`. All of these see only the rows of the transaction's
scope (row security).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext

from lianfang.accounts import queries as accounts
from lianfang.accounts.menu import Todo
from lianfang.accounts.rights import Right
from lianfang.kernel.errors import NotFound
from lianfang.kernel.fields import within_any
from lianfang.ledger import policy
from lianfang.places.queries import at_level, doors

from .journal import ReadProof, prove_read
from .journal import faults as journal_faults
from .models import (
    Correction,
    ExportRequest,
    Guardian,
    Household,
    Membership,
    Person,
    PersonAlias,
    ReadRecord,
    SuspectedDuplicate,
)
from .naming import pass_initials
from .policy import ACTS_ALONE_FROM, EXPORT_LASTS, EXPORTS_SHOWN, WhyDependant, age, dependant_because

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime
    from uuid import UUID

    from lianfang.kernel.actor import Actor
    from lianfang.ledger.policy import PublicScope

__all__ = [
    "Dependant",
    "PassFacts",
    "PersonRef",
    "ReadProof",
    "ReadView",
    "WhyDependant",
    "acting_for",
    "dependants",
    "count_within",
    "household_count",
    "household_members",
    "households_of",
    "journal_faults",
    "members_of",
    "pass_facts",
    "person_refs",
    "persons_within",
    "public_scope",
    "read_proof",
    "reads_of",
    "same_person",
    "todo",
    "same_person_each",
]


@dataclass(frozen=True, slots=True)
class PersonRef:
    """Where a person belongs; names nobody."""

    id: UUID
    area: str
    community: str
    household_id: UUID | None
    member_no: int
    version: int

    @property
    def street(self) -> str:
        """The path of the street or town."""
        return at_level(self.area, "street") or self.community


@dataclass(frozen=True, slots=True)
class PassFacts:
    """The four facts a guard compares (passes §5), and where the person belongs. For signing."""

    door: str
    member_no: int
    initials: str
    birth_year: int
    area: str
    household_id: UUID | None


@dataclass(frozen=True, slots=True)
class Dependant:
    """Somebody who needs care when another of the household is isolated, and why."""

    person_id: UUID
    why: WhyDependant


@dataclass(frozen=True, slots=True)
class ReadView:
    """One reading of a person, as that person sees it: office and pseudonym, never a third person (R-3, R-4)."""

    id: int
    at: datetime
    organ: str
    pseudonym: str
    purpose: str
    surface: str
    fields: tuple[str, ...]
    reason: str


def refs_of(rows: Iterable[Person]) -> dict[UUID, PersonRef]:
    """References of rows already fetched, in one query."""
    rows = list(rows)
    current = {
        m.person_id: m for m in Membership.objects.filter(person_id__in=[r.pk for r in rows], valid_to=None)
    }
    found: dict[UUID, PersonRef] = {}
    for row in rows:
        member = current.get(row.pk)
        found[row.pk] = PersonRef(
            id=row.pk,
            area=row.area,
            community=at_level(row.area, "community") or row.area,
            household_id=member.household_id if member else None,
            member_no=member.member_no if member else 0,
            version=row.version,
        )
    return found


def person_refs(ids: Iterable[UUID]) -> dict[UUID, PersonRef]:
    """References of the persons in scope, in two queries; others are left out."""
    return refs_of(Person.objects.filter(pk__in=set(ids)))


def pass_facts(ids: Iterable[UUID]) -> dict[UUID, PassFacts]:
    """What a pass or slip carries about each person in scope. Someone without a known birth date has year 0."""
    rows = {p.pk: p for p in Person.objects.filter(pk__in=set(ids))}
    refs = refs_of(rows.values())
    door = doors({r.area for r in rows.values()})
    return {
        pk: PassFacts(
            door=door.get(row.area, ""),
            member_no=refs[pk].member_no,
            initials=pass_initials(row.name),
            birth_year=row.birth_date.year if row.birth_date else 0,
            area=row.area,
            household_id=refs[pk].household_id,
        )
        for pk, row in rows.items()
    }


def members_of(household_id: UUID) -> list[UUID]:
    """Who lives in the household now, by member number."""
    rows = Membership.objects.filter(household_id=household_id, valid_to=None).order_by("member_no")
    return [m.person_id for m in rows]


def household_members(person_id: UUID) -> list[UUID]:
    """Everybody of the person's household now, the person among them."""
    return households_of([person_id])[person_id]


def households_of(person_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """For each person everybody of their household now, by member number; in two queries for all."""
    asked = set(person_ids)
    current = Membership.objects.filter(valid_to=None)
    home = dict(current.filter(person_id__in=asked).values_list("person_id", "household_id"))
    members: dict[UUID, list[UUID]] = {}
    rows = current.filter(household_id__in=set(home.values())).order_by("member_no")
    for household, person in rows.values_list("household_id", "person_id"):
        members.setdefault(household, []).append(person)
    return {pk: members[home[pk]] if pk in home else [pk] for pk in asked}


def dependants(person_id: UUID, *, on: date) -> list[Dependant]:
    """Children, wards, elders and disabled people of the household, without the person."""
    others = [pk for pk in household_members(person_id) if pk != person_id]
    wards = set(
        _current(Guardian.objects.filter(guardian_id=person_id), on).values_list("ward_id", flat=True)
    )
    found = []
    for row in Person.objects.filter(pk__in={*others, *wards}).order_by("id"):
        why = dependant_because(row.birth_date, frozenset(row.care), ward=row.pk in wards, on=on)
        if why is not None:
            found.append(Dependant(row.pk, why))
    return found


def _current(rows: object, on: date):  # type: ignore[no-untyped-def]  # any dated queryset, returned as given
    return rows.filter(Q(valid_to=None) | Q(valid_to__gt=on), valid_from__lte=on)  # type: ignore[attr-defined]


def acting_for(person_id: UUID, *, on: date) -> list[UUID]:
    """The wards under 14 (or recorded without capacity) for whom this person acts on that day."""
    rows = _current(Guardian.objects.filter(guardian_id=person_id), on).select_related("ward")
    return [
        g.ward_id
        for g in rows
        if g.ward.birth_date is None
        or age(g.ward.birth_date, on=on) < ACTS_ALONE_FROM
        or g.basis == "without_capacity"
    ]


def same_person(ids: Iterable[UUID]) -> set[UUID]:
    """All records that are one person with any of these, merges followed both ways."""
    found = set(ids)
    while True:
        rows = PersonAlias.objects.filter(ended_at=None).filter(
            Q(merged_id__in=found) | Q(survivor_id__in=found)
        )
        more = {pk for row in rows for pk in (row.merged_id, row.survivor_id)}
        if more <= found:
            return found
        found |= more


def same_person_each(ids: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    """For each of these, all records that are the same person; for many at once."""
    asked = set(ids)
    records = same_person(asked)
    groups = {pk: {pk} for pk in records}
    for row in PersonAlias.objects.filter(ended_at=None, merged_id__in=records):
        joined = groups[row.merged_id] | groups[row.survivor_id]
        for pk in joined:
            groups[pk] = joined
    return {pk: groups[pk] for pk in asked}


def household_count(area: str) -> int:
    """How many households live at or below a place now; for the threshold of anything public (product §9)."""
    return Household.objects.filter(area__within=area, valid_to=None).count()


def public_scope(area: str) -> PublicScope:
    """The place that an entry of the chain about `area` names: with fewer than five households, the next larger."""
    return policy.public_scope(area, household_count)


def persons_within(area: str, *, after: UUID | None = None, limit: int = 500) -> list[UUID]:
    """Ids of the persons living at or below a place, in order of id, page by page. For acts and jobs."""
    rows = Person.objects.filter(area__within=area)
    if after is not None:
        rows = rows.filter(pk__gt=after)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:limit])


def count_within(area: str) -> int:
    """How many persons live at or below a place."""
    return Person.objects.filter(area__within=area).count()


def reads_of(person_id: UUID, *, before: int | None = None, limit: int = 50) -> list[ReadView]:
    """Who looked at this person, newest first; all records that are the same person are included."""
    rows = ReadRecord.objects.filter(person_id__in=same_person([person_id]))
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [
        ReadView(
            id=r.pk,
            at=r.at,
            organ=r.organ,
            pseudonym=r.pseudonym,
            purpose=r.purpose,
            surface=r.surface,
            fields=tuple(r.fields),
            reason=r.reason,
        )
        for r in rows.order_by("-pk")[:limit]
    ]


def read_proof(person_id: UUID, read_id: int) -> ReadProof:
    """That this reading of the person stands in the journal as shown, under a root that the chain holds.

    :raises NotFound: no such reading of this person
    :raises NotBatchedYet: its hour is not over
    """
    record = ReadRecord.objects.filter(pk=read_id, person_id__in=same_person([person_id])).first()
    if record is None:
        raise NotFound
    return prove_read(record)


#: A pile is counted so far.
_MOST_COUNTED: Final = 99


@dataclass(frozen=True, slots=True)
class ExportView:
    """A request for an export and how far it is: waiting for a second person, agreed to, or over."""

    id: UUID
    area: str
    purpose: str
    organ_name: str
    pseudonym: str
    asked_at: datetime
    stage: Literal["waiting", "agreed", "over"]
    is_own: bool


def export_requests(by: Actor) -> list[ExportView]:
    """What was asked for in the last week where the actor may export, the newest first."""
    areas = list(by.areas(Right.PEOPLE_PERSON_EXPORT))
    rows = (
        ExportRequest.objects.filter(within_any("area", areas), asked_at__gt=by.at - EXPORTS_SHOWN)
        .select_related("consent")
        .order_by("-asked_at")[:200]
    )
    called = accounts.organ_names(row.organ for row in rows)

    def stage(row: ExportRequest) -> Literal["waiting", "agreed", "over"]:
        if by.at >= row.asked_at + EXPORT_LASTS:
            return "over"
        return "agreed" if hasattr(row, "consent") else "waiting"

    return [
        ExportView(
            row.id, row.area, row.purpose, called.get(row.organ, row.organ), row.pseudonym, row.asked_at, stage(row),
            row.asked_by == by.user_id,
        )
        for row in rows
    ]  # fmt: skip


def _exports_to_agree_to(by: Actor) -> list[Todo]:
    """One bounded query for those who may export, none for the others."""
    areas = list(by.areas(Right.PEOPLE_PERSON_EXPORT))
    if not areas:
        return []
    waiting = ExportRequest.objects.filter(
        within_any("area", areas),
        asked_at__gt=by.at - EXPORT_LASTS,
        consent=None,
    ).exclude(asked_by=by.user_id)
    asked = list(waiting.order_by("asked_at").values_list("asked_at", flat=True)[:_MOST_COUNTED])
    if not asked:
        return []
    return [
        Todo(
            title=gettext("同意或不同意导出名册"),
            url=reverse("people:exports"),
            count=len(asked),
            due_at=asked[0] + EXPORT_LASTS,
        )
    ]


def _records_to_settle(by: Actor) -> list[Todo]:
    """Corrections asked for, rows held back. Two bounded queries."""
    areas = list(by.areas(Right.PEOPLE_PERSON_CORRECT))
    if not areas:
        return []
    asked = Correction.objects.filter(within_any("area", areas), state__in=["asked", "conflict"])
    held = SuspectedDuplicate.objects.filter(within_any("area", areas), decision="")
    waiting = (
        (len(asked.values_list("pk")[:_MOST_COUNTED]), gettext("处理信息更正"), "people:corrections"),
        (
            len(held.values_list("pk")[:_MOST_COUNTED]),
            gettext("判断名册中的疑似重复"),
            "people:duplicates",
        ),
    )
    return [Todo(title=title, url=reverse(url), count=count) for count, title, url in waiting if count]


def _roster_to_import(by: Actor) -> list[Todo]:
    """A community begins with its roster. One query, for those who may import."""
    areas = list(by.areas(Right.PEOPLE_ROSTER_IMPORT))
    if not areas or Household.objects.filter(within_any("area", areas)).exists():
        return []
    return [Todo(title=gettext("导入本社区的名册"), url=reverse("people:imports"))]


def todo(by: Actor) -> list[Todo]:
    """What waits in this room."""
    return _exports_to_agree_to(by) + _roster_to_import(by) + _records_to_settle(by)
