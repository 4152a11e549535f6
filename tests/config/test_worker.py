"""What the processes do by the clock: each term has somebody who asks for it, and fsck asks every room."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from tests.factories.credentials import AT, a_draft, by
from tests.factories.orders import ROOT, S1_END, S1_NOW, an_incident, an_order, resident
from tests.factories.people import a_person

import lianfang
from lianfang.accounts.queries import system_actor
from lianfang.concerns import actions as concerns
from lianfang.concerns.models import SymptomReport
from lianfang.config import tending, worker
from lianfang.credentials import actions as credentials
from lianfang.credentials.models import Pass
from lianfang.gates import jobs
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from lianfang.orders.models import IsolationOrder
from lianfang.orders.policy import CASE_KEPT_FOR

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
        worker.hourly(by=system_actor("hourly", S1_END + term, ()))
        with scope(areas=[ROOT]):
            return IsolationOrder.objects.exists(), SymptomReport.objects.exists()

    assert left_after(S1_NOW - S1_END) == (True, True)
    assert left_after(timedelta(days=40)) == (True, False)
    assert left_after(CASE_KEPT_FOR) == (False, False)


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
