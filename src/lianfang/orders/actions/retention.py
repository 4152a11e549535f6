"""What is destroyed when its term is over: a case, with everything by which somebody could say whose it was."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction
from django.db.models import Q

from lianfang.accounts.rights import Right
from lianfang.concerns import actions as concerns
from lianfang.kernel.errors import NotFound
from lianfang.kernel.ids import random_id
from lianfang.kernel.points import point
from lianfang.kernel.row_security import scope
from lianfang.ledger import actions as ledger
from lianfang.ledger.errors import NothingToErase
from lianfang.ledger.policy import TERM_OVER
from lianfang.messaging import actions as messaging
from lianfang.orders import ending, policy
from lianfang.orders.errors import KeptForItsTerm
from lianfang.orders.models import (
    Appeal,
    AppealDecision,
    DestroyedAct,
    DestroyedCase,
    DestroyedOrder,
    HoldWithdrawal,
    IsolationOrder,
    IsolationProposal,
    Lift,
    ReleaseNotice,
)
from lianfang.people import actions as people
from lianfang.places import queries as places

from .lifting import locked_order
from .papers import end_of
from .signing import organ_for, require_fresh_factor

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from lianfang.concerns.queries import Ended
    from lianfang.kernel.actor import Actor

_OF_ORDERS: Final = "order_id = ANY(%s)"


def _within(column: str, table: str) -> str:
    return f"{column} IN (SELECT id FROM {table} WHERE {_OF_ORDERS})"


#: What is recorded beside an order, each table before those it points to.
_BESIDE: Final = (
    ("orders_takedown", _within("sheet_id", "orders_boardsheet")),
    ("orders_boardsheet", _OF_ORDERS),
    ("orders_carearrangement", _within("need_id", "orders_careneed")),
    ("orders_careneed", _OF_ORDERS),
    ("orders_serving", _OF_ORDERS),
    ("orders_releasecheck", _OF_ORDERS),
    ("orders_releasenotice", _OF_ORDERS),
    ("orders_holdwithdrawal", _within("hold_id", "orders_hold")),
    ("orders_hold", _OF_ORDERS),
    ("orders_endseen", _OF_ORDERS),
    ("orders_lift", _OF_ORDERS),
    ("orders_appealdecision", _within("appeal_id", "orders_appeal")),
    ("orders_appeal", _OF_ORDERS),
)


@transaction.atomic
def destroy_case(order_id: UUID, *, by: Actor) -> DestroyedCase:
    """Destroy the case of one order, past its term: the health organ of its place signs.

    Asked again, the answer is the same.

    :raises NotFound: no such order, or outside the officer's area
    :raises NotAllowed: `by` destroys nothing there
    :raises FactorNotFresh: the second factor is older than five minutes
    :raises KeptForItsTerm: its term runs, an appeal waits for its decision, or the person asked that it be kept
    """
    with contextlib.suppress(NotFound):
        locked_order(order_id)
    # After the lock: of two at once the second finds what the first did.
    if earlier := DestroyedCase.objects.filter(orders=order_id).first():
        by.require(Right.ORDERS_CASE_DESTROY, over=earlier.community)
        return earlier
    order = locked_order(order_id)
    organ = organ_for(Right.ORDERS_CASE_DESTROY, over=order.area, by=by)
    require_fresh_factor(by)
    return _destroy(ending.case_of(order), organ=organ.code, by=by)


def destroy_ended(*, by: Actor, limit: int = 100) -> int:
    """Destroy the cases whose term is over, the oldest first, at most so many; returns how many.

    Cut off, it goes on where it was: each case is a transaction.
    """
    cut, done = by.at - policy.CASE_KEPT_FOR, 0
    with scope(areas=places.districts()):
        old = IsolationOrder.objects.filter(Q(ends_at__lte=cut) | Q(lift__signed_at__lte=cut))
        candidates = list(old.order_by("ends_at", "pk").values_list("pk", flat=True))
    for pk in candidates:
        if done == limit:
            break
        with scope(areas=places.districts()):
            order = IsolationOrder.objects.filter(pk=pk).first()
            if order is None:  # it went with the case before
                continue
            with contextlib.suppress(NotFound):  # a person who is not there any more objects to nothing
                people.person_for_update(order.person_id)
            with contextlib.suppress(KeptForItsTerm):
                _destroy(ending.case_of(order), organ=by.organ, by=by)
                done += 1
    _forget_proposals(cut, limit=limit)
    return done


def forget_reports(*, by: Actor, limit: int = 5_000) -> int:
    """Destroy reports and concerns from which neither proposal nor order came, when their term is over; how many rows."""
    with scope(areas=places.districts()):
        return concerns.destroy_ended(_not_rested_on, by=by, limit=limit)


def _not_rested_on(ended: Sequence[Ended]) -> list[Ended]:
    """Those that no order and no proposal names: as evidence, or as the arrival by which somebody was present."""
    named = _named({e.concern_id for e in ended if e.concern_id is not None})
    present = _presences({e.report_id for e in ended})
    return [e for e in ended if e.concern_id not in named and e.report_id not in present]


def _destroy(orders: list[IsolationOrder], *, organ: str, by: Actor) -> DestroyedCase:
    """All in the caller's transaction; it needs a scope over the person.

    # D-4: the entries stay; what they committed to goes with its salt, and each erasure has its notice in the chain.

    :raises KeptForItsTerm: see `destroy_case`
    """
    over_at, kept = ending.over_at(orders), ending.destroyed_from(orders)
    if over_at is None or kept is None or by.at < kept:
        raise KeptForItsTerm
    ids = [o.pk for o in orders]
    acts = list(_acts_of(ids))
    for _, _, _, entry in acts:
        with contextlib.suppress(NothingToErase):  # a restored backup: its key was destroyed before
            ledger.erase(entry, reason="term", basis=TERM_OVER, by=by)
    case_id = random_id()
    entry = ledger.append(
        kind="orders:case:destroyed",
        act_id=case_id,
        organ=organ,
        scope=orders[0].community,
        basis=TERM_OVER,
        terms={"count": len(orders), "reason": "term"},
        secrets={},
        by=by,
        prior=orders[0].entry_id,
        hour=True,
    )
    case = DestroyedCase.objects.create(
        id=case_id,
        community=orders[0].community,
        over_at=over_at,
        destroyed_at=by.at,
        destroyed_by=by.user_id,
        organ=organ,
        entry_id=entry,
    )
    # These rows are what the triggers ask for: without them nothing below goes.
    DestroyedOrder.objects.bulk_create(_left_of(order, case) for order in orders)
    DestroyedAct.objects.bulk_create(
        DestroyedAct(act_id=act, order_id=order, kind=kind, entry_id=e) for order, kind, act, e in acts
    )
    point("orders.destroy_case.before_rows")
    _delete(orders, [act for _, _, act, _ in acts])
    return case


def _left_of(order: IsolationOrder, case: DestroyedCase) -> DestroyedOrder:
    return DestroyedOrder(
        id=order.pk,
        case=case,
        order_no=order.order_no,
        measure=order.measure,
        organ=order.organ,
        signed_at=order.signed_at,
        starts_at=order.starts_at,
        ends_at=order.ends_at,
        over_at=end_of(order),
    )


def _acts_of(ids: Collection[UUID]) -> Iterator[tuple[UUID, str, UUID, UUID]]:
    """Order, kind, act and entry of everything about these orders that stands in the chain."""
    for pk, entry in IsolationOrder.objects.filter(pk__in=ids).values_list("pk", "entry"):
        yield pk, "orders:isolation:issued", pk, entry
    for model, kind in ((Lift, "orders:order:lifted"), (ReleaseNotice, "orders:release:noticed")):
        for order, pk, entry in model.objects.filter(order__in=ids).values_list("order", "pk", "entry"):
            yield order, kind, pk, entry
    for order, pk, e in Appeal.objects.filter(order__in=ids).values_list("order", "pk", "entry"):
        if e is not None:
            yield order, "orders:appeal:raised", pk, e
    gone = HoldWithdrawal.objects.filter(hold__order__in=ids)
    for order, pk, entry in gone.values_list("hold__order", "pk", "entry"):
        yield order, "orders:hold:withdrawn", pk, entry
    found = AppealDecision.objects.filter(appeal__order__in=ids)
    for order, pk, entry, granted in found.values_list("appeal__order", "pk", "entry", "granted"):
        yield order, f"orders:appeal:{'won' if granted else 'lost'}", pk, entry


def _delete(orders: Collection[IsolationOrder], act_ids: Collection[UUID]) -> None:
    """The rows of these orders, what told of them, what they rested on. What a row says is not read: it goes."""
    ids = [o.pk for o in orders]
    proposals = [o.proposal_id for o in orders if o.proposal_id is not None]
    about = {*ids, *act_ids, *Appeal.objects.filter(order__in=ids).values_list("pk", flat=True)}
    with connection.cursor() as cursor:
        for table, condition in _BESIDE:
            cursor.execute(f"DELETE FROM {table} WHERE {condition}", [ids])
        cursor.execute("DELETE FROM orders_isolationorder WHERE id = ANY(%s)", [ids])
        cursor.execute("DELETE FROM orders_change WHERE act_id = ANY(%s)", [list(act_ids)])
    messaging.forget(about, to={o.person_id for o in orders})
    evidence = {o.evidence_id for o in orders} | _delete_proposals(proposals)
    reports = {o.presence_id for o in orders if o.presence_kind == "arrival"}
    _forget_evidence(evidence, reports)


def _forget_proposals(cut: datetime, *, limit: int) -> None:
    """Proposals that no order followed, after the same term."""
    with scope(areas=places.districts()):
        old = IsolationProposal.objects.filter(signed_at__lte=cut, orders=None)
        _forget_evidence(_delete_proposals(old.order_by("signed_at").values_list("pk", flat=True)[:limit]))


def _delete_proposals(proposals: Collection[UUID]) -> set[UUID]:
    """Those from which no order is left; returns the concerns that they named."""
    rows = IsolationProposal.objects.filter(pk__in=list(proposals), orders=None)
    gone = dict(rows.values_list("pk", "evidence_id"))
    with connection.cursor() as cursor:
        for table in ("orders_proposalrefusal", "orders_secondsignature"):
            cursor.execute(f"DELETE FROM {table} WHERE proposal_id = ANY(%s)", [list(gone)])
        cursor.execute("DELETE FROM orders_isolationproposal WHERE id = ANY(%s)", [list(gone)])
    return set(gone.values())


def _forget_evidence(evidence: Collection[UUID], reports: Collection[UUID] = ()) -> None:
    """Concerns that no other order and no proposal names."""
    concerns.forget(set(evidence) - _named(evidence), set(reports) - _presences(reports))


def _named(evidence: Collection[UUID]) -> set[UUID]:
    """Of these concerns those that an order or a proposal names."""
    return {
        pk
        for model in (IsolationOrder, IsolationProposal)
        for pk in model.objects.filter(evidence_id__in=evidence).values_list("evidence_id", flat=True)
    }


def _presences(reports: Collection[UUID]) -> set[UUID]:
    """Of these reports those by which an order says that somebody was present (O-6)."""
    found = IsolationOrder.objects.filter(presence_kind="arrival", presence_id__in=reports)
    return set(found.values_list("presence_id", flat=True))
