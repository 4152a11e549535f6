"""Papers of orders as PDF. What is read for them is recorded like any reading."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.cache import never_cache

from lianfang.accounts.rights import Purpose, Right
from lianfang.accounts.web import actor, surface
from lianfang.kernel.errors import NotAllowed, NotFound
from lianfang.messaging.press import as_pdf, press_for
from lianfang.people.reader import PersonField, read

from . import prints, proofs, queries, sheets

if TYPE_CHECKING:
    from django.http import HttpRequest

    from lianfang.kernel.actor import Actor
    from lianfang.messaging.papers import Paper

#: So many notices leave in one print run.
_MOST = 500


def to_print(order_id: UUID, *, by: Actor) -> queries.OrderView:
    """The order, for somebody who may print its papers; one that is sealed has none."""
    order = queries.order(order_id, by=by)
    if order is None:
        raise NotFound
    by.require(Right.ORDERS_NOTICE_PRINT, over=order.area)
    if order.is_sealed:  # `ending_views.open_sealed` prints its notice
        raise NotFound
    return order


@never_cache
@surface(right=Right.ORDERS_NOTICE_PRINT, purpose=Purpose.SERVICE_OF_NOTICE)
def paper(request: HttpRequest, order_id: str, paper: str) -> HttpResponse:
    """One paper of one order."""
    by, press = actor(request), press_for(request)
    order = to_print(UUID(order_id), by=by)
    # A certificate says that the days are over; it is not printed before they are.
    if (paper == "release" and not order.notice_no) or (paper == "employer" and order.in_force):
        raise NotFound
    made: Paper
    acts: list[proofs.Act] = []  # of which the proof goes with the paper
    if paper == "notice":
        made, acts = prints.isolation_notice(order, press, by=by), [proofs.of_order(order)]
    elif paper == "release":
        made, acts = prints.release_notice(order, press, by=by), proofs.acts_of(order.id)[1:]
    elif paper == "employer":
        made = prints.employer_certificate(order, press, by=by)
    elif paper == "door":
        made = prints.door_card(order, press)
    else:
        made = prints.spoken_sheet(order, press, by=by)
    with_proofs: list[Paper] = [made, *proofs.proof_papers(acts, press, prints.Offices())]
    return as_pdf(with_proofs, f"{paper}-{order.order_no}", at=by.at)


@never_cache
@surface(right=Right.ORDERS_NOTICE_PRINT, purpose=Purpose.SERVICE_OF_NOTICE)
def bulk(request: HttpRequest) -> HttpResponse:
    """The notices of all orders that wait to be served, in one run."""
    by, press = actor(request), press_for(request)
    waiting = [o for o in queries.to_serve(by, limit=_MOST) if by.may(Right.ORDERS_NOTICE_PRINT, over=o.area)]
    papers: list[Paper] = [*prints.notices(waiting, press, by=by)]
    if not papers:
        raise NotFound
    return as_pdf(papers, f"notices-{by.legal_day:%Y%m%d}", at=by.at)


@never_cache
@surface(right=Right.ORDERS_NOTICE_PRINT, purpose=Purpose.SERVICE_OF_NOTICE)
def bulk_proofs(request: HttpRequest) -> HttpResponse:
    """The proofs that go with them, in a run of their own: two codes of 150 modules take longer than a notice."""
    by, press = actor(request), press_for(request)
    waiting = [o for o in queries.to_serve(by, limit=_MOST) if by.may(Right.ORDERS_NOTICE_PRINT, over=o.area)]
    opened = read({o.person_id for o in waiting}, (PersonField.NAME,), by=by)
    acts = [proofs.of_order(o) for o in waiting if o.person_id in opened]
    if not acts:
        raise NotFound
    return as_pdf(
        [*proofs.proof_papers(acts, press, prints.Offices())], f"proofs-{by.legal_day:%Y%m%d}", at=by.at
    )


@never_cache
@surface(right=Right.ORDERS_BOARD_POST, purpose=Purpose.SERVICE_OF_NOTICE)
def sheet(request: HttpRequest, sheet_id: UUID) -> HttpResponse:
    """The public sheet; whoever posts it prints it, the property company too."""
    by = actor(request)
    found = sheets.sheet(sheet_id, by.at)
    if found is None:
        raise NotFound
    if not by.may(Right.ORDERS_BOARD_POST, over=found.place):
        raise NotAllowed(right=str(Right.ORDERS_BOARD_POST))
    paper = replace(prints.board_sheet(found, press_for(request)), head=proofs.day_head(by.legal_day))
    return as_pdf([paper], f"sheet-{found.id.hex[:8]}", at=by.at)
