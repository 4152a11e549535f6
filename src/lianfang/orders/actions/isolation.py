"""Ordering one person to isolate: the one act that restricts somebody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from lianfang.accounts.rights import Right
from lianfang.concerns import actions as concerns_actions
from lianfang.concerns import queries as concerns
from lianfang.concerns.policy import State
from lianfang.kernel.clock import legal_day
from lianfang.kernel.points import point
from lianfang.kernel.wake import wake
from lianfang.ledger import actions as ledger
from lianfang.messaging import actions as messaging
from lianfang.orders import policy
from lianfang.orders.errors import (
    AlreadyUnderOrder,
    AnchorInTheFuture,
    EvidenceRepeated,
    LongerThanItsCap,
    NeedsPlaceOrder,
    NeedsSecondSigner,
    NoRuleCovers,
    NoSuchEvidence,
    NoSuchReason,
    NotPresent,
    OrganNotCompetent,
    PeriodAlreadyOver,
    ProposalIsOver,
)
from lianfang.orders.models import CareNeed, IsolationOrder, IsolationProposal, SecondSignature
from lianfang.people import actions as people
from lianfang.people import queries as people_queries
from lianfang.places.queries import at_level
from lianfang.rules import queries as rules

from .passes import replace_household_passes
from .proposing import is_over
from .signing import organ_for, require_fresh_factor, same_or_refuse, signature, slip

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from lianfang.accounts.models import Organ
    from lianfang.concerns.queries import Concern
    from lianfang.kernel.actor import Actor
    from lianfang.people.queries import PersonRef
    from lianfang.rules.policy import Caps, Competence, IsolationRule, Measure

FORM = "F04"


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolationDraft:
    """What a health officer signs. `previous` is the order that this one makes longer (O-3)."""

    order_id: UUID
    person_id: UUID
    reason: str
    anchor_at: datetime
    evidence_id: UUID
    proposal_id: UUID | None = None
    previous_id: UUID | None = None


@transaction.atomic
def issue_isolation(draft: IsolationDraft, *, by: Actor) -> IsolationOrder:
    """Order one person to isolate, and owe them the notice. In force from the signature.

    Sending the same draft again returns the order already made.

    :raises NotFound: no such person, or outside the officer's area
    :raises NotAllowed: `by` holds no health office over the person's home
    :raises OrganNotCompetent: no document in force makes the organ competent
    :raises FactorNotFresh: the second factor is older than five minutes
    :raises NoSuchReason: not in the catalogue of the day
    :raises NoSuchEvidence: no concern about this person for this reason
    :raises NoRuleCovers: no document in force gives a length for this reason
    :raises PeriodAlreadyOver: counted from the anchor, the days have passed
    :raises LongerThanItsCap: longer than this measure may last
    :raises NotPresent: neither a resident nor met by an officer on arrival
    :raises AlreadyUnderOrder: another order covers some of the time
    :raises EvidenceRepeated: an extension on the evidence of the order before it
    :raises NeedsSecondSigner: the caps ask for another body
    :raises NeedsPlaceOrder: more persons in a day than any signature allows
    :raises ProposalIsOver: the proposal was refused, followed or has waited too long
    :raises SameIdOtherContent: the id was used for a different order
    """
    # Locking the person makes two officers' orders for them queue here, so the check for an order in force
    # cannot pass twice. The caps of one officer queue in the trigger.
    person = people.person_for_update(draft.person_id)
    organ = organ_for(Right.ORDERS_ISOLATION_ISSUE, over=person.area, by=by)
    point("orders.issue_isolation.after_lock")
    said = {
        "person_id": person.id,
        "reason": draft.reason,
        "anchor_at": draft.anchor_at,
        "evidence_id": draft.evidence_id,
        "proposal_id": draft.proposal_id,
        "previous_id": draft.previous_id,
    }
    if earlier := IsolationOrder.objects.filter(pk=draft.order_id).first():
        return same_or_refuse(earlier, said)
    require_fresh_factor(by)

    ruling, rule, caps, evidence = _rule(draft, person, by=by)
    period = policy.Period(by.at, policy.term(rule, draft.anchor_at).ends_at)
    if period.ends_at - period.starts_at < policy.SHORTEST:
        raise PeriodAlreadyOver
    if not policy.is_within_length(period, measure=rule.measure, caps=caps):
        raise LongerThanItsCap
    presence = presence_of(person, organ, caps=caps, by=by)
    _one_at_a_time(draft, person, period)
    proposal = _proposal(draft, person, at=by.at)
    second = second_signature(
        person, ruling.competence, rule.measure, caps, organ, proposal, period=period, by=by
    )

    order = sign_order(
        draft.order_id,
        person,
        said,
        rule=rule,
        measure=rule.measure,
        days=rule.days,
        incident=ruling.incident.code,
        organ=organ,
        period=period,
        presence=presence,
        second=second,
        by=by,
    )
    if evidence.state is State.WAITING:
        # Whoever signs the order has decided about the report it rests on.
        concerns_actions.decide_concern(evidence.id, verified=True, reason=order.order_no, by=by)
    point("orders.issue_isolation.before_commit")
    return order


def sign_order(
    order_id: UUID,
    person: PersonRef,
    said: Mapping[str, Any],
    *,
    rule: IsolationRule,
    measure: Measure,
    days: int,
    incident: str,
    organ: Organ,
    period: policy.Period,
    presence: tuple[str, UUID],
    second: SecondSignature | None,
    by: Actor,
) -> IsolationOrder:
    """Write an order, its entry, its slips, its care needs and what is owed, in the caller's transaction.

    :param said: reason, anchor, evidence and the orders and proposals it names
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('orders_number_seq')")
        (seq,) = cursor.fetchone()
    order_no = policy.order_number(
        incident=incident,
        division=person.area.partition(".")[0][1:],
        form=FORM,
        day=legal_day(by.at),
        seq=seq,
    )
    # What is public: community, hour and rule; never a name, a home or a diagnosis. The exact instants are
    # among the commitments.
    entry = ledger.append(
        kind="orders:isolation:issued",
        act_id=order_id,
        organ=organ.code,
        scope=person.community,
        basis=rule.legal_basis,
        terms={"rule": rule.version, "measure": measure.value, "days": days},
        secrets={
            "order_no": order_no,
            "person": str(person.id),
            "reason": str(said["reason"]),
            "starts_at": period.starts_at.isoformat(),
            "ends_at": period.ends_at.isoformat(),
        },
        by=by,
        prior=None if said["previous_id"] is None else _entry_of(said["previous_id"]),
        hour=True,
    )
    facts = people_queries.pass_facts([person.id])[person.id]
    slips = {
        f"{name}_slip": slip(
            kind,
            facts,
            order_no=order_no,
            starts_at=period.starts_at,
            ends_at=period.ends_at,
            nbf=nbf,
            at=by.at,
        )
        for name, kind, nbf in (("order", "O", period.starts_at), ("release", "R", period.ends_at))
    }
    order = IsolationOrder.objects.create(
        id=order_id,
        order_no=order_no,
        area=person.area,
        community=at_level(person.area, "community") or person.community,
        measure=measure,
        evidence_kind="concern",
        presence_kind=presence[0],
        presence_id=presence[1],
        rule_id=rule.id,
        rule_version=rule.version,
        basis=rule.legal_basis,
        organ_level=organ.level,
        starts_at=period.starts_at,
        ends_at=period.ends_at,
        second=second,
        entry_id=entry,
        **said,
        **slips,
        **signature(organ, by=by),
    )
    CareNeed.objects.bulk_create(
        CareNeed(order=order, dependant_id=d.person_id, why=d.why)
        for d in people_queries.dependants(person.id, on=by.legal_day)
    )
    point("orders.issue_isolation.after_row")
    replace_household_passes(person, by=by)
    messaging.owe(
        "orders/isolation_notice",
        to=person.id,
        facts={"order": str(order.pk)},
        due_by=by.at + policy.TELL_WITHIN,
        by=by,
    )
    wake("orders", order.pk)
    return order


def _rule(
    draft: IsolationDraft, person: PersonRef, *, by: Actor
) -> tuple[rules.Ruling, IsolationRule, Caps, Concern]:
    # O-1: reason, evidence, rule and cap come from the documents of the day.
    if draft.anchor_at > by.at:
        raise AnchorInTheFuture
    ruling = rules.ruling(reason=draft.reason, area=person.area, on=by.legal_day)
    if ruling.reason is None:
        raise NoSuchReason
    known = concerns.evidence(draft.evidence_id, persons=people_queries.same_person([person.id]), at=by.at)
    if known is None or known.category != draft.reason:
        raise NoSuchEvidence
    if ruling.rule is None or ruling.caps is None:
        raise NoRuleCovers
    return ruling, ruling.rule, ruling.caps, known


def presence_of(person: PersonRef, organ: Organ, *, caps: Caps, by: Actor) -> tuple[str, UUID]:
    """:raises NotPresent: neither a resident nor met by an officer on arrival"""
    # O-6: residence, or an arrival entered by an officer who met the person; never a scan or a passage.
    if organ.area and (person.area == organ.area or person.area.startswith(organ.area + ".")):
        return "residence", person.id
    met = concerns.met_arrival_since(person.id, by.at - timedelta(days=caps.presence_days))
    if met is None:
        raise NotPresent
    return "arrival", met


def _one_at_a_time(draft: IsolationDraft, person: PersonRef, period: policy.Period) -> None:
    known = IsolationOrder.objects.filter(
        person_id__in=people_queries.same_person([person.id]),
        starts_at__lt=period.ends_at,
        ends_at__gt=period.starts_at,
    ).select_related("lift")
    for other in known:
        lift = getattr(other, "lift", None)
        if other.pk != draft.previous_id and (lift is None or lift.signed_at > period.starts_at):
            raise AlreadyUnderOrder
    if draft.previous_id is not None:
        before = IsolationOrder.objects.filter(pk=draft.previous_id, person_id=person.id).first()
        if before is None or before.evidence_id == draft.evidence_id:
            raise EvidenceRepeated


def _proposal(draft: IsolationDraft, person: PersonRef, *, at: datetime) -> IsolationProposal | None:
    if draft.proposal_id is None:
        return None
    proposal = IsolationProposal.objects.filter(pk=draft.proposal_id, person_id=person.id).first()
    if proposal is None or is_over(proposal, at=at):
        raise ProposalIsOver
    return proposal


def second_signature(
    person: PersonRef,
    competence: Competence | None,
    measure: Measure,
    caps: Caps,
    organ: Organ,
    proposal: IsolationProposal | None,
    *,
    period: policy.Period,
    by: Actor,
) -> SecondSignature | None:
    """The signature of another body where caps or competence ask for one; None where they do not.

    :raises OrganNotCompetent: , NeedsPlaceOrder, NeedsSecondSigner
    """
    row = (
        None if competence is None else competence.of(kind=measure, organ_kind=organ.kind, level=organ.level)
    )
    if row is None:
        raise OrganNotCompetent
    with connection.cursor() as cursor:
        # The same functions as in the trigger: they count persons the officer may not see.
        cursor.execute(
            "SELECT c.alone, c.everybody, orders_chained(%s, %s, %s, make_interval(hours => %s))"
            " FROM orders_issued_around(%s, %s, %s) c",
            [
                person.id,
                period.starts_at,
                period.ends_at,
                caps.chain_gap_hours,
                by.user_id,
                by.at,
                person.id,
            ],
        )
        alone, everybody, chain = cursor.fetchone()
    needed = policy.signatures_needed(
        caps=caps,
        measure=measure,
        alone_before=alone,
        all_before=everybody,
        chain=chain,
        competence_asks_second=row.second_signer,
    )
    if needed is policy.Needs.PLACE_ORDER:
        raise NeedsPlaceOrder
    if needed is policy.Needs.ONE_SIGNATURE:
        return None
    if proposal is None:
        raise NeedsSecondSigner
    second = (
        proposal.second_signatures.filter(
            signed_at__gt=by.at - policy.SECOND_SIGNATURE_HOLDS, signed_at__lte=by.at
        )
        .exclude(organ__in=[organ.code, proposal.organ])
        .exclude(signed_by__in=[by.user_id, proposal.signed_by])
        .first()
    )
    if second is None:
        raise NeedsSecondSigner
    return second


def _entry_of(order_id: UUID) -> UUID:
    return IsolationOrder.objects.values_list("entry_id", flat=True).get(pk=order_id)
