"""The documents as everybody may read them, and as officers see, compare, publish and end them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from lianfang.accounts.rights import Purpose, Right
from lianfang.accounts.web import actor, surface
from lianfang.kernel.errors import NotFound, Refused
from lianfang.kernel.ids import id_in
from lianfang.kernel.surfaces import Repeat
from lianfang.ledger import queries as ledger

from . import actions, labels, queries
from .errors import NoIncident
from .forms import ActForm, EndForm, IsolationForm, ListedAreasForm, VerifyForm, initial_of
from .policy import Kind

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

    from django.http import HttpRequest

    from .policy import Catalogue
    from .queries import Line


def _page(request: HttpRequest, *, published_only: bool) -> HttpResponse:
    by = actor(request)
    on = by.legal_day
    catalogue = _catalogue(on)
    found = queries.lines(on=on, published_only=published_only)
    chain = ledger.newest_states(line.entry_id for line in found if line.entry_id)
    rows = [
        {
            "line": line,
            "chain": chain[line.entry_id] if line.entry_id else None,
            "kind": labels.KINDS[line.kind],
            "subject": _subject(line, catalogue),
            "measure": labels.MEASURES.get(line.measure, ""),
            "follow_on": labels.MEASURES.get(line.follow_on_measure, ""),
        }
        for line in found
    ]
    return render(
        request,
        "rules/rules.html",
        {"rows": rows, "on_desk": not published_only, "may": bool(by.areas(Right.RULES_RULE_PUBLISH))},
    )


def _subject(line: Line, catalogue: Catalogue | None) -> str:
    """The reason of an isolation rule, in words."""
    is_reason = line.kind == Kind.ISOLATION
    return labels.said(*labels.reason_words(line.subject, catalogue)) if is_reason else ""


def _catalogue(on: date) -> Catalogue | None:
    try:
        return queries.catalogue(on)
    except NoIncident:
        return None


@surface(public=True)
def open_rules(request: HttpRequest) -> HttpResponse:
    """The published documents."""
    return _page(request, published_only=True)


@surface(public=True)
def text_file(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """A published document as one file: its SHA-256 is what the chain holds."""
    answer = HttpResponse(queries.published_text(document_id), content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="rule-{document_id}.json"'
    return answer


@surface(right=Right.RULES_RULE_SEE, purpose=Purpose.ADMINISTRATION)
def desk_rules(request: HttpRequest) -> HttpResponse:
    """All documents, drafts among them."""
    return _page(request, published_only=False)


@never_cache
@surface(right=Right.RULES_RULE_SEE, purpose=Purpose.ADMINISTRATION)
def document(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """One document, to be compared with the official text line by line."""
    return _document(request, document_id)


@never_cache
@surface(
    right=Right.RULES_RULE_PUBLISH, purpose=Purpose.ADMINISTRATION, fresh_factor=True, repeat=Repeat.SAME
)
def verify(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Say by name that it was compared with the official text."""
    return _document(request, document_id, VerifyForm(request.POST or None))


@never_cache
@surface(
    right=Right.RULES_RULE_PUBLISH, purpose=Purpose.ADMINISTRATION, fresh_factor=True, repeat=Repeat.SAME
)
def publish(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Put another person's draft in force."""
    return _document(request, document_id, ActForm(request.POST or None))


@never_cache
@surface(
    right=Right.RULES_RULE_PUBLISH, purpose=Purpose.ADMINISTRATION, fresh_factor=True, repeat=Repeat.SAME
)
def end(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Set its last day."""
    return _document(request, document_id, EndForm(request.POST or None))


@never_cache
@surface(right=Right.RULES_RULE_PUBLISH, purpose=Purpose.ADMINISTRATION, repeat=Repeat.SAME)
def draft_isolation(request: HttpRequest) -> HttpResponse:
    """Write down how long people are isolated for one reason."""
    return _draft(request, IsolationForm, gettext("起草隔离期限"))


@never_cache
@surface(right=Right.RULES_RULE_PUBLISH, purpose=Purpose.ADMINISTRATION, repeat=Repeat.SAME)
def draft_areas(request: HttpRequest) -> HttpResponse:
    """Write down from where an arrival calls for a look."""
    return _draft(request, ListedAreasForm, gettext("起草重点地区名单"))


def _draft(request: HttpRequest, made_of: type[IsolationForm | ListedAreasForm], title: str) -> HttpResponse:
    by = actor(request)
    catalogue = _catalogue(by.legal_day)
    if catalogue is None:
        raise NotFound
    like = id_in(request.GET.get("like", ""))
    initial = initial_of(queries.document(like, on=by.legal_day)) if like else {}
    form = made_of(request.POST or None, catalogue=catalogue, initial=initial)
    if form.is_valid():
        try:
            drafted = actions.draft_document(form.draft(area=queries.incident().area), by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, gettext("已存为草稿。请另一人核对后发布。"))
            return redirect("rules:document", drafted)
    return render(
        request, "rules/draft.html", {"form": form, "title": title}, status=422 if form.errors else 200
    )


def _document(
    request: HttpRequest, document_id: UUID, form: VerifyForm | EndForm | ActForm | None = None
) -> HttpResponse:
    by = actor(request)
    found = queries.document(document_id, on=by.legal_day)
    if form is not None and form.is_valid():
        try:
            if isinstance(form, VerifyForm):
                actions.verify_document(document_id, verified_by=form.cleaned_data["verified_by"], by=by)
            elif isinstance(form, EndForm):
                actions.end_document(document_id, last_day=form.cleaned_data["last_day"], by=by)
            else:
                actions.publish_document(document_id, by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, gettext("已办理。"))
            return redirect("rules:document", document_id)
    line = found.line
    chain = ledger.newest_states(entry for entry in (line.entry_id, line.ended_entry_id) if entry)
    context = {
        "line": line,
        "published": chain[line.entry_id] if line.entry_id else None,
        "ended": chain[line.ended_entry_id] if line.ended_entry_id else None,
        "kind": labels.KINDS[found.line.kind],
        "subject": _subject(found.line, _catalogue(by.legal_day)),
        "content": _shown(found.content),
        "like": {Kind.ISOLATION: "rules:draft_isolation", Kind.LISTED_AREAS: "rules:draft_areas"}.get(
            Kind(found.line.kind), ""
        ),
        "may": bool(by.areas(Right.RULES_RULE_PUBLISH)) and form is None,
        "form": form,
    }
    return render(request, "rules/document.html", context, status=422 if form and form.errors else 200)


def _shown(value: object) -> dict[str, object]:
    """A document's content with the names of its parts, for a template that calls itself."""
    if isinstance(value, dict):
        return {"parts": [(labels.CONTENT.get(name, name), _shown(part)) for name, part in value.items()]}
    if isinstance(value, list):
        return {"list": [_shown(part) for part in value]}
    if isinstance(value, bool):
        return {"text": gettext("是") if value else gettext("否")}
    return {"text": labels.value(value)}
