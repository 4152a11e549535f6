"""Pages of the roster import: send a file, say what its columns are, check, write, decide what is doubtful."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from lianfang.accounts.rights import Purpose, Right
from lianfang.accounts.web import actor, surface
from lianfang.kernel import clock
from lianfang.kernel.errors import NotFound, Refused
from lianfang.kernel.fields import within_any
from lianfang.kernel.surfaces import Repeat
from lianfang.places import queries as places

from . import actions, jobs, reader
from .actions import rosters
from .errors import RosterUnreadable
from .forms import ColumnsForm, UploadForm
from .labels import COUNTS, STAGES, WHY_SUSPECTED
from .models import ImportRun, SuspectedDuplicate
from .policy import PersonField
from .sealing import unseal
from .sentences import unreadable

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest

    from lianfang.kernel.actor import Actor

_BUSY = ("checking", "writing")


def _communities(by: Actor) -> list[tuple[str, str]]:
    """The communities over which `by` may import, with their names."""
    found: dict[str, str] = {}
    for area in by.areas(Right.PEOPLE_ROSTER_IMPORT):
        if places.kind_at(area) is places.Kind.COMMUNITY:
            found |= places.names([area])
        else:
            below = places.standing_below(area, kinds=(places.Kind.COMMUNITY,))
            found |= {p.path: p.name for p in below}
    return sorted(found.items(), key=lambda pair: pair[1])


def _run(run_id: UUID, by: Actor) -> ImportRun:
    run = ImportRun.objects.defer("content", "faults").filter(pk=run_id).first()
    if run is None or not by.may(Right.PEOPLE_ROSTER_IMPORT, over=run.community):
        raise NotFound()
    return run


@never_cache
@surface(right=Right.PEOPLE_ROSTER_IMPORT, purpose=Purpose.REGISTER_KEEPING, repeat=Repeat.SAME)
def imports(request: HttpRequest) -> HttpResponse:
    """Send a roster; and the last ones sent."""
    by = actor(request)
    form = UploadForm(request.POST or None, request.FILES or None, communities=_communities(by))
    if request.method == "POST" and form.is_valid():
        value = form.cleaned_data
        try:
            run_id = actions.receive_roster(
                value["id"],
                community=value["community"],
                filename=value["file"].name,
                content=value["file"].read(),
                by=by,
            )
        except RosterUnreadable as refusal:
            form.add_error("file", unreadable(refusal.facts))
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            return redirect("people:run", run_id)
    areas = list(by.areas(Right.PEOPLE_ROSTER_IMPORT))
    runs = (
        ImportRun.objects.defer("content", "faults")
        .filter(within_any("community", areas))
        .order_by("-made_at")[:20]
    )
    waiting = SuspectedDuplicate.objects.filter(within_any("area", areas), decision="")[:100]
    return render(
        request,
        "people/imports.html",
        {
            "form": form,
            "runs": [{"run": r, "stage": STAGES[r.stage]} for r in runs],
            "waiting": len(waiting),
        },
        status=422 if form.errors else 200,
    )


@never_cache
@surface(right=Right.PEOPLE_ROSTER_IMPORT, purpose=Purpose.REGISTER_KEEPING, repeat=Repeat.SAME)
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """One import: its columns to confirm, its progress, or what came of it."""
    by = actor(request)
    found = _run(run_id, by)
    form: ColumnsForm | None = None
    context: dict[str, object] = {
        "run": found,
        "stage": STAGES[found.stage],
        "busy": found.stage in _BUSY,
        "community": places.names([found.community]).get(found.community, ""),
        "counts": [(COUNTS[k], found.counts[k]) for k in COUNTS if k in found.counts],
        "percent": round(100 * found.done / found.total) if found.total else 0,
        "remaining": _remaining(found),
        # Queued, or begun by a worker that was killed: then the figure would be a promise nobody keeps.
        "waits": found.stage in _BUSY and not rosters.is_worked_on(found.pk),
    }
    if found.stage in ("uploaded", "faulty"):
        table = rosters.table_of(found)
        form = ColumnsForm(
            request.POST or None,
            headings=table.headings,
            columns=found.columns,
            initial={"compound": found.compound},
        )
        context |= {
            "form": form,
            "sample": [
                {
                    "field": form[f"column_{i}"],
                    "cells": [_hidden(row[i]) for row in table.rows[:3]],
                }
                for i in range(len(table.headings))
            ],
        }
        if request.method == "POST" and form.is_valid():
            try:
                actions.choose_columns(run_id, form.chosen(), compound=form.cleaned_data["compound"], by=by)
                started = actions.start_run(run_id, dry=True, by=by)
            except Refused as refusal:
                form.add_refusal(refusal)
            else:
                if started:
                    jobs.import_roster.defer(run_id=str(run_id))
                return redirect("people:run", run_id)
    elif request.method == "POST":
        return redirect("people:run", run_id)  # sent once more: it is under way
    status = 422 if form is not None and form.errors else 200
    response = render(request, "people/run.html", context, status=status)
    if context["busy"]:
        # Works without script: the page asks again by itself until the job is done.
        response["Refresh"] = "2"
    return response


def _hidden(cell: str) -> str:
    """A cell as shown for comparison: of long numbers only the ends, enough to see what the column is."""
    return f"{cell[:3]}＊＊＊{cell[-2:]}" if re.fullmatch(r"[0-9]{10,17}[0-9Xx]", cell) else cell


def _remaining(found: ImportRun) -> int | None:
    """Seconds left, from the speed so far."""
    if found.stage not in _BUSY or not found.done or found.begun_at is None:
        return None
    passed = (clock.now() - found.begun_at).total_seconds()
    return max(1, round(passed * (found.total - found.done) / found.done))


@require_POST
@surface(right=Right.PEOPLE_ROSTER_IMPORT, purpose=Purpose.REGISTER_KEEPING, repeat=Repeat.SAME)
def write(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Write what was checked."""
    if actions.start_run(run_id, dry=False, by=actor(request)):
        jobs.import_roster.defer(run_id=str(run_id))
    return redirect("people:run", run_id)


@require_POST
@surface(right=Right.PEOPLE_ROSTER_IMPORT, purpose=Purpose.REGISTER_KEEPING, repeat=Repeat.SAME)
def cancel(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Cancel an import."""
    actions.cancel_run(run_id, by=actor(request))
    messages.success(request, gettext("已取消，没有改动任何数据。"))
    return redirect("people:run", run_id)


@never_cache
@surface(right=Right.PEOPLE_ROSTER_IMPORT, purpose=Purpose.REGISTER_KEEPING)
def faults(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The faulty rows as a spreadsheet, to correct and send again."""
    response = HttpResponse(
        rosters.error_book(run_id, by=actor(request)),
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )
    response["Content-Disposition"] = 'attachment; filename="to-correct.xlsx"'
    return response


@never_cache
@surface(right=Right.PEOPLE_PERSON_CORRECT, purpose=Purpose.REGISTER_KEEPING)
def duplicates(request: HttpRequest) -> HttpResponse:
    """Rows held back because they may be somebody registered: side by side, to decide."""
    by = actor(request)
    areas = list(by.areas(Right.PEOPLE_PERSON_CORRECT))
    waiting = list(
        SuspectedDuplicate.objects.filter(within_any("area", areas), decision="").order_by("found_at")[:50]
    )
    fields = (PersonField.NAME, PersonField.BIRTH_DATE, PersonField.PHONE)
    views = reader.read([w.person_id for w in waiting], fields, by=by)
    rows = []
    for w in waiting:
        row = json.loads(unseal(w.row, of=w.pk, field="row"))
        if w.person_id in views:
            rows.append(
                {
                    "id": w.pk,
                    "why": WHY_SUSPECTED[w.why],
                    "person": views[w.person_id],
                    "row": {**row, "door": row["dwelling"][3], "last2": row["id_no"][-2:]},
                }
            )
    return render(request, "people/duplicates.html", {"rows": rows})


@require_POST
@surface(right=Right.PEOPLE_PERSON_CORRECT, purpose=Purpose.REGISTER_KEEPING, repeat=Repeat.SAME)
def decide(request: HttpRequest, duplicate_id: UUID) -> HttpResponse:
    """Say whether the two are one person."""
    actions.decide_duplicate(duplicate_id, request.POST.get("decision", ""), by=actor(request))
    messages.success(request, gettext("已处理。"))
    return redirect("people:duplicates")
