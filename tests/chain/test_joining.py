"""The paper with which a party joins: what is read aloud is the key's, and one sheet has room for both sides."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
from typing import TYPE_CHECKING

import pypdf
import pytest
from tests.browser import axe, sideways
from tests.chain.logs import LOG, ORIGIN, SmallLog, a_witness, seed
from tests.journeys.steps import picture

from lianfang_chain.note import COSIGNATURE, Signer
from lianfang_chain.witness.joining import fingerprint
from lianfang_chain.witness.server import WitnessServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

TITLE = "朝阳街道第十二社区居民委员会<见证>"
#: As many as one party was ever given, and a name as long as they come.
PLACES = tuple(f"d510402.s510402002.c{number:03}" for number in range(1, 7))
KEY = Signer(f"{ORIGIN}.district-of-a-long-name/0123456789abcdef/residents-12", COSIGNATURE, seed("long"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WitnessServer]:
    """Bound and not running: what it would answer is asked for."""
    witness = a_witness(tmp_path / "w", SmallLog().grow(1), PLACES)
    witness.signer = KEY
    with (
        contextlib.closing(witness.store),
        WitnessServer(("127.0.0.1", 0), witness, TITLE) as server,
    ):
        yield server


def test_the_fingerprint_is_what_a_common_program_says_of_the_line() -> None:
    said = subprocess.run(
        ["sha256sum"], input=str(KEY.key).encode(), capture_output=True, check=True
    ).stdout.decode()
    assert re.fullmatch(r"([0-9a-f]{4} ){7}[0-9a-f]{4}", fingerprint(KEY.key))
    assert fingerprint(KEY.key).replace(" ", "") == said[:32]


def test_the_status_page_leads_to_the_paper_and_the_paper_says_who_joins(server: WitnessServer) -> None:
    assert 'href="/joining"' in server.get("/").body
    paper = server.get("/joining").body
    for said in (
        str(KEY.key),
        "朝阳街道第十二社区居民委员会&lt;见证&gt;",
        f":{server.server_address[1]}/",
        "2020年02月13日",
        *PLACES,
    ):
        assert said in paper
    groups = re.findall(r"<b>(\w{4})</b>", paper)
    assert " ".join(groups[:8]) == fingerprint(KEY.key)
    assert " ".join(groups[8:]) == fingerprint(LOG.key)
    assert paper.count("签字 signature") == 2
    assert KEY.private_text().split("+", 4)[4] not in paper
    assert "<见证>" not in paper
    server.witness.places = ("",)
    assert "全部 all" in server.get("/joining").body


def test_it_is_one_sheet_with_all_on_it(server: WitnessServer, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 800, "height": 1100})
    with contextlib.closing(page):
        page.set_content(server.get("/joining").body)
        assert axe(page) == []
        assert sideways(page) == 0
        picture(page, "witness-joining")
        printed = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    (sheet,) = printed.pages
    assert [round(float(x) / 72 * 25.4) for x in sheet.mediabox[2:]] == [210, 297]
    text = sheet.extract_text()
    for said in (
        "A witness joins the chain",
        "签字 signature",
        *fingerprint(KEY.key).split(),
    ):
        assert said in text
    assert "Ctrl+P" not in text
