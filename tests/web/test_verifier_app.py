"""The verifier page in a browser: offline, by camera, picture, file and text, in both languages."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.browser import axe, launch, sideways
from tests.web.conftest import Watched
from tests.web.film import code_image, film
from tests.web.gate_server import GateServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, FilePayload, Playwright

PAPER: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "chain" / "paper.json").read_text()
)
GOOD: Final = {case["name"]: case for case in PAPER["good"]}
WITNESSED: Final = GOOD["all disclosures, three witnesses"]
BAD: Final = {case["name"]: case["proof"] for case in PAPER["bad"]}
PINNED: Final = "localStorage.getItem('lianfang-verifier-policy')"

pytestmark = pytest.mark.journey


@pytest.fixture
def server() -> Iterator[GateServer]:
    started = GateServer(policy=PAPER["policy"], organs=PAPER["organs"])
    yield started
    started.stop()


@pytest.fixture
def verifier(browser: Browser, server: GateServer) -> Iterator[Watched]:
    """The page after one visit, with the server gone."""
    context = browser.new_context(viewport={"width": 360, "height": 640}, locale="zh-CN")
    watched = Watched(context)
    watched.page.goto(server.address + "/open/verify/")
    watched.page.get_by_text("本页信任谁").wait_for()
    watched.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    server.stop()
    watched.page.reload()
    yield watched
    assert watched.errors == []
    context.close()


def paste(watched: Watched, text: str) -> str:
    page = watched.page
    page.get_by_text("粘贴二维码文字").click()
    page.locator("textarea").fill(text)
    page.get_by_role("button", name="核验", exact=True).click()
    result = page.locator("[data-result]")
    result.wait_for()
    return result.inner_text()


def test_offline_it_says_what_is_proved_and_what_is_not(verifier: Watched) -> None:
    said = paste(verifier, WITNESSED["qr"])
    assert "已证明：这份记录在信息链中" in said
    assert "信息链第 5 条" in said
    assert "300 条记录" in said
    for party in ("居民代表", "物业", "社区"):
        assert f"{party} 在 2020年2月13日" in said
    assert "不证明这个决定合法或正确" in said
    assert "不证明它现在仍然有效" in said
    assert "由签发机关 东区疾病预防控制中心（cdc） 亲自签名" in said
    assert axe(verifier.page) == []
    verifier.page.set_viewport_size({"width": 320, "height": 640})
    assert sideways(verifier.page) == 0
    verifier.page.get_by_role("button", name="English").click()
    english = verifier.page.locator("[data-result]").inner_text()
    assert "That the decision is lawful or right" in english
    assert "At least 2 of 3 parties" in english
    assert english.count("Disease control centre, East District (cdc)") == 2  # who signed, and in the record
    assert axe(verifier.page) == []


def test_less_than_the_quorum_is_recorded_and_not_witnessed(verifier: Watched) -> None:
    lonely = next(case for case in PAPER["good"] if not case["quorum"])
    said = paste(verifier, lonely["qr"])
    assert "已记录，尚未达到见证人数" in said
    assert verifier.page.locator("[data-result=recorded]").count() == 1


def test_what_was_altered_is_not_proved(verifier: Watched) -> None:
    from lianfang_chain.proof import to_qr_text

    for name in ("a path hash changed", "log signature changed", "one witness as another", "cut short"):
        said = paste(verifier, to_qr_text(bytes.fromhex(BAD[name])))
        assert "不能证明" in said, name
        verifier.page.reload()


def test_a_pass_code_is_told_apart(verifier: Watched) -> None:
    assert "由卡口核验" in paste(verifier, "LF1:ABC")


def test_a_picture_and_a_proof_file_with_its_record(verifier: Watched) -> None:
    page = verifier.page
    buffer = io.BytesIO()
    code_image(WITNESSED["qr"], scale=6).save(buffer, "PNG")
    picture: FilePayload = {"name": "code.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
    page.locator("input[type=file]").set_input_files([picture])
    page.locator("[data-result=proved]").wait_for()
    page.reload()
    # As it is downloaded from an order's and from an entry's page.
    text: FilePayload = {"name": "proof.txt", "mimeType": "text/plain", "buffer": WITNESSED["qr"].encode() + b"\n"}
    page.locator("input[type=file]").set_input_files([text])
    page.locator("[data-result=proved]").wait_for()
    page.reload()

    from lianfang_chain.proof import PaperProof

    record = PaperProof.parse(bytes.fromhex(WITNESSED["proof"])).entry
    proof: FilePayload = {
        "name": "x.tlog-proof",
        "mimeType": "text/plain",
        "buffer": WITNESSED["tlog_proof"].encode(),
    }
    page.locator("input[type=file]").set_input_files([proof])
    page.locator("[data-why=needs_record]").wait_for()
    entry: FilePayload = {"name": "entry.cbor", "mimeType": "application/cbor", "buffer": record}
    page.locator("input[type=file]").set_input_files([proof, entry])
    page.locator("[data-result=proved]").wait_for()
    altered: FilePayload = {**entry, "buffer": record[:-1] + b"\0"}
    page.locator("input[type=file]").set_input_files([proof, altered])
    page.locator("[data-result=failed]").wait_for()


def test_another_policy_is_shown_and_not_taken(browser: Browser, server: GateServer) -> None:
    context = browser.new_context(locale="zh-CN")
    watched = Watched(context)
    page = watched.page
    page.goto(server.address + "/open/verify/")
    page.get_by_text("本页信任谁").wait_for()
    server.policy = PAPER["strict_policy"]
    page.reload()
    page.get_by_text("服务器上的信任名单与本机首次保存的不同").wait_for()
    assert axe(page) == []
    kept = page.evaluate(PINNED)
    assert kept == PAPER["policy"]
    page.get_by_role("button", name="已核对，采用新名单").click()
    page.get_by_text("服务器上的信任名单与本机首次保存的不同").wait_for(state="detached")
    assert page.evaluate(PINNED) == PAPER["strict_policy"]
    context.close()


def test_a_board_sheet_is_compared_with_what_this_device_has_seen(verifier: Watched) -> None:
    """Two sheets seen offline: typed as printed, and scanned; a fork shows where the second differs."""
    sheet = PAPER["sheets"][1]
    typed = f"{sheet['size']} {sheet['root'][:16]}"
    assert "还没有可以比较的" in paste(verifier, typed)
    verifier.page.reload()
    assert "还没有可以比较的" in paste(verifier, sheet["text"])
    verifier.page.reload()
    assert "一致" in paste(verifier, typed)
    assert axe(verifier.page) == []
    verifier.page.reload()
    assert "信息链说了两套话" in paste(verifier, f"{sheet['size']} {'0a' * 8}")
    assert verifier.page.locator("[data-result=sheet-fork]").count() == 1
    verifier.page.reload()
    assert "不是信息链的指纹" in paste(verifier, PAPER["bad_sheets"][-1])


def test_a_paper_with_another_root_than_this_device_has_seen_is_a_fork(verifier: Watched) -> None:
    """One size has one root: the paper is not called proved, and both roots are named."""
    from lianfang_chain.proof import PaperProof

    size = str(PaperProof.parse(bytes.fromhex(WITNESSED["proof"])).size)
    log_line = next(line for line in PAPER["policy"].splitlines() if line.startswith("log "))
    origin = log_line.split()[1].split("+")[0]
    other = "ab" * 32
    verifier.page.evaluate(
        "([origin, size, root]) => localStorage.setItem('lianfang-roots:' + origin, JSON.stringify({[size]: root}))",
        [origin, size, other],
    )
    said = paste(verifier, WITNESSED["qr"])
    assert "信息链说了两套话" in said
    assert other in said
    assert "这张凭据" in said
    assert verifier.page.locator("[data-result=proved]").count() == 0
    assert axe(verifier.page) == []


def test_a_list_of_organs_that_drops_a_line_is_shown_and_not_taken(
    browser: Browser, server: GateServer
) -> None:
    server.organs = PAPER["shorter_organs"]
    context = browser.new_context(locale="zh-CN")
    watched = Watched(context)
    page = watched.page
    page.goto(server.address + "/open/verify/")
    said = paste(watched, WITNESSED["qr"])
    assert "不能证明是哪个机关签的" in said
    assert page.locator("[data-result=recorded]").count() == 1
    server.organs = PAPER["organs"]
    page.reload()
    assert "由签发机关 东区疾病预防控制中心（cdc） 亲自签名" in paste(watched, WITNESSED["qr"])
    for broken in (PAPER["shorter_organs"], PAPER["organs"].replace("street-2", "street-3")):
        server.organs = broken
        page.reload()
        assert "由签发机关 东区疾病预防控制中心（cdc） 亲自签名" in paste(watched, WITNESSED["qr"])  # by the pinned list
        warned = page.get_by_text("名单删改了本机原有的内容").count()
        assert warned == (broken == PAPER["shorter_organs"])  # what the log did not sign is no list at all
    context.close()


def test_a_paper_proof_is_read_by_the_camera(
    playwright: Playwright, server: GateServer, tmp_path: Path
) -> None:
    reel = tmp_path / "proof.mjpeg"
    film(reel, [code_image(GOOD["no disclosures, two witnesses"]["qr"], scale=6)], each=20, seed=3)
    started = launch(playwright, [f"--use-file-for-fake-video-capture={reel}"])
    context = started.new_context(viewport={"width": 412, "height": 915}, permissions=["camera"])
    page = context.new_page()
    page.goto(server.address + "/open/verify/")
    page.get_by_role("button", name="用摄像头扫描").click()
    page.locator("[data-result=proved]").wait_for(timeout=60_000)
    started.close()
