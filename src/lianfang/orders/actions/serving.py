"""Telling the person, and seeing that nobody is left without care before that. Changes no status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from lianfang.accounts.rights import Right
from lianfang.kernel.errors import NotFound
from lianfang.messaging import actions as messaging
from lianfang.messaging import queries as messaging_queries
from lianfang.messaging.policy import Means
from lianfang.orders import policy
from lianfang.orders.errors import AlreadyOver, AlreadyServed, CarerCannotCare, NeedsWitnesses, NotCaredFor
from lianfang.orders.models import CareArrangement, CareNeed, IsolationOrder, Serving
from lianfang.people import queries as people

from .lifting import locked_order
from .signing import organ_for, same_or_refuse, signature

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from lianfang.kernel.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingDraft:
    """How and when the person was told."""

    id: UUID
    order_id: UUID
    served_at: datetime
    receipt: str
    witnesses: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CareDraft:
    """Who cares for a dependant: a person known here, or somebody named in words."""

    id: UUID
    order_id: UUID
    dependant_id: UUID
    carer_id: UUID | None = None
    carer_note: str = ""


@transaction.atomic
def serve(draft: ServingDraft, *, by: Actor) -> Serving:
    """Record that the person was told of the order, and how they took it.

    :raises NotFound: no such order, or outside the area
    :raises NotAllowed: `by` serves no notices there
    :raises NotCaredFor: a dependant of the household has neither a carer nor a duty officer
    :raises NeedsWitnesses: a refused receipt needs two witnesses, a reading aloud one
    :raises AlreadyServed: it was served before
    :raises SameIdOtherContent: the id was used for another serving
    """
    order = locked_order(draft.order_id)
    organ = organ_for(Right.ORDERS_NOTICE_SERVE, over=order.area, by=by)
    said = {
        "order_id": draft.order_id,
        "served_at": draft.served_at,
        "receipt": draft.receipt,
        "witnesses": draft.witnesses,
    }
    if earlier := Serving.objects.filter(pk=draft.id).first():
        return same_or_refuse(earlier, said)
    if Serving.objects.filter(order=order).exists():
        raise AlreadyServed
    names = [n for n in draft.witnesses.replace("、", ",").replace("，", ",").split(",") if n.strip()]
    if len(names) < {Serving.Receipt.REFUSED: 2, Serving.Receipt.READ_OUT: 1}.get(
        Serving.Receipt(draft.receipt), 0
    ):
        raise NeedsWitnesses
    _refresh_needs(order, by=by)
    needs = [policy.CareNeed(n.dependant_id, n.why) for n in order.care_needs.all()]
    arranged = set(
        CareArrangement.objects.filter(need__order=order).values_list("need__dependant_id", flat=True)
    )
    if left := policy.may_be_served(needs, arranged):
        raise NotCaredFor(count=len(left))
    serving = Serving.objects.create(id=draft.id, **said, **signature(organ, by=by))
    # What was owed has arrived: nobody is asked to bring it once more (O-10).
    read_out = draft.receipt == Serving.Receipt.READ_OUT
    for owed in messaging_queries.owed_to(order.person_id, at=by.at):
        if owed.template == "orders/isolation_notice" and owed.facts.get("order") == str(order.pk):
            messaging.record_delivery(owed.id, means=Means.READ_ALOUD if read_out else Means.PAPER, by=by)
    return serving


@transaction.atomic
def record_care(draft: CareDraft, *, by: Actor) -> CareArrangement:
    """Name who cares for a dependant while the order lasts.

    :raises NotFound: no such order or dependant
    :raises NotAllowed: `by` serves no notices there
    :raises CarerCannotCare: the carer is the person ordered, a dependant, or under an order
    :raises SameIdOtherContent: the id was used for another arrangement
    """
    order = locked_order(draft.order_id)
    organ = organ_for(Right.ORDERS_NOTICE_SERVE, over=order.area, by=by)
    need = _need(order, draft.dependant_id, by=by)
    said = {"need_id": need.pk, "carer_id": draft.carer_id, "carer_note": draft.carer_note.strip()}
    if earlier := CareArrangement.objects.filter(need=need).first():
        return same_or_refuse(earlier, said)
    dependants = set(order.care_needs.values_list("dependant_id", flat=True))
    if draft.carer_id is None and not draft.carer_note.strip():
        raise CarerCannotCare
    if draft.carer_id is not None and (
        draft.carer_id in dependants | {order.person_id} or is_away(draft.carer_id, at=by.at)
    ):
        raise CarerCannotCare
    return CareArrangement.objects.create(id=draft.id, accepted=False, **said, **signature(organ, by=by))


@transaction.atomic
def accept_care(arrangement_id: UUID, order_id: UUID, *, dependant_id: UUID, by: Actor) -> CareArrangement:
    """The duty officer of the command takes over the care of a dependant for whom nobody was found.

    :raises NotFound: no such order or dependant
    :raises NotAllowed: `by` has no duty there
    :raises SameIdOtherContent: somebody else was named before
    """
    order = locked_order(order_id)
    organ = organ_for(Right.ORDERS_CARE_ACCEPT, over=order.area, by=by)
    need = _need(order, dependant_id, by=by)
    if earlier := CareArrangement.objects.filter(need=need).first():
        return same_or_refuse(earlier, {"need_id": need.pk, "accepted": True})
    return CareArrangement.objects.create(
        id=arrangement_id, need=need, accepted=True, **signature(organ, by=by)
    )


def is_away(person_id: UUID, *, at: datetime) -> bool:
    """Whether somebody is in a facility, or under any order outside this home, and so cannot care."""
    return IsolationOrder.objects.filter(
        person_id=person_id, measure="facility_isolation", starts_at__lte=at, ends_at__gt=at, lift=None
    ).exists()


def _need(order: IsolationOrder, dependant_id: UUID, *, by: Actor) -> CareNeed:
    if order.ends_at <= by.at:
        raise AlreadyOver
    _refresh_needs(order, by=by)
    need = CareNeed.objects.filter(order=order, dependant_id=dependant_id).first()
    if need is None:
        raise NotFound
    return need


def _refresh_needs(order: IsolationOrder, *, by: Actor) -> None:
    """Somebody may have moved in since the order was signed: they count too."""
    known = set(order.care_needs.values_list("dependant_id", flat=True))
    CareNeed.objects.bulk_create(
        CareNeed(order=order, dependant_id=d.person_id, why=d.why)
        for d in people.dependants(order.person_id, on=by.legal_day)
        if d.person_id not in known
    )
