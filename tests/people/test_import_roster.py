"""Importing a roster: counts, all or nothing, idempotent, suspicions, faults, cancel."""

from __future__ import annotations

import io
from datetime import date
from typing import TYPE_CHECKING

import openpyxl
import pytest
from django.db import connection

from lianfang.accounts.models import Office, User
from lianfang.accounts.rights import Role
from lianfang.kernel.errors import NotAllowed, SameIdOtherContent
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from lianfang.people.actions import decide_duplicate, receive_roster, rosters
from lianfang.people.errors import RosterHasFaults, RunCancelled, RunOver
from lianfang.people.models import (
    Guardian,
    Household,
    ImportRun,
    Membership,
    Person,
    SavedMapping,
    SuspectedDuplicate,
)
from lianfang.people.roster.columns import Column
from lianfang.places.models import Place
from tests.factories.people import a_citizen_number, a_community, a_person, an_actor
from tests.factories.places import a_dwelling
from tests.factories.rosters import HEADINGS, a_roster, as_csv, as_xlsx

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lianfang.kernel.actor import Actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def community() -> Iterator[str]:
    path = a_community()
    with scope(areas=[path]):
        yield path


@pytest.fixture
def worker(community: str) -> Actor:
    return an_actor(Role.COMMUNITY, community)


def _import(content: bytes, community: str, by: Actor, **more: object) -> ImportRun:
    return rosters.import_roster(content, community=community, filename="名册.xlsx", by=by, **more)  # type: ignore[arg-type]  # named by the tests


def _tables() -> dict[str, int]:
    return {
        "new": Person.objects.count(),
        "households_new": Household.objects.count(),
        "places_new": Place.objects.filter(
            kind__in=["compound", "building", "stairwell", "dwelling"]
        ).count(),
        "held": SuspectedDuplicate.objects.count(),
        "guardians_new": Guardian.objects.count(),
    }


def _content() -> list[tuple[object, ...]]:
    """Everything the room holds about people, order and times aside."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.name, p.sex, p.birth_date, p.id_index, p.phone_index, p.care::text, p.area::text, m.member_no,"
            " m.relation, p.version FROM people_person p JOIN people_membership m ON m.person_id = p.id ORDER BY p.id"
        )
        rows: list[tuple[object, ...]] = cursor.fetchall()
        return rows


def test_counts_are_the_differences_of_the_tables(community: str, worker: Actor) -> None:
    before = _tables()
    run = _import(as_xlsx(a_roster(100), title="竹湖园社区居民花名册"), community, worker)
    after = _tables()
    assert run.stage == "done"
    assert {k: after[k] - before[k] for k in after} == {k: run.counts[k] for k in after}
    assert run.counts["rows"] == run.counts["new"] == 100
    assert Membership.objects.count() == 100
    assert run.content is None, "an ended import keeps no file"


def test_a_dry_run_counts_the_same_and_writes_nothing(community: str, worker: Actor) -> None:
    content = as_xlsx(a_roster(60))
    before = _tables()
    dry = _import(content, community, worker, dry=True)
    assert (dry.stage, _tables()) == ("checked", before)
    assert dict(dry.counts) | {"faults": 0} == dict(_import(content, community, worker).counts) | {
        "faults": 0
    }


def test_the_same_file_again_changes_nothing(community: str, worker: Actor) -> None:
    content = as_xlsx(a_roster(80) + a_roster(9, start=5000, compound="凤凰里", numbered=False))
    _import(content, community, worker)
    first = _content(), _tables()
    for _ in range(3):
        run = _import(content, community, worker)
        assert (run.counts["new"], run.counts["changed"], run.counts["held"]) == (0, 0, 0)
        assert run.counts["unchanged"] == 89
    assert (_content(), _tables()) == first


def test_a_part_of_the_rows_again_makes_no_doubles(community: str, worker: Actor) -> None:
    rows = a_roster(30)
    _import(as_csv(rows, encoding="gb18030"), community, worker)
    before = _tables()
    run = _import(as_csv(rows[7:19] + a_roster(3, start=900, compound="凤凰里")), community, worker)
    assert run.counts["new"] == 3
    assert run.counts["unchanged"] == 12
    assert _tables()["new"] == before["new"] + 3


def test_one_fault_and_nothing_is_written(community: str, worker: Actor) -> None:
    rows = a_roster(40)
    rows[17][5] = rows[17][5][:-1] + ("1" if rows[17][5][-1] != "1" else "2")
    before = _tables()
    with pytest.raises(RosterHasFaults):
        _import(as_xlsx(rows), community, worker)
    assert _tables() == before
    run = ImportRun.objects.get()
    assert (run.stage, run.counts["faults"]) == ("faulty", 1)
    sheet = openpyxl.load_workbook(io.BytesIO(rosters.error_book(run.pk, by=worker))).active
    assert sheet is not None
    lines = [[c.value for c in row] for row in sheet.iter_rows()]
    assert lines[0] == [*HEADINGS, "原表行号", "错误"]
    assert len(lines) == 2
    assert lines[1][4] == rows[17][4]
    assert lines[1][-2] == 19
    assert "校验位" in str(lines[1][-1])


def test_the_corrected_error_file_can_be_sent_again(community: str, worker: Actor) -> None:
    rows = a_roster(10)
    right = rows[3][6]
    rows[3][6] = "12345"
    with pytest.raises(RosterHasFaults):
        _import(as_xlsx(rows), community, worker)
    book = openpyxl.load_workbook(io.BytesIO(rosters.error_book(ImportRun.objects.get().pk, by=worker)))
    sheet = book.active
    assert sheet is not None
    sheet.cell(2, 7).value = right
    corrected = io.BytesIO()
    book.save(corrected)
    assert _import(corrected.getvalue(), community, worker).counts["new"] == 1


def test_every_kind_of_fault_is_found(community: str, worker: Actor) -> None:
    elsewhere = a_dwelling("1-1-0101", community=a_community("510402002001"))
    taken = a_citizen_number(date(1971, 3, 3))
    a_person("何建国", area=elsewhere, id_no=taken, born=None)
    good = a_roster(2)
    base = ["和睦花园", "9栋", "1单元", "0101", "周明", "", "", "", "", "", ""]

    def row(**changed: str) -> list[str]:
        return [changed.get(h, base[i]) for i, h in enumerate(HEADINGS)]

    wanted = {
        "name_missing": row(姓名=""),
        "name_not_acceptable": row(姓名="周明3"),
        "building_missing": row(楼栋=""),
        "room_missing": row(房号=""),
        "phone_not_acceptable": row(手机="1380000000"),
        "care_not_known": row(特殊照护="富裕"),
        "number_damaged_by_spreadsheet": row(证件号码="5.10402E+17"),
        "number_fifteen_digits": row(证件号码="510402860504001"),
        "number_not_18_characters": row(证件号码="9999991986"),
        "number_no_such_birth_date": row(证件号码="999999198602310011"),
        "number_wrong_check_digit": row(证件号码="999999198605040010"),
        "guardian_not_found": row(监护人="无此人"),
        "number_registered_elsewhere": row(证件号码=taken),
    }
    for code, faulty in wanted.items():
        ImportRun.objects.all().delete()
        with pytest.raises(RosterHasFaults):
            _import(as_xlsx([*good, faulty]), community, worker)
        said = rosters.error_book(ImportRun.objects.get().pk, by=worker)
        sheet = openpyxl.load_workbook(io.BytesIO(said)).active
        assert sheet is not None
        from lianfang.people.sentences import row_fault

        assert row_fault(code) in str(sheet.cell(2, len(HEADINGS) + 2).value), code
        assert sheet.max_row == 2


def test_a_number_under_another_name_is_a_fault(community: str, worker: Actor) -> None:
    rows = a_roster(4)
    _import(as_xlsx(rows), community, worker)
    rows[1][4] = "司马相如"
    with pytest.raises(RosterHasFaults):
        _import(as_xlsx(rows), community, worker)


def test_twice_in_the_file_is_a_fault(community: str, worker: Actor) -> None:
    rows = a_roster(4)
    with pytest.raises(RosterHasFaults):
        _import(as_xlsx([*rows, [*rows[0][:3], "0901", *rows[0][4:]]]), community, worker)
    bare = a_roster(4, numbered=False)
    with pytest.raises(RosterHasFaults):
        _import(as_xlsx([*bare, bare[2]]), community, worker)
    assert not Person.objects.exists()


def test_suspected_doubles_wait_for_a_decision(community: str, worker: Actor) -> None:
    known = a_person("罗小娟", numbered=False, phone="19900000001")
    row = ["和睦花园", "7栋", "1单元", "0202", "罗小娟", "", "19900000001", "", "", "", ""]
    run = _import(as_xlsx([row]), community, worker)
    assert (run.counts["held"], run.counts["new"]) == (1, 0)
    assert _import(as_xlsx([row]), community, worker).counts["held"] == 1
    waiting = SuspectedDuplicate.objects.get()
    assert (waiting.person_id, waiting.why) == (known, "name_and_phone")
    assert "罗小娟".encode() not in bytes(waiting.row)
    decide_duplicate(waiting.pk, "different", by=worker)
    assert Person.objects.count() == 2
    assert _import(as_xlsx([row]), community, worker).counts["unchanged"] == 1
    decide_duplicate(waiting.pk, "different", by=worker)
    with pytest.raises(SameIdOtherContent):
        decide_duplicate(waiting.pk, "same", by=worker)
    assert Person.objects.count() == 2


def test_somebody_at_another_door_is_moved_by_a_decision(community: str, worker: Actor) -> None:
    rows = a_roster(2)
    _import(as_xlsx(rows), community, worker)
    rows[1][1], rows[1][3] = "30栋", "0101"
    assert _import(as_xlsx(rows), community, worker).counts["held"] == 1
    decide_duplicate(SuspectedDuplicate.objects.get().pk, "same", by=worker)
    moved = Person.objects.get(name=rows[1][4], id_index__isnull=False)
    assert Place.objects.get(path=moved.area).code == "30-1-0101"
    assert _import(as_xlsx(rows), community, worker).counts["held"] == 0


def test_families_are_told_apart_by_their_heads(community: str, worker: Actor) -> None:
    def row(name: str, relation: str, head: str) -> list[str]:
        return ["和睦花园", "1栋", "1单元", "101", name, "", "", relation, head, "", ""]

    _import(
        as_xlsx(
            [row("罗大海", "户主", "罗大海"), row("罗小海", "子女", "罗大海"), row("陈远", "户主", "陈远")]
        ),
        community,
        worker,
    )
    assert Household.objects.count() == 2
    assert sorted(h.contact.name for h in Household.objects.select_related("contact") if h.contact) == [
        "罗大海",
        "陈远",
    ]
    _import(as_xlsx([row("罗幼海", "子女", "罗大海")]), community, worker)
    assert Household.objects.count() == 2


def test_guardians_come_from_the_same_door(community: str, worker: Actor) -> None:
    def row(name: str, number: str, guardian: str) -> list[str]:
        return ["和睦花园", "1栋", "1单元", "101", name, number, "", "", "", guardian, ""]

    mother, child = a_citizen_number(date(1988, 1, 1)), a_citizen_number(date(2013, 6, 1))
    rows = [row("罗小娟", mother, ""), row("陈念", child, "罗小娟")]
    assert _import(as_xlsx(rows), community, worker).counts["guardians_new"] == 1
    assert _import(as_xlsx(rows), community, worker).counts["guardians_new"] == 0
    found = Guardian.objects.select_related("ward", "guardian").get()
    assert (found.ward.name, found.guardian.name) == ("陈念", "罗小娟")


def test_an_empty_cell_erases_nothing(community: str, worker: Actor) -> None:
    rows = a_roster(2)
    rows[0][10] = "独居、慢病"
    _import(as_xlsx(rows), community, worker)
    rows[0][10] = rows[0][6] = ""
    rows[1][6] = "19900007777"
    assert _import(as_xlsx(rows), community, worker).counts["changed"] == 1
    assert Person.objects.get(name=rows[0][4]).care == ["chronic_drug", "lives_alone"]


def test_only_over_the_own_community(community: str, worker: Actor) -> None:
    content = as_xlsx(a_roster(3))
    for by in (
        an_actor(Role.COMMUNITY, a_community("510402002001")),
        *(an_actor(r, "d510402") for r in Role if r is not Role.COMMUNITY),
    ):
        with pytest.raises(NotAllowed):
            _import(content, community, by)
    assert not ImportRun.objects.exists()
    _import(content, community, worker)


def test_an_import_makes_no_user_and_no_office(community: str, worker: Actor) -> None:
    before = (User.objects.count(), Office.objects.count())
    _import(as_xlsx(a_roster(20)), community, worker)
    assert (User.objects.count(), Office.objects.count()) == before


def test_cancelling_keeps_nothing(community: str, worker: Actor) -> None:
    run_id = receive_roster(
        new_id(), community=community, filename="a.xlsx", content=as_xlsx(a_roster(50)), by=worker
    )
    ImportRun.objects.filter(pk=run_id).update(stage="checked")
    rosters.start_run(run_id, dry=False, by=worker)
    before = _tables()
    steps = 0

    def cancelled_late(done: int, total: int) -> None:
        nonlocal steps
        steps += 1
        if done > total // 2:
            raise RunCancelled()

    run = rosters.carry_out(run_id, by=worker, progress=cancelled_late)
    assert (run.stage, run.content, _tables()) == ("cancelled", None, before)
    assert steps >= 2
    with pytest.raises(RunOver):
        rosters.start_run(run_id, dry=False, by=worker)


def test_the_same_id_is_the_same_file(community: str, worker: Actor) -> None:
    run_id, content = new_id(), as_xlsx(a_roster(3))
    for _ in range(2):
        receive_roster(run_id, community=community, filename="a.xlsx", content=content, by=worker)
    assert ImportRun.objects.count() == 1
    with pytest.raises(SameIdOtherContent):
        receive_roster(
            run_id, community=community, filename="a.xlsx", content=as_xlsx(a_roster(4)), by=worker
        )


def test_a_mapping_is_guessed_corrected_and_remembered(community: str, worker: Actor) -> None:
    headings = ["院落", "幢号", "单元", "室", "居民姓名", "码", "联系方式", "房东电话"]
    rows = [[*r[:5], r[5], r[6], "19900009999"] for r in a_roster(5)]
    content = as_csv(rows, headings=headings, encoding="utf-8-sig", delimiter="\t")
    run_id = receive_roster(new_id(), community=community, filename="a.csv", content=content, by=worker)
    guessed = [Column(c) for c in ImportRun.objects.get(pk=run_id).columns]
    assert guessed == [
        Column.COMPOUND, Column.BUILDING, Column.STAIRWELL, Column.ROOM, Column.NAME, Column.ID_NO, Column.PHONE,
        Column.ASIDE,
    ]  # fmt: skip
    corrected = [*guessed[:6], Column.ASIDE, Column.PHONE]
    rosters.choose_columns(run_id, corrected, compound="", by=worker)
    assert SavedMapping.objects.get().columns == [c.value for c in corrected]
    again = receive_roster(
        new_id(), community=community, filename="b.csv", content=content + b"\r\n", by=worker
    )
    assert ImportRun.objects.get(pk=again).columns == [c.value for c in corrected]


def test_merged_cells_downwards_belong_to_every_row(community: str, worker: Actor) -> None:
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    for i, text in enumerate(HEADINGS):
        sheet.write_string(0, i, text)
    for column, value in ((0, "和睦花园"), (1, "1栋"), (2, "1单元"), (3, "603")):
        sheet.merge_range(1, column, 3, column, value)
    for line, name in enumerate(("罗大海", "罗小海", "罗幼海"), start=1):
        sheet.write_string(line, 4, name)
    book.close()
    assert _import(out.getvalue(), community, worker).counts["new"] == 3
    assert {Place.objects.get(path=p.area).code for p in Person.objects.all()} == {"1-1-0603"}


@pytest.mark.parametrize(
    "step",
    [
        "find_homes",
        "_stage",
        "_match",
        "_suspicions",
        "_hold",
        "_households",
        "_insert",
        "_change",
        "_guardians",
    ],
)
def test_a_fault_at_any_step_leaves_nothing_behind(
    community: str, worker: Actor, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    from lianfang.people.roster import writing

    _import(as_xlsx(a_roster(4)), community, worker)
    before = _content(), _tables()
    real = getattr(writing, step)

    def done_but_broken(*args: object, **kwargs: object) -> object:
        real(*args, **kwargs)
        raise OSError("the disk is full")

    monkeypatch.setattr(writing, step, done_but_broken)
    rows = [*a_roster(4), *a_roster(6, start=700, compound="凤凰里")]
    rows[1][6] = "19900007777"
    with pytest.raises(OSError, match="disk"):
        _import(as_xlsx(rows), community, worker)
    assert (_content(), _tables()) == before
    monkeypatch.undo()
    assert _import(as_xlsx(rows), community, worker).counts["new"] == 6


def test_an_import_whose_worker_died_can_be_cancelled(community: str, worker: Actor) -> None:
    run_id = receive_roster(
        new_id(), community=community, filename="a.xlsx", content=as_xlsx(a_roster(3)), by=worker
    )
    rosters.start_run(run_id, dry=True, by=worker)
    rosters.cancel_run(run_id, by=worker)
    assert ImportRun.objects.get().stage == "cancelled"
    with pytest.raises(RunOver):
        rosters.carry_out(run_id, by=worker)


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_roster_at_once_are_one() -> None:
    import threading

    from django.db import connections

    community_path = a_community()
    by = an_actor(Role.COMMUNITY, community_path)
    content = as_xlsx(a_roster(60))
    begin = threading.Barrier(2)
    stages: list[str] = []

    def one() -> None:
        try:
            begin.wait(20)
            stages.append(_import(content, community_path, by).stage)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with scope(areas=[community_path]):
        assert stages == ["done", "done"]
        assert Person.objects.count() == 60
        assert Place.objects.filter(kind="compound").count() == 1


@pytest.mark.django_db(transaction=True)
def test_progress_is_seen_from_outside_and_cancel_is_heard() -> None:
    from lianfang.people import jobs

    path = a_community()
    by = an_actor(Role.COMMUNITY, path)
    run_id = receive_roster(new_id(), community=path, filename="a.xlsx", content=as_xlsx(a_roster(30)), by=by)
    rosters.start_run(run_id, dry=True, by=by)
    step, close = jobs.progress_of(run_id)
    seen: list[int] = []

    def watched(done: int, total: int) -> None:
        step(done, total)
        seen.append(ImportRun.objects.get(pk=run_id).done)
        other = connection.copy()
        with other.cursor() as beside:
            beside.execute("UPDATE people_importrun SET cancel_asked = true WHERE id = %s", [run_id])
        other.close()

    try:
        assert rosters.carry_out(run_id, by=by, progress=watched).stage == "cancelled"
    finally:
        close()
    assert seen
    assert seen[0] > 0
