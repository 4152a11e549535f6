"""The auditor's pages, and the one on which a grant is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Purpose, Right
from lianfang.accounts.web import actor, surface
from lianfang.kernel.clock import start_of_legal_day
from lianfang.kernel.errors import Refused
from lianfang.kernel.surfaces import Repeat
from lianfang.ledger import queries as ledger
from lianfang.places import queries as places
from lianfang_chain.words import words_of

from . import actions, queries
from .bundle import bundle
from .forms import DatesForm, GrantForm, OpenForm, SampleForm
from .policy import ONE_DAY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from django.http import HttpRequest


MOST_SHOWN: Final = 200


@never_cache
@surface(right=Right.AUDIT_GRANT_GIVE, purpose=Purpose.ADMINISTRATION, fresh_factor=True, repeat=Repeat.SAME)
def give(request: HttpRequest) -> HttpResponse:
    """Let an auditor look at one order or one period."""
    by = actor(request)
    areas = by.areas(Right.AUDIT_GRANT_GIVE)
    auditors = accounts.auditors(areas, by.at)
    names = places.addresses(area for _, area in auditors)
    form = GrantForm(
        request.POST or None,
        auditors=[(login, f"{login} · {names.get(area, area)}") for login, area in auditors],
        areas=_whole_areas(areas),
    )
    if form.is_valid():
        try:
            actions.give_grant(form.draft(), by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, gettext("已授权，并记入信息链。"))
            return redirect("audit:give")
    return render(
        request,
        "audit/give.html",
        {"form": form, "nobody": not auditors},
        status=422 if form.errors else 200,
    )


def _whole_areas(areas: Iterable[str]) -> list[tuple[str, str]]:
    """The districts, streets and communities within these areas, the larger ones first."""
    kinds = (places.Kind.DISTRICT, places.Kind.STREET, places.Kind.COMMUNITY)
    found = places.addresses_below(areas, kinds=kinds)
    return sorted(found.items(), key=lambda item: (item[0].count("."), item[1]))


@never_cache
@surface(right=Right.AUDIT_GRANT_USE, purpose=Purpose.AUDIT)
def desk(request: HttpRequest) -> HttpResponse:
    """The auditor's grants, and whether anything was rewritten between two days."""
    by = actor(request)
    form = DatesForm(request.GET or None)
    context: dict[str, object] = {"form": form, "at": by.at}
    if form.is_bound and form.is_valid():
        older = ledger.checkpoint_before(start_of_legal_day(form.cleaned_data["older"] + ONE_DAY))
        newer = ledger.checkpoint_before(start_of_legal_day(form.cleaned_data["newer"] + ONE_DAY))
        context |= {"asked": True, "older": older, "newer": newer}
        context |= {"older_note": _note_of(older), "newer_note": _note_of(newer)}
        if older and newer and older.origin != newer.origin:
            context["ended"], context["ended_at"] = ledger.ended_as(older.origin) or ("", None)
        elif older and newer and older.size <= newer.size:
            context["consistent"] = ledger.are_consistent(older, newer)
            context["of_former"], _ = ledger.ended_as(newer.origin) or ("", None)
    grants = queries.grants_of(by)
    names = places.addresses(held.area for held in grants)
    context["grants"] = [(held, names.get(held.area, held.area)) for held in grants]
    return render(request, "audit/desk.html", context)


def _note_of(head: ledger.Head | None) -> str:
    """Where the checkpoint is handed out; of a chain that has ended, among its files."""
    if head is None:
        return ""
    if ended := ledger.ended_as(head.origin):
        return reverse("ledger:former_file", args=[ended[0], f"checkpoint/{head.size}"])
    return reverse("ledger:checkpoint_of", args=[head.size])


@never_cache
@surface(right=Right.AUDIT_GRANT_USE, purpose=Purpose.AUDIT)
def grant(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """What a grant is about, its sample and its cases."""
    by = actor(request)
    held = actions.held(grant_id, by=by)
    rows = queries.entries_of(held)
    shown = rows[:MOST_SHOWN]
    organs = accounts.organ_names({held.organ, *(row.organ for row in shown)})
    drawn = queries.draw_of(held)
    return render(
        request,
        "audit/grant.html",
        {
            "grant": held,
            "area": places.addresses([held.area]).get(held.area, held.area),
            "organ": organs.get(held.organ, held.organ),
            "count": len(rows),
            "rows": [(r, words_of(r.kind), organs.get(r.organ, r.organ)) for r in shown],
            "draw": drawn,
            "seed": [drawn.seed[i : i + 4].hex() for i in range(0, len(drawn.seed), 4)] if drawn else [],
            "cases": queries.cases_of(held, by.at),
            "sample_form": SampleForm(),
            "open_form": OpenForm(),
        },
    )


@never_cache
@surface(right=Right.AUDIT_GRANT_USE, purpose=Purpose.AUDIT)
def evidence(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """The evidence as one file."""
    by = actor(request)
    held = actions.held(grant_id, by=by)
    answer = HttpResponse(bundle(held, at=by.at), content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="evidence-{held.pk}.zip"'
    return answer


@require_POST
@surface(right=Right.AUDIT_GRANT_USE, purpose=Purpose.AUDIT, repeat=Repeat.SAME)
def sample(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Ask for the one sample of a grant."""
    form = SampleForm(request.POST)
    if not form.is_valid():
        messages.error(request, gettext("抽 1 至 200 例。"))
    else:
        given = form.cleaned_data
        actions.ask_sample(given["id"], grant_id, count=given["count"], by=actor(request))
    return redirect("audit:grant", grant_id)


@never_cache
@require_POST
@surface(right=Right.AUDIT_GRANT_USE, purpose=Purpose.AUDIT, fresh_factor=True, repeat=Repeat.SAME)
def identity(request: HttpRequest, grant_id: UUID, entry_id: UUID) -> HttpResponse:
    """Who one case is about; the reading stands on the person's list."""
    by = actor(request)
    form = OpenForm(request.POST)
    found = None
    if form.is_valid():
        found = actions.open_identity(grant_id, entry_id, reason=form.cleaned_data["reason"], by=by)
    return render(
        request,
        "audit/identity.html",
        {"form": form, "found": found, "grant_id": grant_id, "entry_id": entry_id},
        status=200 if found else 422,
    )
