"""What an address needs before somebody can do its write, and what a person types into its fields."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import date, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final, cast

from django.db import connection
from tests.access.world import OWN, World
from tests.factories import announcements, desk, orders
from tests.factories.accounts import DISTRICT, STREET, a_user, an_office, an_organ
from tests.factories.people import a_citizen_number, a_community, a_dwelling, a_household, a_person
from tests.factories.rosters import a_roster, as_csv
from tests.faults import submitting
from tests.faults.submitting import moment
from tests.gates.asgi import FakeDevice
from tests.gates.test_front import run as through_the_front

from lianfang.accounts import actions as accounts
from lianfang.accounts.models import User
from lianfang.accounts.rights import Role
from lianfang.concerns import actions as concerns
from lianfang.credentials import actions as credentials
from lianfang.credentials import queries as credentials_queries
from lianfang.gates import actions as gates
from lianfang.gates import jobs as gates_jobs
from lianfang.gates import passes, phones, rounds, rule_acts, tickets, work_passes
from lianfang.gates.models import Device, Gate, Signal, Ticket
from lianfang.kernel import clock
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from lianfang.orders import actions
from lianfang.people import queries as people_queries
from lianfang.rules import actions as rules
from lianfang_chain import cbor
from lianfang_pass import base45, tokens
from lianfang_pass.exported import encode_export
from lianfang_pass.keys import PublicKey, private_key_from_seed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from uuid import UUID

    from lianfang.kernel.actor import Actor
    from lianfang.orders.models import IsolationOrder

_number = count(1)
_PHONE: Final = "19900001234"
_PHONE_KEY: Final = private_key_from_seed(bytes(31) + b"\x07")


def typed() -> dict[str, str]:
    """Field → what is typed, wherever a form has it."""
    n, today = next(_number), str(clock.legal_day(clock.now()))
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
        "from_on": today,
        "until_on": today,
        "last_day": today,
        "order_no": "",
        "verified_by": "王医生",
    }


#: What is typed at one address alone.
TYPED_AT: Final[Mapping[str, Mapping[str, str]]] = {
    "announcements:draft": {"places": STREET, "starts_at": "", "ends_at": moment(24)},
    "gates:new_gate": {"kind": "road"},
    "gates:edit_gate": {"kind": "road"},
    "orders:own_hold": {"until": str(clock.legal_day(clock.now()) + timedelta(days=90))},
    "orders:hold_for": {"until": str(clock.legal_day(clock.now()) + timedelta(days=90))},
    "gates:set_ages": {"day_hours": "36", "old_hours": "96"},
    "gates:propose_act": {"classes": "H", "times": "1", "window": "2"},
    "accounts:new_officer": {"login": "ceshi-yuan"},
    "accounts:new_organ": {"code": "wuye-9", "kind": "property", "phone": "0812-1990000"},
    "accounts:organ": {"phone": "0812-1990000"},
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


def _past_its_term(world: World) -> None:
    """The rules of this world are younger than three years, so an order of today is made old past the act."""
    order = _ordered(world)
    with scope(areas=[DISTRICT]), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE orders_isolationorder DISABLE TRIGGER rows_stay")
        columns = ("anchor_at", "signed_at", "starts_at", "ends_at")
        older = ", ".join(f"{c} = {c} - interval '1200 days'" for c in columns)
        cursor.execute(f"UPDATE orders_isolationorder SET {older} WHERE id = %s", [order.pk])
        cursor.execute("ALTER TABLE orders_isolationorder ENABLE TRIGGER rows_stay")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def _in_two_phases(world: World) -> None:
    person = _someone(world)
    desk.a_rule_of_two_phases()
    desk.a_first_phase(person)


def _with_child(world: World) -> None:
    n = next(_number)
    home = a_household(area=a_dwelling(f"8-{n}-0101", community=a_community(OWN)))
    orders.an_order(home[0], at=clock.now(), anchor_at=clock.now() - timedelta(hours=3))


def _among_neighbours(world: World) -> IsolationOrder:
    order = _ordered(world)
    with scope(areas=[DISTRICT]):
        door = people_queries.pass_facts([order.person_id])[order.person_id].door
    desk.neighbours([f"{door[:-1]}{i + 2}" for i in range(4)], community=a_community(OWN))
    return order


def _posted(world: World) -> None:
    desk.a_sheet(_among_neighbours(world).pk, by=_by(Role.COMMUNITY))


def _ending(world: World) -> IsolationOrder:
    return _ordered(world, anchor_at=desk.ending_tonight(14))


def _checked(world: World) -> None:
    order = _ending(world)
    with scope(areas=[DISTRICT]):
        for kind, role in (("health", Role.CDC), ("street", Role.STREET)):
            actions.check_release(new_id(), order.pk, kind=kind, by=_by(role))


def _asked(world: World) -> None:
    phone = "19900009998"
    desk.a_correction(_someone(world, phone=phone), phone=phone, at=clock.now())


def _received(world: World) -> None:
    desk.a_run(files()["file"], community=a_community(OWN), by=_by(Role.COMMUNITY))


def _roster_checked(world: World) -> None:
    desk.a_run(files()["file"], community=a_community(OWN), by=_by(Role.COMMUNITY), checked=True)


def _export_asked(world: World) -> None:
    desk.an_export_request(a_community(OWN))


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
    desk.a_paper_pass(_someone(world), by=_by(Role.COMMUNITY))


def _to_work(world: World) -> dict[str, object]:
    """Somebody, and the compound of the own work."""
    person = _someone(world)
    with scope(areas=[DISTRICT]):
        home = people_queries.person_refs([person])[person].area
    return {"person_id": person, "compounds": home.rsplit(".", 3)[0]}


def _marked_work(found: dict[str, object]) -> work_passes.WorkPassDraft:
    return work_passes.WorkPassDraft(
        id=new_id(), person_id=cast("UUID", found["person_id"]), kind="W",
        compounds=(str(found["compounds"]),), valid_until=clock.now() + timedelta(days=1), not_cleared=True,
    )  # fmt: skip


def _with_marked_pass(world: World) -> dict[str, object]:
    """A worker who is not yet cleared; the id of the pass that takes the place of the marked one."""
    found = _to_work(world)
    with scope(areas=[DISTRICT]):
        made = work_passes.give_work_pass(_marked_work(found), by=_by(Role.COMMUNITY))
    return {"person_id": found["person_id"], "pass_id": made.pass_id, "id": str(new_id())}


def _with_work_on_phone(world: World) -> dict[str, object]:
    """The same for the phone."""
    found = _to_work(world)
    with scope(areas=[DISTRICT]):
        made = work_passes.grant_work_on_phone(_marked_work(found), by=_by(Role.COMMUNITY))
    return {"person_id": found["person_id"], "work_id": made.id, "id": str(new_id())}


def _act_proposed(world: World) -> UUID:
    return desk.a_quota(a_community(OWN), by=_by(Role.COMMUNITY))


def _act_signed(world: World) -> None:
    act = _act_proposed(world)
    with scope(areas=[DISTRICT]):
        rule_acts.sign(act, by=orders.officer(Role.CMD_LEAD, at=clock.now()))


def _text_drafted(_: World) -> None:
    announcements.a_draft()


def _text_reviewed(_: World) -> None:
    announcements.reviewed(announcements.a_draft().pk)


def _text_published(_: World) -> None:
    announcements.a_published()


def _device(world: World) -> None:
    with scope(areas=[DISTRICT]):
        gate = Gate.objects.get(area=a_community(OWN))
    desk.a_device(gate.pk, seed=next(_number), by=_by(Role.COMMUNITY))


def _duplicate(world: World) -> None:
    phone = f"1990001{next(_number):04d}"
    _someone(world, phone=phone)
    twice = desk.one_row("测试乙", phone=phone, building="9栋")
    desk.a_run(twice, community=a_community(OWN), by=_by(Role.COMMUNITY), written=True)


def _granted(world: World) -> None:
    desk.a_grant(world.users[Role.AUDITOR].login, a_community(OWN))


def _own_order(world: World) -> None:
    order = _ordered(world)
    world.users[Role.RESIDENT] = a_user(person_id=order.person_id)


def _held(world: World) -> dict[str, object]:
    """Their order, which the community has kept on their behalf."""
    order = _ordered(world)
    world.users[Role.RESIDENT] = a_user(person_id=order.person_id)
    with scope(areas=[DISTRICT]):
        held = actions.hold_case(
            actions.HoldDraft(
                id=new_id(), order_id=order.pk, until=clock.now() + timedelta(days=90), reason="复议"
            ),
            by=_by(Role.COMMUNITY),
        )
    return {"hold_id": held.pk}


def _office_to_give(world: World) -> dict[str, str]:
    """A grid worker's, to somebody who has none."""
    organ = an_organ("community", a_community(OWN))
    return {"login": a_user().login, "role": Role.GRID, "organ": organ.code, "area": ""}


def _organ_entered(world: World) -> dict[str, str]:
    return {"organ_code": an_organ("community", a_community(OWN)).code}


def _office_given(world: World) -> dict[str, object]:
    return {"office_id": an_office(Role.GRID, a_community(OWN)).pk}


def _with_code(world: World) -> submitting.Json:
    """A resident who may leave their home, with a code from the community and a phone that has made its key."""
    person = _someone(world)
    with scope(areas=[DISTRICT]):
        home = people_queries.person_refs([person])[person].area
        code = accounts.issue_paper_code(person, home, by=_by(Role.COMMUNITY))
    world.users[Role.RESIDENT] = User.objects.get(person_id=person)
    key = urlsafe_b64encode(cbor.encode(PublicKey.of(_PHONE_KEY).cose())).rstrip(b"=").decode()
    return submitting.Json(code=code, key=key)


def _with_phone(world: World) -> submitting.Json:
    """The same once the pass is on the phone, and one for work was granted: it shows its rotating code."""
    sent, person = _with_code(world), world.users[Role.RESIDENT].person_id
    assert person is not None
    with scope(areas=[DISTRICT], persons=[person]):
        by = orders.resident(person, at=clock.now())
        (token,) = phones.put_on_phone(sent["code"], cbor.encode(PublicKey.of(_PHONE_KEY).cose()), by=by)
    with scope(areas=[DISTRICT]):
        home = people_queries.person_refs([person])[person].area
        work = _marked_work({"person_id": person, "compounds": home.rsplit(".", 3)[0]})
        work_passes.grant_work_on_phone(work, by=_by(Role.COMMUNITY))
    proof = tokens.sign_code(token, at=int(clock.now().timestamp()), key=_PHONE_KEY)
    return submitting.Json(proof=base45.to_text(proof))


def _with_device(world: World, story: Callable[[FakeDevice], Awaitable[object]]) -> None:
    """A device of the post at the own community, through the front."""
    gates_jobs.ensure_partitions(clock.now())
    credentials.rotate_keys(clock.now() - timedelta(days=1))
    with scope(areas=[DISTRICT]):
        gate = Gate.objects.get(area=a_community(OWN))
        invited = gates.open_enrolment(gate.pk, by=_by(Role.COMMUNITY))
    device = FakeDevice((100 + next(_number)).to_bytes(32, "big"))

    async def whole() -> None:
        assert (await device.enrol(invited.code, invited.thumbprint)).status == 201
        await story(device)

    through_the_front(whole)


def _called(world: World) -> dict[str, object]:
    async def call(device: FakeDevice) -> None:
        assert (await device.tell(device.batch(1, [device.signal(1)]))).status == 201

    _with_device(world, call)
    return {"signal_id": Signal.objects.latest("pk").pk}


def _without_card(world: World) -> dict[str, object]:
    """Somebody lives there who has no card yet."""
    with scope(areas=[DISTRICT]):
        return {
            "area": people_queries.person_refs([person := _someone(world)])[person].area.partition(".b")[0]
        }


def _round_given(world: World) -> dict[str, object]:
    area = cast("str", _without_card(world)["area"])
    with scope(areas=[DISTRICT]):
        made = rounds.give_passes(
            rounds.RoundDraft(id=new_id(), area=area, basis="通告（示例）"), by=_by(Role.COMMUNITY)
        )
    return {"round_id": made.pk}


def _ticketed(world: World) -> dict[str, object]:
    """A pass was withdrawn before a post that had not heard of it let it through."""
    person = _someone(world)
    desk.a_paper_pass(person, by=_by(Role.COMMUNITY))
    _device(world)
    with scope(areas=[DISTRICT]):
        (printed,) = credentials_queries.passes_of([person])
        passes.withdraw_pass(printed.id, person_id=person, reason="lost", by=_by(Role.COMMUNITY))
        device = Device.objects.latest("enrolled_at")
        row = tickets.LetThrough(
            device=device.pk, gate=device.gate_id, seq=1, passed_at=clock.now(), received_at=clock.now(),
            inward=False, list_version=0, cti=printed.cti,
        )  # fmt: skip
        assert tickets.open_tickets([row]) == 1
    return {"gate_id": device.gate_id, "ticket_id": Ticket.objects.latest("pk").pk}


def _drafted(_: World) -> dict[str, object]:
    """Somebody else wrote a rule down."""
    today = clock.legal_day(clock.now())
    place = str(5000 + next(_number))  # of its own, so that no two cover the same days
    draft = orders.a_rule_draft(effective_from=today, effective_to=None, jurisdiction=place)
    rules.draft_document(draft, by=_by(Role.CDC))
    return {"document_id": draft.id}


def _in_force(world: World) -> dict[str, object]:
    """A rule of the district itself runs."""
    made = _drafted(world)
    rules.publish_document(cast("UUID", made["document_id"]), by=_by(Role.CMD_LEAD))
    return made


def _exported(world: World) -> dict[str, bytes]:
    made = {}

    async def export(device: FakeDevice) -> None:
        made["file"] = encode_export([device.batch(1, [device.row(1), device.row(2)])])

    _with_device(world, export)
    return made


#: Address → what is done before. What it gives back is typed, chosen as a file, or sent as it is.
READY: Final[Mapping[str, Callable[[World], object]]] = {
    "orders:own_appeal": _own_order,
    "orders:own_hold": _own_order,
    "orders:own_withdraw": _held,
    "orders:withdraw_for": _held,
    "accounts:grant": _office_to_give,
    "accounts:organ": _organ_entered,
    "accounts:end": _office_given,
    "accounts:start_code": _office_given,
    "gates:enrol_phone": _with_code,
    "gates:renew_phone": _with_phone,
    "gates:answer": _called,
    "gates:close_ticket": _ticketed,
    "rules:verify": _drafted,
    "rules:publish": _drafted,
    "rules:end": _in_force,
    "gates:bring": _exported,
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
    "orders:destroy": _past_its_term,
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
    "gates:compound": _without_card,
    "gates:withdraw_round": _round_given,
    "gates:work_pass": _to_work,
    "gates:clear_worker": _with_marked_pass,
    "gates:clear_on_phone": _with_work_on_phone,
    "gates:withdraw_work": _with_work_on_phone,
    "gates:sign_act": _act_proposed,
    "gates:lift_act": _act_signed,
    "announcements:review": _text_drafted,
    "announcements:sign": _text_reviewed,
    "announcements:withdraw": _text_published,
    "gates:withdraw": _device,
    "gates:explain": _device,
    "audit:sample": _granted,
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
    "gates:open_code": "tests/gates/test_kept_codes.py: each opening is a reading of its own",
    "audit:identity": "tests/audit/test_audit.py: each opening is a reading of its own",
    "orders:open_sealed": "tests/orders/test_sealed.py: each opening is a reading of its own",
} | dict.fromkeys(
    ("accounts:login", "accounts:start", "accounts:set_up", "accounts:second_factor", "accounts:enter"),
    "tests/accounts: a code is good once",
)
