"""The district in the database: what the acts made of the story (domain.md §6, consistency tests)."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import authenticate
from django.test import RequestFactory

from lianfang.accounts.models import Office, User
from lianfang.accounts.rights import Purpose, Role
from lianfang.announcements import chain_rows
from lianfang.announcements import queries as announcements
from lianfang.announcements.policy import State
from lianfang.concerns import queries as concerns
from lianfang.config import demo
from lianfang.config.demo import cases, population, world
from lianfang.config.demo.calendar import DAY_ONE, days
from lianfang.credentials.models import Pass, Shard
from lianfang.gates.models import Gate
from lianfang.kernel import clock
from lianfang.kernel.clock import start_of_legal_day
from lianfang.ledger.models import Entry
from lianfang.orders import policy, proofs
from lianfang.orders import queries as orders
from lianfang.orders.models import (
    Appeal,
    CareNeed,
    IsolationOrder,
    IsolationProposal,
    Lift,
    Serving,
)
from lianfang.people import queries as people
from lianfang.people.models import Guardian, Household, Membership, Person
from lianfang.people.policy import PersonField
from lianfang.people.reader import read
from lianfang.places.models import EditionInForce, Place
from lianfang.places.policy import at_level
from lianfang.rules import queries as rules
from lianfang.rules.policy import Measure
from tests.factories import accounts as officers

from . import conftest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from pytest_django import DjangoDbBlocker

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def day_twenty(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[conftest.Filled]:
    yield from conftest.filled(django_db_blocker, at=conftest.DAY_TWENTY, scale=0.01)


def signed_orders() -> dict[UUID, tuple[policy.SignedOrder, UUID, str]]:
    """Every order as status sees it, whose it is, and in which community."""
    return {
        o.pk: (
            policy.SignedOrder(o.pk, o.order_no, Measure(o.measure), o.signed_at, o.starts_at, o.ends_at),
            o.person_id,
            o.community,
        )
        for o in IsolationOrder.objects.all()
    }


def lifts() -> list[policy.Lifted]:
    return [policy.Lifted(x.order_id, x.signed_at) for x in Lift.objects.all()]


def ends() -> dict[UUID, datetime]:
    lifted = {x.order_id: x.at for x in lifts()}
    return {pk: min(o.ends_at, lifted.get(pk, o.ends_at)) for pk, (o, _, _) in signed_orders().items()}


def balance_holds(until: datetime) -> None:
    """Closing = opening + new − released, each day and community, up to an instant.

    Opening and closing are heads, counted by the status function; new and released are orders that begin and
    end: somebody under two orders, or an order that outlives its end, breaks the balance.
    """
    known, over, lifted = signed_orders(), ends(), lifts()
    assert known
    for community in {c for _, _, c in known.values()}:
        own = {pk: o for pk, (o, _, c) in known.items() if c == community}
        of_person: defaultdict[UUID, list[policy.SignedOrder]] = defaultdict(list)
        for order, person, c in known.values():
            if c == community:
                of_person[person].append(order)
        opening = 0
        for day in days():
            begin, end = start_of_legal_day(day), start_of_legal_day(day + timedelta(days=1))
            if end > until:
                break
            new = sum(begin <= o.starts_at < end for o in own.values())
            released = sum(begin <= over[pk] < end for pk in own)
            last = end - timedelta(microseconds=1)
            closing = sum(
                not policy.status(own_orders, lifted, last).is_free for own_orders in of_person.values()
            )
            assert closing == opening + new - released, (community, day)
            opening = closing


def test_a_district_at_one_percent_is_there_in_full(day_twenty: conftest.Filled) -> None:
    print(f"\nfilled in {day_twenty.seconds:.1f} s")
    assert Person.objects.count() == Membership.objects.count() == 4_100
    assert Place.objects.filter(kind="dwelling").count() == 1_750
    assert Household.objects.count() == 1_680
    assert Place.objects.filter(kind="checkpoint").count() == 20
    assert Place.objects.filter(kind="community").count() == 69
    assert EditionInForce.objects.get().edition_id == "510402-2020-02"
    assert any("passes" in line for line in day_twenty.said)


def test_people_in_the_database_are_those_of_the_seed(day_twenty: conftest.Filled) -> None:
    made = world.make(scale=0.01)
    invented = Counter((m.name, m.born) for h in made.households if h for m in h.members)
    assert Counter(Person.objects.values_list("name", "birth_date")) == invented
    guards = sum(len(h.guards) for h in made.households if h)
    assert Guardian.objects.count() == guards > 0


def test_numbers_are_sealed_and_read_back_as_nobodys(day_twenty: conftest.Filled) -> None:
    luo = Person.objects.get(name=population.LUO)
    by = officers.an_officer("cdc", at=day_twenty.at, purpose=Purpose.CASE_INQUIRY)
    view = read([luo.pk], {PersonField.ID_NO, PersonField.PHONE, PersonField.ADDRESS}, by=by, reason="核对")[
        luo.pk
    ]
    assert (view.id_no or "").startswith("999999")
    assert view.phone == population.LUO_PHONE
    assert "禾木花园5栋2单元0603" in (view.address or "")


# --- Cases -------------------------------------------------------------------------------------------------


def test_orders_are_those_of_the_curve_up_to_now(day_twenty: conftest.Filled) -> None:
    expected = [c for c in world.make(scale=0.01).cases if c.signed_at <= day_twenty.at]
    # Two more wait to be served, whatever the hour.
    assert IsolationOrder.objects.count() == len(expected) + 2
    ended_at = policy_ends(expected)
    stored = Counter(IsolationOrder.objects.values_list("signed_at", "ends_at"))
    assert all(stored[c.signed_at, ended_at[c.no]] >= 1 for c in expected)


def policy_ends(expected: list[cases.Case]) -> dict[int, datetime]:
    found = {}
    for c in expected:
        rule = rules.isolation_rule(reason=c.reason, area="d510402", on=clock.legal_day(c.signed_at))
        assert rule is not None
        found[c.no] = policy.term(rule, c.anchor_at).ends_at
    return found


def test_closing_is_opening_plus_new_minus_released(day_twenty: conftest.Filled) -> None:
    balance_holds(day_twenty.at)


def test_nobody_is_under_two_measures_at_once(day_twenty: conftest.Filled) -> None:
    over = ends()
    periods: defaultdict[UUID, list[tuple[datetime, datetime]]] = defaultdict(list)
    for pk, (order, person, _) in signed_orders().items():
        periods[person].append((order.starts_at, over[pk]))
    assert periods
    for own in periods.values():
        assert all(a[1] <= b[0] for a, b in pairwise(sorted(own)))


def test_the_twentieth_day_has_something_on_every_list(day_twenty: conftest.Filled) -> None:
    assert DAY_ONE + timedelta(days=19) == clock.legal_day(day_twenty.at)
    over = ends()
    begun = {pk for pk, (o, _, _) in signed_orders().items() if clock.legal_day(o.starts_at) == clock.legal_day(day_twenty.at)}  # fmt: skip
    assert sum(end <= day_twenty.at for end in over.values()) >= 3, "some have ended"
    assert sum(end > day_twenty.at for end in over.values()) >= 10, "some are in force"
    assert len(begun) >= 2, "some begin today"
    assert Lift.objects.exists()
    assert Appeal.objects.filter(decision=None).count() == 1
    assert IsolationOrder.objects.filter(serving=None).count() >= 2
    waiting = IsolationProposal.objects.filter(orders=None, refusal=None, signed_at__gt=day_twenty.at - policy.PROPOSAL_WAITS)  # fmt: skip
    assert waiting.count() >= 3
    by = officers.an_officer("cdc", at=day_twenty.at, purpose=Purpose.REPORT_INTAKE)
    assert len(concerns.unassessed(by)) >= 4


def test_ms_luo_is_at_home_until_midnight_and_her_husband_with_her(day_twenty: conftest.Filled) -> None:
    own = people.household_members(Person.objects.get(name=population.LUO).pk)
    end = start_of_legal_day(datetime(2020, 2, 14).date())  # noqa: DTZ001 - only its day is used
    restrictions = orders.restrictions(own, day_twenty.at)
    assert {r.ends_at for found in restrictions.values() for r in found} == {end}
    assert len(restrictions) == 2
    known = [o for o, person, _ in signed_orders().values() if person in own]
    assert policy.status(known, lifts(), end - timedelta(microseconds=1)).in_force
    assert policy.status(known, lifts(), end).is_free


def test_an_order_is_served_only_where_everybody_is_cared_for(day_twenty: conftest.Filled) -> None:
    served = CareNeed.objects.filter(order__in=Serving.objects.values("order"))
    assert served.filter(arrangement=None).count() == 0
    assert served.exists()


def test_every_order_and_lift_stands_in_the_chain_without_a_name(day_twenty: conftest.Filled) -> None:
    acts = {*IsolationOrder.objects.values_list("pk", flat=True), *Lift.objects.values_list("pk", flat=True)}
    entries = {e.act_id: bytes(e.data) for e in Entry.objects.all()}
    assert acts <= entries.keys()
    assert proofs.chain_faults() == []
    everything = b"".join(entries.values())
    assert not [n for n in Person.objects.values_list("name", flat=True) if n.encode() in everything]


def test_there_are_announcements_in_force_past_and_waiting(day_twenty: conftest.Filled) -> None:
    """One of each state a reader should meet, each with its entry."""
    current = announcements.current(day_twenty.at)
    past, _ = announcements.past(day_twenty.at)
    assert {v.state for v in current} == {State.IN_FORCE}
    assert {v.text.organ for v in current} >= {"command", "community-510402002001"}
    assert {v.state for v in past} == {State.SUPERSEDED, State.ENDED}
    duty = officers.an_officer("cmd_duty", at=day_twenty.at, purpose=Purpose.ADMINISTRATION)
    assert len(announcements.to_review(by=duty)) == 1
    assert chain_rows.chain_faults() == []


# --- Passes ------------------------------------------------------------------------------------------------


def test_everybody_has_a_pass_and_every_index_one_holder(day_twenty: conftest.Filled) -> None:
    holders = set(Pass.objects.filter(kind="P", revoked_at=None).values_list("holder_id", flat=True))
    assert holders == set(Person.objects.values_list("pk", flat=True))
    for shard in Shard.objects.all():
        indexes = list(Pass.objects.filter(shard=shard).values_list("index", flat=True))
        assert len(set(indexes)) == len(indexes) == shard.used
        assert shard.used * 2 <= shard.size
        assert max(indexes) < shard.size
        # Drawn at random: in the order of issue they do not rise.
        rises = sum(a < b for a, b in pairwise(Pass.objects.filter(shard=shard).order_by("pk").values_list("index", flat=True)))  # fmt: skip
        assert rises < 0.7 * len(indexes)


def test_every_checkpoint_is_a_post_with_the_lists_it_needs(day_twenty: conftest.Filled) -> None:
    posts = list(Gate.objects.all())
    assert Counter(g.kind for g in posts) == {"road": 12, "compound": 7, "venue": 1}
    zones = {zone for row in Pass.objects.all() for zone in row.zones}
    streets = set(Shard.objects.values_list("code", flat=True))
    for gate in posts:
        assert set(gate.shards) <= streets
        if gate.kind == "compound":
            assert set(gate.zones) <= zones
        if gate.kind == "road":
            assert set(gate.shards) == {p.shard_id for p in Pass.objects.all()}


def test_a_pass_says_what_the_person_is(day_twenty: conftest.Filled) -> None:
    some = list(Person.objects.order_by("pk").values_list("pk", flat=True)[:2_000:7])
    facts = people.pass_facts(some)
    rows = {p.holder_id: p for p in Pass.objects.filter(kind="P", holder_id__in=some)}
    for pk, fact in facts.items():
        row = rows[pk]
        assert (row.door, row.member_no, row.initials, row.birth_year) == (
            fact.door,
            fact.member_no,
            fact.initials,
            fact.birth_year,
        )
        assert row.zones == [(at_level(fact.area, "compound") or "").rpartition(".")[2]]


def test_no_household_with_an_order_keeps_its_household_pass(day_twenty: conftest.Filled) -> None:
    struck = set(
        Membership.objects.filter(person__in=IsolationOrder.objects.values("person")).values_list(
            "household_id", flat=True
        )
    )
    live = set(Pass.objects.filter(kind="H", revoked_at=None).values_list("holder_id", flat=True))
    assert not struck & live
    assert Pass.objects.filter(kind="H").exclude(revoked_at=None).exists()
    large = set(Household.objects.filter(memberships__member_no=2).values_list("pk", flat=True))
    assert live == large - struck


# --- Logins ------------------------------------------------------------------------------------------------


def test_every_role_has_a_login_that_opens(day_twenty: conftest.Filled) -> None:
    roles = set(Office.objects.values_list("role", flat=True))
    assert roles == {r.value for r in Role} - {Role.RESIDENT, Role.SYSTEM}
    shown = demo.logins()
    assert {"cdc", "cdc2", "community", "grid", "guard", "property", "street", "auditor", "luo", "wu"} <= {
        login for login, _, _ in shown
    }
    users = {u.login: u for u in User.objects.all()}
    for login, password, _ in shown:
        assert users[login].check_password(password), login
    assert users["luo"].person_id == Person.objects.get(name=population.LUO).pk
    held = Office.objects.filter(user__login__in=[login for login, _, _ in shown])
    assert held.count() == len(shown) - 2
    assert all(o.starts_at <= day_twenty.at < o.ends_at for o in held)
    assert authenticate(RequestFactory().post("/"), username="luo", password="wrong") is None
