"""People for tests. All invented: citizen numbers begin with 999999, telephones with 1990000."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from lianfang.accounts.rights import ORGAN_KIND_OF, Purpose, Role, rights_of
from lianfang.kernel.actor import Actor, Grant
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from lianfang.people import actions
from lianfang.people.citizen_number import DEMO_PREFIX, check_character
from lianfang.people.policy import Care, IdType, Sex, Source
from lianfang.places.queries import at_level

from .places import a_community, a_district, a_dwelling

if TYPE_CHECKING:
    from uuid import UUID

__all__ = [
    "a_citizen_number",
    "a_community",
    "a_district",
    "a_dwelling",
    "a_household",
    "a_person",
    "a_phone",
]

#: An instant inside the story: 10 February 2020, 09:00 in Panzhihua.
AT: Final = datetime(2020, 2, 10, 1, 0, tzinfo=UTC)
DISTRICT: Final = "d510402"
_numbers = count(1)


def an_actor(role: Role, area: str, *, person_id: UUID | None = None, **changed: Any) -> Actor:
    """Somebody holding one office over the area, built without a database row."""
    organ = f"{role.value}-{area.rpartition('.')[2]}"
    kind = ORGAN_KIND_OF.get(role, "")
    values: dict[str, Any] = {
        "user_id": new_id(),
        "pseudonym": f"{role.value} 07",
        "organ": organ,
        "organ_kind": kind,
        "grants": frozenset(Grant(r, area, organ, kind) for r in rights_of(role)),
        "at": AT,
        "purpose": Purpose.REGISTER_KEEPING,
        "surface": "test",
        "request_id": new_id(),
        "person_id": person_id,
    }
    return Actor(**(values | changed))


def a_resident(person_id: UUID, **changed: Any) -> Actor:
    """The person as a user: no office, only the own record."""
    own: dict[str, Any] = {"grants": frozenset(), "purpose": Purpose.OWN_DATA, "organ": "", "organ_kind": ""}
    return an_actor(Role.RESIDENT, DISTRICT, person_id=person_id, **(own | changed))


def a_citizen_number(born: date, *, male: bool = False, order: int | None = None) -> str:
    """A number with a right check character that belongs to nobody; a new one every time."""
    order = next(_numbers) if order is None else order
    sequence = (order * 2 + male) % 1000
    # Numbers of one birth day run out after 500: the district prefix stays, the day is the caller's.
    first = f"{DEMO_PREFIX}{born:%Y%m%d}{sequence:03d}"
    return first + check_character(first)


def a_phone(order: int | None = None) -> str:
    """A mobile number of the test range."""
    return f"1990000{(next(_numbers) if order is None else order) % 10_000:04d}"


def a_person(
    name: str = "罗小娟",
    *,
    area: str | None = None,
    born: date | None = date(1986, 5, 4),
    male: bool = False,
    numbered: bool = True,
    phone: str = "",
    household_id: UUID | None = None,
    relation: str = "",
    care: frozenset[Care] = frozenset(),
    person_id: UUID | None = None,
    id_no: str = "",
    at: datetime = AT,
) -> UUID:
    """Register one person by the act; without `area` in 和睦花园 5-2-0603. Sets its own scope."""
    area = area or a_dwelling()
    community = at_level(area, "community")
    assert community
    number = id_no or (a_citizen_number(born, male=male) if numbered and born else "")
    draft = actions.PersonDraft(
        person_id=person_id or new_id(),
        name=name,
        area=area,
        id_type=IdType.CN_ID if number else IdType.NONE,
        id_no=number,
        sex=Sex.UNKNOWN if number else (Sex.MALE if male else Sex.FEMALE),
        birth_date=born,
        phone=phone,
        household_id=household_id,
        relation=relation,
        care=care,
        source=Source.PROXY,
    )
    with scope(areas=[community]):
        return actions.register_person(draft, by=an_actor(Role.COMMUNITY, community, at=at))


def a_household(*names: str, area: str | None = None, **person: Any) -> list[UUID]:
    """People living together, by member number; by default a couple and a child of six."""
    household = new_id()
    area = area or a_dwelling()
    if not names:
        return [
            a_person("罗小娟", area=area, household_id=household, relation="户主", **person),
            a_person("陈志强", area=area, household_id=household, male=True, relation="配偶", **person),
            a_person("陈念", area=area, household_id=household, born=date(2013, 6, 1), relation="子女"),
        ]
    return [a_person(name, area=area, household_id=household, **person) for name in names]
