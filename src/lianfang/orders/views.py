"""The lists of the desk: what waits for a decision, orders in force, what is to be served, cared for, checked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.cache import never_cache

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Purpose, Right
from lianfang.accounts.web import actor, surface
from lianfang.concerns import queries as concerns
from lianfang.kernel.errors import NotFound
from lianfang.kernel.ids import id_in
from lianfang.ledger import queries as ledger
from lianfang.people.reader import PersonField, read
from lianfang.places import queries as places

from . import labels, pages, policy, proposals, queries
from .appeals import to_decide
from .sheets import hanging

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from lianfang.concerns.queries import Concern

#: Orders in force on one page of the list.
_PAGE = 50
#: What ends within this time is named in the heading.
_SOON = timedelta(days=2)


@never_cache
@surface(right=(Right.ORDERS_PROPOSAL_SEE, Right.ORDERS_ISOLATION_SEE), purpose=Purpose.ISOLATION)
def desk(request: HttpRequest) -> HttpResponse:
    """Concerns to decide, proposals to sign, and the orders in force by their end, page by page."""
    by = actor(request)
    sees_concerns = bool(by.areas(Right.CONCERNS_REPORT_SEE))
    waiting = concerns.unassessed(by) if sees_concerns else []
    verified = proposals.concerns_without_order(by) if sees_concerns else []
    open_proposals = proposals.waiting(by)
    in_force = queries.in_force(by, after=id_in(request.GET.get("after", "")), limit=_PAGE + 1)
    running = in_force[:_PAGE]
    total, soon = queries.count_in_force(by, within=_SOON)
    late = queries.late_notices(by)
    names = pages.names_of(
        {
            *(c.person_id for c in [*waiting, *verified]),
            *(p.person_id for p in open_proposals),
            *(o.person_id for o in [*running, *late] if not o.is_sealed),
        },
        by=by,
    )
    communities = places.names({p.area.rpartition(".m")[0] or p.area for p in open_proposals})
    organs = accounts.organ_names(p.organ for p in open_proposals)
    # What has been proposed waits for a signature, one line further down; it is not shown twice.
    proposed = {p.evidence_id for p in open_proposals}
    said = labels.Reasons()

    def concern_line(c: Concern) -> dict[str, object]:
        name = names[c.person_id].shown_name if c.person_id in names else ""
        return {"concern": c, "name": name, "reason": said.say(c.category, by.legal_day, area="")}

    return render(
        request,
        "orders/desk.html",
        {
            "concerns": [concern_line(c) for c in waiting if c.id not in proposed],
            "verified": [concern_line(c) for c in verified],
            "proposals": [
                {
                    "proposal": p,
                    "name": names[p.person_id].shown_name if p.person_id in names else "",
                    "where": communities.get(p.area.rpartition(".m")[0] or p.area, ""),
                    "organ": organs.get(p.organ, p.organ),
                    "reason": said.say(p.reason, by.legal_day, area=p.area),
                }
                for p in open_proposals
            ],
            "running": pages.lines(running, names, said),
            "total": total,
            "soon": soon,
            "next": running[-1].id if len(in_force) > _PAGE else None,
            "late": pages.lines(late, names, said),
            "may_open": bool(by.areas(Right.ORDERS_NOTICE_PRINT)),
        },
    )


@never_cache
@surface(right=Right.ORDERS_ISOLATION_SEE, purpose=Purpose.SERVICE_OF_NOTICE)
def person(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """All orders on one person that the reader's office covers, and whether one is in force."""
    by = actor(request)
    # Beside a name a sealed order would say whose it was.
    known = [
        o
        for o in queries.orders_of(person_id, by.at)
        if by.may(Right.ORDERS_ISOLATION_SEE, over=o.area) and not o.is_sealed
    ]
    views = read([person_id], (PersonField.NAME,), by=by)
    if person_id not in views:
        raise NotFound
    said = labels.Reasons()
    return render(
        request,
        "orders/person.html",
        {"person": views[person_id], "lines": pages.lines(known, views, said)},
    )


@never_cache
@surface(right=Right.ORDERS_NOTICE_SERVE, purpose=Purpose.SERVICE_OF_NOTICE)
def serving(request: HttpRequest) -> HttpResponse:
    """Orders of which the person has not been told."""
    by = actor(request)
    waiting = queries.to_serve(by)
    names = pages.names_of({o.person_id for o in waiting}, by=by)
    said = labels.Reasons()
    lines = [
        line | {"late": by.at >= order.signed_at + policy.TELL_WITHIN}
        for order, line in zip(waiting, pages.lines(waiting, names, said), strict=True)
    ]
    return render(
        request,
        "orders/serving.html",
        {"lines": lines, "may_print": bool(by.areas(Right.ORDERS_NOTICE_PRINT))},
    )


@never_cache
@surface(right=Right.ORDERS_CARE_ACCEPT, purpose=Purpose.CARE)
def care(request: HttpRequest) -> HttpResponse:
    """Dependants for whom nobody was found: the duty officer may take the care over."""
    by = actor(request)
    needs = queries.open_needs(by)
    chain = ledger.newest_states([order.entry_id for order, _ in needs])
    lines = [
        {
            "order": order,
            "chain": chain[order.entry_id],
            "need": need,
            "why": labels.NEEDS.get(need.why, need.why),
            "where": places.addresses([order.area]).get(order.area, ""),
        }
        for order, need in needs
    ]
    return render(request, "orders/care.html", {"lines": lines})


@never_cache
@surface(right=Right.ORDERS_APPEAL_DECIDE, purpose=Purpose.APPEAL)
def appeals(request: HttpRequest) -> HttpResponse:
    """Objections that wait for the panel."""
    by = actor(request)
    waiting = to_decide(by)
    chain = ledger.newest_states([a.entry_id for a in waiting if a.entry_id])
    lines = [
        {"appeal": a, "late": a.is_late(by.at), "chain": a.entry_id and chain[a.entry_id]} for a in waiting
    ]
    return render(request, "orders/appeals.html", {"lines": lines})


@never_cache
@surface(
    right=(Right.ORDERS_RELEASE_CHECK_HEALTH, Right.ORDERS_RELEASE_CHECK_STREET),
    purpose=Purpose.SERVICE_OF_NOTICE,
)
def checks(request: HttpRequest) -> HttpResponse:
    """Release papers that wait for a check; the door and the day are enough for it."""
    waiting = queries.to_check(actor(request))
    doors = places.doors({o.area for o, _ in waiting})
    chain = ledger.newest_states([o.entry_id for o, _ in waiting])
    lines = [
        {
            "order": o,
            "kind": kind,
            "door": "" if o.is_sealed else doors.get(o.area, ""),
            "chain": chain[o.entry_id],
        }
        for o, kind in waiting
    ]
    return render(request, "orders/checks.html", {"lines": lines})


@never_cache
@surface(right=Right.ORDERS_BOARD_POST, purpose=Purpose.SERVICE_OF_NOTICE)
def sheets(request: HttpRequest) -> HttpResponse:
    """Public sheets: those that hang, and those to take down."""
    by = actor(request)
    known = hanging(by)
    where = places.addresses({s.place for s in known})

    def lines(state: str) -> list[dict[str, object]]:
        return [{"sheet": s, "where": where.get(s.place, "")} for s in known if s.state == state]

    return render(request, "orders/sheets.html", {"down": lines("ended"), "hanging": lines("valid")})
