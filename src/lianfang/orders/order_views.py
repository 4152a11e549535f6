"""Pages of one order and of what is done with it: serving, care, papers, objections, its end."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Purpose, Right
from lianfang.accounts.web import actor, surface
from lianfang.kernel.clock import LEGAL_ZONE, legal_day
from lianfang.kernel.errors import NotFound
from lianfang.kernel.ids import new_id, random_id
from lianfang.kernel.surfaces import Repeat
from lianfang.people import queries as people
from lianfang.people.reader import PersonField, read
from lianfang.rules import labels as rule_labels
from lianfang.rules import queries as rules

from . import actions, appeals, labels, pages, policy, proofs, queries, sheets
from .forms import AppealDecisionForm, AppealForm, CareForm, ReasonForm, ServeForm, SignForm

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from lianfang.kernel.actor import Actor


def _order(order_id: UUID, *, by: Actor) -> queries.OrderView:
    found = queries.order(order_id, by=by)
    if found is None:
        raise NotFound
    return found


@never_cache
@surface(right=Right.ORDERS_ISOLATION_SEE, purpose=Purpose.SERVICE_OF_NOTICE)
def order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """One order: what it says, who cares, what was done, what can be done."""
    by = actor(request)
    found = _order(order_id, by=by)
    needs = [] if found.is_sealed else queries.care_of(found.id)
    named = {n.dependant_id for n in needs} | {n.carer_id for n in needs if n.carer_id}
    views = read(
        named if found.is_sealed else named | {found.person_id},
        (PersonField.NAME, PersonField.ADDRESS),
        by=by,
    )
    area = found.area
    called = accounts.organ_names([found.organ, found.second_organ])

    def may(right: Right) -> bool:
        return by.may(right, over=area)

    return render(
        request,
        "orders/order.html",
        pages.line_of(found, views, labels.Reasons())
        | {
            "person": views.get(found.person_id),
            "organ": called.get(found.organ, found.organ),
            "second_organ": called.get(found.second_organ, ""),
            "rule": rules.rule_of(found.rule_id),
            "last_full_day": found.last_full_day,
            "needs": [
                {
                    "need": n,
                    "why": labels.NEEDS.get(n.why, n.why),
                    "who": views[n.dependant_id].shown_name if n.dependant_id in views else "",
                    "carer": views[n.carer_id].shown_name if n.carer_id in views else n.carer_note,
                }
                for n in needs
            ],
            "chain": proofs.states_of(found.id),
            "appeals": appeals.of_order(found.id),
            "sheets": sheets.of_order(found.id, by.at),
            "may_serve": may(Right.ORDERS_NOTICE_SERVE) and found.served_at is None,
            "may_hold": may(Right.ORDERS_NOTICE_SERVE),
            "may_appeal": may(Right.ORDERS_NOTICE_SERVE) and by.at < found.ends_at + policy.APPEAL_AFTER_END,
            "may_go_on": may(Right.ORDERS_ISOLATION_ISSUE)
            and found.phase == 1
            and rules.rule_of(found.rule_id).follow_on_measure is not None
            and found.lifted_at is None
            and by.at >= found.ends_at - policy.NOTICE_AHEAD,
            "may_destroy": may(Right.ORDERS_CASE_DESTROY) and by.at >= found.over_at + policy.CASE_KEPT_FOR,
            "may_lift": may(Right.ORDERS_ISOLATION_LIFT) and (found.in_force or found.is_ahead),
            "may_notice": may(Right.ORDERS_ISOLATION_ISSUE)
            and not found.notice_no
            and by.at >= found.over_at - policy.NOTICE_AHEAD,
            "may_print": may(Right.ORDERS_NOTICE_PRINT) and not found.is_sealed,
            "may_open": may(Right.ORDERS_NOTICE_PRINT) and found.is_sealed,
            "may_print_sheet": may(Right.ORDERS_BOARD_POST),
            "may_post": may(Right.ORDERS_BOARD_POST) and found.in_force,
            "may_check": may(Right.ORDERS_RELEASE_CHECK_HEALTH) and "health" not in found.checks,
        },
    )


@never_cache
@surface(right=Right.ORDERS_NOTICE_SERVE, purpose=Purpose.SERVICE_OF_NOTICE, repeat=Repeat.SAME)
def serve(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Record that the person was told."""
    by = actor(request)
    found = _order(order_id, by=by)
    form = ServeForm(request.POST or None, initial={"served_at": by.at, "receipt": "signed"})

    def act() -> object:
        return actions.serve(form.draft(found.id), by=by)

    context = {"title": gettext("登记送达"), "button": gettext("登记"), "order": found}
    return pages.done(
        request, form, act, "orders:serving", "orders/one_form.html", context, about=found.shown_person
    )


@never_cache
@surface(right=Right.ORDERS_NOTICE_SERVE, purpose=Purpose.SERVICE_OF_NOTICE, repeat=Repeat.SAME)
def record_care(request: HttpRequest, order_id: UUID, dependant_id: UUID) -> HttpResponse:
    """Name who cares for a dependant."""
    by = actor(request)
    found = _order(order_id, by=by)
    needs = [] if found.is_sealed else queries.care_of(found.id)
    need = next((n for n in needs if n.dependant_id == dependant_id), None)
    if need is None:
        raise NotFound
    excluded = {found.person_id, *(n.dependant_id for n in needs)}
    candidates = [m for m in people.household_members(found.person_id) if m not in excluded]
    views = read(candidates, (PersonField.NAME,), by=by)
    form = CareForm(request.POST or None, carers=[(str(pk), v.shown_name) for pk, v in views.items()])

    def act() -> object:
        return actions.record_care(form.draft(found.id, need), by=by)

    context = {"title": gettext("落实照护"), "button": gettext("登记"), "order": found}
    return pages.done(
        request, form, act, ("orders:order", found.id), "orders/one_form.html", context, about=dependant_id
    )


@require_POST
@surface(right=Right.ORDERS_CARE_ACCEPT, purpose=Purpose.CARE, repeat=Repeat.SAME)
def accept_care(request: HttpRequest, order_id: UUID, dependant_id: UUID) -> HttpResponse:
    """The duty officer takes the care over."""
    actions.accept_care(new_id(), order_id, dependant_id=dependant_id, by=actor(request))
    messages.success(request, gettext("指挥部值班已接手照护。"))
    return redirect("orders:care")


@never_cache
@surface(right=Right.ORDERS_ISOLATION_LIFT, purpose=Purpose.ISOLATION, fresh_factor=True, repeat=Repeat.SAME)
def lift(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """End an order now."""
    by = actor(request)
    found = _order(order_id, by=by)
    form = ReasonForm(request.POST or None)

    def act() -> object:
        return actions.lift_isolation(form.lift(found.id), by=by)

    context = {
        "title": gettext("提前解除"),
        "button": gettext("签字解除"),
        "note": gettext("签字即解除，不等信息链、不等送达，也不能撤回。"),
        "order": found,
    }
    return pages.done(
        request,
        form,
        act,
        ("orders:order", found.id),
        "orders/one_form.html",
        context,
        about=found.shown_person,
    )


@never_cache
@surface(right=Right.ORDERS_ISOLATION_ISSUE, purpose=Purpose.ISOLATION, fresh_factor=True, repeat=Repeat.SAME)
def second_phase(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Sign what the rule asks for after an order, as an order of its own."""
    by = actor(request)
    found = _order(order_id, by=by)
    rule = rules.rule_of(found.rule_id)
    if found.phase != 1 or rule.follow_on_measure is None:
        raise NotFound
    form = SignForm(request.POST or None)

    def act() -> object:
        return actions.order_second_phase(form.second_phase(found.id), by=by)

    context = {
        "title": gettext("签发后续阶段"),
        "button": gettext("签字"),
        "note": gettext(
            "规则要求前一阶段之后{measure}{days}天，至{until}。不签字，前一阶段到期即自由；晚签不延后终点。"
        ).format(
            measure=rule_labels.MEASURES[rule.follow_on_measure],
            days=rule.follow_on_days,
            until=f"{policy.second_term(rule.follow_on_days, found.ends_at).ends_at.astimezone(LEGAL_ZONE):%Y-%m-%d %H:%M}",
        ),
        "order": found,
        "may_miss_gates": policy.may_miss_gates(found.ends_at, at=by.at),
    }
    return pages.done(
        request,
        form,
        act,
        ("orders:order", found.id),
        "orders/one_form.html",
        context,
        about=found.shown_person,
    )


@require_POST
@surface(right=Right.ORDERS_ISOLATION_ISSUE, purpose=Purpose.ISOLATION, fresh_factor=True, repeat=Repeat.SAME)
def notice(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Sign the release notice."""
    actions.issue_release_notice(random_id(), order_id, by=actor(request))
    messages.success(request, gettext("解除通知书已签发，可以打印。"))
    return redirect("orders:order", order_id)


@require_POST
@surface(
    right=(Right.ORDERS_RELEASE_CHECK_HEALTH, Right.ORDERS_RELEASE_CHECK_STREET),
    purpose=Purpose.SERVICE_OF_NOTICE,
    repeat=Repeat.SAME,
)
def check(request: HttpRequest, order_id: UUID, kind: str) -> HttpResponse:
    """Tick one check of the release paperwork."""
    if kind not in ("health", "street"):
        raise Http404
    actions.check_release(new_id(), order_id, kind=kind, by=actor(request))
    messages.success(request, gettext("已核对。"))
    return redirect("orders:checks")


@require_POST
@surface(right=Right.ORDERS_BOARD_POST, purpose=Purpose.SERVICE_OF_NOTICE, repeat=Repeat.SAME)
def post_sheet(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Make the public sheet of an order."""
    sheet = actions.post_sheet(random_id(), order_id, by=actor(request))
    messages.success(request, gettext("公示单已生成，可以打印张贴。"))
    return redirect("orders:print_sheet", sheet.pk)


@require_POST
@surface(right=Right.ORDERS_BOARD_POST, purpose=Purpose.SERVICE_OF_NOTICE, repeat=Repeat.SAME)
def take_down(request: HttpRequest, sheet_id: UUID) -> HttpResponse:
    """A sheet no longer hangs."""
    actions.record_take_down(new_id(), sheet_id, by=actor(request))
    messages.success(request, gettext("已登记取下。"))
    return redirect("orders:sheets")


@never_cache
@surface(right=Right.ORDERS_NOTICE_SERVE, purpose=Purpose.SERVICE_OF_NOTICE, repeat=Repeat.SAME)
def appeal_for(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Object on behalf of somebody without a phone."""
    by = actor(request)
    found = _order(order_id, by=by)
    form = AppealForm(request.POST or None)

    def act() -> object:
        return actions.appeal(form.draft(found.id), by=by)

    context = {"title": gettext("代为提出申诉"), "button": gettext("提交申诉"), "order": found}
    return pages.done(
        request,
        form,
        act,
        ("orders:order", found.id),
        "orders/one_form.html",
        context,
        about=found.shown_person,
    )


@never_cache
@surface(right=Right.ORDERS_APPEAL_DECIDE, purpose=Purpose.APPEAL, fresh_factor=True, repeat=Repeat.SAME)
def decide(request: HttpRequest, appeal_id: UUID) -> HttpResponse:
    """Decide about an objection."""
    by = actor(request)
    found = appeals.appeal(appeal_id, by=by)
    # A decided one has no page; its decision sent once more is the one already made.
    if found is None or (found.granted is not None and request.method != "POST"):
        raise NotFound
    order_ = _order(found.order_id, by=by)
    form = AppealDecisionForm(request.POST or None)

    def act() -> object:
        return actions.decide_appeal(form.draft(found.id), by=by)

    context = {
        "title": gettext("审理申诉"),
        "button": gettext("签字"),
        "appeal": found,
        "order": order_,
        "reason": labels.reason(order_.reason, legal_day(order_.signed_at), area=order_.area),
    }
    return pages.done(request, form, act, "orders:appeals", "orders/one_form.html", context)
