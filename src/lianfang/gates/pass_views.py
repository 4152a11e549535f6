"""Pages of passes: the resident's own, and the desk's for a person. Each writing page calls one act."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Purpose, Right
from lianfang.accounts.saying import sentence
from lianfang.accounts.web import actor, surface
from lianfang.credentials import queries as credentials
from lianfang.kernel.clock import legal_day
from lianfang.kernel.errors import NotFound, Refused
from lianfang.kernel.ids import new_id
from lianfang.kernel.surfaces import Repeat
from lianfang.messaging import press
from lianfang.orders import queries as orders
from lianfang.people import queries as people
from lianfang.people import reader
from lianfang.people.policy import PersonField
from lianfang.places import queries as places
from lianfang.places.policy import Kind

from . import own_overrides, passes, phones, policy, work_passes
from .cards import pass_card
from .errors import CodeNotValid
from .forms import ClearanceForm, PaperPassForm, WhyForm, WorkPassForm
from .labels import CLASSES, OVERRIDE_WORDS, VERDICTS, ways_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from django.http import HttpRequest

    from lianfang.credentials.queries import PassView, WorkGrantView
    from lianfang.kernel.actor import Actor
    from lianfang.people.queries import PersonRef

_MOST_BODY: Final = 4_096


def _person(person_id: UUID, *, by: Actor, right: Right) -> PersonRef:
    found = people.person_refs([person_id]).get(person_id)
    if found is None:
        raise NotFound
    by.require(right, over=found.area)
    return found


def _row(view: PassView, *, by: Actor) -> dict[str, Any]:
    """A pass as the pages show it. No verdict and no colour: a guard must scan."""
    phone, live = view.channel == "phone", view.revoked_at is None and view.valid_until > by.at
    return {
        "id": view.id,
        "number": view.pass_no,
        "kind": CLASSES[view.kind],
        "phone": phone,
        "until": view.valid_until,
        "live": live,
        # A phone that was off for days renews what is over, so it can still be stopped.
        "stoppable": live or (phone and view.revoked_at is None),
        "incomplete": policy.is_incomplete(view),
        "marked": work_passes.is_marked(view),
    }


def _shown_on_desk(view: PassView) -> bool:
    """One row for each card and each phone: not what a phone renewed, nor its passes for work, which have a grant."""
    if view.channel != "phone":
        return True
    return view.kind == "P" and view.revoked_reason != policy.REPLACED


def _grant_row(
    grant: WorkGrantView, held: Sequence[PassView], names: dict[str, str], *, by: Actor
) -> dict[str, Any]:
    """A grant for the phone as the desk shows it, and how many phones have fetched it."""
    on_phones = {
        p.cnf for p in held
        if p.channel == "phone" and p.kind == grant.kind and p.revoked_at is None and p.valid_until > by.at
    }  # fmt: skip
    return {
        "id": grant.id,
        "kind": CLASSES[grant.kind],
        "places": _listed(grant.zones, names),
        "until": grant.valid_until,
        "live": grant.withdrawn_at is None and grant.valid_until > by.at,
        "marked": work_passes.is_marked(grant),
        "phones": len(on_phones),
    }


def _compound_names(grants: Sequence[WorkGrantView]) -> dict[str, str]:
    """What the compounds of these grants are called, by their names on passes."""
    streets = {places.path_of_code(shard) for shard in sorted({g.shard for g in grants})}
    below = [v for path in streets if path for v in places.standing_below(path, kinds=[Kind.COMPOUND])]
    return {view.path.rpartition(".")[2]: view.name for view in below}


def _listed(zones: Sequence[str], names: dict[str, str]) -> str:
    return "、".join(names[zone] for zone in zones if zone in names)


def _island(person_id: UUID, *, by: Actor) -> dict[str, Any]:
    """What the phone's page must know. What it carries, it compares with `work`, and asks only when that differs."""
    grants = work_passes.in_force(person_id, at=by.at)
    names = _compound_names(grants)
    return {
        "holder": str(person_id),
        "enrol": reverse("gates:enrol_phone"),
        "renew": reverse("gates:renew_phone"),
        "work": [
            {
                "kind": grant.kind,
                "zones": list(grant.zones),
                "marked": work_passes.is_marked(grant),
                "until": int(grant.valid_until.timestamp()),
                "label": gettext("工作：%(places)s（%(kind)s）")
                % {"places": _listed(grant.zones, names), "kind": CLASSES[grant.kind]},
            }
            for grant in grants
        ],
    }


@never_cache
@surface(resident=True, purpose=Purpose.PASSES)
def own(request: HttpRequest) -> HttpResponse:
    """The resident's pass: a code that changes every 30 seconds, and the numbers of the paper ones."""
    by = actor(request)
    if by.person_id is None:
        raise NotFound
    person = people.person_refs([by.person_id]).get(by.person_id)
    if person is None:
        raise NotFound
    rows = [_row(p, by=by) for p in passes.of_person(person)]
    return render(
        request,
        "gates/own_pass.html",
        {
            "papers": [r for r in rows if r["live"] and not r["phone"]],
            "under_order": bool(orders.restrictions([person.id], by.at)),
            "overrides": [
                {
                    "row": one,
                    "way": ways_of(one.kind)[0 if one.inward else 1],
                    "verdict": VERDICTS[one.verdict],
                    "word": OVERRIDE_WORDS[one.word],
                }
                for one in own_overrides.of_person(person.id, at=by.at)
            ],
            "island": _island(person.id, by=by),
        },
    )


def _body(request: HttpRequest) -> dict[str, str]:
    """The small JSON object that the phone sends; anything else counts as an empty one."""
    if len(request.body) > _MOST_BODY:
        return {}
    try:
        content = json.loads(request.body)
    except ValueError:
        return {}
    if not isinstance(content, dict):
        return {}
    return {k: v for k, v in content.items() if isinstance(k, str) and isinstance(v, str)}


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise CodeNotValid from error


def _answer(tokens: Sequence[bytes]) -> JsonResponse:
    """`pass` for a page that was opened before phones could carry more than one."""
    said = [base64.urlsafe_b64encode(token).rstrip(b"=").decode() for token in tokens]
    return JsonResponse({"pass": said[0], "passes": said})


@require_POST
@surface(resident=True, purpose=Purpose.PASSES, repeat=Repeat.SPENT)
def enrol_phone(request: HttpRequest) -> HttpResponse:
    """Bind passes to this phone's key: {code, key} → {pass, passes}."""
    body = _body(request)
    try:
        found = phones.put_on_phone(body.get("code", ""), _decoded(body.get("key", "")), by=actor(request))
    except Refused as refusal:
        return JsonResponse({"refused": refusal.code, "sentence": sentence(refusal)}, status=422)
    return _answer(found)


@csrf_exempt
@require_POST
@surface(public=True, purpose=Purpose.PASSES, repeat=Repeat.SAME)
def renew_phone(request: HttpRequest) -> HttpResponse:
    """What the phone that proves it holds the key should carry now: {proof} → {pass, passes}.

    No cookie of ours has a say in it, so there is nothing that a foreign page could make a browser send.
    """
    try:
        found = phones.renew_on_phone(_body(request).get("proof", ""), by=actor(request))
    except Refused as refusal:
        return JsonResponse({"refused": refusal.code, "sentence": sentence(refusal)}, status=422)
    return _answer(found)


@never_cache
@surface(right=Right.CREDENTIALS_PASS_ISSUE, purpose=Purpose.PASSES, repeat=Repeat.SAME)
def desk(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """The passes of a person: issue on paper, print, withdraw, hand out a code for the phone."""
    by = actor(request)
    person = _person(person_id, by=by, right=Right.CREDENTIALS_PASS_ISSUE)
    form = PaperPassForm(request.POST or None, initial={"id": new_id()})
    if request.method == "POST" and form.is_valid():
        try:
            made = passes.give_paper_pass(form.draft(person_id), by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, gettext("已签发。请打印并交给本人。"))
            return redirect("gates:print_pass", person_id, made.pass_id)
    views = reader.read([person_id], (PersonField.NAME,), by=by)
    if person_id not in views:
        raise NotFound()
    held = passes.of_person(person)
    granted = credentials.work_granted(person_id)
    names = _compound_names(granted)
    return render(
        request,
        "gates/person_passes.html",
        {
            "person": views[person_id],
            "rows": [_row(p, by=by) for p in held if _shown_on_desk(p)],
            "granted": [_grant_row(g, held, names, by=by) for g in granted],
            "form": form,
            "new_id": new_id(),
            "may_hand_out_codes": by.may(Right.ACCOUNTS_LOGIN_CODE_ISSUE, over=person.area),
        },
        status=422 if form.errors else 200,
    )


@never_cache
@surface(right=Right.CREDENTIALS_PASS_ISSUE, purpose=Purpose.PASSES, repeat=Repeat.SAME)
def work(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Issue a pass for the work of a person, on paper or for the phone, for compounds where the actor issues passes."""
    by = actor(request)
    _person(person_id, by=by, right=Right.CREDENTIALS_PASS_ISSUE)
    found = places.addresses_below(by.areas(Right.CREDENTIALS_PASS_ISSUE), kinds=[Kind.COMPOUND])
    form = WorkPassForm(
        request.POST or None,
        compounds=sorted(found.items(), key=lambda item: item[1]),
        initial={"id": new_id(), "carried": "paper", "until_on": legal_day(by.at) + timedelta(days=30)},
    )
    if form.is_valid():
        try:
            if form.for_phone:
                work_passes.grant_work_on_phone(form.draft(person_id), by=by)
                messages.success(
                    request,
                    gettext("已准许。本人打开“我的出入证”即可领取；手机还没启用的，请打印一次性代码。"),
                )
                return redirect("gates:person_passes", person_id)
            made = work_passes.give_work_pass(form.draft(person_id), by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, gettext("已签发。请打印并交给本人。"))
            return redirect("gates:print_pass", person_id, made.pass_id)
    views = reader.read([person_id], (PersonField.NAME,), by=by)
    if person_id not in views:
        raise NotFound
    return render(
        request,
        "gates/work_pass.html",
        {"person": views[person_id], "form": form},
        status=422 if form.errors else 200,
    )


@require_POST
@surface(right=Right.CREDENTIALS_PASS_ISSUE, purpose=Purpose.PASSES, repeat=Repeat.SAME)
def clear(request: HttpRequest, person_id: UUID, pass_id: UUID) -> HttpResponse:
    """A worker is cleared: a new pass in the place of the marked one."""
    form = ClearanceForm(request.POST)
    if not form.is_valid():
        raise NotFound
    draft = work_passes.ClearanceDraft(id=form.cleaned_data["id"], person_id=person_id, pass_id=pass_id)
    made = work_passes.clear_worker(draft, by=actor(request))
    messages.success(request, gettext("已换发新证，旧证作废。请打印并交给本人。"))
    return redirect("gates:print_pass", person_id, made.pass_id)


@require_POST
@surface(right=Right.CREDENTIALS_PASS_ISSUE, purpose=Purpose.PASSES, repeat=Repeat.SAME)
def clear_on_phone(request: HttpRequest, person_id: UUID, work_id: UUID) -> HttpResponse:
    """A worker who carries the pass on the phone is cleared."""
    form = ClearanceForm(request.POST)
    if not form.is_valid():
        raise NotFound
    draft = work_passes.ClearanceDraft(id=form.cleaned_data["id"], person_id=person_id, pass_id=work_id)
    work_passes.clear_worker_on_phone(draft, by=actor(request))
    messages.success(request, gettext("已核验。本人打开“我的出入证”即换成新证。"))
    return redirect("gates:person_passes", person_id)


@require_POST
@surface(right=Right.CREDENTIALS_PASS_REVOKE, purpose=Purpose.PASSES, repeat=Repeat.SAME)
def withdraw_pass(request: HttpRequest, person_id: UUID, pass_id: UUID) -> HttpResponse:
    """Withdraw a lost pass."""
    form = WhyForm(request.POST)
    if form.is_valid():
        passes.withdraw_pass(pass_id, person_id=person_id, reason=form.cleaned_data["why"], by=actor(request))
        messages.success(request, gettext("已作废。"))
    else:
        messages.error(request, gettext("请写明原因。"))
    return redirect("gates:person_passes", person_id)


@require_POST
@surface(right=Right.CREDENTIALS_PASS_REVOKE, purpose=Purpose.PASSES, repeat=Repeat.SAME)
def withdraw_work(request: HttpRequest, person_id: UUID, work_id: UUID) -> HttpResponse:
    """Withdraw what phones may carry for work."""
    form = WhyForm(request.POST)
    if form.is_valid():
        why = form.cleaned_data["why"]
        work_passes.withdraw_work_on_phone(work_id, person_id=person_id, reason=why, by=actor(request))
        messages.success(request, gettext("已作废。"))
    else:
        messages.error(request, gettext("请写明原因。"))
    return redirect("gates:person_passes", person_id)


@never_cache
@surface(right=Right.CREDENTIALS_PASS_PRINT, purpose=Purpose.PASSES)
def card(request: HttpRequest, person_id: UUID, pass_id: UUID) -> HttpResponse:
    """The paper card of a pass, as PDF."""
    by = actor(request)
    person = _person(person_id, by=by, right=Right.CREDENTIALS_PASS_PRINT)
    found = next((p for p in passes.of_person(person) if p.id == pass_id and p.channel != "phone"), None)
    if found is None:
        raise NotFound
    reader.read([person_id], (PersonField.ADDRESS,), by=by)  # door, initials and year leave on the card
    organ = next(iter(accounts.organs(kind="community", covering=person.community)), None)
    paper = pass_card(
        found,
        credentials.token(found.id),
        community=places.place(person.community).name,
        phone=organ.phone if organ else "",
        lang=press.language(),
        demo=settings.DEMO,
    )
    return press.as_pdf([paper], f"pass-{paper.pass_no}", at=by.at)
