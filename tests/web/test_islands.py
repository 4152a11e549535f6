"""The resident's rotating code in a browser: key, thirty seconds, hidden page, no verdict."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

import pytest

from lianfang_pass import base45, tokens
from lianfang_pass.keylist import Purpose
from tests.browser import axe
from tests.pass_ import world
from tests.pictures import qr_code
from tests.web.conftest import Watched, storage
from tests.web.gate_server import GateServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

NOON: Final = world.NOON
DATA: Final = {"holder": "0190f3a5", "enrol": "/pages/phone", "renew": "/pages/phone", "work": []}


def phone_page(*, lang: str = "zh-Hans", **changes: object) -> str:
    """The page of the own passes, as far as its script sees it."""
    return f"""<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>我的通行码</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/static/dist/phone.css"></head>
<body><main class="lf-page"><h1>我的通行码</h1>
<div data-island="rotating_code"><script type="application/json">{json.dumps({**DATA, **changes})}</script></div></main>
<script type="module" src="/static/dist/islands.js"></script></body></html>"""


PAGE: Final = phone_page()

pytestmark = pytest.mark.journey


@pytest.fixture
def server(server: GateServer) -> GateServer:
    server.page = PAGE
    return server


@pytest.fixture
def phone(browser: Browser, server: GateServer) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 360, "height": 640})
    watched = Watched(context, at=NOON)
    watched.page.goto(server.address + "/pages/island")
    yield watched
    assert watched.errors == []
    context.close()


def enrol(page: Page) -> None:
    page.locator("input[name=code]").fill("LUO-2020")
    page.get_by_role("button", name="启用").click()
    page.locator("canvas").wait_for()
    page.locator("p", has_text="秒后更新").wait_for()


def code_on_screen(page: Page) -> tokens.ReadCode:
    """What a camera would read from the picture on the screen."""
    read = tokens.read(base45.from_text(qr_code(page.locator("canvas").screenshot()).text))
    assert isinstance(read, tokens.ReadCode)
    return read


def code_of(page: Page, at: int) -> tokens.ReadCode:
    """The code once it is the one of this instant; the page draws within a second."""
    deadline = time.monotonic() + 10
    while (read := code_on_screen(page)).signed_at != at and time.monotonic() < deadline:
        page.wait_for_timeout(200)
    assert read.signed_at == at
    return read


def test_the_code_is_new_every_thirty_seconds_and_signed_by_the_phone(phone: Watched) -> None:
    page = phone.page
    enrol(page)
    first = code_on_screen(page)
    assert first.signed_at == NOON
    assert first.holder_signed()
    assert world.KEY_LIST.signed(first.within.token, Purpose.PASS, signed_at=NOON)
    phone.set_clock(NOON + 29)
    page.locator("p", has_text="1 秒后更新").wait_for()
    assert code_on_screen(page).signed_at == NOON
    phone.set_clock(NOON + 30)
    assert code_of(page, NOON + 30).holder_signed()
    assert axe(page) == []


def test_the_key_cannot_leave_and_the_page_works_without_the_server(
    phone: Watched, server: GateServer
) -> None:
    page = phone.page
    enrol(page)
    refused = page.evaluate("""async () => {
      const db = await new Promise((ok) => {
        const r = indexedDB.open('lianfang-holder'); r.onsuccess = () => ok(r.result); });
      const held = await new Promise((ok) => {
        const r = db.transaction('holders').objectStore('holders').getAll(); r.onsuccess = () => ok(r.result[0]); });
      try { await crypto.subtle.exportKey('jwk', held.keys.privateKey); return 'exported'; }
      catch (error) { return error.name; }
    }""")
    assert refused == "InvalidAccessError"
    assert "CryptoKey" in " ".join(storage(page).values())
    server.stop()
    phone.set_clock(NOON + 60)
    code_of(page, NOON + 60)


def test_a_wrong_code_is_told_and_may_be_tried_again(phone: Watched) -> None:
    page = phone.page
    page.locator("input[name=code]").fill("WRONG")
    page.get_by_role("button", name="启用").click()
    page.get_by_text("代码不对或已过期").wait_for()
    enrol(page)


def test_an_expired_pass_says_what_still_works(phone: Watched, server: GateServer) -> None:
    server.pass_until = NOON + 3600
    page = phone.page
    enrol(page)
    server.stop()
    phone.set_clock(NOON + 3600)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.get_by_text("纸质卡和号码照常可用").wait_for()
    assert page.locator("canvas").count() == 0
    # A new one-time code is the other way back; a wrong one does not spoil the key that is here.
    assert page.locator("input[name=code]").count() == 1


def test_nothing_is_drawn_while_nobody_looks(phone: Watched) -> None:
    page = phone.page
    enrol(page)
    page.evaluate("""() => {
      window.signed = 0;
      const sign = crypto.subtle.sign.bind(crypto.subtle);
      crypto.subtle.sign = (...all) => { window.signed += 1; return sign(...all); };
      Object.defineProperty(document, 'hidden', { get: () => true, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }""")
    assert page.evaluate("document.querySelector('canvas').width") == 0
    phone.set_clock(NOON + 300)
    page.wait_for_timeout(2500)
    assert page.evaluate("window.signed") == 0
