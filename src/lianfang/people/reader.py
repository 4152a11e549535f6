"""The one door to personal data: what it hands out, it records in the same transaction (A-1, R-1).

The second wall stands below: row security lets the transaction see only persons of its scope.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction

from lianfang.accounts.rights import Right
from lianfang.kernel.errors import NotAllowed
from lianfang.places.queries import addresses, doors

from .errors import ReasonNeeded
from .models import Membership, Person
from .naming import masked
from .policy import PersonField
from .queries import acting_for, household_members
from .sealing import unseal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date
    from uuid import UUID

    from lianfang.kernel.actor import Actor

__all__ = ["PersonField", "PersonView", "read"]

#: Field → the right that opens it over the person's area (domain.md §6, "who sees what").
OPENED_BY: Final = dict.fromkeys(PersonField, Right.PEOPLE_PERSON_READ) | {
    PersonField.ID_NO: Right.PEOPLE_PERSON_REVEAL
}
#: What somebody may see of those they live with: names, not numbers.
_OF_COHABITANTS: Final = frozenset({PersonField.NAME, PersonField.HOUSEHOLD, PersonField.ADDRESS})
#: Recorded instead of a field when only the masked form was shown.
_MASKED: Final = "masked"


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person as far as the reader asked and may see; what was not asked is None."""

    id: UUID
    area: str
    door: str
    name_masked: str
    id_no_last2: str
    name: str | None = None
    sex: str | None = None
    birth_date: date | None = None
    id_type: str | None = None
    id_no: str | None = None
    phone: str | None = None
    address: str | None = None
    household_id: UUID | None = None
    member_no: int | None = None
    relation: str | None = None
    care: tuple[str, ...] | None = None
    origin_division: str | None = None

    @property
    def shown_name(self) -> str:
        """The name where it was asked for, else its masked form."""
        return self.name if self.name is not None else self.name_masked


@transaction.atomic
def read(
    person_ids: Iterable[UUID], fields: Collection[PersonField] = (), *, by: Actor, reason: str = ""
) -> dict[UUID, PersonView]:
    """Hand out these fields of these persons and record each reading.

    Persons outside the scope or the reader's areas are left out, like persons that do not exist (A-2).

    :raises NotAllowed: a person is in reach, but a field asked for is not
    :raises ReasonNeeded: the citizen number of somebody else needs a written reason
    """
    wanted = frozenset(fields)
    rows = {p.pk: p for p in Person.objects.filter(pk__in=set(person_ids))}
    own = _own_circle(rows, by)
    shown: list[Person] = []
    for row in rows.values():
        standing = own.get(row.pk)
        if (
            standing == "self"
            or standing == "ward"
            or (standing == "cohabitant" and wanted <= _OF_COHABITANTS)
        ):
            shown.append(row)
        elif by.may(Right.PEOPLE_PERSON_READ, over=row.area):
            if any(not by.may(OPENED_BY[f], over=row.area) for f in wanted):
                raise NotAllowed(right="people:person:reveal")
            shown.append(row)
        elif not wanted and by.may(Right.PEOPLE_READINGS_AUDIT, over=row.area):
            shown.append(row)
        elif standing == "cohabitant":
            raise NotAllowed(right=str(Right.PEOPLE_PERSON_READ))
    recorded = [row for row in shown if own.get(row.pk) != "self"]
    reason = reason.strip()
    if recorded and PersonField.ID_NO in wanted and len(reason) < 2:
        raise ReasonNeeded()
    _record([row.pk for row in recorded], wanted, by=by, reason=reason)
    return _views(shown, wanted)


def _own_circle(rows: Collection[UUID], by: Actor) -> dict[UUID, str]:
    """Which of these are the reader, the reader's wards, or live with the reader."""
    if by.person_id is None:
        return {}
    circle: dict[UUID, str] = {}
    if set(rows) - {by.person_id}:
        circle |= dict.fromkeys(household_members(by.person_id), "cohabitant")
        circle |= dict.fromkeys(acting_for(by.person_id, on=by.legal_day), "ward")
    return circle | {by.person_id: "self"}


def _record(ids: list[UUID], wanted: frozenset[PersonField], *, by: Actor, reason: str) -> None:
    """One record per person and request; a second reading in the same request only adds fields (R-1, R-5)."""
    if not ids:
        return
    fields = sorted(f.value for f in wanted) or [_MASKED]
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO people_readrecord (person_id, at, "user", pseudonym, organ, purpose, surface, request,'
            " fields, reason)"
            " SELECT person, %s, %s, %s, %s, %s, %s, %s, %s::varchar[], %s FROM unnest(%s::uuid[]) AS person"
            " ON CONFLICT (person_id, request) DO UPDATE SET"
            " fields = ARRAY(SELECT DISTINCT unnest(people_readrecord.fields || excluded.fields) ORDER BY 1),"
            " reason = CASE WHEN people_readrecord.reason = '' THEN excluded.reason"
            " ELSE people_readrecord.reason END",
            [
                by.at,
                by.user_id,
                by.pseudonym,
                by.organ,
                by.purpose,
                by.surface,
                by.request_id,
                fields,
                reason[:200],
                ids,
            ],
        )


def _views(rows: list[Person], wanted: frozenset[PersonField]) -> dict[UUID, PersonView]:
    paths = {row.area for row in rows}
    door = doors(paths)
    address = addresses(paths) if PersonField.ADDRESS in wanted else {}
    members = (
        {m.person_id: m for m in Membership.objects.filter(person_id__in=[r.pk for r in rows], valid_to=None)}
        if PersonField.HOUSEHOLD in wanted
        else {}
    )
    views: dict[UUID, PersonView] = {}
    for row in rows:
        number = unseal(row.id_sealed, of=row.pk, field="id_no") if row.id_sealed else ""
        phone = unseal(row.phone_sealed, of=row.pk, field="phone") if row.phone_sealed else ""
        member = members.get(row.pk)
        views[row.pk] = PersonView(
            id=row.pk,
            area=row.area,
            door=door.get(row.area, ""),
            name_masked=masked(row.name),
            id_no_last2=number[-2:],
            name=row.name if PersonField.NAME in wanted else None,
            sex=row.sex if PersonField.SEX in wanted else None,
            birth_date=row.birth_date if PersonField.BIRTH_DATE in wanted else None,
            id_type=row.id_type if PersonField.ID_NO in wanted else None,
            id_no=number if PersonField.ID_NO in wanted else None,
            phone=phone if PersonField.PHONE in wanted else None,
            address=address.get(row.area, "") if PersonField.ADDRESS in wanted else None,
            household_id=member.household_id if member else None,
            member_no=member.member_no if member else None,
            relation=member.relation if member else None,
            care=tuple(row.care) if PersonField.CARE in wanted else None,
            origin_division=row.origin_division if PersonField.ORIGIN in wanted else None,
        )
    return views
