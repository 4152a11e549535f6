"""The phone's pass without network, without a login and in a new tab; and the slips of the notice beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from lianfang_pass import base45, tokens
from lianfang_pass.keylist import Purpose
from tests.browser import axe, sideways
from tests.pass_ import world
from tests.pictures import qr_code
from tests.web.conftest import Watched
from tests.web.gate_server import GateServer
from tests.web.test_islands import NOON, code_of, enrol, phone_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

DAY: Final = 86_400

pytestmark = pytest.mark.journey


@pytest.fixture
def server(server: GateServer) -> GateServer:
    server.page = phone_page()
    return server


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 360, "height": 640}, locale="zh-CN")
    yield made
    made.close()


def worked(page: Page, folders: int) -> None:
    """Wait until the workers keep the application, under each of the addresses."""
    page.evaluate(
        """async (n) => {
          const active = async () => (await navigator.serviceWorker.getRegistrations()).filter((r) => r.active).length;
          while ((await active()) < n) await new Promise((ok) => setTimeout(ok, 50));
        }""",
        folders,
    )


def slips() -> list[str]:
    who = tokens.Identity("5-2-603", 1, "LXM", 1988)
    key = world.KEYS[Purpose.SLIP]
    times = {"start": NOON - DAY, "end": NOON + DAY}
    return [
        base45.to_text(
            tokens.sign_slip(
                tokens.SlipClaims(
                    cti=bytes([n] * 8), kind=kind, issued_at=NOON - DAY, not_before=begins,
                    expires_at=NOON + 32 * DAY, order_no="999999-2020-0019", identity=who, **times,
                ),
                key=key,
            )
        )
        for n, (kind, begins) in enumerate(
            ((tokens.SlipKind.ORDER, NOON - DAY), (tokens.SlipKind.RELEASE, NOON + DAY)), start=1
        )
    ]  # fmt: skip


@pytest.mark.parametrize("address", ["/pass/", "/me/pass/"])
def test_the_code_is_shown_without_network_in_a_new_tab(
    server: GateServer, context: BrowserContext, address: str
) -> None:
    first = Watched(context, at=NOON)
    first.page.goto(server.address + "/me/pass/")
    enrol(first.page)
    worked(first.page, 2)
    first.page.close()
    context.clear_cookies()
    server.stop()
    later = Watched(context, at=NOON + 60)
    later.page.goto(server.address + address)
    assert later.page.url == server.address + "/pass/"
    read = code_of(later.page, NOON + 60)
    assert read.holder_signed()
    assert world.KEY_LIST.signed(read.within.token, Purpose.PASS, signed_at=NOON)
    assert axe(later.page) == []
    later.page.screenshot(path="tests/output/phone-offline.png", full_page=True)
    assert first.errors == later.errors == []


def test_it_is_renewed_where_there_is_network_without_a_login(
    server: GateServer, context: BrowserContext
) -> None:
    first = Watched(context, at=NOON)
    first.page.goto(server.address + "/me/pass/")
    enrol(first.page)
    first.page.get_by_text("有效至 2020年2月8日").wait_for()
    worked(first.page, 2)
    first.page.close()
    context.clear_cookies()
    server.pass_until = NOON + 5 * DAY
    later = Watched(context, at=NOON + 2 * DAY)
    later.page.goto(server.address + "/pass/")
    later.page.get_by_text("有效至 2020年2月10日").wait_for()
    assert code_of(later.page, NOON + 2 * DAY).holder_signed()
    assert first.errors == later.errors == []


def test_the_slips_of_the_notice_are_on_the_phone(server: GateServer, context: BrowserContext) -> None:
    texts = slips()
    data = json.dumps({"holder": "0190f3a5", "slips": texts})
    server.page = (
        phone_page()
        .replace('data-island="rotating_code"', 'data-island="slips"')
        .replace(phone_page().split('application/json">')[1].split("</script>")[0], data)
    )
    first = Watched(context, at=NOON)
    first.page.goto(server.address + "/me/pass/")
    first.page.get_by_text("解除凭条").wait_for()
    worked(first.page, 1)
    first.page.close()
    server.stop()
    later = Watched(context, at=NOON + DAY)
    later.page.goto(server.address + "/pass/")
    later.page.get_by_role("button", name="显示二维码").first.click()  # what frees stands first
    shown = qr_code(later.page.locator("canvas").first.screenshot()).text
    assert shown == texts[1]
    assert axe(later.page) == []
    later.page.screenshot(path="tests/output/phone-slips.png", full_page=True)
    later.set_clock(NOON + 33 * DAY)
    later.page.reload()
    later.page.get_by_text("没有网络也能出示").wait_for()
    assert later.page.get_by_role("button", name="显示二维码").count() == 0
    assert first.errors == later.errors == []


def test_of_two_holders_only_the_one_shown_signs(server: GateServer, context: BrowserContext) -> None:
    for holder in ("0190f3a5", "0190f3a6"):
        server.page = phone_page(holder=holder)
        first = Watched(context, at=NOON)
        first.page.goto(server.address + "/me/pass/")
        enrol(first.page)
        first.page.close()
    both = Watched(context, at=NOON)
    page = both.page
    page.goto(server.address + "/pass/")
    choice = page.get_by_role("group", name="出示谁的").get_by_role("button")
    choice.last.click()
    code_of(page, NOON)
    page.evaluate("""() => {
      window.signed = 0;
      const sign = crypto.subtle.sign.bind(crypto.subtle);
      crypto.subtle.sign = (...all) => { window.signed += 1; return sign(...all); };
    }""")
    both.set_clock(NOON + 30)
    code_of(page, NOON + 30)
    page.wait_for_timeout(1500)  # longer than a tick of whoever would still be at work
    assert page.evaluate("window.signed") == 1
    assert choice.last.get_attribute("aria-pressed") == "true"
    assert both.errors == []


def test_a_fork_is_told_below_the_code_and_stays_without_network(
    server: GateServer, context: BrowserContext
) -> None:
    first = Watched(context, at=NOON)
    first.page.goto(server.address + "/me/pass/")
    enrol(first.page)
    worked(first.page, 2)
    first.page.close()
    server.chain["alarms.json"] = '[{"code": "no_quorum"}]'
    later = Watched(context, at=NOON)
    page = later.page
    with page.expect_response("**/open/chain/alarms.json"):
        page.goto(server.address + "/pass/")
    code_of(page, NOON)
    alarm = page.locator("[data-alarm=fork]")
    assert alarm.count() == 0  # the quorum is no resident's matter
    server.chain["alarms.json"] = '[{"code": "fork", "since": 1, "witness": "property"}]'
    later.set_clock(NOON + 599)
    page.reload()
    code_of(page, NOON + 599)
    assert alarm.count() == 0  # not asked again within ten minutes, as a gate
    later.set_clock(NOON + 601)
    page.reload()
    alarm.get_by_text("⚠ 信息链警报：记录对不上").wait_for()
    assert code_of(page, NOON + 601).holder_signed()
    code, told = page.locator("canvas").first.bounding_box(), alarm.bounding_box()
    assert code is not None
    assert told is not None
    assert code["y"] + code["height"] <= told["y"]
    assert axe(page) == []
    assert sideways(page) == 0
    page.screenshot(path="tests/output/phone-fork.png", full_page=True)
    server.stop()
    later.set_clock(NOON + DAY)
    page.reload()
    alarm.wait_for()
    assert code_of(page, NOON + DAY).holder_signed()
    assert first.errors == later.errors == []


def test_a_board_that_does_not_answer_keeps_no_code_back(server: GateServer, context: BrowserContext) -> None:
    first = Watched(context, at=NOON)
    first.page.goto(server.address + "/me/pass/")
    enrol(first.page)
    worked(first.page, 2)
    first.page.close()
    later = Watched(context, at=NOON)
    asked = []
    later.page.route("**/open/chain/alarms.json", lambda route: asked.append(route))  # and says nothing
    later.page.goto(server.address + "/pass/")
    assert code_of(later.page, NOON).holder_signed()
    assert len(asked) == 1
    assert later.errors == []


def test_a_phone_that_keeps_nothing_says_where_to_begin(server: GateServer, context: BrowserContext) -> None:
    empty = Watched(context)
    empty.page.goto(server.address + "/pass/")
    empty.page.get_by_text("这台手机还没有通行码").wait_for()
    assert empty.page.get_by_role("link", name="我的出入证（需登录）").get_attribute("href") == "/me/pass/"
    assert empty.errors == []
