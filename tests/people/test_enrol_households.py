"""Registering whole households at once: the same checks as one by one, all or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from lianfang.accounts.rights import Role
from lianfang.kernel.errors import NotAllowed, SameIdOtherContent
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from lianfang.people import queries
from lianfang.people.actions.enrolment import GuardianDraft, HouseholdDraft, PersonDraft, enrol_households
from lianfang.people.errors import (
    GuardianNotFit,
    NameNotAcceptable,
    NotADwelling,
    NumberNotAcceptable,
    NumberTaken,
    WardActsAlone,
)
from lianfang.people.models import Guardian, Household, Membership, Person
from lianfang.people.policy import IdType, Source
from lianfang.places.queries import at_level
from tests.factories.people import DISTRICT, a_citizen_number, a_dwelling, an_actor

pytestmark = pytest.mark.django_db
MOTHER, CHILD = date(1986, 5, 4), date(2013, 6, 1)


@pytest.fixture(autouse=True)
def _scope() -> Iterator[None]:
    a_dwelling()
    with scope(areas=[DISTRICT]):
        yield


def a_member(
    household: HouseholdDraft | None = None, *, born: date = MOTHER, **changed: object
) -> PersonDraft:
    draft = PersonDraft(
        person_id=new_id(), name="罗小娟", area=a_dwelling(), id_type=IdType.CN_ID, id_no=a_citizen_number(born),
        birth_date=born, phone="19900000001", relation="户主", source=Source.IMPORT,
    )  # fmt: skip
    return replace(draft, **changed)  # type: ignore[arg-type]  # named by the tests


def a_family(door: str = "5-2-0603") -> HouseholdDraft:
    """A mother and her child of six."""
    mother, child = a_member(area=a_dwelling(door)), a_member(born=CHILD, name="罗念", relation="女儿", phone="", area=a_dwelling(door))  # fmt: skip
    return HouseholdDraft(
        household_id=new_id(),
        area=a_dwelling(door),
        members=(mother, child),
        guardians=(
            GuardianDraft(id=new_id(), ward_id=child.person_id, guardian_id=mother.person_id, basis="parent"),
        ),
    )


def worker(role: Role = Role.COMMUNITY) -> object:
    community = at_level(a_dwelling(), "community")
    assert community
    return an_actor(role, community)


def test_households_members_numbers_and_guardians_are_written() -> None:
    families = [a_family(), a_family("5-2-0602")]
    assert enrol_households(families, by=worker()) == 4  # type: ignore[arg-type]  # an Actor
    assert Household.objects.count() == 2
    assert Guardian.objects.count() == 2
    for family in families:
        mother, child = (m.person_id for m in family.members)
        assert queries.members_of(family.household_id) == [mother, child]
        assert [d.person_id for d in queries.dependants(mother, on=date(2020, 2, 10))] == [child]
        assert Household.objects.get(pk=family.household_id).contact_id == mother
    row = Person.objects.get(pk=families[0].members[0].person_id)
    assert (row.name, row.name_given, row.initials, row.birth_date) == ("罗小娟", "小娟", "lxj", MOTHER)
    assert queries.pass_facts([row.pk])[row.pk].member_no == 1


def test_only_who_imports_rosters_over_every_home_may() -> None:
    family = a_family()
    with pytest.raises(NotAllowed):
        enrol_households([family], by=worker(Role.GRID))  # type: ignore[arg-type]  # an Actor
    elsewhere = an_actor(Role.COMMUNITY, "d510402.s510402002.c510402002001")
    with pytest.raises(NotAllowed):
        enrol_households([family], by=elsewhere)
    assert not Person.objects.exists()
    enrol_households([family], by=worker())  # type: ignore[arg-type]  # an Actor


def _with(family: HouseholdDraft, **changed: object) -> HouseholdDraft:
    mother, child = family.members
    return replace(family, members=(replace(mother, **changed), child))  # type: ignore[arg-type]  # named by the tests


@pytest.mark.parametrize(
    ("spoil", "refusal"),
    [
        (lambda f: _with(f, id_no="999999198605040017"), NumberNotAcceptable),
        (lambda f: _with(f, name="罗"), NameNotAcceptable),
        (lambda f: replace(f, area=at_level(f.area, "building") or ""), NotADwelling),
        (
            lambda f: replace(
                f,
                guardians=(
                    replace(
                        f.guardians[0], ward_id=f.members[0].person_id, guardian_id=f.members[1].person_id
                    ),
                ),
            ),
            WardActsAlone,
        ),
        (lambda f: replace(f, guardians=(replace(f.guardians[0], guardian_id=new_id()),)), GuardianNotFit),
        (lambda f: replace(_with(f, id_no=f.members[1].id_no, birth_date=CHILD), guardians=()), NumberTaken),
        (lambda f: replace(_with(f, person_id=f.members[1].person_id), guardians=()), SameIdOtherContent),
    ],
    ids=[
        "check digit",
        "short name",
        "no dwelling",
        "ward of age",
        "guardian elsewhere",
        "number twice",
        "id twice",
    ],
)
def test_one_wrong_household_leaves_nothing_of_any(spoil, refusal) -> None:  # type: ignore[no-untyped-def]  # parametrized
    with pytest.raises(refusal):
        enrol_households([a_family(), spoil(a_family("5-2-0602"))], by=worker())  # type: ignore[arg-type]  # an Actor
    assert not Person.objects.exists()
    assert not Household.objects.exists()
    assert not Membership.objects.exists()
    assert not Guardian.objects.exists()


def test_a_household_enrolled_before_is_refused() -> None:
    family = a_family()
    enrol_households([family], by=worker())  # type: ignore[arg-type]  # an Actor
    with pytest.raises((SameIdOtherContent, NumberTaken)):
        enrol_households([family], by=worker())  # type: ignore[arg-type]  # an Actor
    assert Person.objects.count() == 2
