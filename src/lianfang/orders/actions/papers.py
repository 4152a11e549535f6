"""Paperwork of the end, and public sheets. None of it frees or restricts anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, transaction

from lianfang.accounts.rights import Right
from lianfang.kernel.clock import legal_day
from lianfang.kernel.errors import NotFound
from lianfang.ledger import actions as ledger
from lianfang.messaging import actions as messaging
from lianfang.orders import policy
from lianfang.orders.errors import AlreadyOver, ChecksMissing, NoPlaceLargeEnough, TooEarlyForNotice
from lianfang.orders.models import BoardSheet, Lift, ReleaseCheck, ReleaseNotice, TakeDown
from lianfang.people import queries as people
from lianfang.rules import queries as rules

from .lifting import locked_order
from .signing import organ_for, signature

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from lianfang.kernel.actor import Actor
    from lianfang.orders.models import IsolationOrder

#: Below a community nothing is a street's business: public places are stairwell, building, compound, community.
_PUBLIC_FROM = 3


@transaction.atomic
def check_release(check_id: UUID, order_id: UUID, *, kind: str, by: Actor) -> ReleaseCheck:
    """Tick one of the two checks of the release paperwork.

    :raises NotFound: no such order
    :raises NotAllowed: `by` makes no such check there
    :raises TooEarlyForNotice: more than a day before the end
    """
    order = locked_order(order_id)
    right = Right.ORDERS_RELEASE_CHECK_HEALTH if kind == "health" else Right.ORDERS_RELEASE_CHECK_STREET
    organ = organ_for(right, over=order.area, by=by)
    if earlier := ReleaseCheck.objects.filter(order=order, kind=kind).first():
        return earlier
    _not_too_early(order, by=by)
    return ReleaseCheck.objects.create(id=check_id, order=order, kind=kind, **signature(organ, by=by))


@transaction.atomic
def issue_release_notice(notice_id: UUID, order_id: UUID, *, by: Actor) -> ReleaseNotice:
    """Sign the paper that says the order is over (F06). It moves no end; a late one is the authority's incident.

    An order has one notice; asked for again, it is the one already signed.

    :raises NotFound: no such order
    :raises NotAllowed: `by` issues no orders there
    :raises TooEarlyForNotice: more than a day before the end
    :raises ChecksMissing: the medic's or the street's check is not there
    """
    order = locked_order(order_id)
    organ = organ_for(Right.ORDERS_ISOLATION_ISSUE, over=order.area, by=by)
    if earlier := ReleaseNotice.objects.filter(order=order).first():
        return earlier
    _not_too_early(order, by=by)
    if set(order.release_checks.values_list("kind", flat=True)) != {"health", "street"}:
        raise ChecksMissing
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('orders_number_seq')")
        (seq,) = cursor.fetchone()
    notice_no = policy.order_number(
        incident=rules.incident().code,
        division=order.area.partition(".")[0][1:],
        form="F06",
        day=legal_day(by.at),
        seq=seq,
    )
    entry = ledger.append(
        kind="orders:release:noticed",
        act_id=notice_id,
        organ=organ.code,
        scope=order.community,
        basis=order.basis,
        terms={},
        secrets={"notice_no": notice_no, "order_no": order.order_no, "person": str(order.person_id)},
        by=by,
        prior=order.entry_id,
        hour=True,
    )
    notice = ReleaseNotice.objects.create(
        id=notice_id, order=order, notice_no=notice_no, entry_id=entry, **signature(organ, by=by)
    )
    messaging.owe(
        "orders/release_notice",
        to=order.person_id,
        facts={"order": str(order.pk)},
        due_by=max(by.at, end_of(order)) + policy.NOTICE_LATE_AFTER,
        by=by,
    )
    return notice


@transaction.atomic
def post_sheet(sheet_id: UUID, order_id: UUID, *, by: Actor) -> BoardSheet:
    """Make the public sheet of an order, for the smallest place around the home with five households.

    :param sheet_id: random, by the caller's `random_bytes`: it is the sheet's public address
    :raises NotFound: no such order
    :raises NotAllowed: `by` posts nothing there
    :raises AlreadyOver: the order has ended
    :raises NoPlaceLargeEnough: not even the community holds five households
    """
    order = locked_order(order_id)
    organ = organ_for(Right.ORDERS_BOARD_POST, over=order.area, by=by)
    if end_of(order) <= by.at:
        raise AlreadyOver
    place = policy.public_place([(a, people.household_count(a)) for a in _around(order.area)])
    if place is None:
        raise NoPlaceLargeEnough
    if earlier := BoardSheet.objects.filter(order=order, place=place).first():
        return earlier
    # N-2: the sheet's end is the order's.
    return BoardSheet.objects.create(
        id=sheet_id,
        order=order,
        place=place,
        households=people.household_count(place),
        starts_at=order.starts_at,
        ends_at=order.ends_at,
        **signature(organ, by=by),
    )


@transaction.atomic
def record_take_down(take_down_id: UUID, sheet_id: UUID, *, by: Actor) -> TakeDown:
    """Record that a sheet no longer hangs.

    :raises NotFound: no such sheet
    :raises NotAllowed: `by` posts nothing there
    """
    # Locked: two reports that it is gone queue here, and the second finds the first.
    sheet = BoardSheet.objects.select_for_update().filter(pk=sheet_id).first()
    if sheet is None:
        raise NotFound
    organ = organ_for(Right.ORDERS_BOARD_POST, over=sheet.place, by=by)
    if earlier := TakeDown.objects.filter(sheet=sheet).first():
        return earlier
    return TakeDown.objects.create(id=take_down_id, sheet=sheet, **signature(organ, by=by))


def end_of(order: IsolationOrder) -> datetime:
    """When the order is over: at its end, or at its lift."""
    lift = Lift.objects.filter(order=order).first()
    return order.ends_at if lift is None else min(order.ends_at, lift.signed_at)


def _not_too_early(order: IsolationOrder, *, by: Actor) -> None:
    if by.at < end_of(order) - policy.NOTICE_AHEAD:
        raise TooEarlyForNotice


def _around(area: str) -> list[str]:
    """Places around a dwelling that may be named in public, the smallest first; never the dwelling."""
    labels = area.split(".")
    return [".".join(labels[:n]) for n in range(len(labels) - 1, _PUBLIC_FROM - 1, -1)]
