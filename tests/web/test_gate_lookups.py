"""Who is let in by what the gate finds: several at a door, a slip at the own gate, homeward on a road, lists of other streets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from lianfang_pass.tokens import Identity, SlipKind
from tests.pass_ import world
from tests.web.conftest import Watched
from tests.web.gate_page import enrol, look, next_person, paper, phone, scan, sent, shown, slip, turn, type_in
from tests.web.gate_server import GateServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.journey

NOON: Final = world.NOON
END: Final = NOON + 2 * world.DAY


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 360, "height": 640}, permissions=["camera"])
    gate = Watched(context, at=NOON)
    yield gate
    assert gate.errors == []
    context.close()


def ask_at_door(page: Page, door: str, year: int) -> None:
    next_person(page)
    page.get_by_role("button", name="查门牌").click()
    page.locator("input[name=door]").fill(door)
    page.locator("input[name=year]").fill(str(year))
    page.keyboard.press("Enter")


def test_of_several_behind_a_door_the_guard_asks_for_initials_and_sees_nobody_elses(
    watched: Watched, server: GateServer
) -> None:
    server.residents = [
        ["5-2-0603", 2, "LXY", 1988, world.URI, 12, "P"],
        ["5-2-0603", 3, "WDF", 1961, None, None, "P"],
    ]
    server.compound[0][4] = "5-2-0603"
    server.suspend(4711, END)
    page = watched.page
    enrol(page, server)
    turn(page, "出")
    ask_at_door(page, "5-2-603", 1988)
    dialog = page.get_by_role("dialog", name="姓名首字母")
    assert dialog.get_by_role("button").all_inner_texts() == ["LXM", "LXY", "关闭"]
    look(page, "several")
    dialog.get_by_role("button", name="LXY").click()
    assert shown(page) == ("ALLOW_REG", "NUMBER_ONLY")
    assert "LXY" in page.locator(".g-person").inner_text()
    ask_at_door(page, "5栋-2单元-603室", 1988)
    dialog.get_by_role("button", name="LXM").click()
    page.locator("[data-verdict=DENY]").wait_for()
    # Who never had a pass is found all the same, and no old list is spoken of.
    ask_at_door(page, "5-2-603", 1961)
    page.locator("[data-verdict=ALLOW_REG]").wait_for()
    assert "名单" not in page.locator("[data-verdict]").inner_text()


def test_an_expired_number_is_registered_at_home(watched: Watched, server: GateServer) -> None:
    server.ended = [["40000124-75", world.URI, 12, "P", "3-1-0101", 2, "HGY", 1941, NOON - world.DAY]]
    page = watched.page
    enrol(page, server)
    page.get_by_role("button", name="输号码").click()
    page.locator("input[name=number]").fill("40000124-75")
    page.keyboard.press("Enter")
    assert shown(page) == ("ALLOW_REG", "PASS_EXPIRED")


def test_with_the_order_slip_alone_nobody_is_turned_away_from_the_own_home(
    watched: Watched, server: GateServer
) -> None:
    server.suspend(4711, END)
    page = watched.page
    enrol(page, server)
    assert scan(page, slip(SlipKind.ORDER)) == ("ALLOW_REG", "ORDER_HOMEWARD")
    stranger = slip(SlipKind.ORDER, identity=Identity("9-9-0909", 1, "ZZZ", 1970))
    assert scan(page, stranger) == ("CALL", "NO_PASS")
    next_person(page)
    turn(page, "出")
    assert scan(page, slip(SlipKind.ORDER)) == ("DENY", "ORDER_IN_FORCE")


def test_a_road_checkpoint_says_homeward_and_knows_every_street(watched: Watched, server: GateServer) -> None:
    server.kind = "road"
    server.more_lists = tuple(f"51040200{n}" for n in range(4, 9))
    server.suspend(4711, END)
    page = watched.page
    enrol(page, server)
    directions = page.get_by_role("group", name="方向").get_by_role("button")
    assert directions.all_inner_texts() == ["去往别处", "回家"]
    # Nobody lives at a road: nobody would be found by number or door.
    below = page.locator(".g-bottom").get_by_role("button")
    assert below.all_inner_texts() == ["紧急通行", "求助", "更多"]
    look(page, "road")
    assert scan(page, paper()) == ("DENY", "ORDER_IN_FORCE")
    next_person(page)
    turn(page, "回家")
    assert scan(page, paper()) == ("ALLOW_REG", "ORDER_HOMEWARD")
    page.get_by_role("button", name="已登记，放行").click()
    # Six lists that are waited for would take all the browser's connections.
    sent(page, server, 2)
    for _ in range(300):
        if server.waits:
            break
        page.wait_for_timeout(100)
    assert set(server.waits) == {"0"}


def test_a_list_that_is_not_here_is_said_and_not_called_old(watched: Watched, server: GateServer) -> None:
    page = watched.page
    enrol(page, server)
    assert scan(page, paper(list_uri="lf:s/510402009", index=5, zones=("m9",))) == ("ALLOW_REG", "LIST_OLD")
    look(page, "elsewhere")
    said = page.locator("[data-verdict]").inner_text()
    assert "没有此证所属街道的名单" in said
    assert "三天" not in said
    assert "名单已旧" not in said
    page.get_by_role("button", name="已登记，放行").click()
    type_in(page, phone(NOON))
    page.locator("[data-verdict=ALLOW]").wait_for()
