"""S12: Mr Wu, 81, has no phone. What a phone would do is done for him in three taps, and he gets it on paper.

Card printed by the grid worker → read, or its number typed, at a gate without a network → forgotten: door and
birth year → a report by proxy, answered at once.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Final

import pypdf
import pytest

from .conftest import device
from .steps import (
    enrol_gate,
    fetched,
    find_person,
    log_in,
    next_person,
    pass_code_on,
    picture,
    scan,
    verdict,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

    from .conftest import System

DOOR: Final = "3-1-0102"
BORN: Final = "1938"


class Taps:
    """A finger that counts."""

    def __init__(self) -> None:
        self.count = 0

    def tap(self, target: Locator) -> None:
        self.count += 1
        target.first.click()


def a_card(desk: Page) -> tuple[str, bytes]:
    """From his page to the printed card; returns its number and the card."""
    finger = Taps()
    finger.tap(desk.get_by_role("link", name="出入证"))
    with desk.expect_response(re.compile(r"/card/$")) as answer:
        finger.tap(desk.get_by_role("button", name="签发并打印"))
    assert finger.count <= 3
    card = fetched(desk, answer.value.url)
    (page,) = pypdf.PdfReader(io.BytesIO(card)).pages
    number = re.search(r"\d{8}-\d{2}(?!\d)", page.extract_text())
    assert number, page.extract_text()
    return number.group(), card


def a_report(desk: Page) -> str:
    """He feels well: the grid worker says so for him."""
    finger = Taps()
    finger.tap(desk.get_by_role("link", name="代报：身体不适"))
    finger.tap(desk.locator("main").get_by_role("button", name="报告"))
    assert finger.count <= 3
    return desk.inner_text("main")


def type_number(gate: Page, number: str) -> None:
    next_person(gate)
    gate.get_by_role("button", name="输号码").click()
    gate.locator("dialog").get_by_label("通行证号").fill(number)
    gate.locator("dialog button.is-main").click()


def ask_door(gate: Page, door: str, year: str) -> None:
    next_person(gate)
    gate.get_by_role("button", name="查门牌").click()
    gate.locator("dialog").get_by_label("门牌").fill(door)
    gate.locator("dialog").get_by_label("出生年份").fill(year)
    gate.locator("dialog button.is-main").click()


@pytest.mark.timeout(300)
def test_what_a_phone_would_do_is_done_on_paper(system: System, browser: Browser) -> None:
    with (
        device(browser, system, width=1280) as grid,
        device(browser, system, width=1280) as community,
        device(browser, system) as guard,
    ):
        desk = grid.new_page()
        log_in(desk, system, "grid")
        his_page = find_person(desk, system, DOOR)
        assert "吴德昌" in desk.inner_text("main")
        number, card = a_card(desk)
        desk.goto(his_page)
        assert "不需要采取任何措施" in a_report(desk)
        picture(desk, "s12-1-answered")

        office = community.new_page()
        log_in(office, system, "community")
        gate = enrol_gate(office, system, guard, place="禾木花园", name="禾木花园西门")
        guard.set_offline(True)
        assert scan(gate, pass_code_on(card))[0] in {"ALLOW", "ALLOW_REG"}

        type_number(gate, number)
        assert verdict(gate)[0] in {"ALLOW", "ALLOW_REG"}
        picture(gate, "s12-2-number")
        wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
        type_number(gate, wrong)
        gate.get_by_text("校验位不符").wait_for()
        gate.locator("dialog").get_by_role("button", name="取消").click()

        ask_door(gate, DOOR, BORN)
        assert verdict(gate)[0] in {"ALLOW", "ALLOW_REG"}
        picture(gate, "s12-3-forgotten")
        ask_door(gate, DOOR, "1950")
        assert verdict(gate) == ("CALL", "NO_PASS")
