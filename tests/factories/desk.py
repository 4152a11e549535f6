"""What officers do about somebody on the desk: passes, corrections, rosters, sheets, devices, acts, exports, grants."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lianfang.accounts.rights import Role
from lianfang.audit import actions as audit
from lianfang.gates import actions as gates
from lianfang.gates import passes, rule_acts
from lianfang.kernel import clock
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from lianfang.orders import actions as order_actions
from lianfang.people import actions as people
from lianfang.people.actions import rosters
from lianfang.people.policy import PersonField
from lianfang.rules import actions as rules
from lianfang_pass.keys import PublicKey, private_key_from_seed
from tests.factories import orders
from tests.factories.accounts import DISTRICT
from tests.factories.people import a_dwelling, a_household
from tests.factories.rosters import as_csv

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from lianfang.kernel.actor import Actor


def a_paper_pass(person_id: UUID, *, by: Actor) -> None:
    with scope(areas=[DISTRICT]):
        passes.give_paper_pass(
            passes.PaperPassDraft(id=new_id(), person_id=person_id, for_household=False), by=by
        )


def a_correction(person_id: UUID, *, phone: str, at: datetime) -> None:
    """The person asks for another telephone than this one."""
    with scope(areas=[DISTRICT], persons=[person_id]):
        people.ask_correction(
            people.CorrectionDraft(
                id=new_id(),
                person_id=person_id,
                field=PersonField.PHONE,
                value="19900001234",
                base=people.base_of(person_id, PersonField.PHONE, phone),
            ),
            by=orders.resident(person_id, at=at),
        )


def a_run(content: bytes, *, community: str, by: Actor, checked: bool = False, written: bool = False) -> UUID:
    """A roster that was handed in, tried if `checked`, taken over if `written`."""
    run = people.receive_roster(new_id(), community=community, filename="名册.csv", content=content, by=by)
    for dry in [True] * (checked or written) + [False] * written:
        with scope(areas=[community]):
            people.start_run(run, dry=dry, by=by)
            rosters.carry_out(run, by=by)
    return run


def one_row(name: str, *, phone: str, building: str = "7栋") -> bytes:
    """A roster of one person without a number."""
    return as_csv([["和睦花园", building, "1单元", "0202", name, "", phone, "", "", "", ""]])


def neighbours(doors: Iterable[str], *, community: str) -> None:
    """A household behind each door: a sheet is posted where five live."""
    for door in doors:
        a_household("测试丙", area=a_dwelling(door, community=community))


def a_sheet(order_id: UUID, *, by: Actor) -> None:
    with scope(areas=[DISTRICT]):
        order_actions.post_sheet(new_id(), order_id, by=by)


def ending_tonight(days: int) -> datetime:
    """From when days must be counted for an order to end at the coming midnight."""
    today = clock.legal_day(clock.now())
    return clock.start_of_legal_day(today - timedelta(days=days)) + timedelta(minutes=1)


def a_rule_of_two_phases() -> None:
    """In force today: who comes back from a medium-risk area has seven days, then three of monitoring at home."""
    now = clock.now()
    draft = orders.a_rule_draft(
        content={
            **orders.a_rule_draft().content,
            "follow_on_measure": "home_monitoring",
            "follow_on_days": 3,
        },
        effective_from=clock.legal_day(now),
    )
    rules.draft_document(draft, by=orders.officer(Role.CDC, at=now))
    rules.publish_document(draft.id, by=orders.officer(Role.CMD_LEAD, at=now))


def a_first_phase(person_id: UUID) -> None:
    """An order under that rule that ends tonight."""
    orders.an_order(person_id, at=clock.now(), reason="area_returnee_medium", anchor_at=ending_tonight(7))


def a_device(gate_id: UUID, *, seed: int, by: Actor) -> None:
    with scope(areas=[DISTRICT]):
        invited = gates.open_enrolment(gate_id, by=by)
        key = private_key_from_seed(seed.to_bytes(32, "big"))
        gates.enrol_device(invited.code, PublicKey.of(key).cose(), at=by.at)


def a_quota(area: str, *, by: Actor) -> UUID:
    """Proposed, and not yet signed."""
    draft = rule_acts.ActDraft(
        id=new_id(), kind="quota", area=area, starts_at=by.at, ends_at=by.at + timedelta(days=2),
        classes="H", times=1, window=2, basis="第四十二条", remedy="街道",
    )  # fmt: skip
    with scope(areas=[DISTRICT]):
        return rule_acts.propose(draft, by=by).pk


def an_export_request(area: str) -> None:
    with scope(areas=[DISTRICT]):
        people.ask_export(
            new_id(), area=area, purpose="疫情处置核对", by=orders.officer(Role.CDC, at=clock.now())
        )


def a_grant(auditor_login: str, area: str, *, order_no: str = "") -> None:
    """Of one order, or of today."""
    now = clock.now()
    today = clock.legal_day(now)
    day = None if order_no else today
    audit.give_grant(
        audit.GrantDraft(
            id=new_id(), auditor_login=auditor_login, area=area, order_no=order_no, from_on=day, until_on=day,
            reason="例行抽查", last_day=today + timedelta(days=9),
        ),
        by=orders.officer(Role.SECURITY_ADMIN, at=now),
    )  # fmt: skip
