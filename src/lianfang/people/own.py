"""What a resident sees of the own household and of who looked. Sees no row beyond the own dwelling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lianfang.accounts.queries import organ
from lianfang.kernel.errors import NotAllowed
from lianfang.kernel.row_security import scope

from . import reader
from .models import Correction
from .policy import PersonField
from .queries import acting_for, household_members, read_proof, reads_of

if TYPE_CHECKING:
    from lianfang.kernel.actor import Actor

    from .queries import ReadView
    from .reader import PersonView

_OWN = (
    PersonField.NAME,
    PersonField.SEX,
    PersonField.BIRTH_DATE,
    PersonField.PHONE,
    PersonField.ADDRESS,
    PersonField.HOUSEHOLD,
    PersonField.CARE,
)


@dataclass(frozen=True, slots=True)
class OwnHousehold:
    """The own record, the names of those one lives with, and the wards one acts for."""

    me: PersonView
    others: tuple[PersonView, ...]
    wards: tuple[PersonView, ...]
    corrections: tuple[Correction, ...]


def my_household(*, by: Actor) -> OwnHousehold:
    """The own household. Reading the others' names is recorded and they see it.

    :raises NotAllowed: the login belongs to no person
    """
    if by.person_id is None:
        raise NotAllowed()
    me = reader.read([by.person_id], _OWN, by=by)[by.person_id]
    with scope(areas=[me.area], persons=[by.person_id]):
        wards = set(acting_for(by.person_id, on=by.legal_day))
        others = [pk for pk in household_members(by.person_id) if pk != by.person_id and pk not in wards]
        names = reader.read(others, (PersonField.NAME, PersonField.HOUSEHOLD), by=by)
        children = reader.read(wards, _OWN, by=by)
    return OwnHousehold(
        me=me,
        others=tuple(names[pk] for pk in others if pk in names),
        wards=tuple(children.values()),
        corrections=tuple(Correction.objects.filter(person_id=by.person_id).order_by("-asked_at")[:10]),
    )


def my_reads(*, by: Actor, before: int | None = None) -> list[tuple[ReadView, str]]:
    """Who looked at me, newest first, each with the name of the office.

    :raises NotAllowed: the login belongs to no person
    """
    if by.person_id is None:
        raise NotAllowed()
    reads = reads_of(by.person_id, before=before)
    called = {code: found.name for code in {r.organ for r in reads} if (found := organ(code)) is not None}
    return [(r, called.get(r.organ, r.organ)) for r in reads]


def my_read_proof(read_id: int, *, by: Actor) -> str:
    """The proof of one reading of my data, to take away.

    :raises NotAllowed: the login belongs to no person
    :raises NotFound: no such reading of this person
    :raises NotBatchedYet: its hour is not over
    :raises NotWitnessedYet: no quorum has seen its digest yet
    """
    if by.person_id is None:
        raise NotAllowed()
    return read_proof(by.person_id, read_id).text()
