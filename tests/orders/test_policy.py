"""Status, caps, numbers and places: pure rules by tables and by generated histories."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.orders.policy import (
    CareNeed,
    Lifted,
    Needs,
    Period,
    SignedOrder,
    chained,
    is_order_number,
    is_other_body,
    is_within_length,
    may_be_served,
    order_number,
    public_place,
    signatures_needed,
    status,
)
from lianfang.rules.policy import Caps, Measure, Sourced

T0 = datetime(2020, 2, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
CAPS = Caps(
    origin=Sourced(UUID(int=1), "caps/1", "CN", date(2020, 1, 1), None, "", "", "", "", True),
    longest_days=dict.fromkeys(Measure, 21),
    chained_days=dict.fromkeys(Measure, 28),
    chain_gap_hours=24,
    alone_per_day=20,
    seconded_per_day=200,
    presence_days=21,
)


def an_order(number: int, start: int, length: int) -> SignedOrder:
    return SignedOrder(
        UUID(int=number),
        str(number),
        Measure.HOME_ISOLATION,
        T0 + start * HOUR,
        T0 + start * HOUR,
        T0 + (start + length) * HOUR,
    )


histories = st.lists(st.tuples(st.integers(0, 100), st.integers(1, 100)), max_size=6).map(
    lambda rows: [an_order(i, *row) for i, row in enumerate(rows)]
)
lifts_of = st.lists(st.tuples(st.integers(0, 6), st.integers(-10, 220)), max_size=5).map(
    lambda rows: [Lifted(UUID(int=i), T0 + at * HOUR) for i, at in rows]
)
hours = st.integers(-5, 230).map(lambda h: T0 + h * HOUR)


@given(histories, lifts_of, hours)
def test_nobody_is_restricted_at_or_after_the_end_or_a_lift(
    orders: list[SignedOrder], lifts: list[Lifted], at: datetime
) -> None:
    in_force = status(orders, lifts, at).in_force
    for o in in_force:
        assert o.starts_at <= at < o.ends_at  # O-2
        assert not any(x.order_id == o.id and x.at <= at for x in lifts)  # O-4
    for o in orders:
        if o.starts_at <= at < o.ends_at and not any(x.order_id == o.id and x.at <= at for x in lifts):
            assert o in in_force


@given(histories, lifts_of, hours)
def test_status_depends_on_the_orders_in_force_and_on_nothing_else(
    orders: list[SignedOrder], lifts: list[Lifted], at: datetime
) -> None:
    before = status(orders, lifts, at)
    over = [an_order(50 + i, -200 + i, 10) for i in range(3)]
    to_come = [an_order(60, 300, 10)]
    assert status([*reversed(orders), *over, *to_come], [*reversed(lifts)], at) == before  # S-1
    assert status(before.in_force, [], at) == before


def test_without_orders_everybody_is_free() -> None:
    assert status([], [Lifted(UUID(int=1), T0)], T0).is_free  # S-4


def test_the_last_microsecond_holds_and_the_end_frees() -> None:
    order = an_order(1, 0, 24)
    assert not status([order], [], order.ends_at - timedelta(microseconds=1)).is_free
    assert status([order], [], order.ends_at).is_free


@given(histories, lifts_of, lifts_of, hours)
def test_more_lifts_never_restrict_more(
    orders: list[SignedOrder], lifts: list[Lifted], more: list[Lifted], at: datetime
) -> None:
    assert set(status(orders, [*lifts, *more], at).in_force) <= set(status(orders, lifts, at).in_force)


def period(start: int, end: int) -> Period:
    return Period(T0 + start * HOUR, T0 + end * HOUR)


@pytest.mark.parametrize(
    ("before", "candidate", "hours_in_chain"),
    [
        ([], (0, 10), 10),
        ([(0, 10)], (10, 20), 20),
        ([(0, 10)], (34, 44), 20),  # a gap of exactly 24 h is still one chain
        ([(0, 10)], (35, 44), 9),  # a longer one begins anew
        ([(0, 10)], (5, 20), 20),  # overlaps count once
        ([(0, 10), (12, 20), (60, 70)], (20, 30), 28),
        ([(0, 100), (5, 10)], (110, 120), 110),  # a short order inside a long one ends no chain
        ([(50, 60)], (20, 30), 20),  # an order that starts later belongs to the chain too
    ],
)
def test_chains(before: list[tuple[int, int]], candidate: tuple[int, int], hours_in_chain: int) -> None:
    total = chained([period(*p) for p in before], period(*candidate), gap=24 * HOUR)
    assert total == hours_in_chain * HOUR


@pytest.mark.parametrize(
    ("alone", "everybody", "chain_days", "asks", "needed"),
    [
        (0, 0, 14, False, Needs.ONE_SIGNATURE),
        (19, 19, 28, False, Needs.ONE_SIGNATURE),
        (20, 20, 14, False, Needs.SECOND_SIGNATURE),  # the 21st person
        (0, 0, 28.01, False, Needs.SECOND_SIGNATURE),  # O-5
        (0, 0, 14, True, Needs.SECOND_SIGNATURE),
        (0, 199, 14, False, Needs.ONE_SIGNATURE),
        (20, 199, 14, False, Needs.SECOND_SIGNATURE),
        (0, 200, 14, False, Needs.PLACE_ORDER),  # the 201st
        (20, 200, 40, True, Needs.PLACE_ORDER),
    ],
)
def test_how_many_must_sign(alone: int, everybody: int, chain_days: float, asks: bool, needed: Needs) -> None:
    assert (
        signatures_needed(
            caps=CAPS,
            measure=Measure.HOME_ISOLATION,
            alone_before=alone,
            all_before=everybody,
            chain=timedelta(days=chain_days),
            competence_asks_second=asks,
        )
        is needed
    )


def test_the_second_signer_belongs_to_another_body_than_issuer_and_proposer() -> None:
    assert is_other_body("command", issuer="health", proposer="community")
    assert is_other_body("command", issuer="health", proposer=None)
    assert not is_other_body("health", issuer="health", proposer="community")
    assert not is_other_body("community", issuer="health", proposer="community")
    assert not is_other_body("", issuer="health", proposer=None)


def test_one_order_has_a_longest_length() -> None:
    assert is_within_length(period(0, 21 * 24), measure=Measure.HOME_ISOLATION, caps=CAPS)
    assert not is_within_length(period(0, 21 * 24 + 1), measure=Measure.HOME_ISOLATION, caps=CAPS)
    assert not is_within_length(period(5, 5), measure=Measure.HOME_ISOLATION, caps=CAPS)
    assert not is_within_length(period(5, 4), measure=Measure.HOME_ISOLATION, caps=CAPS)


def test_an_order_waits_to_be_served_for_each_dependant() -> None:
    child, elder = CareNeed(UUID(int=1), "child"), CareNeed(UUID(int=2), "over_70")
    assert may_be_served([], set()) == ()
    assert may_be_served([child, elder], {child.person_id}) == (elder,)
    assert may_be_served([child, elder], {child.person_id, elder.person_id}) == ()


@given(st.integers(0, 999_999), st.dates(date(2020, 1, 1), date(2029, 12, 31)), st.data())
def test_a_wrong_or_swapped_digit_in_a_number_is_seen(seq: int, day: date, data: st.DataObject) -> None:
    number = order_number(incident="DEMO", division="510402001003", form="F04", day=day, seq=seq)
    assert number.startswith(f"DEMO-510402-F04-{day:%Y%m%d}-{seq:06d}")
    assert is_order_number(number)
    places = [i for i, c in enumerate(number) if c.isdigit()]
    i = data.draw(st.sampled_from(places))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != number[i]]))
    assert not is_order_number(number[:i] + other + number[i + 1 :])


def test_public_places_hold_at_least_five_households() -> None:
    assert public_place([("w", 4), ("b", 5), ("m", 40)]) == "b"
    assert public_place([("w", 5)]) == "w"
    assert public_place([("w", 4)]) is None
