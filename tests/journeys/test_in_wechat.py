"""A resident in WeChat's web view, whose storage is wiped between visits: everything is still there."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.browser import WECHAT

from .conftest import device
from .steps import choose, find_person, follow, log_in, picture, press

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from .conftest import System


def codes(desk: Page, person: str) -> Iterator[str]:
    """One-time codes as the community hands them out on slips."""
    while True:
        desk.goto(person + "passes/")
        desk.get_by_role("button", name="打印一次性代码").click()
        yield desk.inner_text(".lf-code").strip()


@pytest.mark.timeout(300)
def test_nothing_is_lost_when_the_web_view_forgets(system: System, browser: Browser) -> None:
    with device(browser, system, width=1280) as community:
        desk = community.new_page()
        log_in(desk, system, "community")
        slips = codes(desk, find_person(desk, system, "3-1-0102"))
        for visit in range(3):
            # A context of its own each time: nothing is kept from one visit to the next.
            with device(browser, system, user_agent=WECHAT) as wechat:
                phone = wechat.new_page()
                phone.goto(f"{system.address}/enter/")
                phone.fill("input[name=code]", next(slips))
                press(phone, "进入")
                if visit == 0:
                    follow(phone, "报告返回或症状")
                    follow(phone, "我从外地回来")
                    choose(phone, "came_from", "武汉")
                    for field, hours in (("left_at", 9), ("arrived_at", 1)):
                        at = system.now() - timedelta(hours=hours)
                        phone.fill(f"input[name={field}]", f"{at:%Y-%m-%dT%H:%M}")
                    press(phone, "报告")
                    assert "由卫生人员在" in phone.inner_text("main")
                phone.goto(f"{system.address}/me/order/")
                assert "判定之前您不受任何限制" in phone.inner_text("main")
                phone.goto(f"{system.address}/me/pass/")
                assert re.search(r"\d{8}-\d{2}(?!\d)", phone.inner_text("main"))
                phone.get_by_label("社区发的一次性代码").fill(next(slips))
                phone.get_by_role("button", name="启用").click()
                phone.locator("canvas").wait_for()
                picture(phone, f"wechat-{visit}")
