"""Whose a sealed order was: opened for an appeal or a court, with a reason that the person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from lianfang.accounts.rights import Right
from lianfang.orders import queries
from lianfang.orders.errors import NoSuchNumber
from lianfang.people.errors import ReasonNeeded
from lianfang.people.reader import PersonField, read

from .signing import require_fresh_factor

if TYPE_CHECKING:
    from lianfang.kernel.actor import Actor
    from lianfang.orders.queries import OrderView
    from lianfang.people.reader import PersonView


@transaction.atomic
def open_identity(order_no: str, *, reason: str, by: Actor) -> tuple[OrderView, PersonView]:
    """Whose one order was, by its number. Each opening is a reading of its own on the person's list, with the reason.

    :raises NoSuchNumber: no such order, or outside the officer's area
    :raises NotAllowed: `by` prints no papers there
    :raises FactorNotFresh: the second factor is older than five minutes
    :raises ReasonNeeded: without a reason
    """
    order = queries.by_number(order_no, by=by)
    if order is None:
        raise NoSuchNumber
    by.require(Right.ORDERS_NOTICE_PRINT, over=order.area)
    require_fresh_factor(by)
    if len(reason.strip()) < 2:
        raise ReasonNeeded
    found = read([order.person_id], (PersonField.NAME, PersonField.ADDRESS), by=by, reason=reason)
    if order.person_id not in found:
        raise NoSuchNumber
    return order, found[order.person_id]
