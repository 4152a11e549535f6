"""SIGKILL of an import at each named point: nothing half, nothing lost, nothing double, and the page says so."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from tests.factories.accounts import COMMUNITY, a_user, an_office, an_organ, log_in
from tests.factories.people import a_community, an_actor
from tests.factories.rosters import a_roster, as_csv

from lianfang.accounts.rights import Role
from lianfang.config.worker import take_up_again
from lianfang.kernel import clock
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from lianfang.people import jobs
from lianfang.people.actions import receive_roster, rosters
from lianfang.people.models import ImportRun, Person
from lianfang.places.models import Place

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang.accounts.models import User

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

PEOPLE = 30


@pytest.fixture
def worker() -> User:
    """The community worker who sent the roster."""
    a_community()
    office = an_office(Role.COMMUNITY, COMMUNITY, user=a_user(), organ=an_organ("community", COMMUNITY))
    return office.user


def sent(worker: User, *, dry: bool) -> UUID:
    """An import under way, as `start_run` marked it."""
    by = an_actor(Role.COMMUNITY, COMMUNITY, user_id=worker.pk, at=clock.now())
    run = receive_roster(
        new_id(), community=COMMUNITY, filename="名册.csv", content=as_csv(a_roster(PEOPLE)), by=by
    )
    if not dry:
        ImportRun.objects.filter(pk=run).update(stage=ImportRun.Stage.CHECKED)
    assert rosters.start_run(run, dry=dry, by=by)
    return run


def carried_out(run: UUID, *, fault: str = "") -> int:
    """Carry it out in a process of its own; how that ended."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.faults.roster_worker",
            str(connection.settings_dict["NAME"]),
            str(settings.LIANFANG_DATA),
            str(run),
        ],
        env={**os.environ, "LIANFANG_FAULT": fault},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr[-2000:]
    return done.returncode


def written() -> tuple[int, int]:
    """People and dwellings that are there."""
    with scope(areas=[COMMUNITY]):
        return Person.objects.count(), Place.objects.filter(kind="dwelling").count()


def page(worker: User, run: UUID) -> str:
    """What the sender sees of it."""
    answer = log_in(worker).get(f"/desk/import/{run}/")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("point", "dry"),
    [
        ("people.import.after_check", True),
        ("people.import.after_check", False),
        ("people.import.half_written", False),
        ("people.import.before_commit", False),
    ],
)
def test_a_killed_import_leaves_nothing_and_is_taken_up_again(worker: User, point: str, dry: bool) -> None:
    run = sent(worker, dry=dry)
    assert carried_out(run, fault=point) == -signal.SIGKILL
    assert written() == (0, 0)
    # The page promises no remaining time that nobody works on, and says that nothing has changed.
    told = page(worker, run)
    assert "在排队" in told
    assert "<progress" not in told

    assert carried_out(run) == 0
    assert written() == ((0, 0) if dry else (PEOPLE, 12))
    assert ("试算结果" if dry else "结果") in page(worker, run)
    # The queue may deliver a job twice: the second finds it done.
    assert carried_out(run) == 0
    assert written() == ((0, 0) if dry else (PEOPLE, 12))


def test_two_workers_at_one_import_are_one(worker: User) -> None:
    run = sent(worker, dry=False)
    beside = connection.copy()
    try:
        with beside.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(rosters._WORK_LOCK, [str(run)])
            assert "<progress" in page(worker, run)
            jobs.import_roster(run_id=str(run))
    finally:
        beside.close()
    assert ImportRun.objects.get(pk=run).stage == ImportRun.Stage.WRITING
    assert written() == (0, 0)


def test_what_a_killed_worker_had_begun_is_queued_again() -> None:
    jobs.import_roster.defer(run_id=str(new_id()))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '31 seconds') RETURNING id"
        )
        (gone,) = cursor.fetchone()
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", [gone])
    manager = app.job_manager

    assert asyncio.run(take_up_again(manager)) == 1
    assert ProcrastinateJob.objects.get().status == "todo"
    assert asyncio.run(take_up_again(manager)) == 0
