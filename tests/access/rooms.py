"""What the rooms hold about the people of the crawl, so that every page of the desk answers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from lianfang.accounts.rights import Role
from lianfang.gates.models import Gate
from lianfang.kernel import clock
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from lianfang.orders.models import IsolationOrder
from tests.factories import announcements, desk, orders
from tests.factories.accounts import DISTRICT
from tests.factories.people import a_dwelling

from .world import somebody

if TYPE_CHECKING:
    from lianfang.kernel.actor import Actor

    from .world import Marked, World

#: A sheet is posted where five households live; `a_world` has one to a stairwell.
_NEIGHBOURS: Final = ("1-1-0102", "1-1-0201", "1-1-0202", "1-1-0301")


def fill_rooms(world: World) -> None:
    """For each community what makes every page of the desk answer, about its marked people."""
    homes: dict[str, list[Marked]] = {}
    for marked in world.people:
        homes.setdefault(orders.community_of(marked.area), []).append(marked)
    for community, (ordered, other, *_) in homes.items():
        by = orders.officer(Role.COMMUNITY, area=community, at=clock.now())
        desk.a_paper_pass(other.id, by=by)
        desk.a_correction(other.id, phone=other.phone, at=by.at)
        _rosters(community, other, by)
        desk.neighbours(_NEIGHBOURS, community=community)
        with scope(areas=[DISTRICT]):
            order = IsolationOrder.objects.get(person_id=ordered.id)
            gate = Gate.objects.filter(area=community).first()
        desk.a_sheet(order.pk, by=by)
        if gate is not None:
            desk.a_device(gate.pk, seed=1, by=by)
        desk.a_quota(community, by=by)
        desk.an_export_request(community)
        if world.areas[Role.AUDITOR] in community:  # elsewhere the auditor of the crawl holds no office
            desk.a_grant(world.users[Role.AUDITOR].login, community, order_no=order.order_no)
    _second_phase_and_care(world)
    _announcements()


def _announcements() -> None:
    """Of the street: a draft, one to be signed, one that everybody reads and a car says aloud."""
    announcements.a_draft()
    announcements.reviewed(announcements.a_draft().pk)
    announcements.a_published(aloud="请各位居民到南广场检测。")


def _rosters(community: str, marked: Marked, by: Actor) -> None:
    """One with a fault, one that holds back a suspected duplicate, one that waits for its columns."""
    faulty = desk.one_row(marked.name, phone="12")
    twice = desk.one_row(marked.name, phone=marked.phone)
    desk.a_run(faulty, community=community, by=by, checked=True)
    desk.a_run(twice, community=community, by=by, written=True)
    desk.a_run(twice, community=community, by=by)


def _second_phase_and_care(world: World) -> None:
    """Who ends a first phase tonight and has a child; at home and elsewhere."""
    desk.a_rule_of_two_phases()
    for community in (orders.community_of(world.people[n].area) for n in (0, -1)):
        home, household = a_dwelling("3-1-0101", community=community), new_id()
        person = somebody(world, home, household=household)
        somebody(world, home, household=household, relation="子女", born=date(2014, 5, 6))
        desk.a_first_phase(person.id)
