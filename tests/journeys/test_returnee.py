"""S1: Ms Luo comes back from a listed area, isolates at home for fourteen days, and is free by the clock alone.

Report on her own phone → answered at once → the community proposes → a health officer signs with the second
factor → notice with its slips printed and served → her page → 14 February 2020, 00:00: free, with every process
but the database and the pages stopped.
"""

from __future__ import annotations

import io
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import pypdf
import pytest

from .conftest import device
from .steps import (
    HERE,
    choose,
    codes_on,
    enrol_gate,
    find_person,
    follow,
    log_in,
    pass_code_on,
    picture,
    press,
    printed,
    scan,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from .conftest import System

LUO: Final = "罗晓棠"
ARRIVES_AT: Final = datetime(2020, 1, 30, 14, 20, tzinfo=HERE)
FREE_AT: Final = datetime(2020, 2, 14, tzinfo=HERE)


def report(phone: Page, system: System) -> None:
    """Five fields, and the answer is there."""
    log_in(phone, system, "luo")
    follow(phone, "报告返回或症状")
    follow(phone, "我从外地回来")
    choose(phone, "came_from", "武汉")
    phone.fill("input[name=left_at]", "2020-01-30T05:10")
    phone.fill("input[name=arrived_at]", "2020-01-30T14:20")
    choose(phone, "transport", "小汽车")
    press(phone, "报告")
    answer = phone.inner_text("main")
    picture(phone, "s1-1-answered")
    assert re.search(r"由卫生人员在1月31日 1\d:\d\d前判定", answer), answer
    assert "判定之前不受任何限制" in answer
    assert "您来的地方在重点地区名单上" in answer
    phone.goto(f"{system.address}/me/order/")
    assert "您现在没有任何隔离决定，可以自由出入。" in phone.inner_text("main")


def propose(desk: Page, system: System) -> None:
    """The grid worker met her at the gate; the community asks for an order and cannot give one."""
    log_in(desk, system, "community")
    desk.goto(f"{system.address}/desk/orders/")
    follow(desk, re.compile(LUO))
    assert "2020年2月14日 00:00" in desk.inner_text("main")
    assert not desk.get_by_role("link", name="签发隔离决定").count()
    follow(desk, "提出隔离建议")
    desk.check("input[name=home_is_suitable]")
    press(desk, "提出建议")


def sign(officer: Page, system: System) -> None:
    log_in(officer, system, "cdc")
    officer.goto(f"{system.address}/desk/orders/")
    officer.locator("main section", has_text="待签字的建议").get_by_role(
        "link", name=re.compile(LUO)
    ).first.click()
    officer.wait_for_load_state()
    assert "2020年2月14日 00:00" in officer.inner_text("main")
    officer.check("input[name=confirm]")
    press(officer, "签发隔离决定")


def print_and_serve(desk: Page, system: System) -> tuple[str, str]:
    """The notice with both slips, printed and handed over; returns the codes of order and release."""
    desk.goto(f"{system.address}/desk/orders/serving/")
    follow(desk, re.compile(LUO))
    notice = printed(desk, desk.get_by_role("link", name="告知书"))
    text = re.sub(r"\s", "", "".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(notice)).pages))
    for words in (LUO, "2月13日", "2020年2月14日"):
        assert words in text, text
    follow(desk, "登记送达")
    desk.get_by_label("本人签收").check()
    press(desk, "登记")
    desk.goto(f"{system.address}/desk/orders/")
    follow(desk, re.compile(f"^{LUO}"))
    assert "未送达" not in desk.inner_text("main")
    picture(desk, "s1-2-served")
    codes = list(dict.fromkeys(c for c in codes_on(notice) if c.startswith("LF1:")))
    assert len(codes) == 2, codes
    return codes[0], codes[1]


def her_card(desk: Page, system: System) -> str:
    """The code of the paper pass she has had since before."""
    desk.goto(find_person(desk, system, LUO) + "passes/")
    return pass_code_on(printed(desk, desk.get_by_role("link", name="打印").first))


def my_order(phone: Page, system: System) -> None:
    """Days left, who decided, how to object, who looked."""
    phone.goto(f"{system.address}/me/order/")
    picture(phone, "s1-3-my-order")
    said = phone.inner_text("main")
    for words in (
        "还剩15天", "2020年2月13日", "2020年2月14日 00:00", "到时间自动解除，不需要任何人批准。",
        "东区疾病预防控制中心", "我不同意，提出申诉",
    ):  # fmt: skip
        assert words in said, said
    phone.get_by_text("怎样提出异议").click()
    assert "行政复议" in phone.inner_text("main")
    phone.goto(f"{system.address}/me/reads/")
    picture(phone, "s1-4-who-looked")
    looked = phone.inner_text("main")
    assert "东区疾病预防控制中心" in looked
    assert "社区" in looked
    phone.goto(f"{system.address}/me/pass/")
    assert "您现在有隔离决定在生效" in phone.inner_text("main")


@pytest.mark.timeout(420)
def test_a_returnee_is_free_at_midnight_with_nothing_run(system: System, browser: Browser) -> None:
    if system.now() < ARRIVES_AT:
        system.move_to(ARRIVES_AT)
    with (
        device(browser, system) as resident,
        device(browser, system, width=1280) as community,
        device(browser, system, width=1280) as health,
        device(browser, system) as guard,
    ):
        phone, desk, officer = resident.new_page(), community.new_page(), health.new_page()
        report(phone, system)
        propose(desk, system)
        sign(officer, system)
        order_slip, release_slip = print_and_serve(desk, system)
        my_order(phone, system)

        card = her_card(desk, system)
        gate = enrol_gate(desk, system, guard, place="禾木花园", name="禾木花园东门")
        assert scan(gate, card) == ("DENY", "ORDER_IN_FORCE")
        # Alone it is held against the compound's list: she lives here, and the gate looks outward.
        assert scan(gate, order_slip) == ("DENY", "ORDER_IN_FORCE")
        # Not yet in effect, it says who shows it, and the list says until when.
        assert scan(gate, release_slip) == ("DENY", "ORDER_IN_FORCE")

        with system.nothing_runs():
            late = FREE_AT - timedelta(seconds=30)
            system.move_to(late)
            gate.clock.set_fixed_time(late)
            assert scan(gate, card) == ("DENY", "ORDER_IN_FORCE")
            assert scan(gate, release_slip) == ("DENY", "ORDER_IN_FORCE")
            log_in(phone, system, "luo")
            phone.goto(f"{system.address}/me/order/")
            assert "还剩1天" in phone.inner_text("main")

            system.move_to(FREE_AT)
            gate.clock.set_fixed_time(FREE_AT)
            phone.reload()
            said = phone.inner_text("main")
            assert "您现在没有任何隔离决定，可以自由出入。" in said
            assert "已到期解除" in said
            assert scan(gate, release_slip) == ("ALLOW", "RELEASE_SLIP")
            assert scan(gate, order_slip) == ("ALLOW", "TERM_ENDED")
            assert scan(gate, card) == ("ALLOW", "TERM_ENDED")
            picture(phone, "s1-5-free")
            picture(gate, "s1-6-allow")
