"""Acts on people: register, name a guardian, merge and unmerge, and the lock other rooms' acts begin with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Max

from lianfang.accounts.rights import Right
from lianfang.kernel.errors import NotFound, SameIdOtherContent
from lianfang.kernel.ids import new_id
from lianfang.people import citizen_number
from lianfang.people.errors import (
    GuardianNotFit,
    MergedTwice,
    NameNotAcceptable,
    NoSuchHousehold,
    NotADwelling,
    NumberContradictsBirth,
    NumberNotAcceptable,
    NumberTaken,
    WardActsAlone,
)
from lianfang.people.models import Guardian, Household, Membership, Person, PersonAlias
from lianfang.people.naming import acceptable, given, initials, tidy
from lianfang.people.phones import tidy_phone
from lianfang.people.policy import ACTS_ALONE_FROM, OF_AGE, Care, IdType, Sex, Source, age
from lianfang.people.queries import PersonRef, refs_of
from lianfang.people.sealing import blind_index, seal
from lianfang.places.queries import Kind, places_at

if TYPE_CHECKING:
    from lianfang.kernel.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDraft:
    """A person to be registered. `area` is the dwelling's path; without a household a new one begins.

    With a citizen number, birth date and sex follow from it and may be left out.
    """

    person_id: UUID
    name: str
    area: str
    id_type: IdType = IdType.NONE
    id_no: str = ""
    sex: Sex = Sex.UNKNOWN
    birth_date: date | None = None
    phone: str = ""
    household_id: UUID | None = None
    relation: str = ""
    care: frozenset[Care] = frozenset()
    origin_division: str = ""
    source: Source = Source.PROXY


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardianDraft:
    """Who acts for whom and on what basis; `without_capacity` is the basis for wards from 14 on."""

    id: UUID
    ward_id: UUID
    guardian_id: UUID
    basis: str


def person_for_update(person_id: UUID) -> PersonRef:
    """Lock a person's record and say where they belong; a merged record leads to the one that survives.

    Two acts on one person queue here.

    :raises NotFound: no such person in the transaction's scope
    """
    row = Person.objects.select_for_update().filter(pk=person_id).first()
    if row is None:
        raise NotFound()
    alias = PersonAlias.objects.filter(merged_id=row.pk, ended_at=None).first()
    if alias is not None:
        return person_for_update(alias.survivor_id)
    return refs_of([row])[row.pk]


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft's values in the form in which they are stored."""

    name: str
    id_no: str
    sex: Sex
    birth_date: date | None
    phone: str


def checked(draft: PersonDraft, *, on: date) -> Checked:
    """The draft's values, tidied and checked.

    :raises NameNotAcceptable: , NumberNotAcceptable, NumberContradictsBirth, PhoneNotAcceptable
    """
    name = tidy(draft.name)
    if not acceptable(name):
        raise NameNotAcceptable()
    sex, born, number = draft.sex, draft.birth_date, ""
    if draft.id_type is IdType.CN_ID:
        try:
            parsed = citizen_number.parse(draft.id_no, on=on)
        except citizen_number.NotACitizenNumber as error:
            raise NumberNotAcceptable(fault=error.fault.value) from error
        own_sex = Sex.MALE if parsed.male else Sex.FEMALE
        if born not in (None, parsed.birth_date) or sex not in (Sex.UNKNOWN, own_sex):
            raise NumberContradictsBirth()
        number, born, sex = parsed.text, parsed.birth_date, own_sex
    elif draft.id_type is not IdType.NONE:
        number = citizen_number.normal(draft.id_no)
        if not re.fullmatch(r"[A-Z0-9()/-]{5,20}", number):
            raise NumberNotAcceptable(fault="not_a_document_number")
    if born is not None and (born > on or age(born, on=on) > citizen_number.OLDEST_YEARS):
        raise NumberNotAcceptable(fault=citizen_number.Fault.BIRTH.value)
    return Checked(name, number, sex, born, tidy_phone(draft.phone))


def number_index(id_type: IdType, number: str) -> bytes:
    """The blind index under which a document number is found."""
    return blind_index(f"{id_type.value}:{number}", field="id_no")


@transaction.atomic
def register_person(draft: PersonDraft, *, by: Actor) -> UUID:
    """Register one person in a dwelling. Sending the same draft again returns the same person.

    :raises NotADwelling: the area is no dwelling in use
    :raises NotAllowed: `by` holds no office over it
    :raises NameNotAcceptable: , NumberNotAcceptable, NumberContradictsBirth, PhoneNotAcceptable
    :raises NumberTaken: somebody in or out of reach has this number
    :raises NoSuchHousehold: the household named does not live there
    :raises SameIdOtherContent: the id was used for somebody else
    """
    dwelling = places_at([draft.area]).get(draft.area)
    if dwelling is None or dwelling.kind is not Kind.DWELLING or dwelling.valid_to is not None:
        raise NotADwelling()
    by.require(Right.PEOPLE_PERSON_REGISTER, over=draft.area)
    values = checked(draft, on=by.legal_day)
    index = number_index(draft.id_type, values.id_no) if values.id_no else None
    phone_index = blind_index(values.phone, field="phone") if values.phone else None
    household = _household(draft, by=by)

    earlier = Person.objects.filter(pk=draft.person_id).first()
    if earlier is not None:
        same = (
            earlier.name == values.name
            and earlier.area == draft.area
            and _bytes(earlier.id_index) == index
            and _bytes(earlier.phone_index) == phone_index
            and earlier.birth_date == values.birth_date
        )
        if not same:
            raise SameIdOtherContent()
        return earlier.pk

    try:
        with transaction.atomic():
            person = Person.objects.create(
                id=draft.person_id,
                name=values.name,
                name_given=given(values.name),
                initials=initials(values.name),
                sex=values.sex,
                birth_date=values.birth_date,
                id_type=draft.id_type,
                id_sealed=seal(values.id_no, of=draft.person_id, field="id_no") if values.id_no else None,
                id_index=index,
                phone_sealed=seal(values.phone, of=draft.person_id, field="phone") if values.phone else None,
                phone_index=phone_index,
                origin_division=draft.origin_division,
                care=sorted(c.value for c in draft.care),
                area=draft.area,
                source=draft.source,
                recorded_at=by.at,
                recorded_by=by.user_id,
            )
    except IntegrityError as error:
        if "one_person_per_citizen_number" in str(error):
            raise NumberTaken() from error
        if "people_person_pkey" in str(error):
            # The id belongs to somebody outside this transaction's scope.
            raise SameIdOtherContent() from error
        raise
    last = household.memberships.aggregate(last=Max("member_no"))["last"] or 0
    Membership.objects.create(
        household=household,
        person=person,
        area=draft.area,
        member_no=last + 1,
        relation=draft.relation,
        valid_from=by.legal_day,
    )
    if household.contact_id is None:
        Household.objects.filter(pk=household.pk).update(contact=person)
    return person.pk


def _bytes(value: bytes | memoryview | None) -> bytes | None:
    return None if value is None else bytes(value)


def _household(draft: PersonDraft, *, by: Actor) -> Household:
    """The household named, locked so that member numbers are given one after the other; else a new one."""
    if draft.household_id is None:
        own = Membership.objects.filter(person_id=draft.person_id, valid_to=None).first()
        if own is not None:
            return own.household
        return Household.objects.create(id=new_id(), area=draft.area, valid_from=by.legal_day)
    found = Household.objects.select_for_update().filter(pk=draft.household_id).first()
    if found is None:
        return Household.objects.create(id=draft.household_id, area=draft.area, valid_from=by.legal_day)
    if found.area != draft.area or found.valid_to is not None:
        raise NoSuchHousehold()
    return found


@transaction.atomic
def name_guardian(draft: GuardianDraft, *, by: Actor) -> UUID:
    """Record who acts for a person under 14, or for one without capacity.

    :raises NotFound: one of the two is out of reach
    :raises NotAllowed: `by` may not correct records over the ward's home
    :raises WardActsAlone: the ward is 14 or older and not recorded as without capacity
    :raises GuardianNotFit: the same person, or under age
    :raises SameIdOtherContent: the id was used otherwise
    """
    ward = person_for_update(draft.ward_id)
    by.require(Right.PEOPLE_PERSON_CORRECT, over=ward.area)
    earlier = Guardian.objects.filter(pk=draft.id).first()
    if earlier is not None:
        if (earlier.ward_id, earlier.guardian_id, earlier.basis) != (
            draft.ward_id,
            draft.guardian_id,
            draft.basis,
        ):
            raise SameIdOtherContent()
        return earlier.pk
    rows = {p.pk: p for p in Person.objects.filter(pk__in=[draft.ward_id, draft.guardian_id])}
    if draft.guardian_id not in rows:
        raise NotFound()
    guardian, child = rows[draft.guardian_id], rows[draft.ward_id]
    on = by.legal_day
    if guardian.pk == child.pk or (
        guardian.birth_date is not None and age(guardian.birth_date, on=on) < OF_AGE
    ):
        raise GuardianNotFit()
    if (
        child.birth_date is not None
        and age(child.birth_date, on=on) >= ACTS_ALONE_FROM
        and draft.basis != "without_capacity"
    ):
        raise WardActsAlone()
    Guardian.objects.create(id=draft.id, ward=child, guardian=guardian, basis=draft.basis, valid_from=on)
    return draft.id


@transaction.atomic
def merge_persons(alias_id: UUID, *, merged_id: UUID, survivor_id: UUID, reason: str, by: Actor) -> UUID:
    """Say that two records are one person. Nothing is rewritten; orders of both count for both (S-5).

    :raises NotFound: one of the two is out of reach
    :raises NotAllowed: `by` may not correct records over both homes
    :raises MergedTwice: one of them is merged already
    """
    rows = {
        p.pk: p
        for p in Person.objects.select_for_update().filter(pk__in=[merged_id, survivor_id]).order_by("pk")
    }
    if len(rows) != 2:
        raise NotFound()
    for row in rows.values():
        by.require(Right.PEOPLE_PERSON_CORRECT, over=row.area)
    earlier = PersonAlias.objects.filter(pk=alias_id).first()
    if earlier is not None:
        if (earlier.merged_id, earlier.survivor_id) != (merged_id, survivor_id):
            raise SameIdOtherContent()
        return earlier.pk
    if PersonAlias.objects.filter(ended_at=None, merged_id__in=[merged_id, survivor_id]).exists():
        raise MergedTwice()
    PersonAlias.objects.create(
        id=alias_id,
        merged_id=merged_id,
        survivor_id=survivor_id,
        reason=reason,
        made_at=by.at,
        made_by=by.user_id,
    )
    return alias_id


@transaction.atomic
def unmerge_persons(alias_id: UUID, *, by: Actor) -> None:
    """End a merge: both records stand by themselves again, as before.

    :raises NotFound: no such merge in force
    :raises NotAllowed: `by` may not correct records over the merged record's home
    """
    alias = PersonAlias.objects.select_for_update().filter(pk=alias_id, ended_at=None).first()
    row = Person.objects.filter(pk=alias.merged_id).first() if alias else None
    if alias is None or row is None:
        raise NotFound()
    by.require(Right.PEOPLE_PERSON_CORRECT, over=row.area)
    alias.ended_at, alias.ended_by = by.at, by.user_id
    alias.save(update_fields=["ended_at", "ended_by"])


@transaction.atomic
def move_person(person_id: UUID, *, area: str, by: Actor) -> None:
    """Say that a person lives in another dwelling from today on. Readers of the old area lose sight at once (A-3).

    :raises NotFound: no such person in reach
    :raises NotADwelling: the area is no dwelling in use
    :raises NotAllowed: `by` may not correct records over both homes
    """
    person = person_for_update(person_id)
    dwelling = places_at([area]).get(area)
    if dwelling is None or dwelling.kind is not Kind.DWELLING or dwelling.valid_to is not None:
        raise NotADwelling()
    by.require(Right.PEOPLE_PERSON_CORRECT, over=person.area)
    by.require(Right.PEOPLE_PERSON_CORRECT, over=area)
    if person.area == area:
        return
    today = by.legal_day
    own = Membership.objects.filter(person_id=person.id, valid_to=None)
    # Whoever came today never lived there for a whole day: the row is corrected, not ended before it began.
    own.filter(valid_from__gte=today).delete()
    own.filter(valid_from__lt=today).update(valid_to=today)
    Person.objects.filter(pk=person.id).update(area=area, version=F("version") + 1)
    household = Household.objects.create(id=new_id(), area=area, contact_id=person.id, valid_from=today)
    Membership.objects.create(
        household=household, person_id=person.id, area=area, member_no=1, valid_from=today
    )
