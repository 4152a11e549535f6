"""Ending an order before its end. It frees at the signature, and nothing takes it back (O-4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db import transaction

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Right
from lianfang.kernel.actor import lies_within
from lianfang.kernel.errors import NotAllowed, NotFound
from lianfang.kernel.points import point
from lianfang.kernel.wake import wake
from lianfang.ledger import actions as ledger
from lianfang.messaging import actions as messaging
from lianfang.orders import policy
from lianfang.orders.errors import AlreadyOver
from lianfang.orders.models import IsolationOrder, Lift
from lianfang.people import actions as people
from lianfang.people import queries as people_queries

from .signing import organ_for, require_fresh_factor, same_or_refuse, signature, slip

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang.accounts.models import Organ
    from lianfang.kernel.actor import Actor
    from lianfang.orders.models import AppealDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftDraft:
    """Which order ends now, and why."""

    id: UUID
    order_id: UUID
    reason: str


@transaction.atomic
def lift_isolation(draft: LiftDraft, *, by: Actor) -> Lift:
    """End an order now. Free from this signature on, before chain, witness or delivery (O-9).

    :raises NotFound: no such order, or outside the officer's area
    :raises NotAllowed: `by` holds no office of the organ that ordered, or of one above it
    :raises FactorNotFresh: the second factor is older than five minutes
    :raises AlreadyOver: the order has ended, or was lifted by another act
    :raises SameIdOtherContent: the id was used for another lift
    """
    order = locked_order(draft.order_id)
    organ = organ_for(Right.ORDERS_ISOLATION_LIFT, over=order.area, by=by)
    if earlier := Lift.objects.filter(pk=draft.id).first():
        return same_or_refuse(earlier, {"order_id": draft.order_id, "reason": draft.reason})
    require_fresh_factor(by)
    # The organ that ordered, or one above it: the same kind, over an area that holds the issuer's.
    issuing = accounts.organ(order.organ)
    above = issuing is not None and lies_within(issuing.area, organ.area)
    if organ.kind != order.organ_kind or not above:
        raise NotAllowed(right=str(Right.ORDERS_ISOLATION_LIFT))
    return sign_lift(draft.id, order, reason=draft.reason, organ=organ, decision=None, by=by)


def sign_lift(
    lift_id: UUID,
    order: IsolationOrder,
    *,
    reason: str,
    organ: Organ,
    decision: AppealDecision | None,
    by: Actor,
) -> Lift:
    """Write the lift, its entry, its slip and what is owed, in the caller's transaction.

    :raises AlreadyOver: the order has ended, or was lifted
    """
    # C-3: signed at T and lifted when the server's clock has stepped back before T, it is lifted from T on.
    by = replace(by, at=max(by.at, order.signed_at))
    if order.ends_at <= by.at or Lift.objects.filter(order=order).exists():
        raise AlreadyOver
    entry = ledger.append(
        kind="orders:order:lifted",
        act_id=lift_id,
        organ=organ.code,
        scope=order.community,
        basis=order.basis,
        terms={"by": "appeal" if decision else "organ"},
        secrets={"order_no": order.order_no, "person": str(order.person_id), "at": by.at.isoformat()},
        by=by,
        prior=order.entry_id,
        hour=True,
    )
    lift = Lift.objects.create(
        id=lift_id,
        order=order,
        reason=reason,
        decision=decision,
        entry_id=entry,
        slip=slip(
            "L",
            people_queries.pass_facts([order.person_id])[order.person_id],
            order_no=order.order_no,
            starts_at=order.starts_at,
            ends_at=order.ends_at,
            nbf=by.at,
            at=by.at,
        ),
        **signature(organ, by=by),
    )
    messaging.owe(
        "orders/lifted",
        to=order.person_id,
        facts={"order": str(order.pk)},
        due_by=by.at + policy.TELL_WITHIN,
        by=by,
    )
    wake("orders", order.pk)
    point("orders.lift.before_commit")
    return lift


def locked_order(order_id: UUID) -> IsolationOrder:
    """An order, its person locked; two acts on one person queue here.

    :raises NotFound: no such order in the transaction's scope
    """
    order = IsolationOrder.objects.filter(pk=order_id).first()
    if order is None:
        raise NotFound
    people.person_for_update(order.person_id)
    return order
