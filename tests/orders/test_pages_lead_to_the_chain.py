"""Whatever page names an order shows how far it has come in the chain."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from lianfang.accounts.models import User
from lianfang.accounts.rights import Role
from lianfang.kernel import clock
from lianfang.kernel.ids import random_id
from lianfang.orders import actions, urls
from tests.factories.accounts import client_for, log_in
from tests.factories.orders import S1_NOW, a_concern, a_draft, officer, resident

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_s1() -> Iterator[None]:
    with clock.fixed(S1_NOW):
        yield


#: Whoever may see an order, in some page.
OFFICES = (
    Role.CDC, Role.COMMUNITY, Role.GRID, Role.STREET, Role.MEDIC, Role.CMD_LEAD, Role.CMD_DUTY, Role.AUDITOR,
    Role.PROPERTY, Role.GUARD,
)  # fmt: skip
#: What says of an order no more than its state (docs/orders.md, "The chain on the pages").
STATE_ALONE = {"open_certificate"}


def test_every_page_that_names_an_order_leads_to_its_entry(luo: UUID, household: list[UUID]) -> None:
    """All addresses of the room, as whoever may open them finds them: a new page is among them."""
    order = actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    me, until = resident(luo), S1_NOW + timedelta(days=90)
    own, their = (
        actions.hold_case(
            actions.HoldDraft(id=random_id(), order_id=order.pk, until=until, reason="诉讼"), by=by
        )
        for by in (me, officer(Role.COMMUNITY))
    )
    appeal = actions.appeal(actions.AppealDraft(id=random_id(), order_id=order.pk, text="没有去过"), by=me)
    concern = a_concern(luo)
    known = {"order_id": order.pk, "person_id": luo, "dependant_id": household[2], "appeal_id": appeal.pk}
    known |= {"concern_id": concern}
    clients = [log_in(User.objects.get(person_id=luo)), *(client_for(role) for role in OFFICES)]
    seen = set()
    for pattern in urls.urlpatterns:
        named = set(pattern.pattern.regex.groupindex)
        known["hold_id"] = own.pk if pattern.name == "own_withdraw" else their.pk
        if not named <= known.keys():
            continue
        address = reverse(f"orders:{pattern.name}", kwargs={name: known[name] for name in named})
        for client in clients:
            answer = client.get(address)
            if answer.status_code != 200 or not answer.headers["Content-Type"].startswith("text/html"):
                continue
            page = answer.content.decode()
            if order.order_no in page and pattern.name not in STATE_ALONE:
                assert f"/open/chain/entry/{order.entry_id}/" in page, address
                seen.add(pattern.name)
    assert {
        "appeal_for", "care", "concern", "decide", "desk", "destroy", "hold_for", "lift", "order", "own", "own_appeal",
        "own_hold", "own_withdraw", "person", "record_care", "serve", "serving", "sign", "withdraw_for",
    } <= seen, seen  # fmt: skip
