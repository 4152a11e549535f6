"""What an address needs before somebody can do its write, and what a person types into its fields."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from tests.access.world import OWN, World
from tests.factories import orders
from tests.factories.accounts import DISTRICT, a_user, an_organ
from tests.factories.people import a_citizen_number, a_community, a_dwelling, a_household, a_person
from tests.factories.rosters import a_roster, as_csv
from tests.faults.submitting import moment

from lianfang.accounts import actions as accounts
from lianfang.accounts.rights import Role
from lianfang.audit import actions as audit
from lianfang.concerns import actions as concerns
from lianfang.gates import actions as gates
from lianfang.gates import passes, rule_acts
from lianfang.gates.models import Gate
from lianfang.kernel import clock
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from lianfang.orders import actions
from lianfang.people import actions as people
from lianfang.people import queries as people_queries
from lianfang.people.actions import rosters
from lianfang.people.policy import PersonField
from lianfang.rules import actions as rules
from lianfang_pass.keys import PublicKey, private_key_from_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from lianfang.kernel.actor import Actor
    from lianfang.orders.models import IsolationOrder

_number = count(1)
_PHONE: Final = "19900001234"


def typed() -> dict[str, str]:
    """Field → what is typed, wherever a form has it."""
    n = next(_number)
    return {
        "phone": _PHONE,
        "name": "测试甲",
        "reason": "测试理由",
        "why": "测试理由",
        "carer_note": "邻居 19900000001",
        "receipt": "signed",
        "left_at": moment(-9),
        "arrived_at": moment(-5),
        "birth_date": "1980-01-01",
        "id_no": a_citizen_number(date(1980, 1, 1), order=n),
        "compound": "和睦花园",
        "decision": "same",
        "symptoms": "fever",
        "temp_c": "37.8",
        "time": "0715",
        "accept": "1",
    }


#: What is typed at one address alone.
TYPED_AT: Final[Mapping[str, Mapping[str, str]]] = {
    "gates:new_gate": {"kind": "road"},
    "audit:sample": {"count": "1", "id": str(new_id())},
}


def files() -> dict[str, bytes]:
    """Field → the file that is chosen."""
    return {"file": as_csv(a_roster(3, start=next(_number) * 10))}


def _by(role: Role, **more: Any) -> Actor:
    return orders.officer(role, area=a_community(OWN), at=clock.now(), **more)


def _someone(world: World, **person: Any) -> UUID:
    n = next(_number)
    return a_person(
        "测试乙",
        area=a_dwelling(f"7-{n}-0101", community=a_community(OWN)),
        at=clock.now() - timedelta(hours=1),
        **person,
    )


def _reported(world: World) -> None:
    with scope(areas=[DISTRICT]):
        concerns.report_symptoms(
            concerns.SymptomDraft(id=new_id(), person_id=_someone(world), symptoms=("fever",)),
            by=_by(Role.COMMUNITY),
        )


def _known(world: World) -> UUID:
    person = _someone(world)
    with scope(areas=[DISTRICT]):
        orders.a_concern(person, at=clock.now(), anchor_at=clock.now() - timedelta(hours=3))
    return person


def _proposed(world: World) -> None:
    person, before = _someone(world), clock.now() - timedelta(hours=3)
    with scope(areas=[DISTRICT]):
        evidence = orders.a_concern(person, at=clock.now(), anchor_at=before)
        actions.propose_isolation(
            actions.ProposalDraft(
                id=new_id(),
                person_id=person,
                reason="area_returnee_high",
                anchor_at=before,
                evidence_id=evidence,
                home_is_suitable=True,
            ),
            by=_by(Role.COMMUNITY),
        )


def _ordered(world: World, *, anchor_at: datetime | None = None) -> IsolationOrder:
    now = clock.now()
    return orders.an_order(_someone(world), at=now, anchor_at=anchor_at or now - timedelta(hours=3))


def _ending_tonight(days: int) -> datetime:
    """From when days must be counted for an order to end at the coming midnight."""
    today = clock.legal_day(clock.now())
    return clock.start_of_legal_day(today - timedelta(days=days)) + timedelta(minutes=1)


def _in_two_phases(world: World) -> None:
    person, now = _someone(world), clock.now()
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
    orders.an_order(person, at=now, reason="area_returnee_medium", anchor_at=_ending_tonight(7))


def _with_child(world: World) -> None:
    n = next(_number)
    home = a_household(area=a_dwelling(f"8-{n}-0101", community=a_community(OWN)))
    orders.an_order(home[0], at=clock.now(), anchor_at=clock.now() - timedelta(hours=3))


def _among_neighbours(world: World) -> IsolationOrder:
    order = _ordered(world)
    with scope(areas=[DISTRICT]):
        door = people_queries.pass_facts([order.person_id])[order.person_id].door
    for i in range(4):
        a_household("测试丙", area=a_dwelling(f"{door[:-1]}{i + 2}", community=a_community(OWN)))
    return order


def _posted(world: World) -> None:
    order = _among_neighbours(world)
    with scope(areas=[DISTRICT]):
        actions.post_sheet(new_id(), order.pk, by=_by(Role.COMMUNITY))


def _ending(world: World) -> IsolationOrder:
    return _ordered(world, anchor_at=_ending_tonight(14))


def _checked(world: World) -> None:
    order = _ending(world)
    with scope(areas=[DISTRICT]):
        for kind, role in (("health", Role.CDC), ("street", Role.STREET)):
            actions.check_release(new_id(), order.pk, kind=kind, by=_by(role))


def _asked(world: World) -> None:
    person = _someone(world, phone="19900009998")
    with scope(areas=[DISTRICT], persons=[person]):
        people.ask_correction(
            people.CorrectionDraft(
                id=new_id(),
                person_id=person,
                field=PersonField.PHONE,
                value=_PHONE,
                base=people.base_of(person, PersonField.PHONE, "19900009998"),
            ),
            by=orders.resident(person, at=clock.now()),
        )


def _received(world: World) -> UUID:
    return people.receive_roster(
        new_id(),
        community=a_community(OWN),
        filename="名册.csv",
        content=files()["file"],
        by=_by(Role.COMMUNITY),
    )


def _roster_checked(world: World) -> None:
    run, by = _received(world), _by(Role.COMMUNITY)
    with scope(areas=[a_community(OWN)]):
        people.start_run(run, dry=True, by=by)
        rosters.carry_out(run, by=by)


def _export_asked(world: World) -> None:
    with scope(areas=[DISTRICT]):
        people.ask_export(
            new_id(), area=a_community(OWN), purpose="核对名单", by=orders.officer(Role.CDC, at=clock.now())
        )


def _office_proposed(world: World) -> None:
    """An office that signs, proposed by the security administrator; the health organ confirms."""
    by = orders.officer(Role.SECURITY_ADMIN, at=clock.now())
    accounts.propose_office(
        accounts.OfficeDraft(
            office_id=new_id(),
            user_id=a_user().pk,
            role=Role.CDC,
            organ=an_organ("health", world.areas[Role.MEDIC]).code,
            area=world.areas[Role.MEDIC],
        ),
        by=by,
    )


def _with_pass(world: World) -> None:
    person = _someone(world)
    with scope(areas=[DISTRICT]):
        passes.give_paper_pass(
            passes.PaperPassDraft(id=new_id(), person_id=person, for_household=False), by=_by(Role.COMMUNITY)
        )


def _act_proposed(world: World) -> UUID:
    by = _by(Role.COMMUNITY)
    draft = rule_acts.ActDraft(
        id=new_id(), kind="quota", area=a_community(OWN), starts_at=by.at, ends_at=by.at + timedelta(days=2),
        classes="H", times=1, window=2, basis="第四十二条", remedy="街道",
    )  # fmt: skip
    with scope(areas=[DISTRICT]):
        return rule_acts.propose(draft, by=by).pk


def _act_signed(world: World) -> None:
    act = _act_proposed(world)
    with scope(areas=[DISTRICT]):
        rule_acts.sign(act, by=orders.officer(Role.CMD_LEAD, at=clock.now()))


def _device(world: World) -> None:
    by = _by(Role.COMMUNITY)
    with scope(areas=[DISTRICT]):
        invited = gates.open_enrolment(Gate.objects.get(area=a_community(OWN)).pk, by=by)
        key = private_key_from_seed(next(_number).to_bytes(32, "big"))
        gates.enrol_device(invited.code, PublicKey.of(key).cose(), at=by.at)


def _duplicate(world: World) -> None:
    by, phone = _by(Role.COMMUNITY), f"1990001{next(_number):04d}"
    _someone(world, phone=phone)
    row = ["和睦花园", "9栋", "1单元", "0202", "测试乙", "", phone, "", "", "", ""]
    run = people.receive_roster(
        new_id(), community=a_community(OWN), filename="名册.csv", content=as_csv([row]), by=by
    )
    for dry in (True, False):
        with scope(areas=[a_community(OWN)]):
            people.start_run(run, dry=dry, by=by)
            rosters.carry_out(run, by=by)


def _period_granted(world: World) -> None:
    _granted(world, order_no="")


def _granted(world: World, order_no: str | None = None) -> None:
    now = clock.now()
    number = _ordered(world).order_no if order_no is None else order_no
    day = None if number else clock.legal_day(now)
    audit.give_grant(
        audit.GrantDraft(
            id=new_id(), auditor_login=world.users[Role.AUDITOR].login, area=a_community(OWN), order_no=number,
            from_on=day, until_on=day, reason="例行抽查", last_day=clock.legal_day(now) + timedelta(days=9),
        ),
        by=orders.officer(Role.SECURITY_ADMIN, at=now),
    )  # fmt: skip


#: Address → what is done before.
READY: Final[Mapping[str, Callable[[World], object]]] = {
    "orders:concern": _reported,
    "orders:propose": _known,
    "orders:sign": _known,
    "orders:proposal": _proposed,
    "orders:second": _proposed,
    "orders:refuse": _proposed,
    "orders:arrival": _someone,
    "orders:serve": _ordered,
    "orders:record_care": _with_child,
    "orders:accept_care": _with_child,
    "orders:lift": _ordered,
    "orders:second_phase": _in_two_phases,
    "orders:notice": _checked,
    "orders:check": _ending,
    "orders:post_sheet": _among_neighbours,
    "orders:take_down": _posted,
    "people:settle": _asked,
    "people:agree_to_export": _export_asked,
    "people:decide": _duplicate,
    "accounts:confirm": _office_proposed,
    "gates:withdraw_pass": _with_pass,
    "gates:sign_act": _act_proposed,
    "gates:lift_act": _act_signed,
    "gates:withdraw": _device,
    "gates:explain": _device,
    "audit:sample": _period_granted,
    "people:run": _received,
    "people:write": _roster_checked,
    "people:cancel": _received,
}
#: Addresses whose repeat is tried elsewhere, and where.
ELSEWHERE: Final[Mapping[str, str]] = {
    "language": "leaves only a cookie",
    "accounts:log_out": "leaves only the session",
    "first_run": "tests/access/test_first_run.py",
    "people:export_file": "tests/people/test_records.py: each fetch is a reading of its own",
} | dict.fromkeys(
    ("accounts:login", "accounts:start", "accounts:set_up", "accounts:second_factor", "accounts:enter"),
    "tests/accounts: a code is good once",
)
#: KNOWN: a second click that comes when all is done is told that there is a pass already, not where it is.
LATE_DIFFERS: Final = frozenset({"gates:person_passes"})
#: KNOWN: not tried yet, for want of somebody who makes them ready: signals and files of gates, phone passes, cases
#: with their place in the chain, and the offices whose way of giving is being changed.
NOT_TRIED: Final = frozenset(
    {
        "gates:enrol_phone", "gates:renew_phone", "gates:propose_act", "gates:bring", "gates:answer", "audit:give", "audit:identity",
        "accounts:start_code", "accounts:grant", "accounts:new_officer", "accounts:end",
    }
)  # fmt: skip
