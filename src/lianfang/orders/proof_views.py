"""Proofs from the information chain, for the person and for whoever prints the papers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.views.decorators.cache import never_cache

from lianfang.accounts.rights import Purpose, Right
from lianfang.accounts.web import actor, surface
from lianfang.kernel.errors import NotFound
from lianfang.ledger.errors import NotWitnessedYet
from lianfang.messaging.press import as_pdf, press_for
from lianfang.people.reader import PersonField, read

from . import print_views, proofs, queries
from .prints import Offices

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest

    from lianfang.kernel.actor import Actor


@never_cache
@surface(right=Right.ORDERS_NOTICE_PRINT, purpose=Purpose.SERVICE_OF_NOTICE)
def printed(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """The proofs of an order and of all that followed, to go with its papers."""
    by = actor(request)
    return _pages(request, print_views.to_print(order_id, by=by), by=by)


@never_cache
@surface(resident=True, purpose=Purpose.OWN_DATA)
def own(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """The same for the person."""
    by = actor(request)
    return _pages(request, _own_order(order_id, by=by), by=by)


@never_cache
@surface(resident=True, purpose=Purpose.OWN_DATA)
def own_file(request: HttpRequest, order_id: UUID, entry_id: UUID) -> HttpResponse:
    """The proof of one act with the person's own content, for the verifier page and for other programs."""
    by = actor(request)
    order = _own_order(order_id, by=by)
    if entry_id not in {a.entry_id for a in proofs.acts_of(order.id)}:
        raise NotFound
    read([order.person_id], (PersonField.NAME,), by=by)
    try:
        text = proofs.own_proof(entry_id)
    except NotWitnessedYet as error:
        raise NotFound from error
    answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="proof-{entry_id}.txt"'
    return answer


def _own_order(order_id: UUID, *, by: Actor) -> queries.OrderView:
    order = queries.order(order_id, by=by)
    if order is None or order.person_id != by.person_id:
        raise NotFound
    return order


def _pages(request: HttpRequest, order: queries.OrderView, *, by: Actor) -> HttpResponse:
    # The second code opens sealed content of the person, so the reading is recorded like any.
    if not read([order.person_id], (PersonField.NAME,), by=by):
        raise NotFound
    papers = proofs.proof_papers(proofs.acts_of(order.id), press_for(request), Offices())
    return as_pdf([*papers], f"proof-{order.order_no}", at=by.at)
