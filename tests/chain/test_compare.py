"""The committee holds the board sheet against its own computer: the same, another, not yet; and nothing else is believed."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from tests.browser import axe, sideways
from tests.chain.logs import SmallLog, a_witness
from tests.journeys.steps import picture

from lianfang_chain.client import send
from lianfang_chain.submission import AddCheckpoint
from lianfang_chain.witness.compare import compared
from lianfang_chain.witness.page import status_page
from lianfang_chain.witness.server import WitnessServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

TITLE = "<居民>委员会"
#: The witness cosigned the last; a board sheet may say any of them.
STEPS = (1, 2, 4, 293, 724, 500)
SIZES = (1, 3, 7, 300, 1_024, 1_524)


@pytest.fixture
def log() -> Any:
    log = SmallLog()
    for count in STEPS:
        log.grow(count)
    return log


@pytest.fixture
def witness(tmp_path: Path, log: Any) -> Iterator[Any]:
    witness = a_witness(tmp_path / "w", log)
    assert witness.add_checkpoint(log.submission(0)).status == 200
    yield witness
    witness.store.close()


@pytest.fixture
def url(witness: Any) -> Iterator[str]:
    server = WitnessServer(("127.0.0.1", 0), witness, TITLE)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def short(log: Any, size: int) -> str:
    """As `board_sheet.typ` prints it."""
    printed: str = log.roots[size].hex()[:16]
    return printed


def asked(url: str, size: str, short: str) -> str:
    answer = send("GET", f"{url}/compare?{urlencode({'size': size, 'short': short})}")
    assert answer.status == 200
    return answer.body.decode()


def test_every_size_that_is_held_has_one_fingerprint(witness: Any, log: Any) -> None:
    for size in SIZES:
        right = short(log, size)
        assert compared(witness.store, str(size), right).kind == "same", size
        for at in (0, 15):
            wrong = right[:at] + ("1" if right[at] == "0" else "0") + right[at + 1 :]
            found = compared(witness.store, str(size), wrong)
            assert (found.kind, found.own) == ("other", right), (size, at)
        assert compared(witness.store, str(size + 1), right).kind == ("not_yet" if size == 1_524 else "other")


def test_what_the_log_tells_others_is_found_on_the_board(witness: Any) -> None:
    """A second story, which no witness has seen a signature of."""
    other = SmallLog().grow(300, "other")
    assert compared(witness.store, "300", short(other, 300)).kind == "other"


def test_before_the_first_record_nothing_can_be_compared(tmp_path: Path, log: Any) -> None:
    witness = a_witness(tmp_path / "new", log)
    with contextlib.closing(witness.store):
        assert compared(witness.store, "7", short(log, 7)).kind == "not_yet"
        assert "它们的指纹</dt><dd>还没有" in status_page(witness, TITLE)


@pytest.mark.parametrize("size", [1_024, 1_523])
def test_a_comparison_reads_a_handful_of_hashes(
    witness: Any, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    read = 0

    def counted(descriptor: int, count: int, at: int) -> bytes:
        nonlocal read
        read += count
        return pread(descriptor, count, at)

    pread = os.pread
    monkeypatch.setattr(os, "pread", counted)
    assert compared(witness.store, str(size), "0" * 16).kind == "other"
    assert read <= 3 * 256 * 32  # of the tiles at the two right edges, never those between


def test_as_people_type_it(witness: Any, log: Any) -> None:
    right = short(log, 1_024)
    fours = " ".join(right[at : at + 4] for at in range(0, 16, 4))
    wide = "".join(chr(ord(c) + 0xFEE0) for c in right)
    for size, digits in (
        ("1,024", fours),
        (" 1024 ", right.upper()),
        ("１０２４", wide),
        ("1，024", f"\u3000{right}\t"),
    ):
        assert compared(witness.store, size, digits).kind == "same", (size, digits)


HOSTILE = [
    "٣٠٠",
    "三百",
    "-1",
    "0",
    "1e3",
    "0x1F",
    "3.0",
    "9" * 16,
    "9" * 5_000,
    "<b>1</b>",
    "1\0",
    "７²",
    "\ud7ff",
]


@pytest.mark.parametrize("size", HOSTILE)
def test_what_is_no_number_of_entries_is_said_to_be_none(witness: Any, log: Any, size: str) -> None:
    assert compared(witness.store, size, short(log, 300)).kind == "unreadable"


@pytest.mark.parametrize("digits", ["", "a" * 15, "a" * 17, "g" * 16, "٣" * 16, "<script>alert(1)", "o" * 16])
def test_what_is_no_fingerprint_is_said_to_be_none(witness: Any, digits: str) -> None:
    assert compared(witness.store, "300", digits).kind == "unreadable"


def test_over_http_nothing_that_is_typed_breaks_the_page(url: str, log: Any) -> None:
    assert "对好了" in asked(url, "300", short(log, 300))
    page = asked(url, '"><b>x', "'><script>alert(1)</script>")
    assert "没有看懂" in page
    assert "<b>x" not in page
    assert "<script" not in page
    assert "&quot;&gt;&lt;b&gt;x" in page
    assert "才有 1,524 条" in asked(url, "999999999999999", "0" * 16)
    for query in (
        "size=%FF%FE&short=%00",
        "size=1&size=2&short=",
        "&".join(f"a{n}=1" for n in range(500)),
        f"size={'9' * 50_000}&short={'f' * 5_000}",
        f"size={quote('٣')}&short={quote('{own}{0.__class__}')}",
        "=&=&%",
    ):
        answer = send("GET", f"{url}/compare?{query}")
        assert answer.status == 200, query[:40]
        assert "对一对</button>" in answer.body.decode()


def test_a_hash_that_the_disk_changed_is_damage_and_no_second_story(witness: Any, log: Any) -> None:
    """The volunteer must not call the others because of the own disk."""
    with (witness.store.folder / "hashes").open("r+b") as hashes:
        hashes.seek(299 * 32)
        hashes.write(bytes(32))
    assert compared(witness.store, "300", short(log, 300)).kind == "damaged"
    os.truncate(witness.store.folder / "hashes", 290 * 32)
    assert compared(witness.store, "300", short(log, 300)).kind == "damaged"


def test_after_a_fork_the_board_can_still_be_compared(witness: Any, log: Any) -> None:
    other = SmallLog().grow(1_524, "other")
    witness.add_checkpoint(bytes(AddCheckpoint(1_524, (), other.note())))
    assert witness.store.evidence
    assert compared(witness.store, "300", short(log, 300)).kind == "same"


def test_the_volunteer_reads_the_answer(url: str, log: Any, browser: Browser) -> None:
    right = short(log, 1_524)
    page = browser.new_page(viewport={"width": 360, "height": 640})
    with contextlib.closing(page):
        page.goto(url)
        shown = page.get_by_text("它们的指纹").locator("xpath=following-sibling::dd[1]").inner_text()
        assert shown.replace(" ", "") == right
        # It loads itself again every ten seconds: nobody stands beside it.
        assert [one for one in axe(page) if not one.startswith("meta-refresh")] == []
        assert sideways(page) == 0
        page.get_by_role("link", name="和公告栏的单子对一对").click()
        # A page that loads itself again would be empty again while somebody types.
        assert page.locator("meta[http-equiv=refresh]").count() == 0
        for size, digits, words, name in (
            ("1524", shown, "✓ 一样", "same"),
            ("1524", "0" * 16, "✕ 不一样！", "other"),
            ("15240", right, "◐ 现在还对不了", "not-yet"),
            ("1524", "o" * 16, "？没有看懂", "unreadable"),
        ):
            page.get_by_label("单子上的条数").fill(size)
            page.get_by_label("单子上的指纹").fill(digits)
            page.get_by_role("button", name="对一对").click()
            page.get_by_role("heading", name=words).wait_for()
            assert page.get_by_label("单子上的条数").input_value() == size
            for width in (360, 1280):
                page.set_viewport_size({"width": width, "height": 640})
                assert axe(page) == []
                assert sideways(page) == 0
                picture(page, f"witness-compare-{name}-{width}")
        page.get_by_role("link", name="回到状态页").click()
        picture(page, "witness-status")
