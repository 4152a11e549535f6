"""Tickets: a gate let somebody pass and had not heard yet. Opened once, seen by the community alone, closed with a word."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from lianfang.accounts.rights import Right, Role
from lianfang.credentials import actions as credentials
from lianfang.credentials import queries as passes
from lianfang.gates import actions, jobs, policy, publisher, tickets
from lianfang.gates.errors import NoSuchTicket
from lianfang.gates.models import Device, Gate, HourCount, Ticket
from lianfang.gates.tickets import LetThrough
from lianfang.kernel import clock, ids, row_security
from lianfang.kernel.actor import Grant
from lianfang.people.models import ReadRecord
from lianfang_pass.keys import PublicKey, private_key_from_seed
from lianfang_pass.verdict import Verdict
from tests.factories.accounts import COMMUNITY, STREET, client_for
from tests.factories.credentials import a_draft, by
from tests.factories.orders import an_incident, an_order
from tests.factories.people import a_person
from tests.factories.places import a_compound, a_dwelling

from .asgi import FakeDevice
from .test_front import enrolled, officer, run

if TYPE_CHECKING:
    from uuid import UUID

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_passages")]
SHARD: Final = "510402001"
NOW: Final = clock.now().replace(microsecond=0)
HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)


@dataclass
class World:
    """A gate that took its list three hours ago and has heard nothing since, and what somebody carries."""

    gate: Gate
    person: UUID
    version: int
    issued: credentials.IssuedPass
    device: FakeDevice

    @property
    def cti(self) -> bytes:
        return passes.passes_by_id([self.issued.pass_id])[self.issued.pass_id].cti

    def upload(self, *rows: dict[str, Any], first: int = 1) -> None:
        """What the device wrote meanwhile: by itself an ALLOW an hour ago."""

        cti = self.cti

        async def story() -> None:
            made = [
                self.device.row(
                    n,
                    **{
                        "at": int((NOW - HOUR).timestamp()),
                        "cti": cti,
                        "list_version": self.version,
                        **row,
                    },
                )
                for n, row in enumerate(rows, first)
            ]
            assert (await self.device.upload(self.device.batch(first, made))).status == 201

        run(story)
        jobs.tally()

    def revoke(self, at: datetime = NOW - 2 * HOUR, *, reason: str = "lost") -> None:
        credentials.revoke_pass(self.issued.pass_id, reason=reason, by=by(at))
        publisher.run_once(at)


def a_pass(holder: UUID, zone: str, **changes: object) -> credentials.IssuedPass:
    at = NOW - 5 * HOUR
    values = {
        "holder_id": holder,
        "shard": SHARD,
        "zones": (zone,),
        "valid_from": at,
        "valid_until": at + 24 * 3 * HOUR,
    }
    return credentials.issue_pass(a_draft(**{**values, **changes}), by=by(at))


@pytest.fixture
def world() -> World:
    compound = a_compound()
    credentials.rotate_keys(NOW - timedelta(days=1))
    credentials.publish(SHARD, [], NOW - 6 * HOUR)
    jobs.ensure_partitions(NOW)
    zone = compound.rpartition(".")[2]
    draft = actions.GateDraft(
        id=ids.new_id(),
        name="北门",
        kind="compound",
        area=compound,
        shards=(SHARD,),
        zones=(zone,),
        phone="0",
    )
    gate = actions.set_up_gate(draft, by=officer())
    person = a_person("罗小娟", area=a_dwelling())
    issued = a_pass(person, zone)
    version = publisher.run_once(NOW - 3 * HOUR)[SHARD]
    enrol = enrolled(gate)

    async def story() -> FakeDevice:
        return await enrol()

    return World(gate, person, version, issued, run(story))


def a_row(world: World, seq: int = 1, **changes: Any) -> LetThrough:
    assert world.device.id is not None
    row = LetThrough(
        device=world.device.id, gate=world.gate.pk, seq=seq, passed_at=NOW - HOUR, received_at=NOW, inward=False,
        list_version=world.version, cti=world.cti,
    )  # fmt: skip
    return replace(row, **changes)


def under_order(world: World, at: datetime) -> None:
    """Her order is in force from `at` on."""
    an_incident(at=at, shift_days=(clock.legal_day(at) - date(2020, 2, 10)).days)
    an_order(world.person, at=at, anchor_at=at - 3 * HOUR)
    publisher.run_once(at + timedelta(seconds=1))


# --- opening -------------------------------------------------------------------------------------------------


def test_a_pass_revoked_before_the_passage_opens_one_ticket(world: World) -> None:
    world.revoke()
    slip_alone = {"cti": None, "reason": "RELEASE_SLIP"}
    world.upload({}, {"verdict": Verdict.ALLOW_REG, "reason": "PASS_INVALID"}, slip_alone)
    ticket = Ticket.objects.get()
    assert (ticket.seq, ticket.cause, ticket.pass_id) == (1, "revoked", world.issued.pass_id)
    assert (ticket.passed_at, ticket.since) == (NOW - HOUR, NOW - 2 * HOUR)
    assert ticket.list_at is not None
    assert ticket.passed_at - ticket.list_at == 2 * HOUR
    assert HourCount.objects.count() == 3
    assert tickets.open_tickets([a_row(world)]) == 1  # again, and still one
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize(
    "row",
    [
        {"verdict": Verdict.CALL, "reason": "QUOTA_USED", "override": "medicine"},
        {"override": "medicine"},
        {"verdict": Verdict.ALLOW_REG, "reason": "LIFE_EXIT", "override": "fire"},
        {"reason": "LIFE_EXIT"},
        {"verdict": Verdict.ALLOW_REG, "reason": "LIST_OLD"},
        {"verdict": Verdict.DENY, "reason": "ORDER_IN_FORCE"},
        {"at": int((NOW - 2 * HOUR - MINUTE).timestamp())},  # a minute before it was revoked
        {"at": int((NOW - 2 * HOUR).timestamp())},
        {"at": 1_580_875_200},  # a clock that is years off
        {"cti": b"strangers"[:8]},
        {"cti": None, "reason": "RELEASE_SLIP"},
    ],
)
def test_what_a_guard_decided_or_was_before_opens_none(world: World, row: dict[str, Any]) -> None:
    world.revoke()
    world.upload(row)
    assert not Ticket.objects.exists()
    world.upload({}, first=2)  # this one passage only differs in it
    assert Ticket.objects.count() == 1


def test_a_gate_that_had_heard_opens_none(world: World) -> None:
    world.revoke()
    world.upload({"list_version": passes.versions()[SHARD]})
    assert not Ticket.objects.exists()


def test_an_order_in_force_opens_a_ticket_that_says_so(world: World) -> None:
    began = NOW - 2 * HOUR
    under_order(world, began)
    world.upload({}, {"at": int((began - MINUTE).timestamp())})
    ticket = Ticket.objects.get()
    assert (ticket.seq, ticket.cause) == (1, "order")
    assert ticket.since == began


def test_an_order_weighs_more_than_a_pass_that_is_no_longer_good(world: World) -> None:
    world.revoke(NOW - timedelta(minutes=150))
    under_order(world, NOW - 2 * HOUR)
    world.upload({})
    assert Ticket.objects.get().cause == "order"


def test_a_phone_that_renewed_its_pass_opens_none(world: World) -> None:
    assert tickets.open_tickets([a_row(world)]) == 0
    world.revoke(reason="replaced")
    assert tickets.open_tickets([a_row(world)]) == 1  # paper that was replaced lies about somewhere
    point = PublicKey.of(private_key_from_seed(b"\x09" * 32)).point()
    phone = a_pass(ids.new_id(), "m1", channel="phone", cnf=point)
    credentials.revoke_pass(phone.pass_id, reason="replaced", by=by(NOW - 2 * HOUR))
    shown = passes.passes_by_id([phone.pass_id])[phone.pass_id]
    assert tickets.open_tickets([a_row(world, 2, cti=shown.cti)]) == 0


def test_many_rows_cost_the_same_queries_as_few(world: World) -> None:
    zone = world.gate.zones[0]
    shown = [a_pass(ids.new_id(), zone, door=f"5-2-{n}").pass_id for n in range(30)]
    for pass_id in shown[:20]:
        credentials.revoke_pass(pass_id, reason="lost", by=by(NOW - 2 * HOUR))
    views = passes.passes_by_id(shown)
    rows = [a_row(world, n, cti=views[pass_id].cti) for n, pass_id in enumerate(shown, 1)]
    with CaptureQueriesContext(connection) as few:
        assert tickets.open_tickets(rows[:4]) == 4
    with CaptureQueriesContext(connection) as many:
        assert tickets.open_tickets(rows) == 20
    assert len(many) == len(few)
    with CaptureQueriesContext(connection) as none:
        assert tickets.open_tickets(rows[20:]) == 0
    assert len(none) == 3  # of which two are the transaction


@pytest.mark.parametrize(
    ("fact", "list_at", "expected"),
    [
        (-60, -180, True),
        (-60, -61, True),
        (-60, -60, False),
        (0, -180, False),  # at the same instant is not before
        (5, -180, False),
        (-60, -30, False),  # the list was newer
        (-60, None, True),
        (-0.5, -10, False),  # in touch, and the change was on its way
        (-0.5, -180, True),  # out of touch
        (-2, -10, True),
    ],
)
def test_what_a_gate_had_not_heard(fact: float, list_at: float | None, expected: bool) -> None:
    said = policy.unheard(
        fact_at=NOW + fact * MINUTE,
        list_at=None if list_at is None else NOW + list_at * MINUTE,
        passed_at=NOW,
    )
    assert said is expected


# --- pages -----------------------------------------------------------------------------------------------------


def page_of(gate: Gate, role: Role, area: str) -> str:
    answer = client_for(role, area).get(reverse("gates:post", args=[gate.pk]))
    assert answer.status_code == 200
    text = answer.content.decode()
    return re.sub(r"<[^>]+>|\s+", " ", text[text.index("<main") :])


def test_the_community_sees_it_first_thing_and_whose_pass_it_was(world: World) -> None:
    world.revoke()
    world.upload({})
    client = client_for(Role.COMMUNITY, COMMUNITY)
    first = client.get("/desk/").content.decode()
    assert "北门：断网时放行，请核实" in first
    assert reverse("gates:post", args=[world.gate.pk]) + "#tickets" in first
    assert not ReadRecord.objects.filter(person_id=world.person).exists()
    page = page_of(world.gate, Role.COMMUNITY, COMMUNITY)
    for words in (world.issued.pass_no, "5-2-603", "证已作废", "当时名单已有 2 小时 0 分", "值守员没有过错"):
        assert words in page, page
    assert ReadRecord.objects.filter(person_id=world.person).count() == 1


def test_a_household_pass_is_its_members(world: World) -> None:
    household = ids.new_id()
    member = a_person("罗小军", area=a_dwelling(), household_id=household, relation="户主")
    issued = a_pass(household, world.gate.zones[0], kind="H", birth_year=None, member_no=None)
    credentials.revoke_pass(issued.pass_id, reason="replaced_by_personal_passes", by=by(NOW - 2 * HOUR))
    world.upload({"cti": passes.passes_by_id([issued.pass_id])[issued.pass_id].cti})
    assert issued.pass_no in page_of(world.gate, Role.COMMUNITY, COMMUNITY)
    assert ReadRecord.objects.filter(person_id=member).count() == 1


@pytest.mark.parametrize(
    ("role", "area", "sees_it"),
    [
        (Role.STREET, STREET, True),
        (Role.CMD_DUTY, "d510402", True),
        (Role.GUARD, COMMUNITY, False),
        (Role.PROPERTY, COMMUNITY, False),
    ],
)
def test_others_see_no_pass_and_guards_no_ticket(world: World, role: Role, area: str, sees_it: bool) -> None:
    world.revoke()
    world.upload({})
    page = page_of(world.gate, role, area)
    assert ("证已作废" in page) is sees_it
    assert world.issued.pass_no not in page
    assert "5-2-603" not in page
    assert not ReadRecord.objects.filter(person_id=world.person).exists()


def test_it_is_closed_once_with_a_word_by_who_explains_gaps_there(world: World) -> None:
    world.revoke()
    world.upload({})
    ticket = Ticket.objects.get()
    address = reverse("gates:close_ticket", args=[world.gate.pk, ticket.pk])
    assert client_for(Role.GUARD, COMMUNITY).post(address, {"why": "x"}).status_code == 403
    elsewhere = client_for(Role.COMMUNITY, "d510402.s510402002.c510402002001")
    assert elsewhere.post(address, {"why": "x"}).status_code == 404
    client = client_for(Role.COMMUNITY, COMMUNITY)
    client.post(address, {"why": ""})
    ticket.refresh_from_db()
    assert ticket.closed_at is None
    for word in ("已电话核实，旧证收回", "另一句"):
        assert client.post(address, {"why": word}).status_code == 302
    ticket.refresh_from_db()
    assert ticket.word == "已电话核实，旧证收回"
    assert "community" in ticket.closed_as or ticket.closed_as
    page = page_of(world.gate, Role.COMMUNITY, COMMUNITY)
    assert ticket.word in page
    assert ticket.closed_as in page
    assert world.issued.pass_no not in page
    assert "断网时放行" not in client.get("/desk/").content.decode()


def test_a_ticket_of_another_post_is_not_closed_here(world: World) -> None:
    world.revoke()
    world.upload({})
    rights = frozenset({Grant(Right.GATES_DEVICE_ENROL, "d510402")})
    with pytest.raises(NoSuchTicket):
        tickets.close_ticket(
            Ticket.objects.get().pk, gate_id=ids.new_id(), word="x", by=by(clock.now(), grants=rights)
        )


def test_both_pages_are_in_english_too(world: World) -> None:
    world.revoke()
    world.upload({})
    client = client_for(Role.COMMUNITY, COMMUNITY)
    client.cookies["django_language"] = "en"
    for address in (reverse("gates:post", args=[world.gate.pk]), "/desk/"):
        english = client.get(address).content.decode()
        shown = re.sub(r"<[^>]+>", "", english[english.index("<main") :])
        assert "let through while cut off" in shown.lower()
        if "gates" in address:
            assert "the list was 2 h 0 min old" in shown
            assert not set(re.findall(r"[\u4e00-\u9fff]{2,}", shown)) - {"北门"}


# --- keeping ---------------------------------------------------------------------------------------------------


def test_a_ticket_is_forgotten_with_its_passage_closed_or_not(world: World) -> None:
    world.revoke()
    world.upload({})
    jobs.drop_old_lines(NOW + timedelta(days=20))
    assert Ticket.objects.exists()
    jobs.drop_old_lines(NOW + timedelta(days=22))
    assert not Ticket.objects.exists()


@pytest.mark.parametrize(
    ("guard", "change"),
    [
        ("ticket_stays_as_found", {"since": NOW - 3 * HOUR}),
        ("ticket_stays_as_found", {"pass_id": ids.new_id()}),
        (
            "ticket_is_closed_with_a_word",
            {"closed_at": NOW + HOUR, "closed_by": ids.new_id(), "closed_as": "x"},
        ),
    ],
)
def test_a_ticket_stays_as_found(world: World, guard: str, change: dict[str, Any]) -> None:
    world.revoke()
    world.upload({})
    with pytest.raises(IntegrityError, match=guard), transaction.atomic():
        Ticket.objects.update(**change)


def test_every_guard_of_tickets_refuses(world: World) -> None:
    device = Device.objects.get()
    base = {
        "device": device, "gate": world.gate, "seq": 1, "cause": "order", "pass_id": ids.new_id(),
        "passed_at": NOW, "inward": True, "since": NOW - HOUR, "opened_at": NOW,
    }  # fmt: skip
    Ticket.objects.create(**base)
    for guard, changes in (
        ("ticket_is_opened_once", {}),
        ("ticket_cause_is_known", {"seq": 2, "cause": "gossip"}),
        ("ticket_is_of_what_was_known_before", {"seq": 2, "since": NOW}),
    ):
        with pytest.raises(IntegrityError, match=guard), transaction.atomic():
            Ticket.objects.create(**{**base, **changes})
    closed = {"closed_at": NOW, "closed_by": ids.new_id(), "closed_as": "x", "word": "y"}
    assert Ticket.objects.update(**closed) == 1
    with pytest.raises(IntegrityError, match="ticket_stays_as_found"), transaction.atomic():
        Ticket.objects.update(word="z")
    assert connection.in_atomic_block is False


def test_let_out_at_the_end_without_a_release_notice_is_a_task_of_the_community(world: World) -> None:
    under_order(world, NOW - 3 * HOUR)
    # A shorter order than any rule gives: it ended an hour before the passage.
    with row_security.scope(areas=["d510402"]), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_isolationorder DISABLE TRIGGER USER")
        cursor.execute("UPDATE orders_isolationorder SET ends_at = %s", [NOW - 2 * HOUR])
        assert cursor.rowcount == 1
        cursor.execute("ALTER TABLE orders_isolationorder ENABLE TRIGGER USER")
    assert passes.stopped_passes([world.cti])
    world.upload(
        {}, {"reason": "TERM_ENDED"}, {"reason": "TERM_ENDED", "at": int((NOW - 2 * HOUR).timestamp())}
    )
    ticket = Ticket.objects.get()
    assert (ticket.seq, ticket.cause, ticket.since) == (2, "unserved", NOW - 2 * HOUR)
    client = client_for(Role.COMMUNITY, COMMUNITY)
    assert "北门：期满放行，请补办解除通知书" in client.get("/desk/").content.decode()
    page = page_of(world.gate, Role.COMMUNITY, COMMUNITY)
    assert "期满放行，请补办解除通知书" in page
    assert "断网时放行" not in page
