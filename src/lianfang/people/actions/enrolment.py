"""Registering whole households at once: what a district that begins, or its demonstration, brings along."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from lianfang.accounts.rights import Right
from lianfang.kernel.errors import SameIdOtherContent
from lianfang.people.errors import GuardianNotFit, NotADwelling, NumberTaken, WardActsAlone
from lianfang.people.naming import given, initials
from lianfang.people.policy import ACTS_ALONE_FROM, OF_AGE, age
from lianfang.people.sealing import blind_index, seal
from lianfang.places.queries import Kind, kind_at

from .persons import GuardianDraft, PersonDraft, checked, number_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lianfang.kernel.actor import Actor

__all__ = ["GuardianDraft", "HouseholdDraft", "PersonDraft", "enrol_households"]

#: Persons per statement: large enough that the round trip vanishes, small enough for the parser's memory.
_BATCH: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdDraft:
    """The people behind one door; the first is the contact. Their drafts name this household and area."""

    household_id: UUID
    area: str
    members: tuple[PersonDraft, ...]
    guardians: tuple[GuardianDraft, ...] = ()


@transaction.atomic
def enrol_households(drafts: Iterable[HouseholdDraft], *, by: Actor) -> int:
    """Register households that are new, with the same checks as one by one; returns how many persons.

    All or none. Unlike a roster it knows no repeat and no suspicion: an id or a number that exists refuses.

    :raises NotAllowed: `by` imports no rosters over one of the homes
    :raises NotADwelling: one of the areas is no dwelling
    :raises NameNotAcceptable: , NumberNotAcceptable, NumberContradictsBirth, PhoneNotAcceptable
    :raises WardActsAlone: , GuardianNotFit: a guardianship between the wrong two
    :raises NumberTaken: a number is registered already
    :raises SameIdOtherContent: an id is used already
    """
    count = 0
    rest = iter(drafts)
    while batch := list(islice(rest, _BATCH)):
        try:
            with transaction.atomic():
                count += _write(batch, by=by)
        except IntegrityError as error:
            if "one_person_per_citizen_number" in str(error):
                raise NumberTaken from error
            if "_pkey" in str(error):
                raise SameIdOtherContent from error
            raise
    return count


def _write(households: Sequence[HouseholdDraft], *, by: Actor) -> int:
    persons: list[tuple[object, ...]] = []
    memberships: list[tuple[object, ...]] = []
    guardians: list[tuple[object, ...]] = []
    for household in households:
        if kind_at(household.area) is not Kind.DWELLING:
            raise NotADwelling
        by.require(Right.PEOPLE_ROSTER_IMPORT, over=household.area)
        for member_no, draft in enumerate(household.members, start=1):
            persons.append(_person(draft, area=household.area, by=by))
            memberships.append(
                (household.household_id, draft.person_id, household.area, member_no, draft.relation)
            )
        born = {p.person_id: p.birth_date for p in household.members}
        for g in household.guardians:
            ward, guardian = born[g.ward_id], born[g.guardian_id]
            if ward is None or age(ward, on=by.legal_day) >= ACTS_ALONE_FROM:
                raise WardActsAlone
            if guardian is None or g.ward_id == g.guardian_id or age(guardian, on=by.legal_day) < OF_AGE:
                raise GuardianNotFit
            guardians.append((g.id, g.ward_id, g.guardian_id, g.basis))
    today = by.legal_day
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO people_person (id, name, name_given, initials, sex, birth_date, id_type, id_sealed,"
            " id_index, phone_sealed, phone_index, origin_division, care, area, source, recorded_at,"
            " recorded_by, version) SELECT id, name, name_given, initials, sex, birth_date, id_type,"
            " id_sealed, id_index, phone_sealed, phone_index, origin_division,"
            " coalesce(string_to_array(nullif(care, ''), ','), '{}'), area, source, %s, %s, 1"
            " FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::date[], %s::text[],"
            " %s::bytea[], %s::bytea[], %s::bytea[], %s::bytea[], %s::text[], %s::text[], %s::ltree[],"
            " %s::text[]) AS new (id, name, name_given, initials, sex, birth_date, id_type, id_sealed,"
            " id_index, phone_sealed, phone_index, origin_division, care, area, source)",
            [by.at, by.user_id, *map(list, zip(*persons, strict=True))],
        )
        cursor.execute(
            "INSERT INTO people_household (id, area, contact_id, valid_from)"
            " SELECT id, area, contact, %s FROM unnest(%s::uuid[], %s::ltree[], %s::uuid[])"
            " AS new (id, area, contact)",
            [
                today,
                [h.household_id for h in households],
                [h.area for h in households],
                [h.members[0].person_id for h in households],
            ],
        )
        cursor.execute(
            "INSERT INTO people_membership (household_id, person_id, area, member_no, relation, valid_from)"
            " SELECT household, person, area, member_no, relation, %s FROM unnest(%s::uuid[], %s::uuid[],"
            " %s::ltree[], %s::smallint[], %s::text[]) AS new (household, person, area, member_no, relation)",
            [today, *map(list, zip(*memberships, strict=True))],
        )
        if guardians:
            cursor.execute(
                "INSERT INTO people_guardian (id, ward_id, guardian_id, basis, valid_from)"
                " SELECT id, ward, guardian, basis, %s FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[],"
                " %s::text[]) AS new (id, ward, guardian, basis)",
                [today, *map(list, zip(*guardians, strict=True))],
            )
    return len(persons)


def _person(draft: PersonDraft, *, area: str, by: Actor) -> tuple[object, ...]:
    """One row, in the order of the statement."""
    values = checked(draft, on=by.legal_day)
    number, phone, of = values.id_no, values.phone, draft.person_id
    return (
        of,
        values.name,
        given(values.name),
        initials(values.name),
        values.sex.value,
        values.birth_date,
        draft.id_type.value,
        seal(number, of=of, field="id_no") if number else None,
        number_index(draft.id_type, number) if number else None,
        seal(phone, of=of, field="phone") if phone else None,
        blind_index(phone, field="phone") if phone else None,
        draft.origin_division,
        ",".join(sorted(c.value for c in draft.care)),
        area,
        draft.source.value,
    )
