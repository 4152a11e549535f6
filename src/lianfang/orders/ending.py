"""Until when a case is kept: an order with all that lead to it or follow from it, and what keeps it beyond its term."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import policy
from .models import Appeal, Hold, IsolationOrder, Lift

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID


def kept_until(order_id: UUID) -> datetime | None:
    """From when on the case of an order is destroyed; None while an appeal waits for its decision.

    Whoever calls this holds the order in the scope of the transaction.
    """
    order = IsolationOrder.objects.get(pk=order_id)
    return destroyed_from(case_of(order))


def case_of(order: IsolationOrder) -> list[IsolationOrder]:
    """The order and all that lead to it or follow from it, the first one first."""
    found = {order.pk}
    rows = list(IsolationOrder.objects.filter(person_id=order.person_id).order_by("signed_at", "pk"))
    while more := {
        pk
        for row in rows
        for pk, other in ((row.pk, row.previous_id), (row.previous_id, row.pk))
        if pk is not None and other in found and pk not in found
    }:
        found |= more
    return [row for row in rows if row.pk in found]


def over_at(orders: Collection[IsolationOrder]) -> datetime | None:
    """When these orders of one case were over, with the last decision about them."""
    lifted = dict(Lift.objects.filter(order__in=orders).values_list("order", "signed_at"))
    objections = Appeal.objects.filter(order__in=orders).values_list("raised_at", "decision__signed_at")
    return policy.case_over_at(
        [min(o.ends_at, lifted.get(o.pk, o.ends_at)) for o in orders],
        [policy.Objection(*row) for row in objections],
    )


def destroyed_from(orders: Collection[IsolationOrder]) -> datetime | None:
    """See `policy.destroyed_from`; for the orders of one case."""
    holds = Hold.objects.filter(order__in=orders, withdrawal=None).values_list("until", flat=True)
    return policy.destroyed_from(over_at(orders), holds)


def holds_of(order_id: UUID, at: datetime) -> list[Hold]:
    """The holds on the case by this order that still run, the one that ends first in front."""
    return list(Hold.objects.filter(order=order_id, until__gt=at, withdrawal=None).order_by("until", "pk"))


def hold(hold_id: UUID) -> Hold | None:
    """One hold, in the scope of the transaction."""
    return Hold.objects.filter(pk=hold_id).first()
