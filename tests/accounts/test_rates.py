"""How often one party may ask: each class at the address it is meant for, and a page that says until when."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread
from typing import TYPE_CHECKING, Final

import pytest
from django.db import connections
from django.test import Client
from tests.access.addresses import Address, addresses
from tests.factories.accounts import AT, client_for, client_of
from tests.factories.people import a_dwelling, a_person

from lianfang.accounts import rates
from lianfang.accounts.models import RateCount
from lianfang.accounts.rights import Role
from lianfang.accounts.web import Audience
from lianfang.kernel import clock
from lianfang.kernel.ids import new_id
from lianfang.kernel.surfaces import Rate, Repeat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.django_db, pytest.mark.urls("lianfang.config.urls")]


def test_every_address_says_what_a_repeat_does_and_how_often() -> None:
    faults = [f"{address}: {fault}" for address in addresses() for fault in _silent(address)]
    assert not faults


def _silent(address: Address) -> Iterator[str]:
    declared = address.surface
    if declared is None or not isinstance(declared.repeat, Repeat) or not isinstance(declared.rate, Rate):
        yield "says nothing"
        return
    if "GET" not in address.methods and declared.repeat in (Repeat.READS, Repeat.ASKS):
        yield "it writes: say what a repeat does"
    writes = declared.repeat not in (Repeat.READS, Repeat.SAME)
    if declared.audience == Audience.PUBLIC and writes and declared.rate not in rates.LIMITS:
        yield "anybody may write here: how often?"


def test_what_says_nothing_of_repeats_takes_no_post() -> None:
    client = client_for(Role.CDC)
    assert client.post("/desk/").status_code == 405
    assert client.post("/desk/orders/").status_code == 405


def _login(_: int) -> tuple[Client, str, dict[str, str]]:
    return Client(), "/login/", {"login": f"nobody-{new_id().hex}", "password": "x" * 12}


def _code(_: int) -> tuple[Client, str, dict[str, str]]:
    return Client(), "/enter/", {"code": new_id().hex[-10:]}


CASES: Final[dict[Rate, Callable[[int], tuple[Client, str, dict[str, str]]]]] = {
    Rate.LOGIN: _login,
    Rate.CODE: _code,
}


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    few = {rate: rates.Limit(3, limit.window) for rate, limit in rates.LIMITS.items()}
    monkeypatch.setattr(rates, "LIMITS", few)


@pytest.mark.parametrize("rate", CASES)
def test_the_doors_close_for_a_while_and_say_until_when(rate: Rate) -> None:
    with clock.fixed(AT):
        for n in range(3):
            client, url, data = CASES[rate](n)
            assert client.post(url, data).status_code == 422
        client, url, data = CASES[rate](3)
        answer = client.post(url, data)
        assert answer.status_code == 429
        free_at = rates.until(rate, "address 127.0.0.1", at=AT)
        assert free_at is not None
        assert int(answer["Retry-After"]) == int((free_at - AT).total_seconds()) + 1
        shown = free_at.astimezone(clock.LEGAL_ZONE).strftime("%H:%M")
        assert f"请在 {shown} 以后再试" in answer.content.decode()
        client.cookies["lianfang_language"] = "en"
        assert client.get(url).status_code == 200, "reading the page counts for nothing"
    with clock.fixed(free_at):
        assert client.post(url, data).status_code == 422


def test_numbers_can_be_tried_so_often_and_names_at_will() -> None:
    a_person("罗小娟", area=a_dwelling(), phone="19900000001")
    client = client_for(Role.CDC)
    for _ in range(3):
        assert client.post("/desk/people/inquiry/", {"q": "19900000001"}).status_code == 200
    assert client.post("/desk/people/inquiry/", {"q": "罗"}).status_code == 200
    assert client.post("/desk/people/inquiry/", {"q": "19900000002"}).status_code == 429
    assert client.post("/desk/people/inquiry/", {"q": "罗"}).status_code == 200
    # Each officer has their own count.
    assert client_for(Role.CDC).post("/desk/people/inquiry/", {"q": "19900000001"}).status_code == 200


def test_reports_are_counted_also_when_they_are_refused() -> None:
    client = client_of(a_person("罗小娟", area=a_dwelling()))
    codes = [client.post("/me/report/symptoms/", {"temp_c": "90"}).status_code for _ in range(4)]
    assert codes == [422, 422, 422, 429]


def test_windows_stand_on_the_clock_and_old_counts_go() -> None:
    limit = rates.Limit(1, timedelta(minutes=15))
    at = AT.replace(minute=14, second=59)
    assert rates.until(Rate.LOGIN, "a", at=at, limit=limit) is None
    assert rates.until(Rate.LOGIN, "a", at=at, limit=limit) == AT.replace(minute=15, second=0)
    assert rates.until(Rate.LOGIN, "b", at=at, limit=limit) is None
    assert rates.until(Rate.CODE, "a", at=at, limit=limit) is None
    assert rates.until(Rate.LOGIN, "a", at=at + timedelta(seconds=1), limit=limit) is None
    assert rates.until(Rate.LOGIN, "a", at=at + timedelta(days=2), limit=limit) is None
    assert RateCount.objects.count() == 1
    assert not RateCount.objects.filter(party="a").exists(), "only a keyed hash of the party is kept"


@pytest.mark.django_db(transaction=True)
def test_requests_at_once_are_all_counted() -> None:
    limit = rates.Limit(5, timedelta(hours=1))
    found: list[object] = []

    def ask() -> None:
        found.append(rates.until(Rate.LOGIN, "a", at=AT, limit=limit))
        connections.close_all()

    threads = [Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(f is None for f in found) == 5
