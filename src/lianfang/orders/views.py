"""The desk of orders: proposals to sign, orders in force, what ends, what is to be served, objections, sheets."""

from __future__ import annotations

from datetime import timedelta
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
from lianfang.concerns import actions as concerns_actions
from lianfang.concerns import queries as concerns
from lianfang.kernel import ids
from lianfang.kernel.clock import LEGAL_ZONE, legal_day
from lianfang.kernel.errors import NotFound, Refused
from lianfang.kernel.ids import id_in, new_id
from lianfang.kernel.surfaces import Repeat
from lianfang.ledger import queries as ledger
from lianfang.people import queries as people
from lianfang.people.reader import PersonField, read
from lianfang.places import queries as places
from lianfang.rules import labels as rule_labels
from lianfang.rules import queries as rules

from . import actions, labels, own_views, policy, proofs, queries
from .forms import (
    AppealDecisionForm,
    AppealForm,
    CareForm,
    DecideForm,
    InquiryForm,
    ProposalForm,
    ReasonForm,
    ServeForm,
    SignForm,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from django import forms
    from django.http import HttpRequest, HttpResponse

    from lianfang.concerns.queries import Concern
    from lianfang.kernel.actor import Actor
    from lianfang.people.reader import PersonView

_NAME = (PersonField.NAME,)
_WHERE = (PersonField.NAME, PersonField.ADDRESS)
_CASE = (PersonField.NAME, PersonField.ADDRESS, PersonField.PHONE)


#: Orders in force on one page of the list.
_PAGE = 50
#: What ends within this time is named in the heading.
_SOON = timedelta(days=2)


def _names(ids_: Iterable[UUID], *, by: Actor) -> dict[UUID, PersonView]:
    """Names for those who may read them; a commander's list has none."""
    return read(set(ids_), _NAME, by=by) if by.areas(Right.PEOPLE_PERSON_READ) else {}


def _line(order: queries.OrderView, names: dict[UUID, PersonView], said: labels.Reasons) -> dict[str, object]:
    view = names.get(order.person_id)
    return {
        "order": order,
        "name": view.shown_name if view else "",
        "door": view.door if view else "",
        "measure": rule_labels.MEASURES[order.measure],
        "reason": said.say(order.reason, legal_day(order.signed_at), area=order.area),
    }


def _lines(
    orders: Sequence[queries.OrderView], names: dict[UUID, PersonView], said: labels.Reasons
) -> list[dict[str, object]]:
    """Lines of a list, each with how far its order has come in the chain."""
    chain = ledger.newest_states([o.entry_id for o in orders])
    return [_line(o, names, said) | {"chain": chain[o.entry_id]} for o in orders]


# --- Lists -------------------------------------------------------------------------------------------------


@never_cache
@surface(right=(Right.ORDERS_PROPOSAL_SEE, Right.ORDERS_ISOLATION_SEE), purpose=Purpose.ISOLATION)
def desk(request: HttpRequest) -> HttpResponse:
    """Concerns to decide, proposals to sign, and the orders in force by their end, page by page."""
    by = actor(request)
    sees_concerns = bool(by.areas(Right.CONCERNS_REPORT_SEE))
    waiting = concerns.unassessed(by) if sees_concerns else []
    verified = queries.concerns_without_order(by) if sees_concerns else []
    open_proposals = queries.proposals(by)
    in_force = queries.in_force(by, after=id_in(request.GET.get("after", "")), limit=_PAGE + 1)
    running = in_force[:_PAGE]
    total, soon = queries.count_in_force(by, within=_SOON)
    late = queries.late_notices(by)
    names = _names(
        {
            *(c.person_id for c in [*waiting, *verified]),
            *(p.person_id for p in open_proposals),
            *(o.person_id for o in [*running, *late]),
        },
        by=by,
    )
    communities = places.names({p.area.rpartition(".m")[0] or p.area for p in open_proposals})
    organs = accounts.organ_names(p.organ for p in open_proposals)
    # What has been proposed waits for a signature, one line further down; it is not shown twice.
    proposed = {p.evidence_id for p in open_proposals}
    said = labels.Reasons()

    def concern_line(c: Concern) -> dict[str, object]:
        name = names[c.person_id].shown_name if c.person_id in names else ""
        return {"concern": c, "name": name, "reason": said.say(c.category, by.legal_day, area="")}

    return render(
        request,
        "orders/desk.html",
        {
            "concerns": [concern_line(c) for c in waiting if c.id not in proposed],
            "verified": [concern_line(c) for c in verified],
            "proposals": [
                {
                    "proposal": p,
                    "name": names[p.person_id].shown_name if p.person_id in names else "",
                    "where": communities.get(p.area.rpartition(".m")[0] or p.area, ""),
                    "organ": organs.get(p.organ, p.organ),
                    "reason": said.say(p.reason, by.legal_day, area=p.area),
                }
                for p in open_proposals
            ],
            "running": _lines(running, names, said),
            "total": total,
            "soon": soon,
            "next": running[-1].id if len(in_force) > _PAGE else None,
            "late": _lines(late, names, said),
        },
    )


@never_cache
@surface(right=Right.ORDERS_NOTICE_SERVE, purpose=Purpose.SERVICE_OF_NOTICE)
def serving(request: HttpRequest) -> HttpResponse:
    """Orders of which the person has not been told."""
    by = actor(request)
    waiting = queries.to_serve(by)
    names = _names({o.person_id for o in waiting}, by=by)
    said = labels.Reasons()
    lines = [
        line | {"late": by.at >= order.signed_at + policy.TELL_WITHIN}
        for order, line in zip(waiting, _lines(waiting, names, said), strict=True)
    ]
    return render(
        request,
        "orders/serving.html",
        {"lines": lines, "may_print": bool(by.areas(Right.ORDERS_NOTICE_PRINT))},
    )


@never_cache
@surface(right=Right.ORDERS_CARE_ACCEPT, purpose=Purpose.CARE)
def care(request: HttpRequest) -> HttpResponse:
    """Dependants for whom nobody was found: the duty officer may take the care over."""
    by = actor(request)
    lines = [
        {
            "order": order,
            "need": need,
            "why": labels.NEEDS.get(need.why, need.why),
            "where": places.addresses([order.area]).get(order.area, ""),
        }
        for order, need in queries.open_needs(by)
    ]
    return render(request, "orders/care.html", {"lines": lines})


@never_cache
@surface(right=Right.ORDERS_APPEAL_DECIDE, purpose=Purpose.APPEAL)
def appeals(request: HttpRequest) -> HttpResponse:
    """Objections that wait for the panel."""
    by = actor(request)
    waiting = queries.appeals_to_decide(by)
    chain = ledger.newest_states([a.entry_id for a in waiting if a.entry_id])
    lines = [
        {"appeal": a, "late": a.is_late(by.at), "chain": a.entry_id and chain[a.entry_id]} for a in waiting
    ]
    return render(request, "orders/appeals.html", {"lines": lines})


@never_cache
@surface(right=Right.ORDERS_BOARD_POST, purpose=Purpose.SERVICE_OF_NOTICE)
def sheets(request: HttpRequest) -> HttpResponse:
    """Public sheets: those that hang, and those to take down."""
    by = actor(request)
    known = queries.sheets(by)
    where = places.addresses({s.place for s in known})

    def lines(state: str) -> list[dict[str, object]]:
        return [{"sheet": s, "where": where.get(s.place, "")} for s in known if s.state == state]

    return render(request, "orders/sheets.html", {"down": lines("ended"), "hanging": lines("valid")})


# --- Concerns, proposals, signatures -----------------------------------------------------------------------


def _concern(concern_id: UUID, *, by: Actor) -> Concern:
    found = concerns.concern(concern_id, by=by)
    if found is None:
        raise NotFound
    return found


def _case(concern: Concern, *, by: Actor, anchor_at: object = None) -> dict[str, object]:
    """What is decided about: the person, the fact, the rule of today and what it would mean."""
    person = people.person_refs([concern.person_id])[concern.person_id]
    rule = rules.isolation_rule(reason=concern.category, area=person.area, on=by.legal_day)
    term = None if rule is None else policy.term(rule, concern.anchor_at)
    views = read([concern.person_id], _CASE, by=by) if by.areas(Right.PEOPLE_PERSON_READ) else {}
    running = queries.restrictions([concern.person_id], by.at).get(concern.person_id, [])
    return {
        "concern": concern,
        "person": views.get(concern.person_id),
        "reason": labels.reason(concern.category, by.legal_day, area=person.area),
        "event": rule_labels.event(concern.anchor_event),
        "rule": rule,
        "measure": rule_labels.MEASURES[rule.measure] if rule else "",
        "term": term,
        "is_over": term is not None and term.ends_at <= by.at,
        "running": running,
        "may_miss_gates": any(policy.may_miss_gates(r.ends_at, at=by.at) for r in running),
    }


@never_cache
@surface(right=Right.CONCERNS_REPORT_SEE, purpose=Purpose.ISOLATION, repeat=Repeat.SAME)
def concern(request: HttpRequest, concern_id: UUID) -> HttpResponse:
    """One concern: a health officer decides, a community proposes."""
    by = actor(request)
    found = _concern(concern_id, by=by)
    may_assess = bool(by.areas(Right.CONCERNS_REPORT_ASSESS))
    form = DecideForm(request.POST or None) if may_assess else None
    if form is not None and form.is_valid():
        try:
            concerns_actions.decide_concern(concern_id, by=by, **form.cleaned_data)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            return redirect("orders:concern", concern_id)
    return render(
        request,
        "orders/concern.html",
        _case(found, by=by)
        | {
            "form": form,
            "is_waiting": found.state == "waiting",
            "state": labels.CONCERN_STATES[found.state],
            "is_usable": found.state in ("waiting", "verified"),
            "may_issue": bool(by.areas(Right.ORDERS_ISOLATION_ISSUE)),
            "may_propose": bool(by.areas(Right.ORDERS_ISOLATION_PROPOSE)),
        },
        status=422 if form is not None and form.errors else 200,
    )


@never_cache
@surface(right=Right.ORDERS_ISOLATION_PROPOSE, purpose=Purpose.ISOLATION, repeat=Repeat.SAME)
def propose(request: HttpRequest, concern_id: UUID) -> HttpResponse:
    """Ask the health organ for an order."""
    by = actor(request)
    found = _concern(concern_id, by=by)
    form = ProposalForm(request.POST or None, initial={"anchor_at": found.anchor_at})

    def act() -> object:
        draft = form.draft(found.person_id, reason=found.category, evidence_id=found.id)
        return actions.propose_isolation(draft, by=by)

    return _done(request, form, act, "orders:desk", "orders/propose.html", _case(found, by=by))


@never_cache
@surface(right=Right.ORDERS_ISOLATION_ISSUE, purpose=Purpose.ISOLATION, fresh_factor=True, repeat=Repeat.SAME)
def sign(request: HttpRequest, concern_id: UUID) -> HttpResponse:
    """A health officer orders on a concern without waiting for a proposal."""
    by = actor(request)
    found = _concern(concern_id, by=by)
    form = SignForm(request.POST or None)
    case = _case(found, by=by)
    running = case["running"]
    before = [r.order_id for r in running] if isinstance(running, list) else []

    def act() -> object:
        # Sent once more, the order that runs is the one that was made by this form.
        previous = next((pk for pk in reversed(before) if pk != form.value("id")), None)
        return actions.issue_isolation(
            form.draft(
                found.person_id,
                reason=found.category,
                anchor_at=found.anchor_at,
                evidence_id=found.id,
                proposal_id=None,
                previous_id=previous,
            ),
            by=by,
        )

    return _done(request, form, act, "orders:desk", "orders/sign.html", case)


@never_cache
@surface(right=Right.ORDERS_PROPOSAL_SEE, purpose=Purpose.ISOLATION, fresh_factor=True, repeat=Repeat.SAME)
def proposal(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """One proposal: the health officer signs the order that follows from it."""
    by = actor(request)
    found = _proposal(proposal_id, by=by)
    rule = rules.isolation_rule(reason=found.reason, area=found.area, on=by.legal_day)
    views = read([found.person_id], _CASE, by=by) if by.areas(Right.PEOPLE_PERSON_READ) else {}
    form = SignForm(request.POST or None) if by.areas(Right.ORDERS_ISOLATION_ISSUE) else None
    called = accounts.organ_names([found.organ, *found.seconded_by])
    context = {
        "proposal": found,
        "organ": called.get(found.organ, found.organ),
        "seconds": [called.get(code, code) for code in found.seconded_by],
        "person": views.get(found.person_id),
        "reason": labels.reason(found.reason, by.legal_day, area=found.area),
        "rule": rule,
        "measure": rule_labels.MEASURES[rule.measure] if rule else "",
        "term": None if rule is None else policy.term(rule, found.anchor_at),
        "may_second": bool(by.areas(Right.ORDERS_ISOLATION_SECOND_SIGN)),
    }
    if form is None:
        if request.method == "POST":
            raise NotFound
        return render(request, "orders/proposal.html", context)

    def act() -> object:
        return actions.issue_isolation(
            form.draft(
                found.person_id,
                reason=found.reason,
                anchor_at=found.anchor_at,
                evidence_id=found.evidence_id,
                proposal_id=found.id,
            ),
            by=by,
        )

    return _done(request, form, act, "orders:desk", "orders/proposal.html", context)


def _proposal(proposal_id: UUID, *, by: Actor) -> queries.ProposalView:
    found = queries.proposal(proposal_id, by=by)
    if found is None:
        raise NotFound
    return found


@require_POST
@surface(
    right=Right.ORDERS_ISOLATION_SECOND_SIGN, purpose=Purpose.ISOLATION, fresh_factor=True, repeat=Repeat.SAME
)
def second(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Stand behind the order as another body."""
    actions.second_sign(proposal_id, by=actor(request))
    messages.success(request, gettext("已作为第二签发人签字。"))
    return redirect("orders:proposal", proposal_id)


@never_cache
@surface(right=Right.ORDERS_ISOLATION_ISSUE, purpose=Purpose.ISOLATION, repeat=Repeat.SAME)
def refuse(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """No order follows from a proposal, and why."""
    by = actor(request)
    found = _proposal(proposal_id, by=by)
    form = ReasonForm(request.POST or None)

    def act() -> object:
        return actions.refuse_proposal(found.id, reason=form.value("reason"), by=by)

    context = {"title": gettext("不予隔离"), "button": gettext("不予隔离"), "back": "orders:desk"}
    return _done(request, form, act, "orders:desk", "orders/one_form.html", context, about=found.person_id)


@never_cache
@surface(right=Right.ORDERS_ISOLATION_SEE, purpose=Purpose.SERVICE_OF_NOTICE)
def person(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """All orders on one person that the reader's office covers, and whether one is in force."""
    by = actor(request)
    known = [
        o for o in queries.orders_of(person_id, by.at) if by.may(Right.ORDERS_ISOLATION_SEE, over=o.area)
    ]
    views = read([person_id], _NAME, by=by)
    if person_id not in views:
        raise NotFound
    said = labels.Reasons()
    return render(
        request,
        "orders/person.html",
        {"person": views[person_id], "lines": _lines(known, views, said)},
    )


@never_cache
@surface(right=Right.CONCERNS_REPORT_ASSESS, purpose=Purpose.CASE_INQUIRY, repeat=Repeat.SAME)
def inquiry(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Enter what a case inquiry found: a contact, a cohabitant, somebody back from an area."""
    by = actor(request)
    catalogue = rules.catalogue(by.legal_day)
    said = labels.Reasons()
    form = InquiryForm(
        request.POST or None,
        reasons=[
            (r.code, said.say(r.code, by.legal_day, area=""))
            for r in (catalogue.reasons if catalogue else ())
        ],
        initial={"anchor_at": by.at},
    )

    def act() -> object:
        return concerns_actions.state_concern(form.draft(person_id), by=by)

    context = {
        "title": gettext("登记流调发现"),
        "button": gettext("登记"),
        "note": gettext("登记不限制任何人；隔离要另行签发。"),
    }
    # On to the finding itself: there the order is signed.
    to = ("orders:concern", form.value("id")) if form.is_valid() else "orders:desk"
    return _done(request, form, act, to, "orders/one_form.html", context, about=person_id)


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
    return _done(
        request, form, act, ("orders:order", found.id), "orders/one_form.html", context, about=found.person_id
    )


@never_cache
@surface(right=Right.CONCERNS_PROXY_REPORT, purpose=Purpose.REPORT_INTAKE, repeat=Repeat.SAME)
def proxy_arrival(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """An arrival entered for somebody."""
    by = actor(request)
    return own_views.arrival_page(request, person_id, by=by, template="orders/proxy_form.html")


@never_cache
@surface(right=Right.CONCERNS_PROXY_REPORT, purpose=Purpose.REPORT_INTAKE, repeat=Repeat.SAME)
def proxy_symptoms(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Symptoms entered for somebody."""
    by = actor(request)
    return own_views.symptoms_page(request, person_id, by=by, template="orders/proxy_form.html")


# --- One order ---------------------------------------------------------------------------------------------


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
    needs = queries.care_of(found.id)
    views = read(
        {found.person_id, *(n.dependant_id for n in needs), *(n.carer_id for n in needs if n.carer_id)},
        _WHERE,
        by=by,
    )
    area = found.area
    called = accounts.organ_names([found.organ, found.second_organ])

    def may(right: Right) -> bool:
        return by.may(right, over=area)

    return render(
        request,
        "orders/order.html",
        _line(found, views, labels.Reasons())
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
            "appeals": queries.appeals_of(found.id),
            "sheets": queries.sheets_of(found.id, by.at),
            "may_serve": may(Right.ORDERS_NOTICE_SERVE) and found.served_at is None,
            "may_appeal": may(Right.ORDERS_NOTICE_SERVE) and by.at < found.ends_at + policy.APPEAL_AFTER_END,
            "may_go_on": may(Right.ORDERS_ISOLATION_ISSUE)
            and found.phase == 1
            and rules.rule_of(found.rule_id).follow_on_measure is not None
            and found.lifted_at is None
            and by.at >= found.ends_at - policy.NOTICE_AHEAD,
            "may_lift": may(Right.ORDERS_ISOLATION_LIFT) and (found.in_force or found.is_ahead),
            "may_notice": may(Right.ORDERS_ISOLATION_ISSUE)
            and not found.notice_no
            and by.at >= found.over_at - policy.NOTICE_AHEAD,
            "may_print": may(Right.ORDERS_NOTICE_PRINT),
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
    return _done(request, form, act, "orders:serving", "orders/one_form.html", context, about=found.person_id)


@never_cache
@surface(right=Right.ORDERS_NOTICE_SERVE, purpose=Purpose.SERVICE_OF_NOTICE, repeat=Repeat.SAME)
def record_care(request: HttpRequest, order_id: UUID, dependant_id: UUID) -> HttpResponse:
    """Name who cares for a dependant."""
    by = actor(request)
    found = _order(order_id, by=by)
    needs = queries.care_of(found.id)
    need = next((n for n in needs if n.dependant_id == dependant_id), None)
    if need is None:
        raise NotFound
    excluded = {found.person_id, *(n.dependant_id for n in needs)}
    candidates = [m for m in people.household_members(found.person_id) if m not in excluded]
    views = read(candidates, _NAME, by=by)
    form = CareForm(request.POST or None, carers=[(str(pk), v.shown_name) for pk, v in views.items()])

    def act() -> object:
        return actions.record_care(form.draft(found.id, need), by=by)

    context = {"title": gettext("落实照护"), "button": gettext("登记"), "order": found}
    return _done(
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
    return _done(
        request, form, act, ("orders:order", found.id), "orders/one_form.html", context, about=found.person_id
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
    return _done(
        request, form, act, ("orders:order", found.id), "orders/one_form.html", context, about=found.person_id
    )


@require_POST
@surface(right=Right.ORDERS_ISOLATION_ISSUE, purpose=Purpose.ISOLATION, fresh_factor=True, repeat=Repeat.SAME)
def notice(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Sign the release notice."""
    actions.issue_release_notice(new_id(), order_id, by=actor(request))
    messages.success(request, gettext("解除通知书已签发，可以打印。"))
    return redirect("orders:order", order_id)


@never_cache
@surface(
    right=(Right.ORDERS_RELEASE_CHECK_HEALTH, Right.ORDERS_RELEASE_CHECK_STREET),
    purpose=Purpose.SERVICE_OF_NOTICE,
)
def checks(request: HttpRequest) -> HttpResponse:
    """Release papers that wait for a check; the door and the day are enough for it."""
    waiting = queries.to_check(actor(request))
    doors = places.doors({o.area for o, _ in waiting})
    lines = [{"order": o, "kind": kind, "door": doors.get(o.area, "")} for o, kind in waiting]
    return render(request, "orders/checks.html", {"lines": lines})


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
    sheet = actions.post_sheet(UUID(bytes=ids.random_bytes(16)), order_id, by=actor(request))
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
@surface(right=Right.ORDERS_APPEAL_DECIDE, purpose=Purpose.APPEAL, fresh_factor=True, repeat=Repeat.SAME)
def decide(request: HttpRequest, appeal_id: UUID) -> HttpResponse:
    """Decide about an objection."""
    by = actor(request)
    found = queries.appeal(appeal_id, by=by)
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
    return _done(request, form, act, "orders:appeals", "orders/one_form.html", context)


def _done(
    request: HttpRequest,
    form: forms.Form,
    act: Callable[[], object],
    to: str | tuple[str, UUID],
    template: str,
    context: Mapping[str, object],
    *,
    about: UUID | None = None,
) -> HttpResponse:
    """Run one act on a valid form and go on; a refusal becomes a sentence above the form.

    :param about: whom the act concerns; who may read the name sees it above the form
    """
    if form.is_valid():
        try:
            act()
        except Refused as refusal:
            form.add_refusal(refusal)  # type: ignore[attr-defined]  # every form here is refusable
        else:
            messages.success(request, gettext("已办理。"))
            return redirect(*to) if isinstance(to, tuple) else redirect(to)
    shown = _names([about], by=actor(request)).get(about) if about else None
    return render(
        request, template, {**context, "form": form, "who": shown}, status=422 if form.errors else 200
    )
