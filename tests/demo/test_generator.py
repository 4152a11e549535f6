"""The invented district as values: same seed same district, counts by scale, numbers of nobody, a true curve."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from lianfang.config.demo import cases, estates, names, population, world
from lianfang.config.demo.calendar import (
    ALL_FREE_ON,
    DAY_ONE,
    LAST_ANCHOR_ON,
    REGISTERED_ON,
    day,
    days,
    shift_for,
)
from lianfang.kernel.clock import LEGAL_ZONE, legal_day, start_of_legal_day
from lianfang.messaging import fonts
from lianfang.orders import policy
from lianfang.people import citizen_number
from lianfang.people.naming import acceptable
from lianfang.people.policy import Care, age
from lianfang.rules.policy import ReleaseAt

SMALL = 0.01


@pytest.fixture(scope="module")
def small() -> world.World:
    return world.make(scale=SMALL)


def residents(of: world.World) -> list[population.Resident]:
    return [m for h in of.households if h for m in h.members]


def test_the_same_seed_gives_the_same_district_and_another_seed_another(small: world.World) -> None:
    assert world.make(scale=SMALL) == small
    assert world.make(scale=SMALL, seed=7).households != small.households


@pytest.mark.parametrize(("scale", "people", "dwellings"), [(0.002, 820, 350), (0.01, 4_100, 1_750), (0.1, 41_000, 17_500)])  # fmt: skip
def test_people_dwellings_and_vacancies_are_exactly_those_of_the_scale(
    scale: float, people: int, dwellings: int
) -> None:
    made = world.make(scale=scale)
    assert len(residents(made)) == people
    assert len(made.homes) == len(made.households) == dwellings
    assert sum(h is None for h in made.households) == round(dwellings * 0.04)
    assert len(made.cases) == max(30, round(3_000 * scale))


@pytest.mark.parametrize(("scale", "expected"), [(0.01, 20), (0.1, 55), (1.0, 552)])
def test_checkpoints_follow_the_scale_and_twelve_stand_on_roads(scale: float, expected: int) -> None:
    built = estates.make(world._stream(1, "estates"), scale=scale, communities=world.communities())
    kinds = Counter(c.kind for c in built.checkpoints)
    assert sum(kinds.values()) == expected
    assert kinds["road"] == 12
    assert any(
        c.kind == "gate" and (c.compound, c.name) == (estates.YUNLING, "北门") for c in built.checkpoints
    )
    named = [(c.place, c.compound, c.name) for c in built.checkpoints]
    if scale == 1:
        assert kinds["venue"] == 40
    assert len(set(named)) == len(named)


def test_every_door_is_once_in_its_estate_and_every_estate_has_its_own_name(small: world.World) -> None:
    assert len({(h.community, h.estate, h.door) for h in small.homes}) == len(small.homes)
    invented = [c.name for k in small.estates.communities if not k.village for c in k.compounds()]
    assert len(set(invented)) == len(invented)


def test_divisions_are_the_real_ones_of_february_2020(small: world.World) -> None:
    assert len(small.estates.communities) == 69
    assert sum(c.village for c in small.estates.communities) == 9
    assert len({c.code[:9] for c in small.estates.communities}) == 10


def _check_digit(first_17: str) -> str:
    """GB 11643 written down a second time: the remainder that makes the weighted sum 1 modulo 11."""
    total = sum(int(digit) * pow(2, 17 - i, 11) for i, digit in enumerate(first_17))
    return "0123456789X"[(1 - total) % 11]


def test_citizen_numbers_belong_to_nobody_and_are_right_in_themselves(small: world.World) -> None:
    everybody = residents(small)
    assert len({m.number for m in everybody}) == len(everybody)
    for m in everybody:
        assert m.number.startswith("999999")
        assert m.number[17] == _check_digit(m.number[:17])
        read = citizen_number.parse(m.number, on=REGISTERED_ON)
        assert (read.birth_date, read.male) == (m.born, m.male)


def test_telephones_are_of_the_test_range(small: world.World) -> None:
    phones = [m.phone for m in residents(small) if m.phone]
    assert all(p.startswith("1990000") and len(p) == 11 and p.isdigit() for p in phones)
    assert len(set(phones)) == len(phones)
    assert 0.6 < len(phones) / len(residents(small)) < 0.95


def test_names_are_acceptable_printable_and_of_all_kinds(small: world.World) -> None:
    everybody = residents(small)
    assert all(acceptable(m.name) for m in everybody)
    assert fonts.missing(names.characters() + population.LUO + population.HUSBAND + population.WU) == []
    assert sum("·" in m.name for m in everybody) > 50
    assert sum(any(c in m.name for c in names.RARE) for m in everybody) > 5


def test_every_child_under_14_lives_with_a_guardian_of_age(small: world.World) -> None:
    children = 0
    for home in filter(None, small.households):
        for i, m in enumerate(home.members):
            if age(m.born, on=REGISTERED_ON) >= 14:
                continue
            children += 1
            guardians = [g for ward, g in home.guards if ward == i]
            assert guardians, (m.name, m.relation)
            assert all(age(home.members[g].born, on=REGISTERED_ON) >= 18 for g in guardians)
        assert all(age(home.members[w].born, on=REGISTERED_ON) < 14 for w, _ in home.guards)
        assert age(home.members[0].born, on=REGISTERED_ON) >= 18
    assert 0.08 < children / len(residents(small)) < 0.25


def test_care_flags_agree_with_age_and_household(small: world.World) -> None:
    shares: Counter[Care] = Counter()
    for home in filter(None, small.households):
        for m in home.members:
            shares.update(m.care)
            years = age(m.born, on=REGISTERED_ON)
            assert (Care.OVER_70 in m.care) == (years >= 70)
            assert (Care.INFANT in m.care) == (years < 1)
            assert Care.LIVES_ALONE not in m.care or len(home.members) == 1
            assert Care.PREGNANT not in m.care or not m.male
    people = len(residents(small))
    for care, low, high in [
        (Care.OVER_70, 0.04, 0.16), (Care.LIVES_ALONE, 0.01, 0.08), (Care.DISABLED, 0.015, 0.07),
        (Care.CHRONIC_DRUG, 0.05, 0.25), (Care.NO_SMARTPHONE, 0.02, 0.12), (Care.PREGNANT, 0.0005, 0.01),
    ]:  # fmt: skip
        assert low < shares[care] / people < high, (care, shares[care] / people)


def test_the_people_of_the_story_are_there(small: world.World) -> None:
    luo = small.households[small.home_of("禾木花园", "5-2-0603")]
    wu = small.households[small.home_of("禾木花园", "3-1-0102")]
    assert luo is not None
    assert wu is not None
    assert [m.name for m in luo.members] == [population.LUO, population.HUSBAND]
    assert age(wu.members[0].born, on=REGISTERED_ON) == 81
    assert wu.members[0].phone == ""
    assert {Care.NO_SMARTPHONE, Care.CHRONIC_DRUG, Care.LIVES_ALONE} <= wu.members[0].care
    assert small.households[small.home_of("云岭苑", "7-1-0902")] is None


# --- The curve ---------------------------------------------------------------------------------------------


class _Fourteen:
    """The demonstration's rule for returnees and cohabitants, as its document says it."""

    anchor_counts_as = 0
    release_at = ReleaseAt.START_OF_NEXT_DAY

    def __init__(self, days: int) -> None:
        self.days = days


def end_of(case: cases.Case) -> datetime:
    ends = policy.term(_Fourteen(7 if case.reason == "secondary_contact" else 14), case.anchor_at).ends_at
    return min(ends, case.lifted_at or ends)


def test_ms_luos_case_is_the_one_of_the_story(small: world.World) -> None:
    home = small.home_of("禾木花园", "5-2-0603")
    luo, husband = (c for c in small.cases if c.household == home)
    assert luo.anchor_at.astimezone(LEGAL_ZONE).isoformat() == "2020-01-30T14:20:00+08:00"
    assert end_of(luo) == start_of_legal_day(date(2020, 2, 14)) == end_of(husband)
    assert (husband.reason, husband.together_with) == ("cohabitant", luo.no)


@pytest.mark.parametrize("scale", [0.01, 0.1])
def test_closing_is_opening_plus_new_minus_released_each_day_and_unit(scale: float) -> None:
    made = world.make(scale=scale)
    for unit in {c.community for c in made.cases}:
        own = [c for c in made.cases if c.community == unit]
        opening = 0
        for on in days():
            begin, end = start_of_legal_day(on), start_of_legal_day(on + timedelta(days=1))
            new = sum(begin <= c.signed_at < end for c in own)
            released = sum(begin <= end_of(c) < end for c in own)
            last = end - timedelta(microseconds=1)
            closing = len({(c.household, c.member) for c in own if c.signed_at <= last < end_of(c)})
            assert closing == opening + new - released, (unit, on)
            opening = closing
        assert opening == 0


def test_the_curve_rises_falls_and_ends(small: world.World) -> None:
    curve = cases.curve(3_000)
    assert sum(curve.values()) == 3_000
    assert min(curve) == DAY_ONE
    assert max(curve) == LAST_ANCHOR_ON
    peak = max(curve, key=lambda on: curve[on])
    ordered = [curve[on] for on in sorted(curve)]
    at = sorted(curve).index(peak)
    assert all(a <= b for a, b in pairwise(ordered[: at + 1]))
    assert all(a >= b for a, b in pairwise(ordered[at:]))
    assert max(end_of(c) for c in small.cases) <= start_of_legal_day(ALL_FREE_ON)


@pytest.mark.parametrize("scale", [0.01, 0.1])
def test_nobody_is_under_two_measures_and_minors_are_under_none(scale: float) -> None:
    made = world.make(scale=scale)
    assert len({(c.household, c.member) for c in made.cases}) == len(made.cases)
    for c in made.cases:
        home = made.households[c.household]
        assert home is not None
        assert age(home.members[c.member].born, on=REGISTERED_ON) >= 18
        assert made.homes[c.household].community == c.community


@pytest.mark.parametrize("scale", [0.01, 1])
def test_steps_follow_one_another_and_no_officer_comes_near_the_ceiling(scale: float) -> None:
    total = cases.cases_at(scale)
    homes = [population.HouseholdOf([population.Resident(0, "罗一", male=True, born=date(1980, 1, 1), relation="户主")] * 2) for _ in range(total + 2)]  # fmt: skip
    made = cases.make(
        world._stream(3, "cases"), scale=scale, households=homes,
        candidates=[cases.Candidate(i, "510402002001") for i in range(total + 2)], luo=0,
    )  # fmt: skip
    assert len(made) == total
    for c in made:
        assert (c.reported_at or c.anchor_at) <= c.proposed_at < c.signed_at < end_of(c)
        assert c.signed_at < c.served_at
        assert c.anchor_at <= c.signed_at
        assert legal_day(c.signed_at) == legal_day(c.proposed_at)
    for officer in {c.officer for c in made}:
        signed = sorted(c.signed_at for c in made if c.officer == officer)
        for i, first in enumerate(signed):
            assert sum(first <= t < first + timedelta(hours=24) for t in signed[i:]) <= 20


# --- The shift ---------------------------------------------------------------------------------------------


def test_day_twenty_is_today_and_in_the_year_of_the_story_nothing_moves() -> None:
    assert shift_for(datetime(2020, 3, 12, 4, tzinfo=UTC)) == 0
    for now in (datetime(2026, 11, 24, 17, tzinfo=UTC), datetime(2027, 3, 1, 15, 59, tzinfo=UTC)):
        assert day(20) + timedelta(days=shift_for(now)) == legal_day(now)


def test_a_shifted_district_differs_in_dates_alone(small: world.World) -> None:
    shift = timedelta(days=2_500)
    moved = world.make(scale=SMALL, shift=shift)
    assert [c.name for c in residents(moved)] == [c.name for c in residents(small)]
    assert moved.cases == small.cases
    for m in residents(moved):
        assert citizen_number.parse(m.number, on=REGISTERED_ON + shift).birth_date == m.born + shift
