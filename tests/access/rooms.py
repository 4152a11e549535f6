"""What the rooms hold about the people of the crawl: passes, corrections, rosters, sheets, care, devices, acts, grants."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from lianfang.accounts.rights import Role
from lianfang.audit import actions as audit
from lianfang.gates import actions as gates
from lianfang.gates import passes, rule_acts
from lianfang.gates.models import Gate
from lianfang.kernel import clock
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from lianfang.orders import actions as order_actions
from lianfang.orders.models import IsolationOrder
from lianfang.people import actions as people
from lianfang.people.actions import rosters
from lianfang.people.policy import PersonField
from lianfang.rules import actions as rules
from lianfang_pass.keys import PublicKey
from tests.factories import orders
from tests.factories.accounts import DISTRICT
from tests.factories.people import a_dwelling, a_household
from tests.factories.rosters import as_csv
from tests.pass_ import world as gate_world

from .world import somebody

if TYPE_CHECKING:
    from lianfang.kernel.actor import Actor

    from .world import Marked, World

#: A sheet is posted where five households live; `a_world` has one to a stairwell.
_NEIGHBOURS: Final = ("0102", "0201", "0202", "0301")


def fill_rooms(world: World) -> None:
    """For each community what makes every page of the desk answer, about its marked people."""
    homes: dict[str, list[Marked]] = {}
    for marked in world.people:
        homes.setdefault(orders.community_of(marked.area), []).append(marked)
    for community, (ordered, other, *_) in homes.items():
        by = orders.officer(Role.COMMUNITY, area=community, at=clock.now())
        _passes_and_corrections(other, by)
        _rosters(community, other, by)
        order = _sheet(community, ordered, by)
        _gates(community, by)
        _export(community)
        _grant(world, community, order)
    _second_phase_and_care(world)


def _passes_and_corrections(marked: Marked, by: Actor) -> None:
    with scope(areas=[DISTRICT]):
        passes.give_paper_pass(
            passes.PaperPassDraft(id=new_id(), person_id=marked.id, for_household=False), by=by
        )
    with scope(areas=[DISTRICT], persons=[marked.id]):
        people.ask_correction(
            people.CorrectionDraft(
                id=new_id(), person_id=marked.id, field=PersonField.PHONE, value="19900001234",
                base=people.base_of(marked.id, PersonField.PHONE, marked.phone),
            ),
            by=orders.resident(marked.id, at=by.at),
        )  # fmt: skip


def _export(community: str) -> None:
    cdc = orders.officer(Role.CDC, area=DISTRICT, at=clock.now())
    with scope(areas=[DISTRICT]):
        people.ask_export(new_id(), area=community, purpose="疫情处置核对", by=cdc)


def _rosters(community: str, marked: Marked, by: Actor) -> None:
    """One with a fault, one that holds back a suspected duplicate, one that waits for its columns."""
    for phone, acts in (("12", ["check"]), (marked.phone, ["check", "write"]), (marked.phone, [])):
        row = ["和睦花园", "7栋", "1单元", "0202", marked.name, "", phone, "", "", "", ""]
        run = people.receive_roster(
            new_id(), community=community, filename="名册.csv", content=as_csv([row]), by=by
        )
        for act in acts:
            with scope(areas=[community]):
                people.start_run(run, dry=act == "check", by=by)
                rosters.carry_out(run, by=by)


def _sheet(community: str, marked: Marked, by: Actor) -> IsolationOrder:
    for room in _NEIGHBOURS:
        a_household("测试丙", area=a_dwelling(f"1-1-{room}", community=community))
    with scope(areas=[DISTRICT]):
        order = IsolationOrder.objects.get(person_id=marked.id)
        order_actions.post_sheet(new_id(), order.pk, by=by)
    return order


def _second_phase_and_care(world: World) -> None:
    """Who ends seven days tonight, has three more of monitoring at home to come, and a child; at home and elsewhere."""
    now = clock.now()
    draft = orders.a_rule_draft(
        content={
            **orders.a_rule_draft().content, "follow_on_measure": "home_monitoring", "follow_on_days": 3,
        },
        effective_from=clock.legal_day(now),
    )  # fmt: skip
    rules.draft_document(draft, by=orders.officer(Role.CDC, at=now))
    rules.publish_document(draft.id, by=orders.officer(Role.CMD_LEAD, at=now))
    began = clock.start_of_legal_day(clock.legal_day(now) - timedelta(days=7)) + timedelta(minutes=1)
    for community in (orders.community_of(world.people[n].area) for n in (0, -1)):
        home, household = a_dwelling("3-1-0101", community=community), new_id()
        person = somebody(world, home, household=household)
        somebody(world, home, household=household, relation="子女", born=date(2014, 5, 6))
        orders.an_order(person.id, at=now, reason="area_returnee_medium", anchor_at=began)


def _gates(community: str, by: Actor) -> None:
    with scope(areas=[DISTRICT]):
        for gate in Gate.objects.filter(area=community):
            invited = gates.open_enrolment(gate.pk, by=by)
            gates.enrol_device(invited.code, PublicKey.of(gate_world.HOLDER).cose(), at=by.at)
        rule_acts.propose(
            rule_acts.ActDraft(
                id=new_id(), kind="quota", area=community, starts_at=by.at, ends_at=by.at + timedelta(days=2),
                classes="H", times=1, window=2, basis="第四十二条", remedy="街道",
            ),
            by=by,
        )  # fmt: skip


def _grant(world: World, community: str, order: IsolationOrder) -> None:
    """To the auditor of the crawl, where it lies in the own area."""
    auditor = world.users[Role.AUDITOR]
    giver = orders.officer(Role.SECURITY_ADMIN, area=DISTRICT, at=clock.now())
    if world.areas[Role.AUDITOR] not in community:
        return
    audit.give_grant(
        audit.GrantDraft(
            id=new_id(), auditor_login=auditor.login, area=community, order_no=order.order_no, from_on=None,
            until_on=None, reason="例行抽查", last_day=clock.legal_day(clock.now()) + timedelta(days=9),
        ),
        by=giver,
    )  # fmt: skip
