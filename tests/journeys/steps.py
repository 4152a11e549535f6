"""What people do in every journey: log in, press, print, hold a code to the gate."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import xlsxwriter
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.factories.people import a_citizen_number
from tests.pictures import qr_code, qr_codes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from playwright.sync_api import BrowserContext, Locator, Page

    from .conftest import System

HERE: Final = ZoneInfo("Asia/Shanghai")
OUTPUT: Final = Path(__file__).parents[1] / "output"


def picture(page: Page, name: str) -> None:
    """Keep a screenshot for whoever wants to look."""
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / f"{name}.png", full_page=True)


# --- Pages ---------------------------------------------------------------------------------------------------


def log_in(page: Page, system: System, login: str) -> None:
    """Password and second factor, as an officer does it."""
    # Here, for the sake of conftest.py, which is read before Django is set up.
    from lianfang.config.demo import logins

    password = next(p for name, p, _ in logins() if name == login)
    page.goto(f"{system.address}/login/")
    page.fill("input[name=username], input[name=login]", login)
    page.fill("input[name=password]", password)
    page.click("main button[type=submit], main button:not([type])")
    page.wait_for_load_state()
    if "second-factor" in page.url:
        page.fill("input[name=code]", second_factor(page, system, login))
        page.click("main button[type=submit], main button:not([type])")
        page.wait_for_load_state()
    assert "/login/" not in page.url, page.inner_text("main")


def second_factor(page: Page, system: System, login: str) -> str:
    """What the officer's telephone would show now; the demonstration shows it on a page."""
    shown = fetched(page, f"{system.address}/open/demo/").decode()
    found = re.search(rf'<th scope="row">{login}</th>.*?lf-number">\s*(\d+)', shown, re.DOTALL)
    assert found, shown
    return found.group(1)


def press(page: Page, word: str) -> None:
    page.locator("main").get_by_role("button", name=word).first.click()
    page.wait_for_load_state()


def follow(page: Page, word: str | re.Pattern[str]) -> None:
    page.locator("main").get_by_role("link", name=word).first.click()
    page.wait_for_load_state()


def choose(page: Page, name: str, words: str) -> None:
    """The first option whose text has these words."""
    value = page.locator(f"select[name={name}] option", has_text=words).first.get_attribute("value")
    page.select_option(f"select[name={name}]", value=value)


def find_person(page: Page, system: System, words: str) -> str:
    """Look somebody up at the desk; returns the address of their page."""
    page.goto(f"{system.address}/desk/people/")
    page.fill("input[name=q]", words)
    press(page, "查找")
    page.locator("main td a, main th a").first.click()
    page.wait_for_load_state()
    return page.url


def until(page: Page, true: Callable[[], bool]) -> None:
    """Load the page again until it says so."""
    for _ in range(60):
        if true():
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(page.inner_text("main"))


def give_audit(desk: Page, system: System, *, order_no: str = "", day: datetime | None = None) -> None:
    """The security administrator lets the auditor look at one order, or at a day: today."""
    desk.goto(f"{system.address}/desk/audit/give/")
    today = system.now().strftime("%Y-%m-%d")
    about_day = f"{day or system.now():%Y-%m-%d}"
    about = {"order_no": order_no} if order_no else {"from_on": about_day, "until_on": about_day}
    for field, words in {**about, "reason": "年度抽查", "last_day": today}.items():
        desk.fill(f"input[name={field}]", words)
    press(desk, "授权")
    once_more(desk, system, "security")
    assert "已授权，并记入信息链" in desk.inner_text("body")


def once_more(page: Page, system: System, login: str) -> None:
    """The second factor again, where the page asks for it."""
    if "请再确认一次身份" in page.inner_text("body"):
        page.fill("#again-code", second_factor(page, system, login))
        press(page, "确认并办理")


# --- Papers --------------------------------------------------------------------------------------------------


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


def printed(page: Page, link: Locator) -> bytes:
    """The PDF to which the link leads."""
    return fetched(page, str(link.evaluate("a => a.href")))


def codes_on(pdf: bytes) -> list[str]:
    """The codes as a camera sees them: the pages drawn, then decoded by software that is not ours."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "paper.pdf"
        file.write_bytes(pdf)
        subprocess.run(
            ["pdftoppm", "-r", "150", "-gray", "-png", str(file), str(Path(folder) / "p")], check=True
        )
        return [
            found.text
            for drawn in sorted(Path(folder).glob("p*.png"))
            for found in qr_codes(drawn.read_bytes())
        ]


def pass_code_on(pdf: bytes) -> str:
    """The one code on the paper that a gate reads."""
    found = [code for code in codes_on(pdf) if code.startswith("LF1:")]
    assert len(found) == 1, found
    return found[0]


def paper_pass(page: Page, person: str) -> str:
    """Issue the paper pass, print it, and read its code off the card."""
    page.goto(person + "passes/")
    form = page.locator("form", has=page.get_by_role("button", name="签发并打印"))
    form.locator("input[type=radio]").first.check()
    with page.expect_response(re.compile(r"/card/$")) as answer:
        form.get_by_role("button", name="签发并打印").click()
    return pass_code_on(fetched(page, answer.value.url))


def a_sheet(rows: Iterable[Sequence[object]], *, name: str = "名册") -> bytes:
    """An XLSX file as an office program writes it."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet = book.add_worksheet(name)
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()
    return target.getvalue()


def a_household(compound: str, people: Iterable[tuple[str, str, str, str]]) -> bytes:
    """A roster of one household: name, citizen number, phone, relation to the head."""
    head = ["小区", "楼栋", "单元", "房号", "姓名", "证件号码", "手机", "与户主关系"]
    return a_sheet([head, *([compound, "3", "1", "0402", *person] for person in people)])


def send_roster(page: Page, system: System, file: bytes, *, name: str = "名册.xlsx") -> None:
    """Upload a roster and let it be tried, until it is either faulty or ready to be written."""
    page.goto(f"{system.address}/desk/import/")
    page.set_input_files(
        "input[type=file]", {"name": name, "mimeType": "application/octet-stream", "buffer": file}
    )
    press(page, "上传")
    press(page, "试算")
    page.get_by_role("button", name="确认导入").or_(page.get_by_role("link", name="下载错误行")).wait_for(
        timeout=60_000
    )


def write_roster(page: Page) -> None:
    """Write what was tried."""
    press(page, "确认导入")
    page.get_by_role("heading", name="结果", exact=True).wait_for(timeout=60_000)


def one_time_code(desk: Page, person: str) -> str:
    """The code of a fresh slip, printed at the desk; a new slip ends the one before."""
    desk.goto(person + "passes/")
    desk.get_by_role("button", name="打印一次性代码").click()
    return desk.inner_text(".lf-code").strip()


def enter(phone: Page, system: System, code: str) -> None:
    """A resident logs in with the code of a slip."""
    phone.goto(f"{system.address}/enter/")
    phone.fill("input[name=code]", code)
    press(phone, "进入")


def a_new_resident(desk: Page, system: System, phone: Page, name: str, *more: str, compound: str) -> str:
    """Somebody new, with others of the same household, who enters on the own phone with the slip that the community
    printed; returns the desk's page."""
    rows = [
        (one, a_citizen_number(date(1979, 3, 4 + n)), f"1990000730{n + 1}", "户主" if n == 0 else "其他")
        for n, one in enumerate((name, *more))
    ]
    send_roster(desk, system, a_household(compound, rows))
    write_roster(desk)
    person = find_person(desk, system, name)
    enter(phone, system, one_time_code(desk, person))
    return person


def start_phone(system: System, phone: Page, desk: Page, person: str) -> None:
    """Log in with one slip, bind the pass to this phone with the next; a new slip ends the one before."""
    enter(phone, system, one_time_code(desk, person))
    phone.goto(f"{system.address}/me/pass/")
    phone.get_by_label("社区发的一次性代码").fill(one_time_code(desk, person))
    phone.get_by_role("button", name="启用").click()
    phone.locator("canvas").wait_for()
    phone.get_by_text("秒后更新").wait_for()


def code_on(phone: Page) -> str:
    return str(qr_code(phone.locator("canvas").screenshot()).text)


# --- An order --------------------------------------------------------------------------------------------------


def report_and_propose(page: Page, system: System, person: str, name: str) -> None:
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
    picture(page, "ordered-1-answered")
    page.goto(re.sub(r"/desk/.*", "/desk/orders/", page.url))
    page.get_by_role("link", name=re.compile(name)).first.click()
    page.wait_for_load_state()
    page.get_by_role("link", name="提出隔离建议").click()
    page.check("input[name=home_is_suitable]")
    press(page, "提出建议")


def sign(page: Page, system: System, name: str) -> tuple[str, datetime]:
    """The health officer signs; returns the order's page and its end."""
    page.goto(f"{system.address}/desk/orders/")
    page.get_by_role("link", name=re.compile(name)).last.click()
    page.wait_for_load_state()
    page.check("input[name=confirm]")
    press(page, "签发隔离决定")
    page.goto(f"{system.address}/desk/orders/")
    page.get_by_role("link", name=name, exact=True).first.click()
    page.wait_for_load_state()
    picture(page, "ordered-2-signed")
    text = page.inner_text("main")
    found = re.search(r"(\d{4})年(\d{1,2})月(\d{1,2})日 (\d\d):(\d\d)自动解除", text)
    assert found, text
    year, month, day, hour, minute = (int(n) for n in found.groups())
    return page.url, datetime(year, month, day, hour, minute, tzinfo=HERE)


# --- The gate ------------------------------------------------------------------------------------------------


def enrol_gate(desk: Page, system: System, guard: BrowserContext, *, place: str, name: str) -> Page:
    """A new post at the compound, and a device enrolled at it, a shift begun."""
    desk.goto(f"{system.address}/desk/gates/new/")
    desk.fill("input[name=name]", name)
    desk.locator("select[name=kind]").select_option(value="compound")
    choose(desk, "place", place)
    desk.fill("input[name=phone]", "19900000021")
    desk.locator("main form button").first.click()
    desk.wait_for_load_state()
    follow(desk, "登记设备")
    press(desk, "生成登记码")
    link = desk.locator("a[data-enrol-link]").get_attribute("href")
    assert link
    device = guard.new_page()
    device.goto(link)
    begin_shift(device)
    facts = device.locator(".g-facts")
    facts.get_by_text(re.compile(r"名单 \d")).wait_for(timeout=30_000)
    facts.get_by_text("住户表未到").wait_for(state="detached", timeout=30_000)
    return device


def begin_shift(device: Page) -> None:
    """A guard who is not on the list of the post, where it has one: somebody says why."""
    number = device.locator("input[name=guard]")
    number.fill("G-07")
    device.keyboard.press("Enter")
    number.wait_for(state="detached")
    if device.locator("input[name=by]").count():
        device.locator("input[name=by]").fill("社区")
        device.locator("input[name=why]").fill("代班")
        device.keyboard.press("Enter")
        device.locator("dialog").wait_for(state="detached")


def next_person(device: Page) -> None:
    """Put the last verdict away."""
    view = device.locator("[data-verdict]")
    if view.count():
        device.get_by_role("button", name="下一位").or_(
            device.get_by_role("button", name="未放行")
        ).first.click()
        view.wait_for(state="detached")


def verdict(device: Page) -> tuple[str, str]:
    """What the screen says, and why."""
    view = device.locator("[data-verdict]")
    view.wait_for()
    return view.get_attribute("data-verdict") or "", view.get_attribute("data-reason") or ""


def scan(device: Page, text: str, *, going: str = "出") -> tuple[str, str]:
    """Hold a code before the scanner; most of those who are told something want to go out."""
    next_person(device)
    device.get_by_role("button", name=going, exact=True).click()
    # As a guard does when the screen stays still: scan again.
    for _ in range(4):
        device.evaluate("document.activeElement?.blur()")
        device.keyboard.type(text)
        device.keyboard.press("Enter")
        with contextlib.suppress(PlaywrightTimeout):
            device.locator("[data-verdict]").wait_for(timeout=5_000)
            break
    return verdict(device)
