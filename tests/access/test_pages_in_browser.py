"""Every page in a browser: no violation that axe finds, nothing to scroll sideways, nothing the policy blocks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from django.test import Client

from lianfang.accounts import actions
from lianfang.accounts.models import LoginCode
from lianfang.accounts.rights import Role
from lianfang.kernel import clock
from lianfang.kernel.ids import new_id
from tests.browser import WECHAT, axe, sideways
from tests.factories.accounts import COMMUNITY, an_officer, client_for

from .addresses import Address, addresses
from .browser import ORIGIN, window
from .world import World, a_world, fillings, readable_by, url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

pytestmark = pytest.mark.django_db

#: 320 px is the narrowest phone; 640 px is a desk of 1,280 px at 200 %.
WIDTHS: Final = (320, 640)
#: Answers that are files or frames of an application of its own.
NOT_PAGES: Final = ("gate", "open/verify", "open/chain/checkpoint", "open/chain/tile", "login/out", "api/")
#: Pictures of every page, if wanted: LIANFANG_PICTURES=folder.
PICTURES: Final = os.environ.get("LIANFANG_PICTURES", "")


def _roles(address: Address) -> list[str]:
    """All roles at a larger size; at every change the first, and every role on the desk's first page."""
    able = readable_by(address)
    everybody = os.environ.get("LIANFANG_SIZE", "change") != "change" or str(address) == "/desk/"
    return able if everybody else able[:1]


def _pages(world: World, who: str) -> Iterator[tuple[Address, str]]:
    for address in addresses():
        if "GET" not in address.methods or address.route.startswith(NOT_PAGES):
            continue
        if who not in _roles(address):
            continue
        rows = fillings(address, world, most=2)
        for values in rows[:1] if len(address.arguments) < 2 else rows[:2]:
            yield address, url(address, values)


def _is_page(client: Client, target: str) -> bool:
    response = client.get(target)
    return "text/html" in response.headers.get("Content-Type", "") and response.status_code < 300


@pytest.mark.parametrize("who", [str(r) for r in Role if r != Role.SYSTEM])
def test_pages_are_accessible(who: str, browser: Browser) -> None:
    world = a_world(households=1)
    client = world.browser(who)
    wrong: list[str] = []
    seen = 0
    with window(browser, client, width=WIDTHS[0], bypass_csp=True) as page:
        for address, target in _pages(world, who):
            if not _is_page(client, target):
                continue
            seen += 1
            page.set_viewport_size({"width": WIDTHS[0], "height": 900})
            page.goto(ORIGIN + target)
            wrong += [f"{who} {target} {fault}" for fault in axe(page)]
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                if (too_wide := sideways(page)) > 0:
                    wrong.append(f"{who} {target} at {width} px is {too_wide} px too wide")
            if PICTURES:
                name = str(address).strip("/").replace("/", "_").replace("<", "").replace(">", "") or "start"
                page.set_viewport_size({"width": 1280 if "desk" in target else 390, "height": 800})
                page.screenshot(path=Path(PICTURES) / f"{who}-{name.replace(':', '-')}.png", full_page=True)
    assert not wrong, "\n".join(wrong)
    assert seen, f"{who} has no page at all"


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


def test_the_policy_blocks_nothing_of_ours(browser: Browser) -> None:
    """With the policy in force no page of ours breaks it; an inline script would show up here."""
    world = a_world(households=1)
    said: list[str] = []
    for who in (Role.COMMUNITY, Role.CDC, Role.RESIDENT):
        client = world.browser(who)
        with window(browser, client, width=390) as page:
            page.on("console", lambda message: said.append(f"{message.text}"))
            for _, target in _pages(world, who):
                if _is_page(client, target):
                    page.goto(ORIGIN + target)
    assert not [s for s in said if "Content Security Policy" in s or "Refused" in s], said


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
