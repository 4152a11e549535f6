"""Command says how old evidence may be, and the word on a gate's screen is another one for the same pass and list."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest
from django.urls import reverse
from playwright.sync_api import TimeoutError as NotYet

from lianfang.accounts.rights import Role
from lianfang.credentials import actions as credentials
from lianfang.gates import actions, jobs
from lianfang.kernel import clock
from lianfang.kernel.ids import new_id
from tests.factories.accounts import client_for
from tests.factories.credentials import HOME, SHARD, a_draft, by
from tests.factories.places import a_district
from tests.gates.test_front import AREA, officer
from tests.web.conftest import Watched
from tests.web.gate_page import look, scan, turn

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NOW: Final = clock.now()
#: When the list at this gate was signed.
LISTED: Final = NOW - timedelta(hours=30)

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def a_pass_and_a_gate() -> tuple[str, str]:
    """The code of a paper pass, and the desk's page that enrols a device at its gate."""
    a_district()
    credentials.rotate_keys(NOW - timedelta(days=2))
    issued = credentials.issue_pass(
        a_draft(valid_from=LISTED, valid_until=LISTED + timedelta(days=20)), by=by(LISTED)
    )
    credentials.publish(SHARD, [], LISTED)
    jobs.keep(NOW)
    draft = actions.GateDraft(
        id=new_id(), name="北门", kind="compound", area=AREA, shards=(SHARD,), zones=(HOME,), phone="0812-1990000"
    )  # fmt: skip
    gate = actions.set_up_gate(draft, by=officer(NOW))
    return issued.text, reverse("gates:enrol", args=[gate.pk])


def opened(page: Page, *, trouble: bool) -> None:
    """Open the app, which asks for the rules at once, until the list's age is said to be trouble, or none."""
    facts = page.locator(".g-facts li.is-trouble" if trouble else ".g-facts li:not(.is-trouble)")
    age = facts.filter(has_text="名单 30 小时")
    for _ in range(20):
        page.reload()
        with suppress(NotYet):
            age.wait_for(timeout=2_000)
            break
    turn(page, "出")


def sign(day: int, old: int) -> None:
    form = {
        "id": str(new_id()),
        "day_hours": str(day),
        "old_hours": str(old),
        "basis": "技术方案第五版（示例）",
    }
    assert client_for(Role.CMD_LEAD).post(reverse("gates:set_ages"), form).status_code == 302


def test_the_same_pass_is_registered_or_goes_through_as_command_has_signed(
    browser: Browser, one_port: str
) -> None:
    code, enrolling = a_pass_and_a_gate()
    said = client_for(Role.STREET, AREA.rsplit(".", 2)[0]).post(enrolling).content.decode()
    link = re.search(r"/gate/#enrol=[\w-]+", said)
    assert link
    context = browser.new_context(viewport={"width": 360, "height": 640}, permissions=["camera"])
    watched = Watched(context)
    page = watched.page
    page.goto(one_port + link.group())
    page.locator("input[name=guard]").fill("G-07")
    page.keyboard.press("Enter")
    page.locator(".g-facts", has_text="名单 30 小时").wait_for(timeout=30_000)
    opened(page, trouble=True)
    assert scan(page, code) == ("ALLOW_REG", "LIST_DAY_OLD")
    sign(36, 96)
    opened(page, trouble=False)
    assert scan(page, code) == ("ALLOW", "OK")
    sign(12, 29)
    opened(page, trouble=True)
    assert scan(page, code)[0] == "ALLOW_REG"
    look(page, "ages")
    assert "29" in page.locator(".g-reason").inner_text()  # the hours that were signed, not three days
    assert watched.errors == []
    context.close()
