"""A living demonstration: the twentieth day is today, and the rules moved with it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from lianfang.config.demo import population
from lianfang.kernel.clock import LEGAL_ZONE, legal_day, start_of_legal_day
from lianfang.orders.models import IsolationOrder
from lianfang.people.models import Person
from lianfang.people.policy import age
from lianfang.places.queries import edition_on
from lianfang.rules import queries as rules

from . import conftest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import DjangoDbBlocker

pytestmark = pytest.mark.django_db

#: Twenty past midnight: the worst hour, when nothing of today has happened yet.
NOW = datetime(2026, 11, 25, 0, 20, tzinfo=LEGAL_ZONE)
SHIFT = date(2026, 11, 25) - date(2020, 2, 13)


@pytest.fixture(scope="module")
def today(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[conftest.Filled]:
    yield from conftest.filled(django_db_blocker, at=NOW, scale=0.002)


def test_ms_luo_is_free_next_midnight(today: conftest.Filled) -> None:
    luo = Person.objects.get(name=population.LUO)
    order = IsolationOrder.objects.get(person=luo)
    assert order.ends_at == start_of_legal_day(legal_day(NOW) + timedelta(days=1))
    assert order.anchor_at == datetime(2020, 1, 30, 14, 20, tzinfo=LEGAL_ZONE) + SHIFT


@pytest.mark.parametrize("day", [date(2020, 1, 20), date(2020, 1, 30), date(2020, 2, 13), date(2020, 3, 11)])
def test_the_rules_in_force_on_a_scenario_day_are_in_force_on_the_shifted_day(
    today: conftest.Filled, day: date
) -> None:
    rule = rules.isolation_rule(reason="area_returnee_high", area="d510402", on=day + SHIFT)
    assert rule is not None
    assert rule.version.startswith("demo/510402/")
    assert (rule.days, rule.anchor_counts_as) == (14, 0)
    assert edition_on("510402", day + SHIFT) == "510402-2020-02"


def test_before_the_shifted_first_day_no_rule_of_the_demonstration_is_in_force(
    today: conftest.Filled,
) -> None:
    before = rules.isolation_rule(reason="cohabitant", area="d510402", on=date(2020, 1, 19) + SHIFT)
    assert before is None


def test_everybody_is_as_old_as_in_the_story(today: conftest.Filled) -> None:
    wu = Person.objects.get(name=population.WU)
    assert wu.birth_date is not None
    assert age(wu.birth_date, on=legal_day(NOW)) == 81


def test_nothing_happens_after_now(today: conftest.Filled) -> None:
    assert not IsolationOrder.objects.filter(signed_at__gt=NOW).exists()
    assert IsolationOrder.objects.filter(serving=None).count() >= 2
