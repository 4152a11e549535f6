"""The whole story played: on 12 March everybody is free, and every paper is in order."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lianfang.config.demo import cases
from lianfang.config.demo.calendar import ALL_FREE_ON
from lianfang.kernel.clock import start_of_legal_day
from lianfang.orders import policy
from lianfang.orders.models import (
    BoardSheet,
    IsolationOrder,
    Lift,
    ReleaseCheck,
    ReleaseNotice,
    Serving,
    TakeDown,
)
from lianfang.places.policy import at_level

from . import conftest
from .test_fill import balance_holds, ends, lifts, signed_orders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import DjangoDbBlocker

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def after(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[conftest.Filled]:
    yield from conftest.filled(django_db_blocker, at=conftest.AFTER, scale=0.002)


def story_orders() -> list[IsolationOrder]:
    """Those of the curve: signed before the last hours."""
    return list(IsolationOrder.objects.filter(signed_at__lt=conftest.AFTER - timedelta(days=1)))


def test_every_case_became_an_order_and_was_served(after: conftest.Filled) -> None:
    assert len(story_orders()) == cases.cases_at(0.002)
    assert Serving.objects.count() == len(story_orders())


def test_closing_is_opening_plus_new_minus_released_to_the_end(after: conftest.Filled) -> None:
    balance_holds(start_of_legal_day(ALL_FREE_ON + timedelta(days=1)))


def test_nothing_outlives_its_end_and_on_11_march_all_are_free(after: conftest.Filled) -> None:
    known, over = signed_orders(), ends()
    for pk, (order, _, _) in known.items():
        assert not policy.status([order], lifts(), over[pk] - timedelta(microseconds=1)).is_free
        for later in (timedelta(), timedelta(seconds=1), timedelta(days=400)):
            assert policy.status([order], lifts(), over[pk] + later).is_free
    free_at = start_of_legal_day(ALL_FREE_ON)
    assert all(over[o.pk] <= free_at for o in story_orders())


def test_every_release_is_signed_by_the_right_authority(after: conftest.Filled) -> None:
    for lift in Lift.objects.select_related("order"):
        assert (lift.organ, lift.organ_kind) == (lift.order.organ, "health")
    lifted = set(Lift.objects.values_list("order_id", flat=True))
    noticed = set(ReleaseNotice.objects.values_list("order_id", flat=True))
    assert lifted | noticed == {o.pk for o in story_orders()}
    for notice in ReleaseNotice.objects.select_related("order"):
        assert notice.organ_kind == "health"
        assert notice.order.ends_at - timedelta(days=1) <= notice.signed_at <= notice.order.ends_at
        checks = {c.kind: c for c in ReleaseCheck.objects.filter(order=notice.order)}
        assert checks["health"].organ_kind == "health"
        street = (at_level(notice.order.area, "street") or "").rpartition(".")[2][1:]
        assert checks["street"].organ == f"street-{street}"


def test_sheets_came_down_within_the_hour_but_for_the_forgotten(after: conftest.Filled) -> None:
    over = ends()
    hanging = BoardSheet.objects.filter(order__in=story_orders(), take_down=None)
    assert 1 <= hanging.count() <= 4
    for down in TakeDown.objects.select_related("sheet"):
        late = down.signed_at - over[down.sheet.order_id]
        assert timedelta() <= late <= policy.TAKE_DOWN_WITHIN


def test_no_officer_signed_for_more_than_twenty_in_a_day(after: conftest.Filled) -> None:
    for order in IsolationOrder.objects.all():
        alone = IsolationOrder.objects.filter(
            signed_by=order.signed_by,
            signed_at__gte=order.signed_at,
            signed_at__lt=order.signed_at + timedelta(hours=24),
        )
        assert alone.count() <= 20
        assert order.second_id is None
