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
    :raises WardActsAlone: , GuardianNotFit: a guardianship between the wrong two, or beyond the household
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
    guardians: list[tuple[object, ...]] = []
    for household in households:
        if kind_at(household.area) is not Kind.DWELLING:
            raise NotADwelling
        by.require(Right.PEOPLE_ROSTER_IMPORT, over=household.area)
        for member_no, draft in enumerate(household.members, start=1):
            persons.append(_person(draft, household, member_no, by=by))
        born = {p.person_id: p.birth_date for p in household.members}
        for g in household.guardians:
            if g.ward_id == g.guardian_id or not {g.ward_id, g.guardian_id} <= born.keys():
                raise GuardianNotFit
            ward, guardian = born[g.ward_id], born[g.guardian_id]
            if ward is None or age(ward, on=by.legal_day) >= ACTS_ALONE_FROM:
                raise WardActsAlone
            if guardian is None or age(guardian, on=by.legal_day) < OF_AGE:
                raise GuardianNotFit
            guardians.append((g.id, g.ward_id, g.guardian_id, g.basis))
    today = by.legal_day
    with connection.cursor() as cursor:
        # PostgreSQL copies into no table that is walled by rows: a staging table takes the stream.
        cursor.execute(
            "DROP TABLE IF EXISTS lf_enrolled;"
            "CREATE TEMP TABLE lf_enrolled (id uuid, name text, name_given text, initials text, sex text,"
            " birth date, id_type text, id_sealed bytea, id_index bytea, phone_sealed bytea, phone_index bytea,"
            " origin text, care varchar[], area ltree, source text, household uuid, member_no smallint,"
            " relation text) ON COMMIT DROP"
        )
        with cursor.copy("COPY lf_enrolled FROM STDIN") as copy:
            for row in persons:
                copy.write_row(row)
        cursor.execute(
            "INSERT INTO people_person (id, name, name_given, initials, sex, birth_date, id_type, id_sealed,"
            " id_index, phone_sealed, phone_index, origin_division, care, area, source, recorded_at,"
            " recorded_by, version) SELECT id, name, name_given, initials, sex, birth, id_type, id_sealed,"
            " id_index, phone_sealed, phone_index, origin, care, area, source, %s, %s, 1 FROM lf_enrolled",
            [by.at, by.user_id],
        )
        with cursor.copy("COPY people_household (id, area, contact_id, valid_from) FROM STDIN") as copy:
            for household in households:
                copy.write_row(
                    (household.household_id, household.area, household.members[0].person_id, today)
                )
        cursor.execute(
            "INSERT INTO people_membership (household_id, person_id, area, member_no, relation, valid_from)"
            " SELECT household, id, area, member_no, relation, %s FROM lf_enrolled",
            [today],
        )
        with cursor.copy(
            "COPY people_guardian (id, ward_id, guardian_id, basis, valid_from) FROM STDIN"
        ) as copy:
            for guardian_row in guardians:
                copy.write_row((*guardian_row, today))
    return len(persons)


def _person(
    draft: PersonDraft, household: HouseholdDraft, member_no: int, *, by: Actor
) -> tuple[object, ...]:
    """One row, in the order of the staging table."""
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
        sorted(c.value for c in draft.care),
        household.area,
        draft.source.value,
        household.household_id,
        member_no,
        draft.relation,
    )
