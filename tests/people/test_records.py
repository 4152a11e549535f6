"""Corrections, merges, guardians, moves, exports: what happens to a record after it was made."""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from django.db import IntegrityError, connection, connections, transaction

from lianfang.accounts.rights import Role
from lianfang.kernel.errors import NotAllowed, NotFound, SameIdOtherContent
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from lianfang.people import actions, queries
from lianfang.people.errors import (
    ConflictDecided,
    ExportOver,
    GuardianNotFit,
    MergedTwice,
    NotAgreed,
    OwnExport,
    ReasonNeeded,
    TooManyToExport,
    WardActsAlone,
)
from lianfang.people.models import (
    Correction,
    Export,
    ExportConsent,
    Guardian,
    Membership,
    Person,
    PersonAlias,
    ReadRecord,
)
from lianfang.people.policy import PersonField
from lianfang.people.sealing import unseal
from lianfang.places.queries import at_level
from tests.factories.people import DISTRICT, a_dwelling, a_household, a_person, a_resident, an_actor
from tests.factories.rosters import a_roster, as_xlsx

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang.kernel.actor import Actor


@pytest.fixture
def worker(db: None) -> Actor:
    community = at_level(a_dwelling(), "community") or ""
    return an_actor(Role.COMMUNITY, community)


@pytest.fixture
def district(worker: Actor) -> object:
    with scope(areas=[DISTRICT]):
        yield DISTRICT


def _change(
    pk: UUID, value: str, *, before: str, field: PersonField = PersonField.PHONE
) -> actions.CorrectionDraft:
    return actions.CorrectionDraft(
        id=new_id(), person_id=pk, field=field, value=value, base=actions.base_of(pk, field, before)
    )


def _phone(pk: UUID) -> str:
    row = Person.objects.get(pk=pk)
    return unseal(row.phone_sealed, of=pk, field="phone") if row.phone_sealed else ""


def test_two_writers_of_one_field_lose_no_value(district: str, worker: Actor) -> None:
    pk = a_person(phone="19900000001")
    first = actions.correct_person(_change(pk, "19900000002", before="19900000001"), by=worker)
    second = actions.correct_person(_change(pk, "19900000003", before="19900000001"), by=worker)
    assert (first.state, second.state) == ("applied", "conflict")
    assert _phone(pk) == "19900000002"
    kept = Correction.objects.get(pk=second.pk)
    assert unseal(kept.value, of=kept.pk, field="value") == "19900000003"
    assert unseal(kept.other_value or b"", of=kept.pk, field="other_value") == "19900000002"
    actions.settle_correction(second.pk, accept=True, by=worker)
    assert _phone(pk) == "19900000003"
    actions.settle_correction(second.pk, accept=True, by=worker)
    with pytest.raises(ConflictDecided):
        actions.settle_correction(second.pk, accept=False, answer="不对", by=worker)


def test_two_writers_of_two_fields_do_not_clash(district: str, worker: Actor) -> None:
    pk = a_person("罗小娟", phone="19900000001")
    assert (
        actions.correct_person(_change(pk, "19900000002", before="19900000001"), by=worker).state == "applied"
    )
    name = _change(pk, "罗晓娟", before="罗小娟", field=PersonField.NAME)
    assert actions.correct_person(name, by=worker).state == "applied"
    assert Person.objects.get(pk=pk).initials == "lxj"


def test_the_same_correction_again_is_one(district: str, worker: Actor) -> None:
    pk = a_person(phone="19900000001")
    draft = _change(pk, "19900000002", before="19900000001")
    assert actions.correct_person(draft, by=worker) == actions.correct_person(draft, by=worker)
    from dataclasses import replace

    with pytest.raises(SameIdOtherContent):
        actions.correct_person(replace(draft, value="19900000009"), by=worker)


@pytest.mark.django_db(transaction=True)
def test_two_threads_correcting_at_once_leave_one_conflict() -> None:
    community = at_level(a_dwelling(), "community") or ""
    by = an_actor(Role.COMMUNITY, community)
    pk = a_person(phone="19900000001")
    begin = threading.Barrier(2)
    states: list[str] = []

    def correct(value: str) -> None:
        try:
            with scope(areas=[community]):
                begin.wait(10)
                states.append(actions.correct_person(_change(pk, value, before="19900000001"), by=by).state)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=correct, args=(f"1990000000{i}",)) for i in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(states) == ["applied", "conflict"]


def test_a_person_asks_and_is_answered(district: str, worker: Actor) -> None:
    pk, other = a_person(phone="19900000001"), a_person("王伟", area=a_dwelling("5-2-0604"))
    me = a_resident(pk)
    asked = actions.ask_correction(_change(pk, "19900000002", before="19900000001"), by=me)
    assert (asked.state, _phone(pk)) == ("asked", "19900000001")
    with pytest.raises(NotAllowed):
        actions.ask_correction(_change(other, "19900000002", before=""), by=me)
    with pytest.raises(ReasonNeeded):
        actions.settle_correction(asked.pk, accept=False, by=worker)
    with pytest.raises(NotAllowed):
        actions.settle_correction(asked.pk, accept=True, by=an_actor(Role.GRID, DISTRICT))
    assert (
        actions.settle_correction(asked.pk, accept=False, answer="请持证件到社区", by=worker).state
        == "refused"
    )
    assert _phone(pk) == "19900000001"


def test_the_schema_keeps_both_values_and_reasons(district: str, worker: Actor) -> None:
    pk = a_person(phone="19900000001")
    done = actions.correct_person(_change(pk, "19900000002", before="19900000001"), by=worker)
    for changes, constraint in (
        ({"state": "conflict"}, "a_conflict_keeps_both_values"),
        ({"state": "refused"}, "a_refused_correction_says_why"),
        ({"decided_at": None}, "a_settled_correction_was_settled_by_somebody"),
        ({"field": "id_no"}, "correction_field_is_correctable"),
        ({"state": "?"}, "correction_state_is_known"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            Correction.objects.filter(pk=done.pk).update(**changes)


def test_a_merge_rewrites_nothing_and_can_be_undone(district: str, worker: Actor) -> None:
    one, two = (
        a_person("罗小娟", numbered=False),
        a_person("罗晓娟", numbered=False, area=a_dwelling("5-2-0604")),
    )
    before = list(Membership.objects.order_by("pk").values_list("household_id", "person_id", "valid_to"))
    alias = actions.merge_persons(new_id(), merged_id=two, survivor_id=one, reason="同一人", by=worker)
    assert queries.same_person([one]) == queries.same_person([two]) == {one, two}
    assert actions.person_for_update(two).id == one
    assert (
        list(Membership.objects.order_by("pk").values_list("household_id", "person_id", "valid_to")) == before
    )
    with pytest.raises(MergedTwice):
        actions.merge_persons(new_id(), merged_id=one, survivor_id=two, reason="反过来", by=worker)
    actions.unmerge_persons(alias, by=worker)
    assert queries.same_person([one]) == {one}
    assert actions.person_for_update(two).id == two
    with pytest.raises(NotFound):
        actions.unmerge_persons(alias, by=worker)


def test_the_schema_keeps_merges_sane(district: str, worker: Actor) -> None:
    one, two = a_person("罗小娟", numbered=False), a_person("罗晓娟", numbered=False)
    actions.merge_persons(new_id(), merged_id=two, survivor_id=one, reason="同一人", by=worker)
    base = {"reason": "x", "made_at": worker.at, "made_by": worker.user_id}
    for values, constraint in (
        ({"merged_id": one, "survivor_id": one, **base}, "nobody_is_merged_into_themselves"),
        ({"merged_id": two, "survivor_id": one, **base}, "a_record_is_merged_once_at_a_time"),
        ({"merged_id": one, "survivor_id": two, **base, "reason": ""}, "a_merge_has_a_reason"),
        (
            {"merged_id": one, "survivor_id": two, **base, "ended_at": worker.at - timedelta(seconds=1)},
            "a_merge_ends_after_it_was_made",
        ),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            PersonAlias.objects.create(**values)


def test_guardians_are_of_age_and_for_children(district: str, worker: Actor) -> None:
    mother, father, child = a_household()
    draft = actions.GuardianDraft(id=new_id(), ward_id=child, guardian_id=mother, basis="parent")
    assert actions.name_guardian(draft, by=worker) == actions.name_guardian(draft, by=worker)
    assert queries.acting_for(mother, on=date(2020, 2, 10)) == [child]
    assert queries.acting_for(mother, on=date(2028, 2, 10)) == [], "from 14 on people act for themselves"
    with pytest.raises(WardActsAlone):
        actions.name_guardian(
            actions.GuardianDraft(id=new_id(), ward_id=father, guardian_id=mother, basis="x"), by=worker
        )
    with pytest.raises(GuardianNotFit):
        actions.name_guardian(
            actions.GuardianDraft(id=new_id(), ward_id=child, guardian_id=child, basis="x"), by=worker
        )
    with pytest.raises(IntegrityError, match="nobody_is_their_own_guardian"), transaction.atomic():
        Guardian.objects.create(ward_id=child, guardian_id=child, basis="x", valid_from=date(2020, 1, 1))
    with pytest.raises(IntegrityError, match="guardianship_is_recorded_once_at_a_time"), transaction.atomic():
        Guardian.objects.create(ward_id=child, guardian_id=mother, basis="x", valid_from=date(2020, 3, 1))
    with pytest.raises(IntegrityError, match="guardianship_has_a_basis"), transaction.atomic():
        Guardian.objects.update(basis="")


def test_somebody_who_moves_is_out_of_sight_at_once(district: str, worker: Actor) -> None:
    pk = a_person()
    there = a_dwelling("1-1-0101", community="d510402.s510402002.c510402002001")
    with pytest.raises(NotAllowed):
        actions.move_person(pk, area=there, by=worker)
    actions.move_person(pk, area=there, by=an_actor(Role.COMMUNITY, DISTRICT))
    with scope(areas=[at_level(a_dwelling(), "community") or ""]):
        assert queries.person_refs([pk]) == {}
    assert queries.person_refs([pk])[pk].area == there


# --- export ----------------------------------------------------------------------------------------


def _rows(content: bytes) -> list[tuple[object, ...]]:
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    return list(sheet.iter_rows(values_only=True))


def an_export(community: str, form: str, *, by: Actor, purpose: str = "疫情处置核对") -> Any:
    """Asked for by one, agreed to by another, handed out."""
    from lianfang.people.actions import rosters

    asked = rosters.ask_export(new_id(), area=community, purpose=purpose, by=by)
    rosters.agree_to_export(asked.pk, by=an_actor(Role.CDC, DISTRICT))
    return rosters.export_people(asked.pk, form=form, by=by)


def test_export_import_export_is_equal(district: str, worker: Actor) -> None:
    from lianfang.people.actions import rosters

    community = at_level(a_dwelling(), "community") or ""
    rows = a_roster(40)
    rows[3][10], rows[5][6] = "独居、慢病", ""
    a_person("阿的·日黑", numbered=False, born=date(1950, 2, 3))
    rosters.import_roster(as_xlsx(rows), community=community, filename="a.xlsx", by=worker)
    cdc = an_actor(Role.CDC, DISTRICT)
    first = an_export(community, "xlsx", by=cdc)
    sheet = an_export(community, "csv", by=cdc)
    people = first.persons
    with connection.cursor() as cursor:
        for table in ("guardian", "membership", "correction"):
            cursor.execute(f"DELETE FROM people_{table}")
        cursor.execute("UPDATE people_household SET contact_id = NULL")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE people_readrecord DISABLE TRIGGER read_records_are_only_added")
        cursor.execute("DELETE FROM people_readrecord")
        cursor.execute("ALTER TABLE people_readrecord ENABLE TRIGGER read_records_are_only_added")
        cursor.execute("DELETE FROM people_person")
        cursor.execute("DELETE FROM people_household")
    assert not Person.objects.exists()
    rosters.import_roster(first.content, community=community, filename="b.xlsx", by=worker)
    again = an_export(community, "csv", by=cdc)
    assert (again.persons, again.content) == (people, sheet.content)
    book = an_export(community, "xlsx", by=cdc)
    assert _rows(book.content) == _rows(first.content)


def test_an_export_is_recorded_capped_and_marked(
    district: str, worker: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lianfang.people.actions import rosters

    people = a_household()
    community = at_level(a_dwelling(), "community") or ""
    cdc = an_actor(Role.CDC, DISTRICT)
    with pytest.raises(ReasonNeeded):
        rosters.ask_export(new_id(), area=community, purpose=" ", by=cdc)
    for role in (Role.COMMUNITY, Role.GRID, Role.STREET, Role.CMD_LEAD):
        with pytest.raises(NotAllowed):
            rosters.ask_export(new_id(), area=community, purpose="核对名单", by=an_actor(role, DISTRICT))
    assert not ReadRecord.objects.exists()
    made = an_export(community, "xlsx", by=cdc, purpose="核对名单")
    assert ReadRecord.objects.filter(person_id__in=people, reason="核对名单").count() == 3
    assert Export.objects.get().persons == 3
    notes = openpyxl.load_workbook(io.BytesIO(made.content)).worksheets[1]
    assert cdc.pseudonym in str(notes.cell(1, 1).value)
    with pytest.raises(IntegrityError, match="exports_are_only_added"), transaction.atomic():
        Export.objects.update(persons=0)
    monkeypatch.setattr(rosters, "MOST_EXPORTED", 2)
    with pytest.raises(TooManyToExport):
        an_export(community, "csv", by=cdc, purpose="核对名单")


def test_an_export_takes_two_persons_within_a_day(district: str, worker: Actor) -> None:
    from lianfang.people.actions import rosters

    a_household()
    community = at_level(a_dwelling(), "community") or ""
    asker, second = an_actor(Role.CDC, DISTRICT), an_actor(Role.CDC, DISTRICT)
    key = new_id()
    asked = rosters.ask_export(key, area=community, purpose="核对名单", by=asker)
    assert rosters.ask_export(key, area=community, purpose="核对名单", by=asker) == asked
    with pytest.raises(SameIdOtherContent):
        rosters.ask_export(key, area=community, purpose="别的用途", by=asker)
    with pytest.raises(NotAgreed):
        rosters.export_people(key, form="csv", by=asker)
    with pytest.raises(OwnExport):
        rosters.agree_to_export(key, by=asker)
    with pytest.raises(NotFound):
        rosters.agree_to_export(key, by=an_actor(Role.COMMUNITY, community))
    later = asked.asked_at + timedelta(days=1)
    with pytest.raises(ExportOver):
        rosters.agree_to_export(key, by=replace(second, at=later))
    assert not ReadRecord.objects.exists()
    (waiting,) = queries.todo(second)
    assert (waiting.count, waiting.due_at) == (1, later)
    assert queries.todo(asker) == queries.todo(replace(second, at=later)) == []
    agreed = rosters.agree_to_export(key, by=second)
    assert rosters.agree_to_export(key, by=second) == agreed
    assert queries.todo(second) == []
    with pytest.raises(NotFound):
        rosters.export_people(key, form="csv", by=second)  # whoever asked fetches
    with pytest.raises(ExportOver):
        rosters.export_people(key, form="csv", by=replace(asker, at=later))
    assert rosters.export_people(key, form="csv", by=asker).persons == 3
    # The schema, whatever writes.
    other = rosters.ask_export(new_id(), area=community, purpose="核对名单", by=asker)
    row = {"organ": "x", "pseudonym": "x"}
    with pytest.raises(IntegrityError, match="takes_two"), transaction.atomic():
        ExportConsent.objects.create(request=other, by=asker.user_id, at=asker.at, **row)
    with pytest.raises(IntegrityError, match="takes_two"), transaction.atomic():
        ExportConsent.objects.create(request=other, by=second.user_id, at=later, **row)
    with pytest.raises(IntegrityError, match="was_agreed_to"), transaction.atomic():
        Export.objects.create(
            id=other.pk, area=community, purpose="核对名单", persons=1, user=asker.user_id, at=asker.at, **row
        )
    with pytest.raises(IntegrityError, match="only_added"), transaction.atomic():
        other.delete()


def test_a_dangerous_cell_stays_text() -> None:
    from lianfang.people.roster.exporting import book_of, csv_of

    row = ["=1+1", "+1", "-1", "@x", *[""] * 10]
    assert b"'=1+1,'+1,'-1,'@x" in csv_of([row])
    content = book_of([row], mark="m", purpose="p", at=an_actor(Role.CDC, DISTRICT).at)
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    assert [sheet.cell(2, i).data_type for i in range(1, 5)] == ["s"] * 4
