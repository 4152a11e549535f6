"""Corrections of a person's record: an officer corrects, a person asks; two different values never overwrite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import F

from lianfang.accounts.rights import Right
from lianfang.kernel.errors import NotAllowed, NotFound, SameIdOtherContent
from lianfang.people.errors import ConflictDecided, FieldNotCorrectable, NameNotAcceptable, ReasonNeeded
from lianfang.people.models import Correction, Person
from lianfang.people.naming import acceptable, given, initials, tidy
from lianfang.people.phones import tidy_phone
from lianfang.people.policy import Care, PersonField
from lianfang.people.sealing import blind_index, seal, unseal

from .persons import person_for_update

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang.kernel.actor import Actor

State = Correction.State
CORRECTABLE: Final = (PersonField.NAME, PersonField.PHONE, PersonField.CARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionDraft:
    """One field's new value, and what the writer had before them (`base_of` at the time the form was shown)."""

    id: UUID
    person_id: UUID
    field: PersonField
    value: str
    base: bytes
    reason: str = ""


def base_of(person_id: UUID, field: PersonField, value: str) -> bytes:
    """A keyed hash of a field's value as shown, to be carried in the form; says nothing without the key."""
    return blind_index(f"{person_id}:{field.value}:{value}", field="base")


def _current(row: Person, field: PersonField) -> str:
    if field is PersonField.NAME:
        return row.name
    if field is PersonField.PHONE:
        return unseal(row.phone_sealed, of=row.pk, field="phone") if row.phone_sealed else ""
    return ",".join(sorted(row.care))


def _tidy(field: PersonField, value: str) -> str:
    if field is PersonField.NAME:
        name = tidy(value)
        if not acceptable(name):
            raise NameNotAcceptable()
        return name
    if field is PersonField.PHONE:
        return tidy_phone(value)
    if field is PersonField.CARE:
        return ",".join(sorted({Care(v.strip()).value for v in value.split(",") if v.strip()}))
    raise FieldNotCorrectable()


def _apply(row: Person, field: PersonField, value: str) -> None:
    changes: dict[str, object] = {"version": F("version") + 1}
    if field is PersonField.NAME:
        changes |= {"name": value, "name_given": given(value), "initials": initials(value)}
    elif field is PersonField.PHONE:
        changes |= {
            "phone_sealed": seal(value, of=row.pk, field="phone") if value else None,
            "phone_index": blind_index(value, field="phone") if value else None,
        }
    else:
        changes |= {"care": [v for v in value.split(",") if v]}
    Person.objects.filter(pk=row.pk).update(**changes)


def _repeat(draft: CorrectionDraft, value: str) -> Correction | None:
    earlier = Correction.objects.filter(pk=draft.id).first()
    if earlier is None:
        return None
    same = (
        earlier.person_id == draft.person_id
        and earlier.field == draft.field
        and unseal(earlier.value, of=earlier.pk, field="value") == value
    )
    if not same:
        raise SameIdOtherContent()
    return earlier


@transaction.atomic
def correct_person(draft: CorrectionDraft, *, by: Actor) -> Correction:
    """Correct a field. If it has another value by now, nothing is overwritten: a conflict keeps both.

    :raises NotFound: no such person in reach
    :raises NotAllowed: `by` may not correct records over their home
    :raises FieldNotCorrectable: , NameNotAcceptable, PhoneNotAcceptable
    :raises SameIdOtherContent: the id was used for another correction
    """
    person = person_for_update(draft.person_id)
    by.require(Right.PEOPLE_PERSON_CORRECT, over=person.area)
    return _write(draft, by=by, apply=True, by_the_person=False)


@transaction.atomic
def ask_correction(draft: CorrectionDraft, *, by: Actor) -> Correction:
    """Ask for a field of the own record to be corrected; the community answers.

    :raises NotAllowed: not the own record
    :raises NotFound: , FieldNotCorrectable, NameNotAcceptable, PhoneNotAcceptable, SameIdOtherContent: as above
    """
    if by.person_id is None or draft.person_id != by.person_id:
        raise NotAllowed()
    person_for_update(draft.person_id)
    return _write(draft, by=by, apply=False, by_the_person=True)


def _write(draft: CorrectionDraft, *, by: Actor, apply: bool, by_the_person: bool) -> Correction:
    value = _tidy(draft.field, draft.value)
    if (earlier := _repeat(draft, value)) is not None:
        return earlier
    row = Person.objects.get(pk=draft.person_id)
    correction = Correction(
        id=draft.id,
        person=row,
        area=row.area,
        field=draft.field.value,
        base=draft.base,
        value=seal(value, of=draft.id, field="value"),
        state=State.ASKED,
        reason=draft.reason[:200],
        asked_at=by.at,
        asked_by=by.user_id,
        by_the_person=by_the_person,
    )
    if apply:
        _settle(correction, row, value, by=by)
    correction.save(force_insert=True)
    return correction


def _settle(correction: Correction, row: Person, value: str, *, by: Actor) -> None:
    field = PersonField(correction.field)
    current = _current(row, field)
    if value != current and bytes(correction.base) != base_of(row.pk, field, current):
        # S-6: somebody changed this field meanwhile; neither value is lost.
        correction.state = State.CONFLICT
        correction.other_value = seal(current, of=correction.pk, field="other_value")
        return
    if value != current:
        _apply(row, field, value)
    correction.state, correction.decided_at, correction.decided_by = State.APPLIED, by.at, by.user_id


@transaction.atomic
def settle_correction(correction_id: UUID, *, accept: bool, answer: str = "", by: Actor) -> Correction:
    """Answer what was asked, or decide a conflict: accept its value, or refuse it with a reason.

    Accepting what was asked while the field changed meanwhile makes it a conflict; accepting a conflict applies it.

    :raises NotFound: no such correction in reach
    :raises NotAllowed: `by` may not correct records over the person's home
    :raises ConflictDecided: it is settled otherwise already
    :raises ReasonNeeded: a refusal says why
    """
    found = Correction.objects.filter(pk=correction_id).first()
    if found is None:
        raise NotFound()
    person = person_for_update(found.person_id)
    by.require(Right.PEOPLE_PERSON_CORRECT, over=person.area)
    correction = Correction.objects.select_for_update().get(pk=correction_id)
    if correction.state in (State.APPLIED, State.REFUSED):
        if (correction.state == State.APPLIED) != accept:
            raise ConflictDecided()
        return correction
    if not accept:
        if len(answer.strip()) < 2:
            raise ReasonNeeded()
        correction.state, correction.answer = State.REFUSED, answer.strip()[:200]
        correction.decided_at, correction.decided_by = by.at, by.user_id
    else:
        row = Person.objects.get(pk=person.id)
        value = unseal(correction.value, of=correction.pk, field="value")
        if correction.state == State.CONFLICT:
            _apply(row, PersonField(correction.field), value)
            correction.state, correction.decided_at, correction.decided_by = State.APPLIED, by.at, by.user_id
        else:
            _settle(correction, row, value, by=by)
    correction.save()
    return correction
