"""A resident proves at home what was decided, with the network off and from paper alone.

The order is signed and witnessed → its proof is printed with two codes → the verifier page was opened once → no network →
one code shows that the order stands in the chain, the other also what it says; a changed one proves nothing.
"""

from __future__ import annotations

import io
import re
import subprocess
from typing import TYPE_CHECKING, Final

import pytest
from PIL import Image

from tests.pictures import qr_codes

from .conftest import device
from .steps import (
    a_new_resident,
    log_in,
    picture,
    printed,
    report_and_propose,
    sign,
    until,
)

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, FilePayload, Page

    from .conftest import System

NAME: Final = "施明远"


def photographs(pdf: bytes, folder: Path) -> list[FilePayload]:
    """Each code of the chain on the paper as a photograph of it: a little crooked, and not only the code."""
    (folder / "proof.pdf").write_bytes(pdf)
    subprocess.run(
        ["pdftoppm", "-r", "200", "-gray", "-png", str(folder / "proof.pdf"), str(folder / "p")], check=True
    )
    found: list[FilePayload] = []
    for page in sorted(folder.glob("p*.png")):
        drawn = Image.open(page)
        for code in qr_codes(drawn):
            if not code.text.startswith("LFC1:"):
                continue
            left, top = code.position.top_left.x, code.position.top_left.y
            side = code.position.top_right.x - left
            cut = drawn.crop((left - 30, top - 30, left + side + 30, top + side + 30))
            buffer = io.BytesIO()
            cut.rotate(3, expand=True, fillcolor=255).save(buffer, "PNG")
            found.append({"name": f"{len(found)}.png", "mimeType": "image/png", "buffer": buffer.getvalue()})
    return found


def shown(page: Page, file: FilePayload) -> str:
    """What the verifier says of a picture."""
    page.reload()
    page.get_by_text("本页信任谁").wait_for()
    with page.expect_file_chooser() as asked:
        page.get_by_role("button", name="选择图片或凭据文件").click()
    asked.value.set_files([file])
    page.locator("[data-result]").wait_for()
    return page.locator("[data-result]").inner_text()


@pytest.mark.timeout(420)
def test_a_resident_proves_an_order_with_the_network_off(
    system: System, browser: Browser, tmp_path: Path
) -> None:
    with (
        device(browser, system) as resident,
        device(browser, system, width=1280) as community,
        device(browser, system, width=1280) as health,
    ):
        desk, officer, phone = community.new_page(), health.new_page(), resident.new_page()
        log_in(desk, system, "community")
        person = a_new_resident(desk, system, phone, NAME, compound="听松苑")
        report_and_propose(desk, system, person, NAME)
        log_in(officer, system, "cdc")
        order, _ = sign(officer, system, NAME)
        desk.goto(order)
        until(desk, lambda: "已见证" in desk.inner_text("main"))
        files = photographs(printed(desk, desk.get_by_role("link", name="信息链证明")), tmp_path)
        assert len(files) == 2

        phone.goto(f"{system.address}/open/verify/")
        phone.evaluate("navigator.serviceWorker.ready.then(() => true)")
        phone.get_by_text("本页信任谁").wait_for()
        resident.set_offline(True)
        public, own = sorted((shown(phone, file) for file in files), key=len)
        picture(phone, "home-1-proved")
        for said in (public, own):
            for words in (
                "已证明：这份记录在信息链中", "居民代表 在 2020年", "条记录时（2020年", "3 方中至少 2 方见证：已达到",
                "不证明这个决定合法", "不证明它现在仍然有效", "不证明出示的人就是当事人",
                "个人居家隔离决定", "社区（村） 510402", "东区疾病预防控制中心（演示）（cdc）",
            ):  # fmt: skip
                assert words in said, (words, said)
            assert NAME not in said  # no name stands in any record
        number = re.search(r"[A-Z]+-\d{6}-F04-\d{8}-\d+", desk.inner_text("main"))
        assert number
        assert number.group() not in public
        for words in (number.group(), "从高风险地区返回", "纸上展示的个人内容与记录中的密封值一致"):
            assert words in own
            assert words not in public

        # One letter of the paper changed proves nothing.
        text = next(code.text for code in qr_codes(files[0]["buffer"]))
        at = len(text) // 2
        phone.reload()
        phone.get_by_text("粘贴二维码文字").click()
        phone.locator("textarea").fill(text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :])
        phone.get_by_role("button", name="核验", exact=True).click()
        phone.locator("[data-result=failed]").wait_for()
