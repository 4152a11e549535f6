"""S11: an auditor looks at one isolation order with a grant for it, trusting neither us nor our software.

A grant for the order → its evidence as a file → checked by the verifier, by the standard library alone and by software
that is not ours → who it was about is opened for a reason → the person sees who looked and why → a sample of the day
whose seed nobody chose. Two weeks later the day is sampled again: one of its orders was lifted, one ended by itself with a
notice that came 31 hours late, one has none; who they were about is opened one by one, and nothing outside the grant; from that
day to this nothing was rewritten.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest
from tlog_scales.signing import Vkey
from tlog_scales.tiles import leaf_hash
from tlog_scales.tlog import Checkpoint, ConsistencyProof, InclusionProof

from .conftest import device
from .steps import (
    a_new_resident,
    enter,
    fetched,
    find_person,
    follow,
    give_audit,
    log_in,
    once_more,
    one_time_code,
    picture,
    press,
    report_and_propose,
    sign,
    until,
)

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from .conftest import System

NAME: Final = "岳清和"
LIFTED: Final = "岳听澜"
NOTICED: Final = "岳书棠"
WHY: Final = "核对送达签名"
#: What the auditor writes for each of the others, and what is refused.
WHYS: Final = {LIFTED: "核对提前解除的依据", NOTICED: "核对迟到的解除通知"}
NOSY: Final = "顺便也看一眼"
LATE: Final = timedelta(hours=31)


def evidence(page: Page, into: Path) -> Path:
    """The file of evidence, unpacked."""
    with page.expect_download() as taken:
        page.get_by_role("link", name="下载证据包").click()
    with zipfile.ZipFile(io.BytesIO(taken.value.path().read_bytes())) as archive:
        archive.extractall(into)
    return into


def by_the_verifier(folder: Path, policy: Path) -> int:
    """Every proof, by the program in the file and the policy that the auditor already had; how many are proved."""
    proofs = sorted((folder / "proofs").glob("*.txt"))
    for proof in proofs:
        words = [
            sys.executable,
            "lianfang-verify.pyz",
            "--policy",
            str(policy),
            "--organs",
            "organs.txt",
            str(proof),
        ]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return len(proofs)


def by_foreign_software(folder: Path, policy: Path) -> int:
    """Checkpoint, witnesses and inclusion by tlog-scales, which this project did not write; how many are in the log."""
    lines = [line.split() for line in policy.read_text().splitlines()]
    keys = [next(w for w in words if "+" in w) for words in lines if words[:1] in (["log"], ["witness"])]
    proofs = sorted((folder / "proofs").glob("*.tlog-proof"))
    for proof in proofs:
        head, note = proof.read_text().split("\n\n", 1)
        _, index, *path = head.splitlines()
        checkpoint = Checkpoint.from_text(note)
        signed = [key for key in keys if f"— {key.split('+')[0]} " in note]
        for key in signed:
            checkpoint.verify(Vkey.from_string(key))
        assert len(signed) >= 3  # the log, and two of the three parties
        place = int(index.split()[1])
        entry = (folder / "entries" / f"{place}.cbor").read_bytes()
        hashes = [base64.b64decode(line) for line in path]
        InclusionProof(place, checkpoint.size, hashes).check(leaf_hash(entry), checkpoint.root_hash)
    return len(proofs)


def by_the_standard_library(folder: Path) -> bool:
    """By the program in the file that imports nothing of anybody."""
    done = subprocess.run(
        [sys.executable, "-I", "check.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode == 0 and "ok" in done.stdout


def witnessed(page: Page) -> None:
    """Wait until everything that the grant is about stands in the chain under two of three signatures."""
    until(page, lambda: bool(page.locator("tbody tr", has_text="个人居家隔离决定").count()))


def entry_of(officer: Page, order: str) -> str:
    """The id of the order's entry, as its page links it."""
    officer.goto(order)
    link = officer.locator("main a[href*='/open/chain/entry/']").first.get_attribute("href") or ""
    return link.rstrip("/").rpartition("/")[2]


def lift(officer: Page, system: System, order: str) -> None:
    officer.goto(order)
    follow(officer, "提前解除")
    officer.fill("textarea[name=reason]", "行程核实有误，不在名单所列地区。")
    press(officer, "签字解除")
    once_more(officer, system, "cdc")
    assert "提前解除：" in officer.inner_text("main")


def notice(officer: Page, office: Page, system: System, order: str) -> None:
    """The paper that says it is over: checked by the medic and the street, signed by the health office."""
    number = order.rstrip("/").rpartition("/")[2]
    for login in ("medic", "street"):
        log_in(office, system, login)
        office.goto(f"{system.address}/desk/orders/checks/")
        office.locator(f"form[action*='{number}'] button").click()
        office.wait_for_load_state()
        office.context.clear_cookies()
    log_in(officer, system, "cdc")
    officer.goto(order)
    press(officer, "签发解除通知书")
    once_more(officer, system, "cdc")
    assert "未签" not in officer.inner_text("main")


def refused(auditor: Page, grant: str, form: str, entry: str) -> None:
    """A case that the grant is not about is not opened, whoever asks for it past the page."""
    auditor.goto(grant)
    found = auditor.locator(f"form[action*='{form}']")
    found.get_by_placeholder("理由（当事人会看到）").fill(NOSY)
    with auditor.expect_navigation():
        found.evaluate(
            "(form, [old, other]) => { form.action = form.action.replace(old, other); form.requestSubmit(); }",
            [form, entry],
        )
    assert "这个案例不在授权或样本之内" in auditor.inner_text("body")


def opened(auditor: Page, grant: str, entry: str, why: str) -> str:
    """Who one case is about, as the page says it to who writes a reason; to who writes none it says nobody."""
    auditor.goto(grant)
    form = auditor.locator(f"form[action*='{entry}']")
    form.get_by_role("button").click()
    assert auditor.url == grant  # the browser asks for the reason
    with auditor.expect_navigation():
        form.evaluate("form => { form.noValidate = true; form.requestSubmit(); }")
    assert "姓名" not in auditor.inner_text("main")
    auditor.fill("#id_reason", why)
    press(auditor, "打开身份")
    return auditor.inner_text("main")


def looked(phone: Page, desk: Page, system: System, name: str) -> str:
    """What the person sees under "who looked at my data", entering with a fresh slip."""
    enter(phone, system, one_time_code(desk, find_person(desk, system, name)))
    phone.goto(f"{system.address}/me/reads/")
    said = phone.inner_text("main")
    phone.context.clear_cookies()
    return said


def same_from(auditor: Page, system: System, day: datetime) -> tuple[int, int]:
    """What the page says of two days, checked by software that is not ours; the sizes with which they ended."""
    asked = f"older={day:%Y-%m-%d}&newer={system.now():%Y-%m-%d}"
    auditor.goto(f"{system.address}/desk/audit/?{asked}")
    assert "一致：较早的账是较晚的账的开头" in auditor.inner_text("main")
    notes = [
        fetched(auditor, str(link.evaluate("a => a.href"))).decode()
        for link in auditor.get_by_role("link", name=re.compile(r"^检查点")).all()
    ]
    older, newer = (Checkpoint.from_text(note) for note in notes)
    link = auditor.get_by_role("link", name="一致性证明文件")
    head, note = fetched(auditor, str(link.evaluate("a => a.href"))).decode().split("\n\n", 1)
    first, *hashes = head.splitlines()
    assert first == f"old {older.size}"
    assert Checkpoint.from_text(note).root_hash == newer.root_hash
    path = [base64.b64decode(line) for line in hashes]
    ConsistencyProof(older.size, newer.size, path).check(older.root_hash, newer.root_hash)
    return older.size, newer.size


@pytest.mark.timeout(420)
def test_an_auditor_checks_one_order_and_a_sample(system: System, browser: Browser, tmp_path: Path) -> None:
    with (
        device(browser, system) as resident,
        device(browser, system, width=1280) as community,
        device(browser, system, width=1280) as health,
        device(browser, system, width=1280) as security,
        device(browser, system, width=1280, accept_downloads=True) as audit,
    ):
        desk, officer, phone = community.new_page(), health.new_page(), resident.new_page()
        log_in(desk, system, "community")
        person = a_new_resident(desk, system, phone, NAME, *WHYS, compound="听涛苑")
        report_and_propose(desk, system, person, NAME)
        for name in WHYS:
            report_and_propose(desk, system, find_person(desk, system, name), name)
        log_in(officer, system, "cdc")
        orders = {}
        for name in WHYS:
            orders[name], ends_at = sign(officer, system, name)
        entries = {name: entry_of(officer, order) for name, order in orders.items()}
        lift(officer, system, orders[LIFTED])
        orders[NAME], _ = sign(officer, system, NAME)
        found = re.search(r"[A-Z]+-\d{6}-F04-\d{8}-\d+", officer.inner_text("main"))
        assert found
        # The auditor has the trust file of the residents' committee before any evidence, and not from the evidence.
        policy = tmp_path / "policy.txt"
        policy.write_bytes(fetched(officer, f"{system.address}/open/chain/strict-policy.txt"))

        log_in(admin := security.new_page(), system, "security")
        give_audit(admin, system, order_no=found.group())
        give_audit(admin, system)
        log_in(auditor := audit.new_page(), system, "auditor")
        auditor.goto(f"{system.address}/desk/audit/")
        picture(auditor, "s11-1-grants")
        follow(auditor, re.compile(f"打开 {found.group()}"))
        witnessed(auditor)
        assert NAME not in auditor.inner_text("main")
        assert "正在执行" in (shown := auditor.locator("main").inner_text())
        assert "迟 " not in shown
        picture(auditor, "s11-2-order")
        form = auditor.locator("form[action*='/identity/']").get_attribute("action") or ""
        entries[NAME] = form.rstrip("/").rpartition("/")[2]
        of_the_order = auditor.url
        order = evidence(auditor, tmp_path / "order")
        assert by_the_verifier(order, policy) >= 2  # the order, and the grant itself
        assert by_foreign_software(order, policy) >= 2
        assert by_the_standard_library(order)
        whole = b"".join(f.read_bytes() for f in order.rglob("*") if f.is_file())
        assert NAME.encode() not in whole
        assert found.group().encode() not in whole

        auditor.get_by_placeholder("理由（当事人会看到）").fill(WHY)
        press(auditor, "打开身份")
        assert NAME in auditor.inner_text("main")
        picture(auditor, "s11-3-opened")
        phone.goto(f"{system.address}/me/reads/")
        assert WHY in phone.inner_text("main")
        picture(phone, "s11-4-who-looked")

        refused(auditor, of_the_order, entries[NAME], entries[NOTICED])
        auditor.goto(f"{system.address}/desk/audit/")
        follow(auditor, re.compile("^打开 2020年"))
        auditor.fill("input[name=count]", "1")
        press(auditor, "请求抽样")
        until(auditor, lambda: "种子" in auditor.inner_text("main"))
        picture(auditor, "s11-5-sample")
        day = evidence(auditor, tmp_path / "day")
        assert by_the_standard_library(day)
        drawn = json.loads((day / "sample.json").read_text())
        seed = bytes.fromhex(drawn["seed"])
        with (day / "population.csv").open() as table:
            leaves = [bytes.fromhex(row["leaf"]) for row in csv.DictReader(table)]
        least = min(leaves, key=lambda leaf: hashlib.sha256(b"lianfang-sample/v1\n" + seed + leaf).digest())
        assert drawn["drawn"] == [least.hex()]
        began = system.now()

    system.move_to(ends_at + LATE)
    with (
        device(browser, system) as resident,
        device(browser, system, width=1280) as community,
        device(browser, system, width=1280) as health,
        device(browser, system, width=1280) as security,
        device(browser, system, width=1280, accept_downloads=True) as audit,
    ):
        desk, officer, phone, auditor = (
            community.new_page(),
            health.new_page(),
            resident.new_page(),
            audit.new_page(),
        )
        notice(officer, community.new_page(), system, orders[NOTICED])
        log_in(admin := security.new_page(), system, "security")
        give_audit(admin, system, day=began)
        log_in(auditor, system, "auditor")
        auditor.goto(f"{system.address}/desk/audit/")
        assert "已过期" in auditor.inner_text("main")
        follow(auditor, re.compile("^打开 2020年"))
        grant = auditor.url
        auditor.fill("input[name=count]", "200")
        press(auditor, "请求抽样")
        until(auditor, lambda: "种子" in auditor.inner_text("main"))
        rows = {
            name: auditor.locator("tbody tr", has=auditor.locator(f"form[action*='{entry}']")).inner_text()
            for name, entry in entries.items()
        }
        picture(auditor, "s11-6-two-weeks-later")
        assert "已提前解除" in rows[LIFTED]
        for name in (NAME, NOTICED):
            assert "已到期自动解除" in rows[name]
            assert "迟 31 小时" in rows[name]
        assert f"{ends_at + LATE:%Y-%m-%d}" in rows[NOTICED]
        assert "—" in rows[NAME]
        assert not any(name in auditor.inner_text("main") for name in entries)
        assert by_the_standard_library(evidence(auditor, tmp_path / "later"))

        for name, why in WHYS.items():
            said = opened(auditor, grant, entries[name], why)
            assert name in said
            assert why in said
        log_in(desk, system, "community")
        for name, why in WHYS.items():
            seen = looked(phone, desk, system, name)
            assert seen.count(why) == 1
            assert not any(other in seen for other in [NOSY, *WHYS.values()] if other != why)
        older, newer = same_from(auditor, system, began)
        picture(auditor, "s11-7-two-dates")
        assert 0 < older < newer
