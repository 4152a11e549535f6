"""A phone that carries a pass for work beside the personal one, and the gate that reads both."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.urls import reverse

from lianfang.accounts.rights import Role
from lianfang.credentials import actions as credentials
from lianfang.gates import publisher
from lianfang.kernel import clock
from lianfang.kernel.row_security import set_scope
from lianfang.people import queries as people
from lianfang_pass.tokens import Flag, PassClass
from tests.access.browser import SECURE, window
from tests.browser import axe, sideways
from tests.factories.accounts import client_for, client_of
from tests.factories.orders import ROOT, an_incident
from tests.factories.people import a_household
from tests.factories.places import a_community, a_compound
from tests.gates.test_work_passes import a_code, of_code
from tests.pass_ import world
from tests.pictures import qr_code
from tests.web import gate_page
from tests.web.conftest import Watched, storage
from tests.web.gate_server import GateServer
from tests.web.test_islands import code_on_screen, enrol, phone_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

NOON: Final = world.NOON
#: A worker who is not yet cleared, for the compound of the gate: it is told apart from the personal pass by its verdict.
WORKER: Final[dict[str, Any]] = {
    "cti": bytes.fromhex("c1c2c3c4c5c6c7c8"), "index": 90_211, "kind": PassClass.WORKER, "flags": Flag.NOT_CLEARED,
}  # fmt: skip
LABEL: Final = "工作：仓库 A（务工）"
WORK: Final = {
    "kind": "W", "zones": [world.HOME], "marked": True, "until": NOON + 20 * world.DAY, "label": LABEL,
}  # fmt: skip

pytestmark = pytest.mark.journey


@pytest.fixture
def phone(browser: Browser, server: GateServer) -> Iterator[Watched]:
    """A resident's phone with the personal pass, and a pass for work that the desk has just granted."""
    context = browser.new_context(viewport={"width": 360, "height": 640})
    watched = Watched(context, at=NOON)
    server.page = phone_page()
    watched.page.goto(server.address + "/pages/island")
    enrol(watched.page)
    assert watched.page.get_by_role("group").count() == 0  # with one pass there is nothing to choose
    server.work, server.page = [WORKER], phone_page(work=[WORK])
    watched.page.reload()
    switch(watched.page).wait_for()
    yield watched
    assert watched.errors == []
    context.close()


def switch(page: Page, label: str = LABEL) -> Any:
    return page.get_by_role("button", name=label)


def shown(page: Page, kind: PassClass) -> str:
    """The text of the code on the screen, once it is of that class."""
    for _ in range(50):
        if code_on_screen(page).within.claims.kind is kind:
            break
        page.wait_for_timeout(100)
    read = code_on_screen(page)
    assert (read.within.claims.kind, read.holder_signed()) == (kind, True)
    return qr_code(page.locator("canvas").screenshot()).text


def test_one_phone_shows_both_passes_and_the_gate_tells_them_apart(
    browser: Browser, server: GateServer, phone: Watched
) -> None:
    page = phone.page
    home = shown(page, PassClass.PERSON)  # without a tap it is the one for home
    switch(page).click()
    work = shown(page, PassClass.WORKER)
    page.locator("p", has_text="秒后更新").wait_for()
    gate_page.look(page, "phone-work")
    context = browser.new_context(viewport={"width": 360, "height": 640}, permissions=["camera"])
    gate = Watched(context, at=NOON)
    gate_page.enrol(gate.page, server)
    assert gate_page.scan(gate.page, home) == ("ALLOW", "OK")
    assert gate_page.scan(gate.page, work) == ("CALL", "NOT_CLEARED")
    assert gate.errors == []
    context.close()


def test_the_switch_is_worked_by_keyboard_and_nothing_of_it_is_kept(
    phone: Watched, server: GateServer
) -> None:
    page = phone.page
    shown(page, PassClass.PERSON)
    before = storage(page)
    switch(page, "回家").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    shown(page, PassClass.WORKER)
    focused = page.evaluate("document.activeElement.textContent")
    assert (focused, switch(page).get_attribute("aria-pressed")) == (LABEL, "true")
    assert (axe(page), sideways(page)) == ([], 0)
    assert storage(page) == before
    page.reload()
    switch(page).wait_for()
    shown(page, PassClass.PERSON)
    # What was withdrawn on the desk is shown no more, and is gone from the phone once it has asked.
    server.work, server.page = [], phone_page(lang="en")
    with page.expect_response("**/pages/phone"):
        page.reload()
    shown(page, PassClass.PERSON)
    assert page.get_by_role("group").count() == 0
    page.reload()
    page.get_by_text("s to the next code").wait_for()
    page.wait_for_timeout(300)
    assert server.asked_by_phones == 3  # enrolled, fetched, given back; not a fourth time


def test_a_pass_for_work_that_cannot_be_fetched_is_told_and_the_personal_one_stays(
    phone: Watched, server: GateServer
) -> None:
    page = phone.page
    another = {**WORK, "kind": "V", "label": "Work: Store A (volunteer)"}
    server.page, server.phone_refusal = phone_page(lang="en", work=[WORK, another]), "An order is in force."
    page.reload()
    page.get_by_text("The pass for work is not here yet: An order is in force.").wait_for()
    shown(page, PassClass.PERSON)
    assert page.get_by_role("group").get_by_role("button").all_inner_texts() == ["Home", LABEL]
    assert (axe(page), sideways(page)) == ([], 0)


@pytest.mark.django_db
def test_granted_on_the_desk_fetched_on_the_phone_and_decided_by_the_lists(browser: Browser) -> None:
    """The same past our own pages and acts: desk, one code, both passes, the gates of home and of work."""
    now = clock.now()
    an_incident(at=now, shift_days=(clock.legal_day(now) - clock.legal_day(now).replace(2020, 2, 10)).days)
    set_scope(areas=[ROOT])
    credentials.rotate_keys(now - timedelta(days=1))
    luo, site = a_household()[0], a_compound(a_community("510402002001"), "北区工地")
    home = people.person_refs([luo])[luo].area.partition(".b")[0]
    holder, code = client_of(luo), a_code(luo)
    with window(browser, client_for(Role.COMMUNITY, ROOT), width=360) as desk:
        desk.goto(SECURE + reverse("gates:work_pass", args=[luo]))
        desk.get_by_label("手机").check()
        desk.locator(f"input[value='{site}']").check()
        desk.get_by_label("尚未核验").check()
        gate_page.look(desk, "desk-work-pass")
        desk.get_by_role("button", name="签发工作证").click()
        desk.get_by_text("尚未领取").wait_for()
        assert (axe(desk), sideways(desk)) == ([], 0)
    with window(browser, holder, width=360, height=640) as phone:
        phone.goto(SECURE + reverse("gates:own_pass"))
        phone.get_by_text("工作证随这次启用一起到这台手机").wait_for()
        phone.locator("input[name=code]").fill(code)
        phone.get_by_role("button", name="启用").click()
        switch(phone, "工作：北区工地（务工）").wait_for()
        codes = [shown(phone, PassClass.PERSON)]
        switch(phone, "工作：北区工地（务工）").click()
        codes.append(shown(phone, PassClass.WORKER))
        assert (axe(phone), sideways(phone)) == ([], 0)
        gate_page.look(phone, "own-pass-work")
    publisher.run_once(clock.now())
    said = {
        (n, gate): of_code(code, at_gate=gate, inward=True, at=clock.now())
        for n, code in enumerate(codes) for gate in (home, site)
    }  # fmt: skip
    assert said.pop((1, site)) == ("CALL", "NOT_CLEARED")
    assert set(said.values()) == {("ALLOW", "OK")}
    with window(browser, client_for(Role.COMMUNITY, ROOT), width=1280) as desk:
        desk.goto(SECURE + reverse("gates:person_passes", args=[luo]))
        desk.get_by_text("在 1 部手机上").wait_for()
        desk.locator("summary", has_text="停用这部手机").click()
        assert (axe(desk), sideways(desk)) == ([], 0)
        gate_page.look(desk, "desk-passes")
