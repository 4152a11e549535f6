"""Pages from a concern to an order: what was found, who proposes, who signs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Purpose, Right
from lianfang.accounts.web import actor, surface
from lianfang.concerns import actions as concerns_actions
from lianfang.concerns import queries as concerns
from lianfang.kernel.errors import NotFound, Refused
from lianfang.kernel.surfaces import Repeat
from lianfang.people import queries as people
from lianfang.people.reader import PersonField, read
from lianfang.rules import labels as rule_labels
from lianfang.rules import queries as rules

from . import actions, labels, own_views, pages, policy, proofs, proposals, queries
from .forms import DecideForm, InquiryForm, ProposalForm, ReasonForm, SignForm

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from lianfang.concerns.queries import Concern
    from lianfang.kernel.actor import Actor

_CASE = (PersonField.NAME, PersonField.ADDRESS, PersonField.PHONE)


def _concern(concern_id: UUID, *, by: Actor) -> Concern:
    found = concerns.concern(concern_id, by=by)
    # Past its term it is not shown, whether or not the job has been here.
    if found is None or (by.at >= found.kept_until and not queries.rests_on(concern_id, by.at)):
        raise NotFound
    return found


def _case(concern: Concern, *, by: Actor, anchor_at: object = None) -> dict[str, object]:
    """What is decided about: the person, the fact, the rule of today and what it would mean."""
    person = people.person_refs([concern.person_id])[concern.person_id]
    rule = rules.isolation_rule(reason=concern.category, area=person.area, on=by.legal_day)
    term = None if rule is None else policy.term(rule, concern.anchor_at)
    views = read([concern.person_id], _CASE, by=by) if by.areas(Right.PEOPLE_PERSON_READ) else {}
    running = queries.restrictions([concern.person_id], by.at).get(concern.person_id, [])
    standing = proofs.standing_of(r.order_id for r in running)
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
        "chained": [(r, *standing[r.order_id]) for r in running],
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

    return pages.done(request, form, act, "orders:desk", "orders/propose.html", _case(found, by=by))


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

    return pages.done(request, form, act, "orders:desk", "orders/sign.html", case)


def _proposal(proposal_id: UUID, *, by: Actor) -> proposals.ProposalView:
    found = proposals.proposal(proposal_id, by=by)
    if found is None:
        raise NotFound
    if by.at >= found.signed_at + policy.SEALED_AFTER and not queries.followed(proposal_id, by.at):
        raise NotFound
    return found


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

    return pages.done(request, form, act, "orders:desk", "orders/proposal.html", context)


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
    return pages.done(
        request, form, act, "orders:desk", "orders/one_form.html", context, about=found.person_id
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
    return pages.done(request, form, act, to, "orders/one_form.html", context, about=person_id)


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
