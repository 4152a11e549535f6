"""The desk corrects a post, and a device that is out there shows it without being enrolled anew."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from playwright.sync_api import TimeoutError as NotYet

from lianfang.accounts.rights import Role
from lianfang.credentials import actions as credentials
from lianfang.gates import actions, jobs
from lianfang.kernel import clock
from lianfang.kernel.ids import new_id
from tests.factories.accounts import client_for
from tests.factories.credentials import SHARD
from tests.factories.places import a_compound, a_district
from tests.gates.test_front import officer
from tests.web.conftest import Watched
from tests.web.gate_page import look, next_person, paper, scan, turn

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def heading(page: Page, name: str) -> None:
    """Open the app, which asks for the file of its post at once, until it is called so."""
    for _ in range(20):
        page.reload()
        with suppress(NotYet):
            page.locator("h1", has_text=name).wait_for(timeout=2_000)
            return
    raise AssertionError(page.locator("h1").inner_text())


def test_a_telephone_that_was_wrong_is_right_at_the_gate_and_stays_so_without_a_network(
    browser: Browser, one_port: str
) -> None:
    now = clock.now()
    a_district()
    credentials.rotate_keys(now)
    for street in (SHARD, "510402009"):
        credentials.publish(street, [], now)
    jobs.keep(now)
    draft = actions.GateDraft(
        id=new_id(), name="北门", kind="compound", area=(compound := a_compound()), shards=(SHARD,),
        zones=(compound.rpartition(".")[2],), phone="0812-1990000",
    )  # fmt: skip
    gate = actions.set_up_gate(draft, by=officer(now))
    desk = client_for(Role.CMD_DUTY, "d510402")
    said = desk.post(reverse("gates:enrol", args=[gate.pk])).content.decode()
    link = re.search(r"/gate/#enrol=[\w-]+", said)
    assert link
    context = browser.new_context(viewport={"width": 360, "height": 640}, permissions=["camera"])
    watched = Watched(context)
    page = watched.page
    page.goto(one_port + link.group())
    page.locator("input[name=guard]").fill("G-07")
    page.keyboard.press("Enter")
    turn(page, "出")
    assert scan(page, paper())[0] == "CALL"
    assert page.get_by_text("0812-1990000").count() == 1
    next_person(page)

    form = {"name": "东门", "kind": "road", "place": gate.area, "phone": "0812-1990777"}
    assert desk.post(reverse("gates:edit_gate", args=[gate.pk]), form).status_code == 302
    heading(page, "东门")
    # Now at a road, it has the lists of all streets, and each is held: else the screen said that one is missing.
    page.locator(".g-facts li:not(.is-trouble)", has_text="名单 0 分").wait_for(timeout=30_000)
    context.set_offline(True)
    page.reload()
    page.locator("h1", has_text="东门").wait_for()
    page.get_by_role("button", name="去往别处").wait_for()
    assert scan(page, paper())[0] == "CALL"
    look(page, "post-corrected")
    assert page.get_by_text("0812-1990777").count() == 1
    assert page.get_by_text("0812-1990000").count() == 0
    assert watched.errors == []
    context.close()
