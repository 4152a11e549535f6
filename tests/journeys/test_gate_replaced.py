"""A phone is replaced in two minutes: the one a resident has lost, and the one at the gate that broke with records in it."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from lianfang_chain import cbor

from .conftest import device
from .steps import (
    begin_shift,
    choose,
    code_on,
    find_person,
    follow,
    log_in,
    next_person,
    picture,
    press,
    scan,
    start_phone,
    verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

    from .conftest import System

DOOR: Final = "3-1-0102"
BORN: Final = "1938"
LET_PASS: Final = {"ALLOW", "ALLOW_REG"}

pytestmark = [pytest.mark.journey, pytest.mark.nightly]


@contextmanager
def two_minutes() -> Iterator[None]:
    """What is done within takes no longer, by the clock on the wall."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    print(f"replaced in {took:.0f} s")
    assert took < 120


def new_post(desk: Page, system: System, *, place: str, name: str) -> None:
    desk.goto(f"{system.address}/desk/gates/new/")
    desk.fill("input[name=name]", name)
    desk.locator("select[name=kind]").select_option(value="compound")
    choose(desk, "place", place)
    desk.fill("input[name=phone]", "19900000021")
    desk.locator("main form button").first.click()
    desk.wait_for_load_state()


def enrol_device(desk: Page, post: str, guard: BrowserContext) -> Page:
    """A device at this post, with its list, a shift begun."""
    desk.goto(post)
    follow(desk, "登记设备")
    press(desk, "生成登记码")
    link = desk.locator("a[data-enrol-link]").get_attribute("href")
    assert link
    page = guard.new_page()
    page.goto(link)
    begin_shift(page)
    page.locator(".g-facts", has_text=re.compile(r"名单 \d")).wait_for(timeout=30_000)
    return page


def forgotten_card(gate: Page) -> None:
    """Somebody of the house without a card: door and birth year, registered by the guard."""
    next_person(gate)
    gate.get_by_role("button", name="查门牌").click()
    gate.locator("dialog").get_by_label("门牌").fill(DOOR)
    gate.locator("dialog").get_by_label("出生年份").fill(BORN)
    gate.locator("dialog button.is-main").click()
    assert verdict(gate)[0] in LET_PASS
    gate.get_by_role("button", name="已登记，放行").click()
    gate.locator("[data-verdict]").wait_for(state="detached")


def hand_in(desk: Page, system: System, file: bytes) -> None:
    desk.goto(f"{system.address}/desk/gates/files/")
    desk.set_input_files(
        "input[type=file]", {"name": "x.gate", "mimeType": "application/octet-stream", "buffer": file}
    )
    press(desk, "上传")
    desk.get_by_text("已保存").wait_for()


@pytest.mark.timeout(420)
def test_a_lost_phone_and_a_broken_device_are_replaced_in_two_minutes(
    system: System, browser: Browser
) -> None:
    with (
        device(browser, system, width=1280) as community,
        device(browser, system) as lost,
        device(browser, system) as bought,
        device(browser, system) as spare,
    ):
        desk, old = community.new_page(), lost.new_page()
        log_in(desk, system, "community")
        person = find_person(desk, system, DOOR)
        start_phone(system, old, desk, person)
        new_post(desk, system, place="禾木花园", name="禾木花园北门")
        post = desk.url
        with device(browser, system, accept_downloads=True) as guard:
            gate = enrol_device(desk, post, guard)
            assert scan(gate, code_on(old))[0] in LET_PASS
            lost_code = code_on(old)

            with two_minutes():
                desk.goto(person + "passes/")
                row = desk.locator("tr", has_text="手机").first
                row.locator("summary").click()
                row.locator("input[name=why]").fill("手机遗失")
                row.locator("button", has_text="停用这部手机").click()
                desk.get_by_text("已作废").wait_for()
                new = bought.new_page()
                start_phone(system, new, desk, person)
                assert scan(gate, code_on(new))[0] in LET_PASS
            # Who found the old phone does not pass as the resident.
            for _ in range(20):
                said = scan(gate, lost_code)
                if said[1] == "PASS_INVALID":
                    break
                gate.wait_for_timeout(500)
            assert said[1] == "PASS_INVALID"
            picture(gate, "replaced-1-lost-phone")
            next_person(gate)
            gate.locator(".g-facts", has_text="未上传 0").wait_for(timeout=60_000)

            # Two days later the device breaks: no network, three records in it.
            guard.set_offline(True)
            for _ in range(3):
                forgotten_card(gate)
            gate.get_by_role("button", name="更多").click()
            with gate.expect_download() as download:
                gate.get_by_role("button", name="导出未上传记录").click()
            file = Path(download.value.path()).read_bytes()
        with two_minutes():
            replacement = enrol_device(desk, post, spare)
            assert scan(replacement, code_on(new))[0] in LET_PASS

        # What could be saved of it at first: only the last record.
        (upload,) = cbor.decode(file)  # type: ignore[misc]  # a list of one body
        batch = cbor.decode(upload)  # type: ignore[arg-type]  # bytes
        assert isinstance(batch, dict)
        first, rows = batch[3], batch[4]
        assert isinstance(first, int)
        assert isinstance(rows, list)
        assert len(rows) == 3
        rest = cbor.encode([cbor.encode({**batch, 3: first + 2, 4: [rows[2]]})])
        hand_in(desk, system, rest)
        desk.goto(post)
        desk.get_by_text("缺 2 条").wait_for()
        picture(desk, "replaced-2-missing")
        broken = desk.locator("tr", has_text="缺 2 条")
        broken.locator("form[action$='/explain/'] input[name=why]").fill("设备摔坏，已送修")
        broken.get_by_role("button", name="记下说明").click()
        desk.get_by_text("设备摔坏，已送修").wait_for()
        desk.get_by_text("缺 2 条").wait_for()
        # Then the file turns up whole: each record once.
        hand_in(desk, system, file)
        hand_in(desk, system, file)
        desk.goto(post)
        assert desk.get_by_text(re.compile(r"缺 \d+ 条")).count() == 0
        picture(desk, "replaced-3-whole")
