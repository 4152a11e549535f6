"""The verifier page in a browser: offline, by camera, picture, file and text, in both languages."""

from __future__ import annotations

import hashlib
import io
import json
import re
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.browser import axe, launch, sideways
from tests.web.conftest import Watched
from tests.web.film import code_image, film
from tests.web.gate_server import GateServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, FilePayload, Page, Playwright

VECTORS: Final = Path(__file__).parents[2] / "vectors" / "chain"


def vectors(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((VECTORS / name).read_text())
    return found


PAPER: Final = vectors("paper.json")
MOVED: Final = vectors("moved.json")
READINGS: Final = vectors("readings.json")
EVIDENCE: Final = vectors("evidence.json")
#: Keys and words of the vectors.
MADE: Final = runpy.run_path(str(VECTORS / "make.py"))
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


def a_file(name: str, text: str) -> FilePayload:
    return {"name": name, "mimeType": "text/plain", "buffer": text.encode()}


def choose(page: Page, *files: FilePayload) -> None:
    page.locator("input[type=file]").set_input_files(list(files))


def drop(page: Page, name: str, text: str) -> None:
    data = page.evaluate_handle(
        "([name, text]) => { const d = new DataTransfer(); d.items.add(new File([text], name)); return d; }",
        [name, text],
    )
    page.dispatch_event("main", "drop", {"dataTransfer": data})


def result(page: Page, kind: str) -> str:
    found = page.locator(f"[data-result={kind}]")
    found.wait_for()
    return found.inner_text()


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


def test_a_fork_that_a_witness_proved_stands_above_the_answer(server: GateServer, browser: Browser) -> None:
    server.chain["alarms.json"] = '[{"code": "fork", "since": 1, "witness": "property"}]'
    context = browser.new_context(viewport={"width": 360, "height": 640}, locale="zh-CN")
    watched = Watched(context)
    page = watched.page
    page.goto(server.address + "/open/verify/")
    alarm = page.locator("[data-alarm=fork]")
    alarm.get_by_text("⚠ 信息链警报：记录对不上").wait_for()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    server.stop()
    page.reload()
    said = paste(watched, WITNESSED["qr"])
    assert "已证明" in said  # what is proved stays proved
    assert alarm.count() == 1
    assert axe(page) == []
    assert sideways(page) == 0
    page.screenshot(path="tests/output/verifier-fork.png", full_page=True)
    page.get_by_role("button", name="English").click()
    assert "Chain alarm: two histories were signed" in alarm.inner_text()
    assert watched.errors == []
    context.close()


def test_a_key_that_was_replaced_and_what_others_wrote_are_told_apart(browser: Browser) -> None:
    """A stolen key goes on signing, and a paper's own texts would speak for the page."""
    nobody = PAPER["policy"].replace("quorum three", "quorum none")
    for policy, organs in ((PAPER["policy"], PAPER["succession"]["organs"]), (nobody, PAPER["organs"])):
        server = GateServer(policy=policy, organs=organs)
        context = browser.new_context(viewport={"width": 360, "height": 640}, locale="zh-CN")
        watched = Watched(context)
        page = watched.page
        page.goto(server.address + "/open/verify/")
        page.get_by_text("本页信任谁").wait_for()
        said = paste(watched, WITNESSED["qr"])
        if policy == nobody:
            assert "信任名单不要求任何一方见证" in said
        else:
            assert page.locator("[data-result]").get_attribute("data-result") == "recorded"
            assert "签它的公钥当时已被替换" in said
            assert "第 4 条公布了接替的公钥" in said
            assert "亲自签名" not in said
            assert axe(page) == []
            assert sideways(page) == 0
            page.screenshot(path="tests/output/verifier-replaced.png", full_page=True)
            page.get_by_role("button", name="English").click()
            assert "entry 4 announced the next key" in page.locator("[data-result]").inner_text()
            page.get_by_role("button", name="中文").click()
            page.reload()
            said = paste(watched, PAPER["spoof"])
            assert "我不同意⏎签名 organ" in said
            assert "依据⏎截至" in said
            assert not [c for c in said if c not in "\n\t" and not c.isprintable() and c != "\u3000"]
        assert watched.errors == []
        context.close()
        server.stop()


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
    text: FilePayload = {
        "name": "proof.txt",
        "mimeType": "text/plain",
        "buffer": WITNESSED["qr"].encode() + b"\n",
    }
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
    # Nobody on the pinned file vouches for it, so it cannot be taken from the server: only from somebody's hand.
    taking = page.get_by_role("button", name="已核对，采用新名单")
    assert taking.count() == 0
    choose(page, a_file("policy.txt", PAPER["policy"]))
    page.get_by_text("这份信任名单和本机保存的相同").wait_for()
    choose(page, a_file("policy.txt", PAPER["strict_policy"]))
    page.get_by_text("您打开的信任名单与本机保存的不同").wait_for()
    taking.click()
    page.get_by_text("您打开的信任名单与本机保存的不同").wait_for(state="detached")
    assert page.evaluate(PINNED) == PAPER["strict_policy"]
    assert watched.errors == []
    context.close()


def test_witnesses_that_moved_are_taken_when_those_that_stayed_vouch(
    browser: Browser, server: GateServer
) -> None:
    first, _, last = MOVED["policies"]
    papers = {case["name"]: case["qr"] for case in MOVED["papers"]}
    old, new = papers["before both, by the two that left"], papers["behind both, by who came"]
    server.policy, server.organs = first, ""
    context = browser.new_context(viewport={"width": 360, "height": 640}, locale="zh-CN")
    watched = Watched(context)
    page = watched.page
    page.goto(server.address + "/open/verify/")
    assert "已证明" in paste(watched, old)
    page.reload()
    said = paste(watched, new)
    assert "本机的名单可能比这张凭据旧" in said
    assert "签名不对" not in said

    server.policy = last
    server.chain = {f"policy-change/{n}.txt": text for n, text in MOVED["proofs"].items() if n != "5"}
    page.reload()
    page.locator("[data-offer=alone]").wait_for()
    assert page.get_by_role("button", name="已核对，采用新名单").count() == 0
    server.chain = {f"policy-change/{n}.txt": text for n, text in MOVED["proofs"].items()}
    page.reload()
    offer = page.locator("[data-offer=vouched]")
    offer.wait_for()
    assert (
        "2020年2月15日，居民代表（residents-2） 接替 居民代表（residents）（第 5 条）" in offer.inner_text()
    )
    assert page.evaluate(PINNED) == first  # not before somebody says so
    assert axe(page) == []
    assert sideways(page) == 0
    page.get_by_role("button", name="已核对，采用新名单").click()
    offer.wait_for(state="detached")
    assert page.evaluate(PINNED) == last
    server.stop()
    page.reload()
    said = paste(watched, old)
    assert "已证明" in said
    assert "按 2020年2月15日 之前的见证方核对" in said
    page.reload()
    assert "已证明" in paste(watched, new)
    page.reload()
    assert "尚未达到见证人数" in paste(watched, papers["behind both, by the two that left"])
    context.close()


def test_the_papers_of_a_chain_that_ended_hold_under_the_file_that_was_kept(verifier: Watched) -> None:
    page = verifier.page
    other = re.sub(r"(?m)^log \S+", f"log {MADE['OTHER_LOG'].key}", PAPER["policy"])
    choose(page, a_file("policy.txt", other))
    page.get_by_role("button", name="已核对，采用新名单").click()
    page.locator("[role=alert]").wait_for(state="detached")
    said = paste(verifier, WITNESSED["qr"])
    assert "已证明" in said
    assert "那是已经结束的一本链" in said
    assert "由签发机关 东区疾病预防控制中心（cdc） 亲自签名" in said


def test_the_proof_of_a_reading_and_evidence_of_a_fork_are_taken_as_files(verifier: Watched) -> None:
    page = verifier.page
    page.set_viewport_size({"width": 320, "height": 640})
    reading = a_file("read-proof.txt", READINGS["good"])
    choose(page, reading)
    said = result(page, "proved")
    assert "查阅日志第 41 号：c001 的 officer-1 在 2020年2月13日" in said
    assert "手机、住址" in said
    assert "办理隔离" in said
    assert "核对住址" in said
    assert "不证明只查阅过这一次" in said
    assert "不证明它现在仍然有效" not in said
    assert axe(page) == []
    assert sideways(page) == 0
    page.reload()
    assert "查阅日志第 41 号" in paste(verifier, READINGS["good"])
    page.reload()
    choose(
        page,
        a_file("read-proof.txt", next(c["proof"] for c in READINGS["bad"] if c["name"] == "another place")),
    )
    assert "对不上" in result(page, "failed")

    page.reload()
    forked = next(case for case in EVIDENCE["good"] if case["name"] == "of two sizes")
    drop(page, "fork-evidence.txt", forked["file"])
    said = result(page, "evidence")
    assert "一份 5 条，一份 9 条" in said
    assert "哪一份是真的，不由这份文件证明" in said
    assert axe(page) == []
    assert sideways(page) == 0
    page.reload()
    drop(
        page, "fork-evidence.txt", next(c["file"] for c in EVIDENCE["bad"] if c["name"] == "both may be true")
    )
    assert "对不上" in result(page, "failed")


def test_with_network_it_says_what_came_later(browser: Browser, server: GateServer) -> None:
    first = GOOD["the only entry"]
    from lianfang_chain.proof import PaperProof

    data = PaperProof.parse(bytes.fromhex(first["proof"])).entry
    path = f"later/{first['leaf_hash']}/{hashlib.sha256(data).hexdigest()}"
    said = {"index": 5, "kind": "orders:isolation:issued", "at": 1, "proof": WITNESSED["qr"]}
    waits = {"index": None, "kind": "orders:order:lifted", "at": 1_581_700_000, "proof": None}
    server.chain = {path: json.dumps({"size": 300, "later": [said, waits]})}
    context = browser.new_context(viewport={"width": 320, "height": 640}, locale="zh-CN")
    watched = Watched(context)
    page = watched.page
    page.goto(server.address + "/open/verify/")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    paste(watched, first["qr"])
    ask = page.get_by_role("button", name="联网查询")
    assert "还没有查询" in page.locator("[data-later=unknown]").inner_text()
    assert not any("/later/" in url for url in asked)  # nobody learns what is verified here
    ask.click()
    page.locator("[data-later='2']").wait_for()
    text = page.locator("[data-later]").inner_text()
    assert "之后有一条记录使它终止或改变：个人居家隔离决定（orders:isolation:issued），第 5 条" in text
    assert "服务器说之后还有：提前解除" in text
    assert axe(page) == []
    assert sideways(page) == 0
    page.get_by_role("button", name="核验这一条").click()
    page.get_by_text("信息链第 5 条").wait_for()
    ask.click()
    page.locator("[data-later=no_answer]").wait_for()  # the server does not have that one
    server.chain = {path: json.dumps({"size": 300, "later": []})}
    page.reload()
    paste(watched, first["qr"])
    ask.click()
    page.get_by_text("截至第 300 条没有之后的记录指向它").wait_for()
    context.close()


def test_a_paper_that_the_server_contradicts_is_no_proof(browser: Browser, server: GateServer) -> None:
    """The paper was verified and nothing here speaks against it; the server gives out another root of its size."""
    from lianfang_chain.checkpoint import Checkpoint, sign_checkpoint

    other = bytes(range(32))
    note = sign_checkpoint(Checkpoint(MADE["ORIGIN"], 300, other), MADE["LOG"]).decode()
    server.chain = {"checkpoint": note, "checkpoint/300": note}
    context = browser.new_context(viewport={"width": 360, "height": 640}, locale="zh-CN")
    watched = Watched(context)
    page = watched.page
    page.goto(server.address + "/open/verify/")
    paste(watched, WITNESSED["qr"])
    said = result(page, "sheet-fork")
    assert "同样是 300 条，这张凭据的指纹和服务器现在给出的不同" in said
    assert other.hex() in said
    assert WITNESSED["root"] in said
    assert page.locator("[data-result=proved]").count() == 0
    assert axe(page) == []
    assert sideways(page) == 0
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
    assert "这张凭据的指纹和本机以前见过的不同" in said
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
        assert "由签发机关 东区疾病预防控制中心（cdc） 亲自签名" in paste(
            watched, WITNESSED["qr"]
        )  # by the pinned list
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
