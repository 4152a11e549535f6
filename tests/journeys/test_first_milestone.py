"""The first milestone as one story: a roster imported, an order signed, a gate that needs no server, a proof.

XLSX of one community → order proposed and signed → status delta → the gate, with the server stopped, says
DENY for the paper pass → from the end instant ALLOW, still stopped → the order's proof, cosigned by two of
three witnesses, is verified by the verifier page, offline.
"""

from __future__ import annotations

import contextlib
import io
import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pypdf
import pytest
import xlsxwriter
import zxingcpp
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from lianfang.kernel import clock
from lianfang.kernel.clock import LEGAL_ZONE

from .conftest import log_in, picture

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from .conftest import System

COMPOUND = "向阳新苑"


def _citizen_number(born: date, sequence: int) -> str:
    """A number with the invented division 999999 and the check digit of GB 11643."""
    body = f"999999{born:%Y%m%d}{sequence:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


def a_roster() -> bytes:
    """One household of a new compound, as a community keeps it."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet = book.add_worksheet("名册")
    rows = [
        ["小区", "楼栋", "单元", "房号", "姓名", "证件号码", "手机", "与户主关系"],
        [COMPOUND, "3", "1", "0402", "高云朗", _citizen_number(date(1984, 5, 6), 711), "19900007101", "户主"],
        [COMPOUND, "3", "1", "0402", "田雨秋", _citizen_number(date(1986, 7, 8), 722), "19900007102", "配偶"],
    ]
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()
    return target.getvalue()


def fetched(page: Page, address: str) -> bytes:
    """What the address gives to this browser; nothing if it refuses."""
    content = page.evaluate(
        """async (address) => {
          const answer = await fetch(address);
          return answer.ok ? Array.from(new Uint8Array(await answer.arrayBuffer())) : [];
        }""",
        address,
    )
    return bytes(content)


def choose(page: Page, name: str, words: str) -> None:
    """The first option whose text has these words."""
    value = page.locator(f"select[name={name}] option", has_text=words).first.get_attribute("value")
    page.select_option(f"select[name={name}]", value=value)


def press(page: Page, word: str) -> None:
    page.locator("main").get_by_role("button", name=word).first.click()
    page.wait_for_load_state()


def import_roster(page: Page, system: System) -> None:
    page.goto(f"{system.address}/desk/import/")
    page.set_input_files(
        "input[type=file]",
        {"name": "名册.xlsx", "mimeType": "application/octet-stream", "buffer": a_roster()},
    )
    press(page, "上传")
    press(page, "试算")
    page.get_by_role("button", name="确认导入").wait_for(timeout=60_000)
    press(page, "确认导入")
    page.get_by_role("heading", name="结果", exact=True).wait_for(timeout=60_000)
    picture(page, "milestone-1-imported")


def person_page(page: Page, system: System) -> str:
    page.goto(f"{system.address}/desk/people/?q=高云朗")
    if not page.get_by_role("link", name=re.compile("高云")).count():
        page.locator("main input:not([type=hidden])").first.fill("高云朗")
        press(page, "查找")
    page.get_by_role("link", name=re.compile("高云")).first.click()
    page.wait_for_load_state()
    return page.url


def paper_pass(page: Page, person: str) -> str:
    """Issue the paper pass, print it, and read its code off the card."""
    page.goto(person + "passes/")
    form = page.locator("form", has=page.get_by_role("button", name="签发并打印"))
    form.locator("input[type=radio]").first.check()
    with page.expect_response(re.compile(r"/card/$")) as answer:
        form.get_by_role("button", name="签发并打印").click()
    card = fetched(page, answer.value.url)
    assert len(pypdf.PdfReader(io.BytesIO(card)).pages) == 1
    return code_on(card)


def code_on(pdf: bytes) -> str:
    """The code as a camera sees it: the page drawn, then decoded by software that is not ours."""
    import subprocess
    import tempfile
    from pathlib import Path

    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "card.pdf"
        file.write_bytes(pdf)
        subprocess.run(["pdftoppm", "-r", "150", "-png", str(file), str(Path(folder) / "p")], check=True)
        for drawn in sorted(Path(folder).glob("p*.png")):
            for found in zxingcpp.read_barcodes(Image.open(drawn)):
                if found.text.startswith("LF1:"):
                    return found.text
    raise AssertionError("no code on the card")


def report_and_propose(page: Page, person: str) -> None:
    """The community reports the arrival on the person's behalf and proposes an order."""
    page.goto(person)
    page.get_by_role("link", name="代报：从外地回来").click()
    page.wait_for_load_state()
    yesterday = clock.now().astimezone(LEGAL_ZONE) - timedelta(days=1)
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
    return page.url, datetime(year, month, day, hour, minute, tzinfo=LEGAL_ZONE)


def enrol_gate(page: Page, system: System, guard: BrowserContext) -> Page:
    """A new post at the compound, and a device enrolled at it."""
    page.goto(f"{system.address}/desk/gates/new/")
    page.fill("input[name=name]", "向阳新苑北门")
    page.locator("select[name=kind]").select_option(value="compound")
    choose(page, "place", COMPOUND)
    page.fill("input[name=phone]", "19900000021")
    page.locator("main form button").first.click()
    page.wait_for_load_state()
    page.get_by_role("link", name="登记设备").first.click()
    press(page, "生成登记码")
    link = page.locator("a[data-enrol-link]").get_attribute("href")
    assert link
    device = guard.new_page()
    device.clock.install()
    device.goto(link)
    device.locator("input[name=guard]").fill("G-07")
    device.keyboard.press("Enter")
    device.locator(".g-facts", has_text="名单").wait_for(timeout=30_000)
    return device


def scan(device: Page, text: str) -> tuple[str, str]:
    if device.locator("[data-verdict]").count():
        device.get_by_role("button", name="下一位").or_(
            device.get_by_role("button", name="未放行")
        ).first.click()
        device.locator("[data-verdict]").wait_for(state="detached")
    view = device.locator("[data-verdict]")
    # As a guard does when the screen stays still: scan again.
    for _ in range(4):
        device.evaluate("document.activeElement?.blur()")
        device.keyboard.type(text)
        device.keyboard.press("Enter")
        with contextlib.suppress(PlaywrightTimeout):
            view.wait_for(timeout=5_000)
            break
    view.wait_for()
    return view.get_attribute("data-verdict") or "", view.get_attribute("data-reason") or ""


@pytest.mark.timeout(420)
def test_from_a_spreadsheet_to_a_free_person_at_a_gate_without_a_server(
    system: System, browser: Browser, context: BrowserContext
) -> None:
    desk = context.new_page()
    desk.set_viewport_size({"width": 1280, "height": 900})
    log_in(desk, system, "community")
    import_roster(desk, system)
    person = person_page(desk, system)
    card = paper_pass(desk, person)
    report_and_propose(desk, person)

    health = browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
    health.set_default_timeout(15_000)
    officer = health.new_page()
    log_in(officer, system, "cdc")

    guard = browser.new_context(viewport={"width": 360, "height": 640}, locale="zh-CN")
    guard.set_default_timeout(15_000)
    device = enrol_gate(desk, system, guard)
    device.get_by_role("button", name="出", exact=True).click()
    assert scan(device, card)[0] in {"ALLOW", "ALLOW_REG"}

    order, ends_at = sign(officer, system)
    # The delta reaches the gate while it long-polls.
    for _ in range(60):
        if scan(device, card)[0] == "DENY":
            break
        device.wait_for_timeout(500)
    assert scan(device, card) == ("DENY", "ORDER_IN_FORCE")
    picture(device, "milestone-4-deny")

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
    device.evaluate("navigator.serviceWorker.ready.then(() => true)")

    system.stop()
    try:
        assert scan(device, card) == ("DENY", "ORDER_IN_FORCE")
        device.clock.set_fixed_time(ends_at - timedelta(seconds=1))
        assert scan(device, card)[0] == "DENY"
        device.clock.set_fixed_time(ends_at)
        assert scan(device, card) == ("ALLOW", "TERM_ENDED")
        picture(device, "milestone-5-allow")

        verifier.reload()
        verifier.get_by_text("粘贴二维码文字").click()
        verifier.locator("textarea").fill(proof)
        verifier.get_by_role("button", name="核验", exact=True).click()
        said = verifier.locator("[data-result]").inner_text()
        assert "已证明：这份记录在信息链中" in said
        assert "不证明它现在仍然有效" in said
        picture(verifier, "milestone-6-proved")
    finally:
        health.close()
        guard.close()
        system.start()
