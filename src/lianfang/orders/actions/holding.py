"""The person has a case kept beyond its term, and takes that back when it is needed no more (D-5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import transaction

from lianfang.accounts.rights import Right
from lianfang.kernel.errors import NotAllowed, NotFound
from lianfang.ledger import actions as ledger
from lianfang.orders import policy
from lianfang.orders.errors import HeldTooLong, HoldIsOver
from lianfang.orders.models import Hold, HoldWithdrawal, IsolationOrder

from .lifting import locked_order
from .signing import same_or_refuse

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from lianfang.kernel.actor import Actor

_OWN_DECISION: Final = "个人信息保护法第四十四条（个人对其个人信息的处理享有决定权）"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldDraft:
    """Until when the person wants a case kept, and what for."""

    id: UUID
    order_id: UUID
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalDraft:
    """Which hold is taken back, and why. `id` is the client's."""

    id: UUID
    hold_id: UUID
    reason: str


@transaction.atomic
def hold_case(draft: HoldDraft, *, by: Actor) -> Hold:
    """Keep the case of an order beyond its term: the person asks, or an office that serves notices, on their behalf (D-5).

    :raises NotFound: no such order, or its case was destroyed
    :raises NotAllowed: somebody else's order
    :raises HeldTooLong: in the past, or further ahead than one request may reach
    :raises SameIdOtherContent: the id was used for another hold
    """
    order = locked_order(draft.order_id)
    own = _may_hold(order, by=by)
    said = {"order_id": draft.order_id, "until": draft.until, "reason": draft.reason}
    if earlier := Hold.objects.filter(pk=draft.id).first():
        return same_or_refuse(earlier, said)
    if not by.at < draft.until <= by.at + policy.LONGEST_HOLD:
        raise HeldTooLong
    return Hold.objects.create(id=draft.id, asked_by=by.user_id, on_behalf=not own, asked_at=by.at, **said)


@transaction.atomic
def withdraw_hold(draft: WithdrawalDraft, *, by: Actor) -> HoldWithdrawal:
    """Take a hold back: from now on the case is kept for its term alone. The hold stays in the case, and so does this.

    An office takes back only what an office recorded: what the person asked for themselves is theirs.

    :raises NotFound: no such hold, or its case was destroyed
    :raises NotAllowed: somebody else's order, or the person's own request
    :raises HoldIsOver: it has ended, or was taken back by another act
    :raises SameIdOtherContent: the id was used for another hold
    """
    order_id = Hold.objects.filter(pk=draft.hold_id).values_list("order_id", flat=True).first()
    if order_id is None:
        raise NotFound
    order = locked_order(order_id)
    own = _may_hold(order, by=by)
    hold = Hold.objects.get(pk=draft.hold_id)
    if not own and not hold.on_behalf:
        raise NotAllowed(right=str(Right.ORDERS_NOTICE_SERVE))
    if earlier := HoldWithdrawal.objects.filter(pk=draft.id).first():
        return same_or_refuse(earlier, {"hold_id": draft.hold_id, "reason": draft.reason})
    if by.at >= hold.until or HoldWithdrawal.objects.filter(hold=hold).exists():
        raise HoldIsOver
    entry = ledger.append(
        kind="orders:hold:withdrawn",
        act_id=draft.id,
        organ=order.organ,
        scope=order.community,
        basis=_OWN_DECISION,
        terms={},
        secrets={"order_no": order.order_no, "person": str(order.person_id), "text": draft.reason},
        by=by,
        prior=order.entry_id,
        hour=True,
    )
    return HoldWithdrawal.objects.create(
        id=draft.id,
        hold=hold,
        reason=draft.reason,
        withdrawn_by=by.user_id,
        withdrawn_at=by.at,
        entry_id=entry,
    )


def _may_hold(order: IsolationOrder, *, by: Actor) -> bool:
    """Whether it is the own order; an office that serves notices there may for the person.

    :raises NotAllowed: somebody else's order
    :raises NotFound: it was destroyed while this waited for the lock
    """
    own = by.person_id == order.person_id
    if not own and not by.may(Right.ORDERS_NOTICE_SERVE, over=order.area):
        raise NotAllowed(right=str(Right.ORDERS_NOTICE_SERVE))
    if not IsolationOrder.objects.filter(pk=order.pk).exists():
        raise NotFound
    return own
