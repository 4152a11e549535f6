"""S11: an auditor looks at one isolation order with a grant for it, trusting neither us nor our software.

A grant for the order → its evidence as a file → checked by the verifier, by the standard library alone and by software
that is not ours → who it was about is opened for a reason → the person sees who looked and why → a sample of the day
whose seed nobody chose.
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
from typing import TYPE_CHECKING, Final

import pytest
from tlog_scales.signing import Vkey
from tlog_scales.tiles import leaf_hash
from tlog_scales.tlog import Checkpoint, InclusionProof

from .conftest import device
from .steps import (
    a_new_resident,
    fetched,
    follow,
    give_audit,
    log_in,
    picture,
    press,
    report_and_propose,
    sign,
    until,
)

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from .conftest import System

NAME: Final = "岳清和"
WHY: Final = "核对送达签名"


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
    """By the forty lines in the file, which import nothing of anybody."""
    done = subprocess.run(
        [sys.executable, "-I", "check.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode == 0 and "ok" in done.stdout


def witnessed(page: Page) -> None:
    """Wait until everything that the grant is about stands in the chain under two of three signatures."""
    until(page, lambda: bool(page.locator("tbody tr", has_text="个人居家隔离决定").count()))


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
        person = a_new_resident(desk, system, phone, NAME, compound="听涛苑")
        report_and_propose(desk, system, person, NAME)
        log_in(officer, system, "cdc")
        sign(officer, system, NAME)
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
        picture(auditor, "s11-2-order")
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
