"""The job that carries out an import. It decides nothing: the rights are those its sender holds now."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection
from procrastinate.contrib.django import app

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Purpose
from lianfang.kernel import clock
from lianfang.kernel.actor import Actor

from .actions.rosters import carry_out
from .errors import RunCancelled, RunOver
from .models import ImportRun

if TYPE_CHECKING:
    from collections.abc import Callable


@app.task(name="people.import_roster", queue="imports", pass_context=False)
def import_roster(run_id: str) -> None:
    """Check or write one roster, as `start_run` marked it."""
    run = ImportRun.objects.get(pk=run_id)
    if run.stage not in (ImportRun.Stage.CHECKING, ImportRun.Stage.WRITING):
        return  # cancelled before it began
    with_progress, close = progress_of(run.pk)
    try:
        carry_out(run.pk, by=_sender(run), progress=with_progress)
    except RunOver:
        return  # another worker carries it out
    except Exception:
        # Our fault, not the file's: the import can be started again, and the queue's log says what happened.
        ImportRun.objects.filter(pk=run_id).update(stage=ImportRun.Stage.UPLOADED)
        raise
    finally:
        close()


def _sender(run: ImportRun) -> Actor:
    at = clock.now()
    return Actor(
        user_id=run.made_by,
        pseudonym=run.pseudonym,
        organ=run.organ,
        organ_kind="community",
        grants=accounts.grants_of(accounts.offices_held(run.made_by, at)),
        at=at,
        purpose=Purpose.REGISTER_KEEPING,
        surface="people.import_roster",
        request_id=run.pk,
    )


def progress_of(run_id: UUID) -> tuple[Callable[[int, int], None], Callable[[], None]]:
    """How far an import is, written beside its transaction so that others see it; and asked for cancellation."""
    beside = connection.copy()

    def step(done: int, total: int) -> None:
        with beside.cursor() as cursor:
            cursor.execute(
                "UPDATE people_importrun SET done = least(%s, total) WHERE id = %s RETURNING cancel_asked",
                [done, run_id],
            )
            row = cursor.fetchone()
        if row is None or row[0]:
            raise RunCancelled()

    return step, beside.close
