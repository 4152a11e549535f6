"""Journeys without a mouse: while `no_mouse` holds, what a test clicks, checks, fills and chooses is done with keys.

A control that Tab does not reach, or whose focus cannot be seen, fails the journey.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page

from tests.browser import tab_to

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What takes the focus for an element that was named by its words: the control around it, or the label's.
_CONTROL: Final = (
    "e => { const c = e.closest('a,button,summary,input,select,textarea,label'); return c?.control ?? c }"
)
#: Of a group of choices, the one at which Tab stops.
_STOP_OF_GROUP: Final = (
    "e => { const all = [...e.form.elements[e.name]]; return all.find(o => o.checked) ?? all[0] }"
)
#: How the tests' browser, whose own language is English, asks for a date; a year may have more digits than four, so it is
#: left with the arrow.
_ASKED: Final = {"date": "%m%d%Y", "datetime-local": "%m%d%Y→%I%M%p"}


@contextmanager
def no_mouse() -> Iterator[None]:
    """All pages of the process, until it ends."""
    with pytest.MonkeyPatch.context() as patch:
        for name, by_keys in {
            "click": _click, "check": _check, "fill": _fill, "select_option": _choose,
            "set_input_files": _give,
        }.items():  # fmt: skip
            patch.setattr(Locator, name, by_keys)
            patch.setattr(Page, name, _on_page(by_keys))
        yield


def _on_page(by_keys: Any) -> Any:
    def do(page: Page, selector: str, *words: Any, **named: Any) -> None:
        by_keys(page.locator(selector), *words, **named)

    return do


def _reach(target: Locator) -> Locator:
    """Tab to the control of the target."""
    target.wait_for(state="attached")
    _tab_to(target, _CONTROL)
    return target


def _tab_to(target: Locator, script: str) -> None:
    """Tab to the element that the script finds from the target, unless the focus is there."""
    found = target.evaluate_handle(script).as_element()
    assert found is not None, f"no control: {target}"
    found.evaluate("e => e.setAttribute('data-wanted', '')")
    try:
        if not found.evaluate("e => e === document.activeElement"):
            tab_to(target.page, target.page.locator("[data-wanted]"))
    finally:
        found.evaluate("e => e.removeAttribute('data-wanted')")


def _click(target: Locator, **_: Any) -> None:
    """Press it; as after a click, what it leads to is waited for."""
    page = _reach(target).page
    leads = page.evaluate(
        "() => { window.left = false; return document.activeElement.matches('a[href],[type=submit],form button:not([type])') }"
    )
    page.keyboard.press("Enter")
    for _step in range(20 if leads else 0):
        with suppress(PlaywrightError):  # the page is just being left
            if page.evaluate("() => window.left === undefined"):
                break
        page.wait_for_timeout(50)
    page.wait_for_load_state()


def _check(target: Locator, **_: Any) -> None:
    """A box with the space bar; of a group of choices Tab reaches one, and the arrows lead to the others."""
    page = target.page
    if target.is_checked():
        return
    if target.get_attribute("type") != "radio":
        _reach(target)
        page.keyboard.press("Space")
        return
    _tab_to(target, _STOP_OF_GROUP)
    page.keyboard.press("Space")
    for _step in range(20):
        if target.is_checked():
            return
        page.keyboard.press("ArrowDown")
    pytest.fail(f"the arrows do not lead to {target}")


def _fill(target: Locator, value: str, **_: Any) -> None:
    page = _reach(target).page
    kind = target.get_attribute("type") or ""
    if kind in _ASKED:
        for part in datetime.fromisoformat(value).strftime(_ASKED[kind]).split("→"):
            page.keyboard.type(part)
            page.keyboard.press("ArrowRight")
    else:
        page.keyboard.press("Control+A")
        page.keyboard.press("Delete")
        page.keyboard.insert_text(value)
    assert target.input_value() == value, (target, target.input_value(), value)


def _choose(target: Locator, value: str | None = None, *, index: int | None = None, **_: Any) -> None:
    page = _reach(target).page
    if index is None:
        index = target.evaluate("(e, value) => [...e.options].findIndex(o => o.value === value)", value)
    for _step in range(200):
        at = target.evaluate("e => e.selectedIndex")
        if at == index:
            return
        page.keyboard.press("ArrowDown" if at < index else "ArrowUp")
    pytest.fail(f"the arrows do not lead to {value or index} in {target}")


def _give(target: Locator, files: Any, **_: Any) -> None:
    _reach(target)
    with target.page.expect_file_chooser() as asked:
        target.page.wait_for_timeout(300)  # the driver turns its interception on beside us
        target.page.keyboard.press("Space")
    asked.value.set_files(files)
