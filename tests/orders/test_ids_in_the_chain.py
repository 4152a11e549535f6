"""The id of an act on a person is in its entry for ever, which says the hour and no more: nor does the id."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lianfang.accounts.rights import Role
from lianfang.kernel import clock
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from lianfang.ledger.models import Entry
from lianfang.orders import policy
from lianfang.orders.models import Appeal, IsolationOrder
from lianfang_chain.entry import Entry as ChainEntry
from tests.factories.accounts import client_for, client_of
from tests.factories.orders import ROOT, S1_END, S1_NOW, a_concern
from tests.orders.test_retention import commit

if TYPE_CHECKING:
    from uuid import UUID

    from django.test import Client

pytestmark = pytest.mark.django_db
#: Half a day in milliseconds: nobody's test runs that long, and 48 random bits are as near once in three million.
_NEAR = 12 * 3_600_000


def sent(client: Client, address: str, **typed: str) -> None:
    """The form of a page, sent with the id that the page carries."""
    found = re.search(r'name="id" value="([0-9a-f-]{36})"', client.get(address).content.decode())
    assert found
    pressed(client, address, id=found[1], **typed)


def pressed(client: Client, address: str, **typed: str) -> None:
    """A button, for which the server makes the id."""
    answer = client.post(address, typed)
    assert answer.status_code == 302, answer.content.decode()


def the_order(person: UUID) -> IsolationOrder:
    with scope(areas=[ROOT]):
        return IsolationOrder.objects.get(person_id=person)


def ordered(person: UUID) -> IsolationOrder:
    with scope(areas=[ROOT]):
        concern = a_concern(person)
    sent(client_for(Role.CDC), f"/desk/orders/concern/{concern}/sign/", confirm="on")
    return the_order(person)


def test_no_entry_on_a_person_says_more_than_the_hour(household: list[UUID]) -> None:
    """Every act that has a page, from the signature to the destruction; each writes what its page sent."""
    with clock.fixed(S1_NOW):
        won, lifted, ended = (ordered(person) for person in household)
        sent(client_of(household[0]), f"/me/order/{won.pk}/appeal/", text="我没有去过")
        with scope(areas=[ROOT]):
            appeal = Appeal.objects.get()
        sent(client_for(Role.CMD_LEAD), f"/desk/orders/appeals/{appeal.pk}/", granted="yes", reasons="属实")
        sent(client_for(Role.CDC), f"/desk/orders/{lifted.pk}/lift/", reason="误判")
    with clock.fixed(S1_END - timedelta(hours=3)):
        pressed(client_for(Role.MEDIC), f"/desk/orders/{ended.pk}/check/health/")
        pressed(client_for(Role.STREET), f"/desk/orders/{ended.pk}/check/street/")
        pressed(client_for(Role.CDC), f"/desk/orders/{ended.pk}/notice/")
    with clock.fixed(S1_END + policy.CASE_KEPT_FOR - timedelta(days=1)):
        own = client_of(household[2])
        until = clock.legal_day(clock.now()) + timedelta(days=90)
        sent(own, f"/me/order/{ended.pk}/hold/", until=str(until), reason="诉讼")
        page = own.get(f"/me/order/{ended.pk}/hold/").content.decode()
        back = re.search(r'href="(/me/order/[^"]*withdraw[^"]*)"', page)
        assert back
        sent(own, back[1], reason="不用了")
    commit()
    with clock.fixed(S1_END + policy.CASE_KEPT_FOR):
        pressed(client_for(Role.CDC), f"/desk/orders/{ended.pk}/destroy/")

    assert set(Entry.objects.filter(kind__startswith="orders:").values_list("kind", flat=True)) == {
        "orders:isolation:issued",
        "orders:appeal:raised",
        "orders:appeal:won",
        "orders:order:lifted",
        "orders:release:noticed",
        "orders:hold:withdrawn",
        "orders:case:destroyed",
    }
    now = time.time_ns() // 1_000_000
    for row in Entry.objects.filter(kind__regex="^(orders:|ledger:disclosures:)"):
        act = ChainEntry.parse(bytes(row.data)).act
        assert act.issued_at % 3_600 == 0, act.kind
        prefix = act.act_id.int >> 80
        instants = (now, int(row.appended_at.timestamp() * 1_000))
        assert all(abs(prefix - instant) > _NEAR for instant in instants), act.kind


def test_a_page_with_an_id_that_says_when_is_told_to_open_again(household: list[UUID]) -> None:
    with clock.fixed(S1_NOW):
        order = ordered(household[0])
        client, address = client_for(Role.CDC), f"/desk/orders/{order.pk}/lift/"
        entries = Entry.objects.count()
        answer = client.post(address, {"id": str(new_id()), "reason": "误判"})
        assert answer.status_code == 422
        assert "这一页打开得太早" in answer.content.decode()
        assert Entry.objects.count() == entries
