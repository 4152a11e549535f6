"""Registering a person, and the walls below it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from lianfang.accounts.rights import Role
from lianfang.kernel.errors import NotAllowed, NotFound, SameIdOtherContent
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from lianfang.people import actions, queries
from lianfang.people.errors import NotADwelling, NumberContradictsBirth, NumberNotAcceptable, NumberTaken
from lianfang.people.models import Household, Membership, Person
from lianfang.people.policy import IdType
from lianfang.places.queries import at_level
from tests.factories.people import (
    DISTRICT,
    a_citizen_number,
    a_dwelling,
    a_household,
    a_person,
    an_actor,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def district() -> object:
    a_dwelling()
    with scope(areas=[DISTRICT]):
        yield DISTRICT


def _draft(**changed: object) -> actions.PersonDraft:
    draft = actions.PersonDraft(
        person_id=new_id(),
        name="罗小娟",
        area=a_dwelling(),
        id_type=IdType.CN_ID,
        id_no=a_citizen_number(date(1986, 5, 4)),
        phone="19900000001",
    )
    return replace(draft, **changed)  # type: ignore[arg-type]  # named by the tests


def _community_worker(area: str | None = None):  # type: ignore[no-untyped-def]
    return an_actor(Role.COMMUNITY, at_level(area or a_dwelling(), "community") or "")


def test_it_gives_a_household_a_number_and_sealed_values(district: str) -> None:
    draft = _draft()
    pk = actions.register_person(draft, by=_community_worker())
    ref = queries.person_refs([pk])[pk]
    assert (ref.area, ref.member_no) == (draft.area, 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT person::text FROM people_person AS person WHERE id = %s", [pk])
        (row,) = cursor.fetchone()
    assert draft.id_no not in row
    assert draft.phone not in row
    assert draft.id_no.encode().hex() not in row


def test_the_same_draft_again_gives_the_same_person(district: str) -> None:
    draft, by = _draft(), _community_worker()
    first = actions.register_person(draft, by=by)
    assert actions.register_person(draft, by=by) == first
    assert (Person.objects.count(), Household.objects.count(), Membership.objects.count()) == (1, 1, 1)
    with pytest.raises(SameIdOtherContent):
        actions.register_person(replace(draft, name="罗大娟"), by=by)


def test_only_over_the_own_community(district: str) -> None:
    draft = _draft()
    elsewhere = an_actor(Role.COMMUNITY, "d510402.s510402002.c510402002001")
    with pytest.raises(NotAllowed):
        actions.register_person(draft, by=elsewhere)
    assert not Person.objects.exists()
    actions.register_person(draft, by=_community_worker())


@pytest.mark.parametrize("role", [r for r in Role if r not in (Role.COMMUNITY, Role.GRID)])
def test_no_other_role_registers(district: str, role: Role) -> None:
    with pytest.raises(NotAllowed):
        actions.register_person(_draft(), by=an_actor(role, DISTRICT))


def test_people_live_in_dwellings(district: str) -> None:
    community = at_level(a_dwelling(), "community") or ""
    with pytest.raises(NotADwelling):
        actions.register_person(_draft(area=community), by=_community_worker())


def test_a_number_belongs_to_one_person(district: str) -> None:
    draft = _draft()
    actions.register_person(draft, by=_community_worker())
    with pytest.raises(NumberTaken):
        actions.register_person(replace(draft, person_id=new_id()), by=_community_worker())
    assert Person.objects.count() == 1


def test_a_number_is_also_taken_by_somebody_out_of_sight(district: str) -> None:
    draft = _draft()
    actions.register_person(draft, by=_community_worker())
    other = a_dwelling("1-1-0101", community="d510402.s510402002.c510402002001")
    with scope(areas=["d510402.s510402002"]), pytest.raises(NumberTaken):
        actions.register_person(replace(draft, person_id=new_id(), area=other), by=_community_worker(other))


def test_the_birth_date_follows_from_the_number(district: str) -> None:
    by = _community_worker()
    pk = actions.register_person(_draft(), by=by)
    assert Person.objects.get(pk=pk).birth_date == date(1986, 5, 4)
    with pytest.raises(NumberContradictsBirth):
        actions.register_person(_draft(birth_date=date(1986, 5, 5)), by=by)
    wrong = a_citizen_number(date(1986, 5, 4))
    wrong = wrong[:-1] + ("1" if wrong[-1] != "1" else "2")
    with pytest.raises(NumberNotAcceptable):
        actions.register_person(_draft(id_no=wrong), by=by)


def test_member_numbers_follow_each_other(district: str) -> None:
    people = a_household()
    facts = queries.pass_facts(people)
    assert [facts[pk].member_no for pk in people] == [1, 2, 3]
    assert [facts[pk].initials for pk in people] == ["LXJ", "CZQ", "CN"]
    assert {facts[pk].door for pk in people} == {"5-2-0603"}
    assert facts[people[0]].birth_year == 1986


def test_a_child_and_an_elder_depend_on_others(district: str) -> None:
    mother, _, child = a_household()
    elder = a_person(
        "罗德昌",
        born=date(1938, 1, 2),
        male=True,
        household_id=queries.person_refs([mother])[mother].household_id,
    )
    found = queries.dependants(mother, on=date(2020, 2, 10))
    assert {(d.person_id, d.why.value) for d in found} == {(child, "child"), (elder, "elder")}


# --- the walls, past the act ---------------------------------------------------------------------


def _insert(**changed: object) -> None:
    values: dict[str, object] = {
        "name": "罗小娟",
        "name_given": "小娟",
        "initials": "lxj",
        "sex": "F",
        "id_type": "none",
        "area": a_dwelling(),
        "source": "proxy",
        "recorded_at": "2020-02-10T01:00:00Z",
        "recorded_by": new_id(),
    }
    with transaction.atomic():
        Person.objects.create(**(values | changed))


@pytest.mark.parametrize(
    ("constraint", "changed"),
    [
        ("person_name_has_2_to_50_characters", {"name": "罗"}),
        ("person_has_a_name", {"name_given": ""}),
        ("person_sex_is_known", {"sex": "?"}),
        ("person_id_type_is_known", {"id_type": "card"}),
        ("person_number_is_sealed_and_indexed_or_absent", {"id_type": "cn_id"}),
        ("person_number_is_sealed_and_indexed_or_absent", {"id_index": b"1", "id_type": "cn_id"}),
        ("person_phone_is_sealed_and_indexed_or_absent", {"phone_index": b"1"}),
        ("person_source_is_known", {"source": "rumour"}),
        ("person_care_is_known", {"care": ["rich"]}),
        ("person_is_born_before_being_recorded", {"birth_date": date(2020, 2, 11)}),
        ("person_lives_in_a_dwelling", {"area": "d510402.s510402001"}),
        ("person_lives_in_a_place", {"area": "d510402.s510402001.c510402001003.mzz.h1"}),
        ("person_version_counts_from_one", {"version": 0}),
    ],
)
def test_the_schema_refuses(district: str, constraint: str, changed: dict[str, object]) -> None:
    _insert()
    with pytest.raises(IntegrityError, match=constraint):
        _insert(**changed)


def test_nobody_lives_in_two_households(district: str) -> None:
    pk = a_person()
    other = Household.objects.create(area=a_dwelling("1-1-0101"), valid_from=date(2020, 1, 1))
    with pytest.raises(IntegrityError, match="person_is_in_one_household_at_a_time"), transaction.atomic():
        Membership.objects.create(
            household=other, person_id=pk, area=other.area, member_no=1, valid_from=date(2020, 2, 9)
        )


def test_member_numbers_are_unique(district: str) -> None:
    first, second = a_household("罗小娟", "陈志强")
    with pytest.raises(IntegrityError, match="member_number_is_unique"), transaction.atomic():
        Membership.objects.filter(person_id=second).update(member_no=1)
    with pytest.raises(IntegrityError, match="member_numbers_count_from_one"), transaction.atomic():
        Membership.objects.filter(person_id=first).update(member_no=0)
    with pytest.raises(IntegrityError, match="membership_ends_after_it_begins"), transaction.atomic():
        Membership.objects.filter(person_id=first).update(valid_to=date(2019, 1, 1))


def test_without_a_scope_there_is_nobody(db: None) -> None:
    pk = a_person()
    # This connection was used under a scope just now: the setting is '' and not NULL.
    assert not Person.objects.exists()
    assert not Membership.objects.exists()
    with pytest.raises(NotFound):
        actions.person_for_update(pk)
    with scope(areas=[]):
        assert not Person.objects.exists()
    with scope(areas=["d510402.s510402002"]):
        assert not Person.objects.exists()
    with scope(areas=[], persons=[pk]):
        assert Person.objects.get().pk == pk
        assert Membership.objects.get().person_id == pk


def test_nobody_is_written_into_another_area(db: None) -> None:
    area = a_dwelling()
    with scope(areas=["d510402.s510402002"]), pytest.raises(Exception, match="row-level security"):
        _insert(area=area)
