"""The one browser of the tests: who drives it, how it is started, and what every test of a page asks of it.

A plugin of pytest, named in tests/conftest.py: `playwright` and `browser` are there for every test.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import pytest

from lianfang.config import islands

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Browser, Locator, Page, Playwright

#: The browser without its own interface, which would take a quarter of the machine. Not the script in /usr/bin, which
#: would leave the browser running when it is killed itself.
CHROMIUM: Final = "/usr/lib/chromium/chromium-headless-shell"
FLAGS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
)  # fmt: skip
#: WeChat's web view on a common phone; it knows no newer tricks and wipes its storage.
WECHAT: Final = (
    "Mozilla/5.0 (Linux; Android 10; MI 8) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/86.0.4240.99"
    " XWEB/4317 MMWEBSDK/20220903 Mobile Safari/537.36 MicroMessenger/8.0.28.2240(0x28001C57)"
)
_AXE: Final = islands.WEB / "node_modules" / "axe-core" / "axe.min.js"
_RULES: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    "resultTypes": ["violations"],
}


@pytest.fixture(scope="session")
def built() -> None:
    """The applications and islands as they are built from the sources now."""
    islands.ensure_built(say=lambda line: print(line, file=sys.stderr))


# Not for the whole run: while it is there, its loop runs in this thread, and tests of other modules start their own.
@pytest.fixture(scope="module")
def playwright(built: None) -> Iterator[Playwright]:
    """The driver. Its loop runs in this thread, so Django is told that this is meant."""
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as running:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium; a module that needs it otherwise starts its own with `launch`."""
    running = launch(playwright)
    yield running
    running.close()


def launch(playwright: Playwright, flags: Sequence[str] = ()) -> Browser:
    """Chromium with these flags beside ours."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])


def axe(page: Page) -> list[str]:
    """What axe finds wrong with the page as it is, one line each."""
    # The page's policy forbids added scripts, so axe comes in through the debugger.
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_AXE.read_text())
    found = page.evaluate("async (rules) => (await axe.run(document, rules)).violations", _RULES)
    return [f"{v['id']}: {v['help']} ({'; '.join(n['html'][:120] for n in v['nodes'][:3])})" for v in found]


def sideways(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(
        page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    )


#: Nothing on a page of ours is further than this from the beginning.
MOST_STOPS: Final = 80


def tab_to(page: Page, target: Locator) -> None:
    """Tab until the target has the focus; at every stop the focus is to be seen."""
    target = target.first
    target.wait_for()
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        shown = page.evaluate(
            # Within a date the browser itself marks the part that has the focus.
            "() => { const s = getComputedStyle(document.activeElement);"
            " return document.activeElement === document.body || document.activeElement.type?.startsWith('date')"
            " || (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) }"
        )
        assert shown, page.evaluate("() => document.activeElement.outerHTML")
        if target.evaluate("e => e === document.activeElement"):
            return
    pytest.fail(f"not reached by Tab: {target}")
