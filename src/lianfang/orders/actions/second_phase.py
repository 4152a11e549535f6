"""What a rule asks for after its first days (7 in a facility, then 3 at home): an order of its own, never automatic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from lianfang.accounts.rights import Right
from lianfang.orders import policy
from lianfang.orders.errors import (
    AlreadyUnderOrder,
    LongerThanItsCap,
    NoRuleCovers,
    NoSecondPhase,
    PeriodAlreadyOver,
    TooEarlyForSecondPhase,
)
from lianfang.orders.models import IsolationOrder, Lift
from lianfang.people import actions as people
from lianfang.rules import queries as rules

from .isolation import presence_of, second_signature, sign_order
from .lifting import locked_order
from .signing import organ_for, require_fresh_factor, same_or_refuse

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang.kernel.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondPhaseDraft:
    """The second phase of which order is signed."""

    order_id: UUID
    first_id: UUID


@transaction.atomic
def order_second_phase(draft: SecondPhaseDraft, *, by: Actor) -> IsolationOrder:
    """Order what the rule of an order asks for after it, under the same fact and the same rule.

    It begins when the first phase ends, or at the signature if that is later; its end is counted from the first
    end and does not move. Unsigned, the person is free when the first phase ends (O-2).

    :raises NotFound: no such order, or outside the officer's area
    :raises NotAllowed: `by` holds no health office there
    :raises FactorNotFresh: the second factor is older than five minutes
    :raises NoSecondPhase: the rule has none, the order was lifted, or is a second phase itself
    :raises TooEarlyForSecondPhase: more than a day before the first phase ends
    :raises PeriodAlreadyOver: counted from the first end, the days have passed
    :raises AlreadyUnderOrder: it has been signed
    :raises NoRuleCovers: no caps are in force
    :raises LongerThanItsCap: longer than this measure may last
    :raises OrganNotCompetent: , NotPresent, NeedsSecondSigner, NeedsPlaceOrder: see `issue_isolation`
    :raises SameIdOtherContent: the id was used for a different order
    """
    first = locked_order(draft.first_id)
    person = people.person_for_update(first.person_id)
    organ = organ_for(Right.ORDERS_ISOLATION_ISSUE, over=person.area, by=by)
    said = {
        "person_id": first.person_id,
        "reason": first.reason,
        "anchor_at": first.anchor_at,
        "evidence_id": first.evidence_id,
        "proposal_id": None,
        "previous_id": first.pk,
        "phase": 2,
    }
    if earlier := IsolationOrder.objects.filter(pk=draft.order_id).first():
        return same_or_refuse(earlier, said)
    require_fresh_factor(by)

    rule = rules.rule_of(first.rule_id)
    measure = rule.follow_on_measure
    if first.phase != 1 or measure is None or Lift.objects.filter(order=first).exists():
        raise NoSecondPhase
    if by.at < first.ends_at - policy.NOTICE_AHEAD:
        raise TooEarlyForSecondPhase
    if IsolationOrder.objects.filter(previous=first, phase=2).exists():
        raise AlreadyUnderOrder
    period = policy.Period(
        max(by.at, first.ends_at), policy.second_term(rule.follow_on_days, first.ends_at).ends_at
    )
    if period.ends_at - period.starts_at < policy.SHORTEST:
        raise PeriodAlreadyOver
    ruling = rules.ruling(reason=first.reason, area=person.area, on=by.legal_day)
    if ruling.caps is None or ruling.reason is None:
        raise NoRuleCovers
    if not policy.is_within_length(period, measure=measure, caps=ruling.caps):
        raise LongerThanItsCap
    presence = presence_of(person, organ, caps=ruling.caps, by=by)
    second = second_signature(
        person, ruling.competence, measure, ruling.caps, organ, None, period=period, by=by
    )
    return sign_order(
        draft.order_id,
        person,
        said,
        rule=rule,
        measure=measure,
        days=rule.follow_on_days,
        incident=ruling.incident.code,
        organ=organ,
        period=period,
        presence=presence,
        second=second,
        by=by,
    )
