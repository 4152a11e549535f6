"""Gates that still run one of the two clients before, against the present server; then they are updated, and lose nothing.

The whole application of then, as a browser keeps it: page, styles, scripts, decoder, and the worker that answers with them.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

import pytest

from lianfang.config.islands import DIST
from tests.web import earlier

from .conftest import device
from .steps import log_in, picture
from .test_gate_replaced import enrol_device, forgotten_card, new_post

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from .conftest import System

KEPT: Final = """async () => {
  const worker = await navigator.serviceWorker.getRegistration();
  const names = (await caches.keys()).filter((name) => name.startsWith('lianfang-gate-'));
  return worker?.active?.state === 'activated' ? names : [];
}"""

pytestmark = [pytest.mark.journey, pytest.mark.nightly]


def facts(gate: Page, text: str) -> None:
    gate.locator(".g-facts", has_text=text).wait_for(timeout=60_000)


def kept_whole(gate: Page, version: bytes, *, reload: bool = False) -> None:
    """The worker keeps exactly this version, and answers with it."""
    wanted = [f"lianfang-gate-{json.loads(version)['version']}"]
    for _ in range(60):
        if gate.evaluate(KEPT) == wanted:
            break
        gate.wait_for_timeout(1_000)
        if reload:
            gate.reload()
            gate.locator(".g-facts").wait_for()
    assert gate.evaluate(KEPT) == wanted


@pytest.mark.timeout(420)
@pytest.mark.parametrize("version", earlier.VERSIONS)
def test_an_earlier_client_is_served_and_its_update_loses_nothing(
    system: System, browser: Browser, version: str
) -> None:
    with device(browser, system, width=1280) as community, device(browser, system) as guard:
        desk = community.new_page()
        log_in(desk, system, "community")
        new_post(desk, system, place="禾木花园", name=f"禾木花园旧机 {version}")
        post = desk.url
        served = earlier.serve(guard, version)
        gate = enrol_device(desk, post, guard)
        whole = earlier.files(version)
        kept_whole(gate, whole["version.json"])
        assert set(served) >= set(whole) - {"version.json"}
        forgotten_card(gate)
        forgotten_card(gate)
        facts(gate, "未上传 0")
        gate.get_by_role("button", name="求助").click()
        gate.wait_for_timeout(3_000)

        guard.set_offline(True)
        forgotten_card(gate)
        facts(gate, "未上传 1")
        # Without a server it is its own worker that answers.
        gate.reload()
        facts(gate, "未上传 1")
        guard.unroute_all()
        guard.set_offline(False)
        kept_whole(gate, (DIST / "gate" / "version.json").read_bytes(), reload=True)
        gate.reload()
        facts(gate, "未上传 0")
        desk.goto(post)
        stored = desk.locator("table tbody tr").first.locator("td").nth(2)
        assert stored.inner_text() == "3"
        assert desk.get_by_text(re.compile(r"缺 \d+ 条")).count() == 0
        # The call for help arrived, from the earlier client or after its update.
        call = desk.locator("ul.lf-todo li", has_text=f"禾木花园旧机 {version}")
        for _ in range(30):
            desk.goto(f"{system.address}/desk/gates/")
            if call.count():
                break
            desk.wait_for_timeout(1_000)
        picture(desk, f"client-{version}")
        assert call.count() == 1
