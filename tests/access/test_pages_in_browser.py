"""Every page in a browser: no violation that axe finds, nothing to scroll sideways, nothing the policy blocks.

And nothing on it that would be dead where scripts do not run.
"""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.test import Client

from lianfang.accounts import actions
from lianfang.accounts.models import LoginCode
from lianfang.accounts.rights import Role
from lianfang.kernel import clock
from lianfang.kernel.ids import new_id
from tests.browser import WECHAT, axe, sideways
from tests.factories.accounts import COMMUNITY, an_officer, client_for
from tests.sizes import SIZE

from .addresses import Address, addresses
from .browser import ORIGIN, window
from .rooms import fill_rooms
from .world import World, a_world, fillings, readable_by, url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.django_db

#: 320 px is the narrowest phone; 640 px is a desk of 1,280 px at 200 %.
WIDTHS: Final = (320, 640)
#: Answers that are files or frames of an application of its own.
NOT_PAGES: Final = (
    "gate",
    "open/verify",
    "open/chain/checkpoint",
    "open/chain/tile",
    "open/chain/former",
    "open/chain/later",
    "login/out",
    "pass",  # looked at with a code on it in tests/web/test_phone_offline.py
    "api/",
)
#: Addresses that answer this small district with a file or not at all.
NOT_HERE: Final = re.compile(
    r"/print|/proof|\.(txt|zip|json|cbor)$|/card/$|/faults/$|/receipts/$|^open/chain/consistency/"
    # Another installation: not founded yet, with TLS of its own, or a demonstration.
    r"|^first-run/|^open/authority/|^open/demo/"
    # An answer to a form only; no device has handed in a file.
    r"|^desk/people/corrections/<|^desk/gates/files/<"
    # Signed for all districts at once; tests/gates/test_ages.py opens it.
    r"|^desk/gates/acts/ages/"
)
#: Pictures of every page, if wanted: LIANFANG_PICTURES=folder.
PICTURES: Final = os.environ.get("LIANFANG_PICTURES", "")


def _readable() -> list[Address]:
    """Every address that answers with a page."""
    return [a for a in addresses() if "GET" in a.methods and not a.route.startswith(NOT_PAGES)]


def _turns() -> Iterator[tuple[str, list[Address]]]:
    """Who looks at which pages. Who can open most of what is left looks next."""
    able: dict[str, list[Address]] = {}
    for address in _readable():
        for who in readable_by(address):
            able.setdefault(who, []).append(address)
    first = sorted(able, key=lambda who: (-len(able[who]), who))
    yield from ((who, able[who]) for who in first)


def _pages(address: Address, world: World, client: Client) -> Iterator[tuple[str, Any]]:
    """What this browser is shown under an address: the first page, at a larger size that of every row."""
    for values in fillings(address, world, most=2):
        target = url(address, values)
        response = client.get(target)
        if "text/html" in response.headers.get("Content-Type", "") and response.status_code < 300:
            yield target, response
            if SIZE == "change":
                return


class _Scripts(HTMLParser):
    """What on a page does nothing where scripts do not run."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self._open: list[str] = []
        self._islands: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form":
            self._open.append(tag)
        if tag == "button" and (not self._open or values.get("type", "submit") != "submit"):
            self.wrong.append(f"a button that sends no form: {values}")
        if tag == "a" and not values.get("href"):
            self.wrong.append(f"a link that leads nowhere: {values}")
        self.wrong += [f"{tag} with {name}" for name in values if name.startswith("on")]
        if "data-island" in values:
            self._islands.append(False)
        if tag == "noscript" and self._islands:
            self._islands[-1] = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._open:
            self._open.pop()

    def dead(self, text: str) -> list[str]:
        """What is wrong; an island says what to do where it does not run."""
        self.feed(text)
        return self.wrong + ["an island without <noscript>" for said in self._islands if not said]


def _look(page: Page, target: str) -> Iterator[str]:
    """What is wrong with the page at this address."""
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    page.goto(ORIGIN + target)
    yield from axe(page)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if (too_wide := sideways(page)) > 0:
            yield f"{too_wide} px too wide at {width} px"


@pytest.mark.timeout(3600)
def test_every_page_is_accessible(browser: Browser) -> None:
    """At every change each page once, by the role that sees most; at a larger size by every role."""
    world = a_world(households=1)
    fill_rooms(world)
    wrong: list[str] = []
    said: list[str] = []
    left = {a.route for a in _readable() if not NOT_HERE.search(a.route)}
    answers: dict[str, Any] = {}
    for who, able in _turns():
        client = world.browser(who)
        with window(browser, client, width=WIDTHS[0], answers=answers) as page:
            page.on("console", lambda message: said.append(message.text))
            for address in able:
                if SIZE == "change" and address.route not in left:
                    continue
                for target, response in _pages(address, world, client):
                    left.discard(address.route)
                    answers[target] = response
                    found = [*_Scripts().dead(response.content.decode()), *_look(page, target)]
                    wrong += [f"{who} {target} {fault}" for fault in found]
                    if PICTURES:
                        _keep(page, f"{who}-{address.route}")
    wrong += [line for line in said if "Security Policy" in line]
    assert not wrong, "\n".join(wrong)
    assert not left, f"nobody has looked at {sorted(left)}"


def _keep(page: Page, name: str) -> None:
    """Pictures for whoever wants to look: a phone, and for the desk its own width."""
    plain = re.sub(r"[^a-z0-9-]+", "_", name)
    for width in (360, 1280) if "-desk" in plain else (360,):
        page.set_viewport_size({"width": width, "height": 800})
        page.screenshot(path=Path(PICTURES) / f"{plain}-{width}.png", full_page=True)


def test_a_bad_page_would_be_found(browser: Browser) -> None:
    """Negative control: without it a broken checker would look like accessible pages."""
    with window(browser, Client(), width=320) as page:
        page.set_content(
            "<html lang='zh'><title>x</title><img src='x'><p style='color:#bbb;background:#fff'>看不清的字</p><p style='width:900px'>字</p>"
        )
        found = "\n".join(axe(page))
        assert "image-alt" in found
        assert "color-contrast" in found
        assert sideways(page) > 0
        assert len(_Scripts().dead("<button>x</button><a>y</a><p onclick=z data-island=q></p>")) == 4


def test_the_way_in_by_keyboard(browser: Browser) -> None:
    """A resident with a slip, in WeChat's web view: Tab and Enter only, the focus always to be seen."""
    by = an_officer(Role.GRID, COMMUNITY, at=clock.now())
    code = actions.issue_paper_code(new_id(), COMMUNITY, by=by)
    with window(browser, Client(), width=390, user_agent=WECHAT) as page:
        page.goto(f"{ORIGIN}/enter/")
        for _ in range(12):
            page.keyboard.press("Tab")
            shown = page.evaluate(
                "() => { const s = getComputedStyle(document.activeElement);"
                " return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0 }"
            )
            assert shown, page.evaluate("() => document.activeElement.outerHTML")
            if page.evaluate("() => document.activeElement.name") == "code":
                break
        else:
            pytest.fail("the field is not reached by Tab")
        page.keyboard.type(code.lower())
        page.keyboard.press("Enter")
        page.wait_for_url(f"{ORIGIN}/")
    assert LoginCode.objects.get().used_at is not None


def test_the_language_is_switched_on_every_shell(browser: Browser) -> None:
    for path, english in (("/", "What would you like to do?"), ("/desk/", "My list today")):
        with window(browser, client_for(Role.CDC), width=390) as page:
            page.goto(ORIGIN + path)
            assert page.get_attribute("html", "lang") == "zh-Hans"
            page.get_by_role("button", name="English").click()
            page.wait_for_selector(f"text={english}")
            assert page.get_attribute("html", "lang") == "en"
