"""The first milestone as one story: a roster imported, an order signed, a gate that needs no server, a proof.

XLSX of one community → order proposed and signed → status delta → the gate, with the server stopped, says
DENY for the paper pass → from the end instant ALLOW, still stopped → the order's proof, cosigned by two of
three witnesses, is verified by the verifier page, offline.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest

from tests.factories.people import a_citizen_number

from .conftest import HERE, device
from .steps import (
    a_sheet,
    choose,
    enrol_gate,
    fetched,
    find_person,
    log_in,
    pass_code_on,
    picture,
    press,
    scan,
    send_roster,
    write_roster,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from .conftest import System

COMPOUND: Final = "向阳新苑"


def a_roster() -> bytes:
    """One household of a new compound, as a community keeps it."""
    him, her = (a_citizen_number(born) for born in (date(1984, 5, 6), date(1986, 7, 8)))
    return a_sheet(
        [
            ["小区", "楼栋", "单元", "房号", "姓名", "证件号码", "手机", "与户主关系"],
            [COMPOUND, "3", "1", "0402", "高云朗", him, "19900007101", "户主"],
            [COMPOUND, "3", "1", "0402", "田雨秋", her, "19900007102", "配偶"],
        ]
    )


def paper_pass(page: Page, person: str) -> str:
    """Issue the paper pass, print it, and read its code off the card."""
    page.goto(person + "passes/")
    form = page.locator("form", has=page.get_by_role("button", name="签发并打印"))
    form.locator("input[type=radio]").first.check()
    with page.expect_response(re.compile(r"/card/$")) as answer:
        form.get_by_role("button", name="签发并打印").click()
    return pass_code_on(fetched(page, answer.value.url))


def report_and_propose(page: Page, system: System, person: str) -> None:
    """The community reports the arrival on the person's behalf and proposes an order."""
    page.goto(person)
    page.get_by_role("link", name="代报：从外地回来").click()
    page.wait_for_load_state()
    yesterday = system.now() - timedelta(days=1)
    choose(page, "came_from", "武汉")
    page.fill("input[name=left_at]", yesterday.strftime("%Y-%m-%dT08:00"))
    page.fill("input[name=arrived_at]", yesterday.strftime("%Y-%m-%dT20:00"))
    page.locator("select[name=transport]").select_option(index=1)
    if page.locator("input[name=met_in_person]").count():
        page.check("input[name=met_in_person]")
    press(page, "报告")
    picture(page, "milestone-2-answered")
    page.goto(re.sub(r"/desk/.*", "/desk/orders/", page.url))
    page.get_by_role("link", name=re.compile("高云")).first.click()
    page.wait_for_load_state()
    page.get_by_role("link", name="提出隔离建议").click()
    page.check("input[name=home_is_suitable]")
    press(page, "提出建议")


def sign(page: Page, system: System) -> tuple[str, datetime]:
    """The health officer signs; returns the order's page and its end."""
    page.goto(f"{system.address}/desk/orders/")
    page.get_by_role("link", name=re.compile("高云")).last.click()
    page.wait_for_load_state()
    page.check("input[name=confirm]")
    press(page, "签发隔离决定")
    page.goto(f"{system.address}/desk/orders/")
    page.get_by_role("link", name="高云朗", exact=True).first.click()
    page.wait_for_load_state()
    picture(page, "milestone-3-signed")
    text = page.inner_text("main")
    found = re.search(r"(\d{4})年(\d{1,2})月(\d{1,2})日 (\d\d):(\d\d)自动解除", text)
    assert found, text
    year, month, day, hour, minute = (int(n) for n in found.groups())
    return page.url, datetime(year, month, day, hour, minute, tzinfo=HERE)


@pytest.mark.timeout(420)
def test_from_a_spreadsheet_to_a_free_person_at_a_gate_without_a_server(
    system: System, browser: Browser
) -> None:
    with (
        device(browser, system, width=1280) as community,
        device(browser, system, width=1280) as health,
        device(browser, system) as guard,
    ):
        desk, officer = community.new_page(), health.new_page()
        log_in(desk, system, "community")
        send_roster(desk, system, a_roster())
        write_roster(desk)
        picture(desk, "milestone-1-imported")
        person = find_person(desk, system, "高云朗")
        card = paper_pass(desk, person)
        report_and_propose(desk, system, person)
        gate = enrol_gate(desk, system, guard, place=COMPOUND, name="向阳新苑北门")
        assert scan(gate, card)[0] in {"ALLOW", "ALLOW_REG"}
        log_in(officer, system, "cdc")
        order, ends_at = sign(officer, system)
        # The delta reaches the gate while it long-polls.
        for _ in range(60):
            if scan(gate, card)[0] == "DENY":
                break
            gate.wait_for_timeout(500)
        assert scan(gate, card) == ("DENY", "ORDER_IN_FORCE")
        picture(gate, "milestone-4-deny")

        # The proof, once two of three have cosigned; the verifier is visited once, then everything is stopped.
        officer.goto(order)
        entry = officer.locator("a[href*='/open/chain/entry/']").first.get_attribute("href")
        assert entry
        proof = ""
        for _ in range(40):
            proof = fetched(officer, f"{system.address}{entry}proof.txt").decode()
            if proof:
                break
            officer.wait_for_timeout(500)
        assert proof, "no proof within 20 s"
        verifier = guard.new_page()
        verifier.goto(f"{system.address}/open/verify/")
        verifier.evaluate("navigator.serviceWorker.ready.then(() => true)")
        gate.evaluate("navigator.serviceWorker.ready.then(() => true)")

        system.stop()
        try:
            assert scan(gate, card) == ("DENY", "ORDER_IN_FORCE")
            gate.clock.set_fixed_time(ends_at - timedelta(seconds=1))
            assert scan(gate, card)[0] == "DENY"
            gate.clock.set_fixed_time(ends_at)
            assert scan(gate, card) == ("ALLOW", "TERM_ENDED")
            picture(gate, "milestone-5-allow")

            verifier.reload()
            verifier.get_by_text("粘贴二维码文字").click()
            verifier.locator("textarea").fill(proof)
            verifier.get_by_role("button", name="核验", exact=True).click()
            said = verifier.locator("[data-result]").inner_text()
            assert "已证明：这份记录在信息链中" in said
            assert "不证明它现在仍然有效" in said
            picture(verifier, "milestone-6-proved")
        finally:
            system.start()
