"""A tablet that was stolen (T40): on the server's signed word, and on no other, it forgets whom it knew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from lianfang_chain import cbor
from lianfang_pass import passages
from tests.pass_ import world
from tests.web.conftest import Watched, storage
from tests.web.gate_page import enrol, look, next_person, paper, scan, sent, turn
from tests.web.gate_server import GateServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.journey

NOON: Final = world.NOON
DROPPED: Final = ("compound", "shards", "marks")
GONE: Final = "名单和住户表已从本机删除"


@pytest.fixture
def gate(browser: Browser, server: GateServer) -> Iterator[Watched]:
    """An enrolled gate at which one pass was shown; its row could not be sent."""
    context = browser.new_context(viewport={"width": 360, "height": 640}, permissions=["camera"])
    watched = Watched(context, at=NOON)
    enrol(watched.page, server)
    watched.page.locator(".g-facts", has_text="住户表").wait_for(state="detached")
    server.longest_row = 0  # every upload is refused
    turn(watched.page, "出")
    assert scan(watched.page, paper())[0] == "ALLOW"
    next_person(watched.page)
    assert all(holds(watched.page).values())
    yield watched
    assert watched.errors == []
    context.close()


def holds(page: Page) -> dict[str, bool]:
    kept = storage(page)
    return {name: kept[f"lianfang-gate/{name}"].strip() != "" for name in DROPPED}


def file_of(page: Page, folder: Path) -> list[passages.Batch]:
    """What the guard carries to the desk."""
    page.get_by_role("button", name="更多").click()
    with page.expect_download() as coming:
        page.get_by_role("button", name="导出未上传记录").click()
    coming.value.save_as(folder / "rows")
    found = cbor.decode((folder / "rows").read_bytes(), max_bytes=10**6)
    assert isinstance(found, list)
    return [passages.decode_batch(body) for body in found if isinstance(body, bytes)]


def test_a_withdrawn_device_forgets_the_compound_and_keeps_what_it_has_not_sent(
    gate: Watched, server: GateServer, tmp_path: Path
) -> None:
    page = gate.page
    server.withdrawal = "signed"
    page.reload()
    page.locator(".g-facts", has_text=GONE).wait_for()
    look(page, "withdrawn")
    kept = storage(page)
    assert not any(holds(page).values())
    assert "LXM" not in str(kept)
    assert "compoundTag" not in kept["lianfang-gate/device"]
    assert page.get_by_role("button", name="查门牌").count() == 0
    assert "未上传 1" in page.locator(".g-facts").inner_text()
    assert [len(batch.rows) for batch in file_of(page, tmp_path)] == [1]

    # Opened again without a network it is as empty, and a card at the gate leaves nothing but its sealed row.
    server.withdrawal = "portal"
    page.reload()
    page.locator(".g-facts", has_text=GONE).wait_for()
    assert scan(page, paper())[0] != "DENY"
    page.get_by_role("button", name="已登记，放行").or_(
        page.get_by_role("button", name="下一位")
    ).first.click()
    page.locator(".g-facts", has_text="未上传 2").wait_for()
    assert not any(holds(page).values())

    server.longest_row = None
    page.reload()
    assert len(sent(page, server, 2)) == 2

    # Enrolled anew it is a gate like any other.
    server.withdrawal = ""
    page.goto(server.invitation())
    page.locator(".g-facts", has_text="名单 10 分").wait_for()
    page.locator(".g-facts", has_text="住户表").wait_for(state="detached")
    assert holds(page) == {"compound": True, "shards": True, "marks": False}


@pytest.mark.parametrize("said", ["forged", "unsigned", "portal", "forbidden"])
def test_nobody_elses_word_deletes_anything(gate: Watched, server: GateServer, said: str) -> None:
    page = gate.page
    server.withdrawal = said
    server.turned = 0
    page.reload()
    for _ in range(300):
        if server.turned >= 4:
            break
        page.wait_for_timeout(50)
    # Every loop has heard it; none of them dropped a thing.
    assert server.turned >= 4
    page.wait_for_timeout(300)
    assert all(holds(page).values())
    assert GONE not in page.locator(".g-facts").inner_text()
    assert "名单" in page.locator(".g-facts").inner_text()
