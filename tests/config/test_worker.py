"""What the processes do by the clock: each term has somebody who asks for it, and fsck asks every room."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db import OperationalError, connection
from tests.factories.credentials import AT, a_draft, by
from tests.factories.orders import ROOT, S1_END, S1_NOW, an_incident, an_order, officer, resident
from tests.factories.people import a_person

import lianfang
from lianfang.accounts.queries import system_actor
from lianfang.accounts.rights import Role
from lianfang.concerns import actions as concerns
from lianfang.concerns.models import SymptomReport
from lianfang.config import tending, worker
from lianfang.credentials import actions as credentials
from lianfang.credentials.models import Pass
from lianfang.gates import jobs
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from lianfang.ledger.models import Entry, Tree
from lianfang.orders import actions as orders
from lianfang.orders.models import IsolationOrder
from lianfang.orders.policy import CASE_KEPT_FOR
from lianfang.people import actions as people
from lianfang.people.reader import PersonField, read

if TYPE_CHECKING:
    from datetime import datetime

    from lianfang.kernel.actor import Actor

SOURCE = Path(lianfang.__file__).parent


@pytest.mark.django_db
def test_each_hour_what_is_past_its_term_goes() -> None:
    an_incident()
    person = a_person()
    an_order(person)
    with scope(areas=[ROOT]):
        report = concerns.SymptomDraft(id=new_id(), person_id=person, symptoms=())
        concerns.report_symptoms(report, by=resident(person))

    with connection.cursor() as cursor:  # in life years lie between: what waits for the commit is done now
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")

    def left_after(term: timedelta) -> tuple[bool, bool]:
        worker.hourly({}, by=system_actor("hourly", S1_END + term, ()))
        with scope(areas=[ROOT]):
            return IsolationOrder.objects.exists(), SymptomReport.objects.exists()

    assert left_after(S1_NOW - S1_END) == (True, True)
    assert left_after(timedelta(days=40)) == (True, False)
    assert left_after(CASE_KEPT_FOR) == (False, False)


@pytest.mark.django_db
def test_while_the_chain_is_suspended_what_is_past_its_term_goes_and_the_digests_wait() -> None:
    an_incident()
    person = a_person()
    an_order(person)
    with scope(areas=[ROOT]):
        report = concerns.SymptomDraft(id=new_id(), person_id=person, symptoms=())
        concerns.report_symptoms(report, by=resident(person))
        read([person], (PersonField.NAME,), by=officer(Role.CDC))
    credentials.publish("510402001", [], S1_NOW)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    Tree.objects.update_or_create(pk=1, defaults={"suspended": "witness residents holds 12"})
    digests = Entry.objects.filter(kind__in=("accounts:read_log:batch", "credentials:status:published"))

    done: dict[str, datetime] = {}
    at = S1_END + CASE_KEPT_FOR
    worker.hourly(done, by=system_actor("hourly", at, ()))
    with scope(areas=[ROOT]):
        assert not IsolationOrder.objects.exists()
        assert not SymptomReport.objects.exists()
    assert not digests.exists()
    assert set(done) == {"destroy_ended", "forget_reports"}

    Tree.objects.update(suspended="")
    worker.hourly(done, by=system_actor("hourly", at + timedelta(minutes=1), ()))  # in the same hour
    assert digests.count() == 2
    assert set(done.values()) == {at.replace(minute=0, second=0, microsecond=0)}


def test_a_job_of_the_hour_is_done_once_and_one_that_fails_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def job(room: object, name: str, *, fails: bool = False) -> None:
        def run(*, by: Actor) -> None:
            asked.append(name)
            if fails and asked.count(name) == 1:
                raise OperationalError("the database went away")

        run.__name__ = name
        monkeypatch.setattr(room, name, run)

    job(people, "batch_reads")
    job(credentials, "note_published", fails=True)
    job(orders, "destroy_ended", fails=True)
    job(orders, "forget_reports")
    done: dict[str, datetime] = {}
    for minutes in (0, 1, 2, 59):
        worker.hourly(
            done, by=system_actor("hourly", S1_NOW.replace(minute=0) + timedelta(minutes=minutes), ())
        )
    first = ["batch_reads", "note_published", "destroy_ended", "forget_reports"]
    assert asked == [*first, "note_published", "destroy_ended"]
    worker.hourly(done, by=system_actor("hourly", S1_NOW.replace(minute=0) + timedelta(hours=1), ()))
    assert asked[6:] == first


@pytest.mark.django_db
def test_the_keeper_of_the_gates_has_old_passes_forgotten() -> None:
    credentials.issue_pass(a_draft(), by=by())
    jobs.keep(AT + timedelta(days=90))
    assert Pass.objects.exists()
    jobs.keep(AT + timedelta(days=95))
    assert not Pass.objects.exists()


def test_fsck_asks_every_room_that_compares_its_rows_with_the_chain() -> None:
    called = {
        ast.unparse(node.func).partition(".")[0]
        for node in ast.walk(ast.parse(Path(tending.__file__).read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".chain_faults")
    }
    rooms = {file.parent.name for file in SOURCE.glob("*/chain_rows.py")} - {
        "ledger"
    }  # `fsck.check` asks that one
    assert "gates" in rooms
    assert rooms <= called
