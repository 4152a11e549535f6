"""What a guard does at the gate page of these tests: enrol, turn, scan, read the verdict."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

from lianfang_pass import base45
from lianfang_pass.tokens import SlipKind, sign_code
from tests.pass_ import world

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from lianfang_pass.passages import Passage
    from tests.web.gate_server import GateServer

#: All keys of a code in one go: what is measured is the gate, not the way to the browser.
_KEYS: Final = """(text) => { for (const key of [...text, 'Enter']) document.body.dispatchEvent(
  new KeyboardEvent('keydown', { key, code: key === 'Enter' ? key : '', bubbles: true })); }"""

#: Notes for every code that a scanner types how long its verdict took from the last key on.
WATCH: Final = """() => {
  window.took = []; let at = 0;
  const frame = document.createElement('iframe');  // its clock is not the test's
  frame.title = 'clock'; frame.style.display = 'none';
  document.body.append(frame);
  const now = () => frame.contentWindow.performance.timeOrigin + frame.contentWindow.performance.now();
  document.addEventListener('keydown', (e) => { if (e.code === 'Enter') at = now(); }, true);
  new MutationObserver(() => {
    if (at && document.querySelector('[data-verdict]')) { window.took.push(now() - at); at = 0; }
  }).observe(document.getElementById('app'), { subtree: true, childList: true });
}"""


def enrol(page: Page, server: GateServer, *, list_age: str = "10 分") -> None:
    page.goto(server.invitation())
    page.locator("input[name=guard]").fill("G-07")
    page.keyboard.press("Enter")
    page.locator(".g-facts", has_text=f"名单 {list_age}").wait_for()


def paper(**changes: Any) -> str:
    return base45.to_text(world.pass_token(world.a_pass(**changes)))


def phone(at: int) -> str:
    return base45.to_text(sign_code(world.pass_token(world.a_phone_pass()), at=at, key=world.HOLDER))


def slip(kind: SlipKind, **changes: Any) -> str:
    return base45.to_text(world.slip_token(world.a_slip(kind, **changes)))


def type_in(page: Page, text: str) -> None:
    """As a hand scanner does: keys, then Enter, no field focused."""
    page.evaluate("document.activeElement?.blur()")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def pull(page: Page, text: str) -> None:
    """A hand scanner that is as fast as scanners are."""
    page.evaluate(_KEYS, text)


def shown(page: Page) -> tuple[str, str]:
    view = page.locator("[data-verdict]")
    view.wait_for()
    return view.get_attribute("data-verdict") or "", view.get_attribute("data-reason") or ""


def look(page: Page, name: str) -> None:
    """Keep a picture for whoever wants to look."""
    folder = os.environ.get("LIANFANG_PICTURES")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png")


def next_person(page: Page) -> None:
    """Put the last verdict away."""
    if page.locator("[data-verdict]").count():
        page.get_by_role("button", name="下一位").or_(page.get_by_role("button", name="未放行")).first.click()
        page.locator("[data-verdict]").wait_for(state="detached")


def scan(page: Page, text: str) -> tuple[str, str]:
    """Scan, and wait until the screen shows this look and not the one before."""
    next_person(page)
    type_in(page, text)
    return shown(page)


def turn(page: Page, word: str) -> None:
    page.get_by_role("button", name=word, exact=True).click()


def sent(page: Page, server: GateServer, count: int, *, seconds: float = 30) -> list[Passage]:
    """The rows the server holds, once there are so many and the device keeps none."""
    deadline = time.monotonic() + seconds
    while len(server.rows) < count and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    page.locator(".g-facts", has_text="未上传 0").wait_for(timeout=15_000)
    return server.opened()
