"""Objecting to an order, and deciding about the objection. A won appeal frees at signature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from lianfang.accounts.rights import Right
from lianfang.kernel.errors import NotAllowed, NotFound
from lianfang.kernel.ids import random_id
from lianfang.kernel.wake import wake
from lianfang.ledger import actions as ledger
from lianfang.messaging import actions as messaging
from lianfang.orders import policy
from lianfang.orders.errors import DecidedAlready, DeciderTookPart, TooLateToAppeal
from lianfang.orders.models import Appeal, AppealDecision, IsolationOrder, Lift

from .lifting import locked_order, sign_lift
from .signing import organ_for, require_fresh_factor, same_or_refuse, signature

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang.kernel.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealDraft:
    """What the person says against the order."""

    id: UUID
    order_id: UUID
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionDraft:
    """What the panel found, with its reasons."""

    id: UUID
    appeal_id: UUID
    granted: bool
    reasons: str


@transaction.atomic
def appeal(draft: AppealDraft, *, by: Actor) -> Appeal:
    """Object to an order: the person, or an office that serves notices there, on their behalf (AP-1).

    :raises NotFound: no such order
    :raises NotAllowed: somebody else's order
    :raises TooLateToAppeal: more than sixty days after its end
    :raises SameIdOtherContent: the id was used for another appeal
    """
    order = locked_order(draft.order_id)
    own = by.person_id == order.person_id
    if not own and not by.may(Right.ORDERS_NOTICE_SERVE, over=order.area):
        raise NotAllowed(right=str(Right.ORDERS_NOTICE_SERVE))
    said = {"order_id": draft.order_id, "text": draft.text}
    if earlier := Appeal.objects.filter(pk=draft.id).first():
        return same_or_refuse(earlier, said)
    if by.at >= order.ends_at + policy.APPEAL_AFTER_END:
        raise TooLateToAppeal
    entry = ledger.append(
        kind="orders:appeal:raised",
        act_id=draft.id,
        organ=order.organ,
        scope=order.community,
        basis=order.basis,
        terms={},
        secrets={"order_no": order.order_no, "person": str(order.person_id), "text": draft.text},
        by=by,
        prior=order.entry_id,
        hour=True,
    )
    made = Appeal.objects.create(
        id=draft.id, raised_by=by.user_id, on_behalf=not own, raised_at=by.at, entry_id=entry, **said
    )
    wake("appeals", made.pk)
    return made


@transaction.atomic
def decide_appeal(draft: DecisionDraft, *, by: Actor) -> AppealDecision:
    """Decide about an objection. Granted, it lifts the order in the same act, at signature.

    :raises NotFound: no such appeal
    :raises NotAllowed: `by` decides no appeals there
    :raises FactorNotFresh: the second factor is older than five minutes
    :raises DeciderTookPart: issuer, proposer, second signer, or an officer of the organ that ordered
    :raises DecidedAlready: another decision stands
    :raises SameIdOtherContent: the id was used for another decision
    """
    made = Appeal.objects.select_related("order").filter(pk=draft.appeal_id).first()
    if made is None:
        raise NotFound
    order = locked_order(made.order_id)
    organ = organ_for(Right.ORDERS_APPEAL_DECIDE, over=order.area, by=by)
    said = {"appeal_id": made.pk, "granted": draft.granted, "reasons": draft.reasons}
    if earlier := AppealDecision.objects.filter(pk=draft.id).first():
        return same_or_refuse(earlier, said)
    require_fresh_factor(by)
    if AppealDecision.objects.filter(appeal=made).exists():
        raise DecidedAlready
    if by.user_id in _took_part(order) or organ.code == order.organ:
        raise DeciderTookPart
    entry = ledger.append(
        kind="orders:appeal:won" if draft.granted else "orders:appeal:lost",
        act_id=draft.id,
        organ=organ.code,
        scope=order.community,
        basis=order.basis,
        terms={},
        secrets={"order_no": order.order_no, "person": str(order.person_id), "reasons": draft.reasons},
        by=by,
        prior=made.entry_id or order.entry_id,
        hour=True,
    )
    decision = AppealDecision.objects.create(id=draft.id, entry_id=entry, **said, **signature(organ, by=by))
    still_runs = order.ends_at > by.at and not Lift.objects.filter(order=order).exists()
    if draft.granted and still_runs:
        sign_lift(random_id(), order, reason=draft.reasons[:300], organ=organ, decision=decision, by=by)
    else:
        messaging.owe(
            "orders/appeal_decided",
            to=order.person_id,
            facts={"appeal": str(made.pk)},
            due_by=by.at + policy.TELL_WITHIN,
            by=by,
        )
    return decision


def _took_part(order: IsolationOrder) -> set[UUID]:
    return {
        order.signed_by,
        *([order.proposal.signed_by] if order.proposal else []),
        *([order.second.signed_by] if order.second else []),
    }
