"""The one reader: what it hands out it has recorded; fields by right; the own circle."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from lianfang.accounts.rights import Role
from lianfang.kernel.errors import NotAllowed
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from lianfang.people import queries, reader
from lianfang.people.errors import ReasonNeeded
from lianfang.people.models import ReadRecord
from lianfang.people.policy import PersonField
from lianfang.places.queries import at_level
from tests.factories.people import DISTRICT, a_dwelling, a_household, a_person, a_resident, an_actor

if TYPE_CHECKING:
    from lianfang.kernel.actor import Actor

pytestmark = pytest.mark.django_db
F = PersonField


@pytest.fixture(autouse=True)
def _district() -> object:
    a_dwelling()
    with scope(areas=[DISTRICT]):
        yield


def _worker(**changed: Any) -> Actor:
    return an_actor(Role.COMMUNITY, at_level(a_dwelling(), "community") or "", **changed)


def test_one_record_per_person_shown_in_the_same_transaction() -> None:
    people = a_household()
    by = _worker()
    views = reader.read(people, (F.NAME, F.PHONE), by=by)
    assert [views[p].name for p in people] == ["罗小娟", "陈志强", "陈念"]
    records = ReadRecord.objects.all()
    assert sorted(r.person_id for r in records) == sorted(people)
    assert {(r.user, r.organ, r.purpose, r.surface, r.request, tuple(r.fields)) for r in records} == {
        (by.user_id, by.organ, by.purpose, by.surface, by.request_id, ("name", "phone"))
    }


def test_without_its_record_nothing_is_handed_out() -> None:
    pk = a_person()
    with pytest.raises(DatabaseError), transaction.atomic():
        # A reading whose record the database refuses (no purpose) must not come back with data.
        reader.read([pk], (F.NAME,), by=_worker(purpose=""))
    assert not ReadRecord.objects.exists()


def test_a_second_look_in_the_same_request_adds_fields_only() -> None:
    pk, by = a_person(), _worker()
    reader.read([pk], (F.NAME,), by=by)
    reader.read([pk], (F.PHONE,), by=by)
    assert [r.fields for r in ReadRecord.objects.all()] == [["name", "phone"]]
    reader.read([pk], (F.NAME,), by=replace(by, request_id=new_id()))
    assert ReadRecord.objects.count() == 2


def test_nobody_beyond_the_own_area() -> None:
    pk = a_person()
    other = an_actor(Role.COMMUNITY, "d510402.s510402002.c510402002001")
    assert reader.read([pk], (F.NAME,), by=other) == {}
    assert not ReadRecord.objects.exists()


def test_the_second_wall_stands_when_the_first_is_gone() -> None:
    """Rights over the whole district, but the transaction sees another street: nobody comes back."""
    pk = a_person()
    with scope(areas=["d510402.s510402002"]):
        assert reader.read([pk], (F.NAME,), by=an_actor(Role.CDC, DISTRICT)) == {}
    assert not ReadRecord.objects.exists()


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("field", list(F))
def test_who_sees_which_field(role: Role, field: PersonField) -> None:
    pk = a_person(phone="19900000001")
    by = an_actor(role, DISTRICT)
    readers = {Role.GRID, Role.COMMUNITY, Role.CDC, Role.SYSTEM}
    revealers = {Role.COMMUNITY, Role.CDC}
    if role not in readers:
        assert reader.read([pk], (field,), by=by, reason="核对") == {}
    elif field is F.ID_NO and role not in revealers:
        with pytest.raises(NotAllowed):
            reader.read([pk], (field,), by=by, reason="核对")
    else:
        view = reader.read([pk], (field,), by=by, reason="核对")[pk]
        assert view.id_no is not None if field is F.ID_NO else view.id_no is None
        assert (view.name is None) == (field is not F.NAME)


def test_a_number_needs_a_reason() -> None:
    pk = a_person()
    with pytest.raises(ReasonNeeded):
        reader.read([pk], (F.ID_NO,), by=_worker())
    assert reader.read([pk], (F.ID_NO,), by=_worker(), reason="与证件核对")[pk].id_no
    with pytest.raises(IntegrityError, match="a_number_is_opened_with_a_reason"), transaction.atomic():
        ReadRecord.objects.create(
            person_id=pk,
            at="2020-02-10T01:00Z",
            user=new_id(),
            purpose="care",
            request=new_id(),
            fields=["id_no"],
        )


def test_masked_is_the_default() -> None:
    pk = a_person("罗小娟")
    view = reader.read([pk], by=_worker())[pk]
    assert (view.name, view.name_masked, len(view.id_no_last2)) == (None, "罗＊＊", 2)
    auditor = reader.read([pk], by=an_actor(Role.AUDITOR, DISTRICT))[pk]
    assert auditor.shown_name == "罗＊＊"
    assert reader.read([pk], (F.NAME,), by=an_actor(Role.AUDITOR, DISTRICT)) == {}


def test_the_own_circle() -> None:
    mother, father, child = a_household()
    neighbour = a_person("王伟", area=a_dwelling("5-2-0604"))
    me = a_resident(mother)
    assert reader.read([mother], list(F), by=me)[mother].id_no
    assert not ReadRecord.objects.exists(), "reading oneself is no reading by another"
    assert reader.read([father], (F.NAME,), by=me)[father].name == "陈志强"
    with pytest.raises(NotAllowed):
        reader.read([father], (F.PHONE,), by=me)
    assert reader.read([neighbour], (F.NAME,), by=me) == {}
    with pytest.raises(NotAllowed):
        reader.read([child], (F.BIRTH_DATE,), by=me)
    from lianfang.people.actions import GuardianDraft, name_guardian

    name_guardian(GuardianDraft(id=new_id(), ward_id=child, guardian_id=mother, basis="parent"), by=_worker())
    assert reader.read([child], (F.BIRTH_DATE,), by=me)[child].birth_date == date(2013, 6, 1)


def test_what_was_read_stays_read() -> None:
    pk = a_person()
    reader.read([pk], (F.NAME, F.PHONE), by=_worker())
    row = ReadRecord.objects.get()
    for sql in (
        "DELETE FROM people_readrecord",
        "UPDATE people_readrecord SET organ = 'somebody else'",
        "UPDATE people_readrecord SET fields = '{name}'",
        "UPDATE people_readrecord SET at = at - interval '1 day'",
    ):
        with (
            pytest.raises(IntegrityError, match="read_records_are_only_added"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)
    row.refresh_from_db()
    assert row.fields == ["name", "phone"]
    with pytest.raises(IntegrityError, match="one_read_record_per_person_and_request"), transaction.atomic():
        ReadRecord.objects.create(
            person_id=pk, at=row.at, user=new_id(), purpose="care", request=row.request, fields=["name"]
        )


def test_who_looked_shows_office_and_pseudonym() -> None:
    pk = a_person()
    by = _worker()
    reader.read([pk], (F.NAME,), by=by)
    (seen,) = queries.reads_of(pk)
    assert (seen.organ, seen.pseudonym, seen.purpose) == (by.organ, by.pseudonym, by.purpose)
    assert not hasattr(seen, "user")


def test_a_thousand_cost_as_many_queries_as_one(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    people, by = a_household(), _worker()
    for some in (people[:1], people):
        # Persons, doors, the record, and the savepoint around them.
        with django_assert_num_queries(5):
            reader.read(some, (F.NAME,), by=replace(by, request_id=new_id()))
