"""Gates that still run one of the two clients before, against the present server; then they are updated, and lose nothing."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from .conftest import device
from .steps import log_in, picture
from .test_gate_replaced import enrol_device, forgotten_card, new_post

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

    from .conftest import System

CLIENTS: Final = Path(__file__).parents[1] / "web" / "clients"
VERSIONS: Final = sorted(folder.name for folder in CLIENTS.iterdir() if folder.is_dir())

pytestmark = [pytest.mark.journey, pytest.mark.nightly]


def facts(gate: Page, text: str) -> None:
    gate.locator(".g-facts", has_text=text).wait_for(timeout=60_000)


@pytest.mark.timeout(420)
@pytest.mark.parametrize("version", VERSIONS)
def test_an_earlier_client_is_served_and_its_update_loses_nothing(
    system: System, browser: Browser, version: str
) -> None:
    script = gzip.decompress((CLIENTS / version / "index.js.gz").read_bytes())
    served: list[str] = []

    def earlier(route: Route) -> None:
        served.append(route.request.url)
        route.fulfill(body=script, content_type="text/javascript; charset=utf-8")

    with device(browser, system, width=1280) as community, device(browser, system) as guard:
        desk = community.new_page()
        log_in(desk, system, "community")
        new_post(desk, system, place="禾木花园", name=f"禾木花园旧机 {version}")
        post = desk.url
        # The service worker would bring the new version at once; this device was offline when it came out.
        guard.route("**/gate/worker.js", lambda route: route.abort())
        guard.route("**/gate/index.js", earlier)
        gate = enrol_device(desk, post, guard)
        assert served
        forgotten_card(gate)
        forgotten_card(gate)
        facts(gate, "未上传 0")
        gate.get_by_role("button", name="求助").click()
        gate.wait_for_timeout(3_000)

        guard.set_offline(True)
        forgotten_card(gate)
        facts(gate, "未上传 1")
        guard.unroute_all()
        guard.set_offline(False)
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
