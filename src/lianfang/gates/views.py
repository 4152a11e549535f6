"""Pages about posts for staff. They decide nothing; each writing page calls one act."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import segno
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Purpose, Right
from lianfang.accounts.web import actor, surface
from lianfang.credentials import queries as credentials
from lianfang.kernel.clock import legal_day
from lianfang.kernel.errors import Refused
from lianfang.kernel.surfaces import Repeat
from lianfang.people import queries as people
from lianfang.people import reader
from lianfang.places import queries as places
from lianfang_chain import cbor

from . import actions, kept_codes, queries, tickets
from .act_lines import lines as act_lines
from .forms import BacklogForm, CarriedFileForm, ClosingForm, CorrectionForm, GateForm, WhyForm
from .labels import ALARMS, CLASSES, KINDS, LACKS, OVERRIDE_WORDS, SILENCES, TICKETS, VERDICTS, ways_of

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest

    from lianfang.kernel.actor import Actor

    from .models import Gate

_HOURS_SHOWN: Final = timedelta(hours=24)
_BLANK_LINES: Final = 24


@never_cache
@surface(right=Right.GATES_POST_SEE, purpose=Purpose.GATE)
def posts(request: HttpRequest) -> HttpResponse:
    """All posts: the silent ones first, with the age of their list and what they have counted in a day."""
    by = actor(request)
    asked = request.GET.get("q", "").strip()
    all_posts = queries.posts(by=by)
    where = places.addresses({post.area for post in all_posts})
    rows = [
        {
            "post": post,
            "kind": KINDS[post.kind],
            "where": where.get(post.area, ""),
            "silence": SILENCES[post.silence],
            "lacks": [LACKS[lack] for lack in post.lacks],
            "verdicts": [post.verdicts[v] for v in queries.VERDICTS],
        }
        for post in all_posts
        if asked in f"{where.get(post.area, '')}{post.name}"
    ]
    states = Counter(str(post.silence) for post in all_posts)
    lacking = Counter(str(lack) for post in all_posts for lack in post.lacks)
    alarms = [{"alarm": alarm, "kind": ALARMS[alarm.kind]} for alarm in queries.alarms(by=by)]
    # What is on the page, to the minute: asked every few seconds, it is sent again only when it differs.
    seen = hashlib.sha256(repr((rows, alarms, by.at.replace(second=0, microsecond=0))).encode()).hexdigest()[
        :16
    ]
    if request.headers.get("HX-Request") and request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    return render(
        request,
        "gates/_posts.html" if request.headers.get("HX-Request") else "gates/posts.html",
        {
            "rows": rows,
            "asked": asked,
            "states": [
                *((state, SILENCES[state], states[state]) for state in SILENCES if states[state]),
                *(("amber", word, lacking[lack]) for lack, word in LACKS.items() if lacking[lack]),
            ],
            "alarms": alarms,
            "closed": [] if request.headers.get("HX-Request") else queries.closed_posts(by=by),
            "seen": seen,
            "verdicts": [VERDICTS[v] for v in queries.VERDICTS],
            "now": by.at,
            "may_enrol": bool(by.areas(Right.GATES_DEVICE_ENROL)),
            "may_enter": bool(by.areas(Right.GATES_BACKLOG_ENTER)),
        },
    )


@never_cache
@surface(right=Right.GATES_POST_SEE, purpose=Purpose.GATE)
def post(request: HttpRequest, gate_id: UUID) -> HttpResponse:
    """One post: its devices, what is missing or in conflict, and its hours; also when it is closed."""
    by = actor(request)
    gate = queries.gate(gate_id, by=by, closed_too=True)
    return render(
        request,
        "gates/post.html",
        {
            "gate": gate,
            "ways": ways_of(gate.kind),
            "kind": KINDS[gate.kind],
            "devices": queries.devices_of(gate.pk, at=by.at),
            "hours": [
                {
                    "hour": h.hour,
                    "verdicts": [h.verdicts[v] for v in queries.VERDICTS],
                    "overrides": h.overrides,
                }
                for h in queries.hours_of(gate.pk, since=by.at - _HOURS_SHOWN)
            ],
            "verdicts": [VERDICTS[v] for v in queries.VERDICTS],
            "overrides": [
                {"count": row, "verdict": VERDICTS[row.verdict], "word": OVERRIDE_WORDS[row.word]}
                for row in queries.overrides_of(gate, by=by)
            ],
            "handovers": [
                {
                    "handover": h,
                    "verdicts": [h.counts.get(v, 0) for v in queries.VERDICTS],
                }
                for h in queries.handovers_of(gate.pk)
            ],
            "admitted": queries.admitted_to(gate.pk),
            "acts": act_lines(queries.acts_at(gate.zones, by=by)),
            "files": queries.carried_files_of(gate.pk),
            "tickets": _tickets(gate, by=by),
            "codes": kept_codes.count_of(gate, at=by.at),
            "kept": [
                {"code": code, "verdict": VERDICTS[code.verdict]} for code in kept_codes.codes_of(gate, by=by)
            ],
            "may_enrol": by.may(Right.GATES_DEVICE_ENROL, over=gate.area),
            "may_change": gate.closed_at is None and by.may(Right.GATES_DEVICE_ENROL, over=gate.area),
            "may_enter": by.may(Right.GATES_BACKLOG_ENTER, over=gate.area),
            "why": WhyForm(),
        },
    )


@require_POST
@surface(right=Right.GATES_HELP_ANSWER, purpose=Purpose.GATE, repeat=Repeat.SAME)
def answer(request: HttpRequest, signal_id: int) -> HttpResponse:
    """Take up a call for help."""
    actions.answer_signal(signal_id, by=actor(request))
    messages.success(request, gettext("已记下由您应答。请立即打电话或到场。"))
    return redirect("gates:posts")


@never_cache
@surface(right=Right.GATES_DEVICE_ENROL, purpose=Purpose.GATE, repeat=Repeat.SAME)
def new_gate(request: HttpRequest) -> HttpResponse:
    """Set up a post."""
    by = actor(request)
    form = GateForm(request.POST or None, places=places_of(by, Right.GATES_DEVICE_ENROL))
    if form.is_valid():
        try:
            gate = actions.set_up_gate(form.draft(), by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            return redirect("gates:post", gate.pk)
    return render(request, "gates/new_gate.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@surface(right=Right.GATES_DEVICE_ENROL, purpose=Purpose.GATE, repeat=Repeat.SAME)
def edit(request: HttpRequest, gate_id: UUID) -> HttpResponse:
    """Correct a post. Its devices show it within minutes; those without a network, when they have one again."""
    by = actor(request)
    gate = queries.gate(gate_id, by=by, right=Right.GATES_DEVICE_ENROL)
    form = CorrectionForm(request.POST or None, gate=gate, places=places_of(by, Right.GATES_DEVICE_ENROL))
    if form.is_valid():
        try:
            actions.set_up_gate(form.draft(), by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, gettext("已更正。联网的设备约十分钟内更换，断网的联网后更换。"))
            return redirect("gates:post", gate.pk)
    shown = {"form": form, "gate": gate}
    return render(request, "gates/edit_gate.html", shown, status=422 if form.errors else 200)


@never_cache
@surface(right=Right.GATES_DEVICE_ENROL, purpose=Purpose.GATE, repeat=Repeat.SAME)
def close(request: HttpRequest, gate_id: UUID) -> HttpResponse:
    """Close a post for good, once the reason is given and the box is ticked."""
    by = actor(request)
    gate = queries.gate(gate_id, by=by, right=Right.GATES_DEVICE_ENROL, closed_too=True)
    form = ClosingForm(request.POST or None)
    if form.is_valid():
        actions.close_gate(gate.pk, reason=form.cleaned_data["why"], by=by)
        messages.success(request, gettext("卡口已撤销，设备已停用。它们已写下的记录仍可补传。"))
        return redirect("gates:post", gate.pk)
    shown = {"form": form, "gate": gate, "devices": queries.devices_in_use(gate.pk)}
    return render(request, "gates/close_gate.html", shown, status=422 if form.errors else 200)


@never_cache
@surface(right=Right.GATES_DEVICE_ENROL, purpose=Purpose.GATE, repeat=Repeat.ANEW)
def enrol(request: HttpRequest, gate_id: UUID) -> HttpResponse:
    """Show the one-time code of a new device. Making one is a POST; a code seen once is not shown again."""
    by = actor(request)
    gate = queries.gate(gate_id, by=by, right=Right.GATES_DEVICE_ENROL)
    shown: dict[str, Any] = {"gate": gate}
    if request.method == "POST":
        offer = actions.open_enrolment(gate.pk, by=by)
        body = cbor.encode({1: 1, 2: offer.code, 3: offer.thumbprint, 4: offer.gate_id.bytes})
        fragment = base64.urlsafe_b64encode(body).rstrip(b"=").decode()
        link = request.build_absolute_uri("/gate/") + f"#enrol={fragment}"
        shown |= {"link": link, "qr": _qr(link), "expires_at": offer.expires_at}
    return render(request, "gates/enrol.html", shown)


@require_POST
@surface(right=Right.GATES_DEVICE_ENROL, purpose=Purpose.GATE, repeat=Repeat.SAME)
def withdraw(request: HttpRequest, gate_id: UUID, device_id: UUID) -> HttpResponse:
    """Withdraw a device that was lost or replaced."""
    form = WhyForm(request.POST)
    if form.is_valid():
        actions.withdraw_device(device_id, reason=form.cleaned_data["why"], by=actor(request))
        messages.success(request, gettext("设备已停用。它已写下的记录仍可补传。"))
    else:
        messages.error(request, gettext("请写明原因。"))
    return redirect("gates:post", gate_id)


@require_POST
@surface(right=Right.GATES_DEVICE_ENROL, purpose=Purpose.GATE, repeat=Repeat.SAME)
def explain(request: HttpRequest, gate_id: UUID, device_id: UUID) -> HttpResponse:
    """Say why records of a device are missing or in conflict."""
    form = WhyForm(request.POST)
    if form.is_valid():
        actions.explain_missing(device_id, why=form.cleaned_data["why"], by=actor(request))
        messages.success(request, gettext("说明已记下。"))
    else:
        messages.error(request, gettext("请写明原因。"))
    return redirect("gates:post", gate_id)


@require_POST
@surface(right=Right.GATES_DEVICE_ENROL, purpose=Purpose.GATE, repeat=Repeat.SAME)
def close_ticket(request: HttpRequest, gate_id: UUID, ticket_id: int) -> HttpResponse:
    """Say what came of a passage of which the post had not heard what was known."""
    form = WhyForm(request.POST)
    if form.is_valid():
        tickets.close_ticket(ticket_id, gate_id=gate_id, word=form.cleaned_data["why"], by=actor(request))
        messages.success(request, gettext("已记下，核实完毕。"))
    else:
        messages.error(request, gettext("请写明核实的结果。"))
    return redirect("gates:post", gate_id)


@never_cache
@require_POST
@surface(right=Right.GATES_CODE_OPEN, purpose=Purpose.GATE, repeat=Repeat.SAME)
def open_code(request: HttpRequest, gate_id: UUID, code_id: int) -> HttpResponse:
    """What a code says that a gate could not trust; each opening is recorded."""
    form, code = WhyForm(request.POST), None
    if form.is_valid():
        why = form.cleaned_data["why"]
        code = kept_codes.open_code(code_id, gate_id=gate_id, reason=why, by=actor(request))
    return render(
        request,
        "gates/kept_code.html",
        {"form": form, "code": code, "gate_id": gate_id, "code_id": code_id},
        status=422 if code is None else 200,
    )


@never_cache
@surface(right=Right.GATES_BACKLOG_ENTER, purpose=Purpose.GATE, repeat=Repeat.SAME)
def backlog(request: HttpRequest, gate_id: UUID) -> HttpResponse:
    """Type in a paper register, line by line, from the keyboard alone."""
    by = actor(request)
    gate = queries.gate(gate_id, by=by, right=Right.GATES_BACKLOG_ENTER, closed_too=True)
    kept = {"day": request.GET.get("day") or legal_day(by.at - timedelta(hours=6)).isoformat(),
            "inward": request.GET.get("inward", "1")}  # fmt: skip
    lines = queries.backlog_of(gate.pk, at=by.at)
    wrong = next((row for row in lines if str(row.pk) == request.GET.get("corrects")), None)
    form = BacklogForm(
        request.POST or None,
        now=by.at,
        kind=gate.kind,
        initial=kept if wrong is None else BacklogForm.correcting(wrong),
    )
    if form.is_valid():
        try:
            row = actions.enter_backlog(form.draft(gate.pk), by=by)
        except Refused as refusal:
            form.add_refusal(refusal, field="who")
        else:
            messages.success(request, gettext("已记：%(time)s") % {"time": form.cleaned_data["time"]})
            query = f"?day={form.cleaned_data['day'].isoformat()}&inward={int(row.inward)}"
            return redirect(request.path + query)
    return render(
        request,
        "gates/backlog.html",
        {
            "form": form,
            "gate": gate,
            "ways": ways_of(gate.kind),
            "wrong": wrong,
            "rows": [{"row": row, "verdict": VERDICTS[row.verdict]} for row in lines],
        },
        status=422 if form.errors else 200,
    )


@never_cache
@surface(right=Right.GATES_BACKLOG_ENTER, purpose=Purpose.GATE, repeat=Repeat.SAME)
def bring(request: HttpRequest) -> HttpResponse:
    """Hand in the file of a device without network."""
    form = CarriedFileForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        try:
            carried = actions.bring_file(form.cleaned_data["file"], by=actor(request))
        except Refused as refusal:
            form.add_refusal(refusal, field="file")
        else:
            return redirect("gates:carried", carried.pk)
    return render(request, "gates/bring.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@surface(right=Right.GATES_BACKLOG_ENTER, purpose=Purpose.GATE)
def carried(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """What was found in a file that was brought, and the receipts for the device."""
    row = queries.carried_file(file_id, by=actor(request))
    lines = [
        {**line, "device": line["device"][-8:], "again": line["rows"] - line["new"] - line["other"]}
        for line in row.found
    ]
    return render(request, "gates/carried.html", {"file": row, "lines": lines})


@never_cache
@surface(right=Right.GATES_BACKLOG_ENTER, purpose=Purpose.GATE)
def receipts(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """The receipts as a file: a device that reads it deletes what they cover."""
    row = queries.carried_file(file_id, by=actor(request))
    return HttpResponse(
        bytes(row.answer),
        content_type="application/cbor",
        headers={"Content-Disposition": f'attachment; filename="lianfang-{row.pk.hex[-8:]}.receipts"'},
    )


@never_cache
@surface(right=Right.GATES_POST_SEE, purpose=Purpose.GATE)
def folder(request: HttpRequest, gate_id: UUID) -> HttpResponse:
    """What a post needs without electricity: blank registers, phones, classes of passes, the life-exit rule."""
    gate = queries.gate(gate_id, by=actor(request))
    return render(
        request,
        "gates/folder.html",
        {
            "gate": gate,
            "ways": ways_of(gate.kind),
            "kind": KINDS[gate.kind],
            "classes": CLASSES.items(),
            "lines": range(1, _BLANK_LINES + 1),
            "phones": [
                (organ.name, organ.phone) for organ in accounts.organs(covering=gate.area) if organ.phone
            ],
        },
    )


def _tickets(gate: Gate, *, by: Actor) -> list[tuple[str, list[dict[str, Any]]]]:
    """The tickets of a post: of what it had not heard, and of papers that are lacking. Number and door of a pass only where the reader hands out whose it is; of a closed
    ticket they are not asked for again.
    """
    views = queries.tickets_of(gate, by=by)
    printed = credentials.passes_by_id(t.pass_id for t in views if t.closed_at is None)
    # A household's pass is its members'; a page shows few tickets, so few households.
    people_of = {
        p.id: people.members_of(p.holder_id) if p.kind == "H" else [p.holder_id] for p in printed.values()
    }
    known = reader.read({pk for persons in people_of.values() for pk in persons}, by=by) if printed else {}
    rows: dict[str, list[dict[str, Any]]] = {"unheard": [], "unserved": []}
    for ticket in views:
        whose = [pk for pk in people_of.get(ticket.pass_id, ()) if pk in known]
        age = ticket.list_age
        rows["unserved" if ticket.cause == "unserved" else "unheard"].append(
            {
                "ticket": ticket,
                "cause": TICKETS[ticket.cause],
                "pass": printed[ticket.pass_id] if whose else None,
                "age": divmod(int(age.total_seconds()) // 60, 60) if age is not None else None,
            }
        )
    return [(about, found) for about, found in rows.items() if found]


def places_of(by: Actor, right: Right) -> list[tuple[str, str]]:
    """The communities and compounds over which the actor holds a right, by their address."""
    kinds = (places.Kind.COMMUNITY, places.Kind.COMPOUND)
    found = places.addresses_below(by.areas(right), kinds=kinds)
    return sorted(found.items(), key=lambda item: item[1])


def _qr(text: str) -> str:
    svg = segno.make(text, error="m", boost_error=False).svg_inline(scale=5, border=4, omitsize=True)
    return mark_safe(svg)  # noqa: S308 - drawn by segno from our own text
