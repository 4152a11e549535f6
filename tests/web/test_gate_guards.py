"""Who stands at the post (F12): numbers that the device knows, and a way on for one that it does not, without a network too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from lianfang_pass.signals import SignalKind
from tests.pass_ import world
from tests.web.conftest import Watched, storage
from tests.web.gate_page import look, paper, scan, sent
from tests.web.gate_server import GateServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.journey

NOON: Final = world.NOON


@pytest.fixture
def server(server: GateServer) -> GateServer:
    server.guards = ["K7QXZA", "M2RTPC"]
    return server


@pytest.fixture
def gate(browser: Browser, server: GateServer) -> Iterator[Watched]:
    """Enrolled, and nobody on shift yet."""
    context = browser.new_context(viewport={"width": 360, "height": 640}, permissions=["camera"])
    watched = Watched(context, at=NOON)
    watched.page.goto(server.invitation())
    watched.page.locator(".g-facts", has_text="名单 10 分").wait_for()
    yield watched
    assert watched.errors == []
    context.close()


def begin(page: Page, number: str) -> None:
    page.locator("input[name=guard]").fill(number)
    page.keyboard.press("Enter")


def test_a_number_on_the_list_begins_the_shift_however_it_is_typed(gate: Watched, server: GateServer) -> None:
    begin(gate.page, "k7qxza")
    gate.page.locator("dialog").wait_for(state="detached")
    scan(gate.page, paper())
    assert [row.guard for row in sent(gate.page, server, 1)] == ["K7QXZA"]
    assert server.signals == {}


def test_who_is_not_on_the_list_is_admitted_by_somebody_else_with_a_reason_and_command_is_told(
    gate: Watched, server: GateServer
) -> None:
    page = gate.page
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    server.deaf_to_signals = True
    page.context.set_offline(True)
    page.reload()
    begin(page, "R4WXKB")
    dialog = page.get_by_role("dialog", name="工号不在本卡口名单上")
    dialog.wait_for()
    look(page, "guard-not-listed")
    for by, why, said in (("K7QXZA", "", "请填准许人和原因"), ("r4wxkb", "代班", "不能由本人准许")):
        page.locator("input[name=by]").fill(by)
        page.locator("input[name=why]").fill(why)
        page.keyboard.press("Enter")
        dialog.get_by_text(said).wait_for()
    assert "guard=R4WXKB" not in storage(page)["lianfang-gate/device"]
    page.locator("input[name=by]").fill("K7QXZA")
    page.keyboard.press("Enter")
    page.locator("dialog").wait_for(state="detached")
    assert scan(page, paper())[0] == "ALLOW"
    page.context.set_offline(False)
    server.deaf_to_signals = False
    page.reload()
    assert [row.guard for row in sent(page, server, 1)] == ["R4WXKB"]
    for _ in range(200):
        if server.signals:
            break
        page.wait_for_timeout(100)
    told = server.signals[1]
    assert (told.kind, told.facts) == (
        SignalKind.ADMITTED,
        {"guard": "R4WXKB", "by": "K7QXZA", "why": "代班"},
    )


def test_who_takes_over_is_asked_the_same_and_nothing_is_recorded_before(
    gate: Watched, server: GateServer
) -> None:
    page = gate.page
    begin(page, "K7QXZA")
    page.locator("dialog").wait_for(state="detached")
    # Named meanwhile: the device learns it with the file of its post.
    server.guards = [*server.guards, "T9NEWG"]
    page.reload()
    for number, listed in (("T9NEWG", True), ("R4WXKB", False)):
        page.get_by_role("button", name="更多").click()
        page.get_by_role("button", name="交接班").click()
        page.get_by_role("button", name="我交班").click()
        page.locator("input[name=to]").fill(number)
        page.get_by_role("button", name="我接班").click()
        if not listed:
            page.get_by_role("dialog", name="工号不在本卡口名单上").wait_for()
            page.get_by_role("button", name="取消").click()
        page.locator("dialog").wait_for(state="detached")
    for _ in range(200):
        if server.signals:
            break
        page.wait_for_timeout(100)
    assert [(s.kind, s.facts["to"]) for s in server.signals.values()] == [(SignalKind.HANDOVER, "T9NEWG")]
