"""What a resident sees of an order on the own person, and how they report and object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Purpose
from lianfang.accounts.web import actor, surface
from lianfang.concerns import actions as concerns_actions
from lianfang.concerns import queries as concerns
from lianfang.credentials import actions as credentials
from lianfang.kernel.clock import legal_day
from lianfang.kernel.errors import NotFound, Refused
from lianfang.kernel.surfaces import Rate, Repeat
from lianfang.rules import labels as rule_labels
from lianfang.rules import queries as rules

from . import actions, appeals, labels, pages, policy, prints, proofs, queries
from .forms import AppealForm, ArrivalForm, SymptomForm

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from lianfang.concerns.actions import Answer
    from lianfang.kernel.actor import Actor


@never_cache
@surface(resident=True, purpose=Purpose.OWN_DATA)
def own(request: HttpRequest) -> HttpResponse:
    """Free, or under which order: until when, who decided, on what, how to object, where it stands in the chain."""
    by = actor(request)
    assert by.person_id is not None
    # The one status function, so that this page never says anything else than a gate (S-2).
    running = queries.restrictions([by.person_id], by.at).get(by.person_id, [])
    in_force = {r.order_id for r in running}
    shown = [_shown(o, by.at) for o in queries.orders_of(by.person_id, by.at)]
    return render(
        request,
        "orders/own.html",
        {
            "running": [o for o in shown if o["order"].id in in_force],  # type: ignore[attr-defined]  # an OrderView
            "earlier": [o for o in shown if o["order"].id not in in_force],  # type: ignore[attr-defined]  # as above
            "waiting": concerns.open_concerns_of(by.person_id, by.at),
            "slips": {"holder": str(by.person_id), "slips": _slips(shown, by.at)},
        },
    )


def _slips(shown: list[dict[str, object]], at: datetime) -> list[str]:
    """The texts of the codes on the notices: of what runs the order's and the release's, of what was lifted the lift's."""
    orders = [order for item in shown if isinstance(order := item["order"], queries.OrderView)]
    counting = [o for o in orders if not o.is_ahead and o.over_at + credentials.SLIP_REST > at]
    return [
        slip
        for o in counting
        for slip in (
            [o.lift_slip]
            if o.lift_slip
            else [o.order_slip, o.release_slip]
            if at < o.ends_at
            else [o.release_slip]
        )
    ]


def _shown(order: queries.OrderView, at: datetime) -> dict[str, object]:
    day = legal_day(order.signed_at)
    organ = accounts.organ(order.organ)
    rule = rules.rule_of(order.rule_id)
    return {
        "order": order,
        "measure": rule_labels.MEASURES[order.measure],
        "reason": labels.reason(order.reason, day, area=order.area),
        "organ": organ.name if organ else order.organ,
        "phone": organ.phone if organ else "",
        "rule": rule,
        "event": rule_labels.event(rule.anchor_event),
        "last_full_day": order.last_full_day,
        "remedies": prints.remedies(order, rules.Quoted()),
        "appeals": appeals.of_order(order.id),
        "chain": proofs.states_of(order.id),
        "may_appeal": at < order.ends_at + policy.APPEAL_AFTER_END,
    }


@never_cache
@surface(resident=True, purpose=Purpose.OWN_DATA, repeat=Repeat.SAME)
def appeal(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Object to an order in own words."""
    by = actor(request)
    order = queries.order(order_id, by=by)
    if order is None or order.person_id != by.person_id:
        raise NotFound
    form = AppealForm(request.POST or None)

    def act() -> object:
        return actions.appeal(form.draft(order_id), by=by)

    said = gettext("申诉已提交，由另一机构审理，24小时内答复。")
    context = {"order": order, "chain": proofs.standing_of([order_id])[order_id][1]}
    return pages.done(request, form, act, "orders:own", "orders/own_appeal.html", context, said=said)


@surface(resident=True, purpose=Purpose.REPORT_INTAKE)
def report(request: HttpRequest) -> HttpResponse:
    """Which of the two reports."""
    return render(request, "orders/report.html")


@never_cache
@surface(resident=True, purpose=Purpose.REPORT_INTAKE, repeat=Repeat.SAME, rate=Rate.REPORT)
def arrival(request: HttpRequest) -> HttpResponse:
    """I came from elsewhere: answered at once."""
    by = actor(request)
    assert by.person_id is not None
    return arrival_page(request, by.person_id, by=by, template="orders/report_form.html")


@never_cache
@surface(resident=True, purpose=Purpose.REPORT_INTAKE, repeat=Repeat.SAME, rate=Rate.REPORT)
def symptoms(request: HttpRequest) -> HttpResponse:
    """I do not feel well: answered at once."""
    by = actor(request)
    assert by.person_id is not None
    return symptoms_page(request, by.person_id, by=by, template="orders/report_form.html")


def arrival_page(request: HttpRequest, person_id: UUID, *, by: Actor, template: str) -> HttpResponse:
    """The form of an arrival and its answer, for the person or by proxy."""
    form = ArrivalForm(
        request.POST or None,
        origins=_origins(by),
        by_officer=by.person_id != person_id,
        initial={"arrived_at": by.at},
    )
    if form.is_valid():
        try:
            answer = concerns_actions.report_arrival(form.draft(person_id), by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            return _answered(request, person_id, answer, by=by)
    context = {"form": form, "kind": "arrival"}
    return render(request, template, context, status=422 if form.errors else 200)


def symptoms_page(request: HttpRequest, person_id: UUID, *, by: Actor, template: str) -> HttpResponse:
    """The form of symptoms and its answer, for the person or by proxy."""
    form = SymptomForm(request.POST or None)
    if form.is_valid():
        try:
            answer = concerns_actions.report_symptoms(form.draft(person_id), by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            return _answered(request, person_id, answer, by=by)
    context = {"form": form, "kind": "symptoms"}
    return render(request, template, context, status=422 if form.errors else 200)


def _answered(request: HttpRequest, person_id: UUID, answer: Answer, *, by: Actor) -> HttpResponse:
    running = queries.restrictions([person_id], by.at).get(person_id, [])
    order = max(running, key=lambda r: r.ends_at, default=None)
    entry_id, chain = proofs.standing_of([order.order_id])[order.order_id] if order else (None, None)
    return render(
        request,
        "orders/answer.html",
        {
            "answer": answer,
            "fact": labels.FACTS[answer.fact],
            "order": order,
            "entry_id": entry_id,
            "chain": chain,
        },
    )


def _origins(by: Actor) -> list[tuple[str, str]]:
    """The listed areas first, then everything else: most people come from a place that needs nothing."""
    listed = rules.listed_areas(by.legal_day)
    areas = [(a.code, a.name) for a in listed.areas] if listed else []
    return [("00", gettext("其他地方")), *areas]
