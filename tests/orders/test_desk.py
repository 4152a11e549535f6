"""The desk of a whole district: true counts, pages, and no more questions when the piles are high."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lianfang.accounts.rights import Role
from lianfang.kernel import clock
from lianfang.kernel.ids import random_id
from lianfang.orders import actions, menu, sheets, views
from tests.factories.accounts import client_for
from tests.factories.orders import S1_END, S1_NOW, an_order, officer
from tests.factories.people import a_dwelling, a_household, a_person

if TYPE_CHECKING:
    from uuid import UUID

pytestmark = pytest.mark.django_db


@pytest.fixture
def homes(household: list[UUID]) -> list[UUID]:
    """One person in each of six households of one building: enough for a public sheet."""
    return [a_household("邻居", area=a_dwelling(f"5-2-{n:02d}02"))[0] for n in range(10, 16)]


def test_a_home_page_asks_as_often_for_six_sheets_as_for_one(homes: list[UUID]) -> None:
    with clock.fixed(S1_END):
        client = client_for(Role.CDC)

    def posted(person: UUID) -> None:
        with clock.fixed(S1_NOW):
            actions.post_sheet(random_id(), an_order(person).pk, by=officer(Role.COMMUNITY))

    def asked() -> int:
        with clock.fixed(S1_END), CaptureQueriesContext(connection) as queries_made:
            assert client.get("/desk/").status_code == 200
        return len(queries_made)

    posted(homes[0])
    asked()
    once = asked()
    for person in homes[1:]:
        posted(person)
    assert asked() == once
    by = officer(Role.CDC, at=S1_END)
    assert {sheet.state for sheet in sheets.hanging(by)} == {"ended"}
    assert len(sheets.hanging(by)) == 6
    (pile,) = [t for t in menu.todo(by) if t.url.endswith("/sheets/")]
    assert pile.count == 6


def test_the_list_of_orders_goes_on_where_the_page_ended(
    district: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "_PAGE", 3)
    orders = {an_order(a_person()).pk for _ in range(7)}
    with clock.fixed(S1_NOW):
        client = client_for(Role.CDC)
    seen: list[str] = []
    address = "/desk/orders/"
    for length in (3, 3, 1):
        with clock.fixed(S1_NOW):
            page = client.get(address).content.decode()
        found = re.findall(r'scope="row"><a href="/desk/orders/([0-9a-f-]{36})/"', page)
        assert len(found) == length
        assert '<span class="lf-soft">7</span>' in page
        seen += found
        more = re.search(r'href="(\?after=[^"]+)"', page)
        address = f"/desk/orders/{more[1]}" if more else ""
    assert address == ""
    assert {str(pk) for pk in orders} == set(seen)
    assert len(seen) == 7
