"""The clients of the two versions before, in a browser, against what today's server gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lianfang_pass.evidence import Ages
from lianfang_pass.rules import ActKind, GateAct
from tests.pass_ import world
from tests.web import earlier
from tests.web.conftest import Watched
from tests.web.gate_page import enrol, paper, scan, turn
from tests.web.gate_server import GateServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.journey
PERIMETER = GateAct(
    no="LF-Z-1", kind=ActKind.PERIMETER, zones=(world.HOME,), start=world.NOON - 3600,
    end=world.NOON + 86_400, classes="MS",
)  # fmt: skip


@pytest.mark.parametrize("version", earlier.VERSIONS)
def test_an_act_that_is_lifted_while_ages_are_set_is_lifted_there_too(browser: Browser, version: str) -> None:
    """It refuses a set that says the ages; kept at its last one, it would enforce until the act's end what is lifted."""
    server = GateServer()
    server.acts, server.list_at = [PERIMETER], server.now - 40 * 3600
    context = browser.new_context(viewport={"width": 360, "height": 640})
    try:
        watched = Watched(context, at=server.now)
        earlier.serve(context, version)
        page = watched.page
        enrol(page, server, list_age="40 小时")
        turn(page, "出")
        for _ in range(20):
            if (found := scan(page, paper()))[0] == "CALL":
                break
            page.wait_for_timeout(200)
        assert found[0] == "CALL"  # behind a closed perimeter, by a list of two days
        server.ages = Ages(36, 96)
        server.acts, server.rules_version = [], 3
        page.reload()
        turn(page, "出")
        for _ in range(20):
            if (found := scan(page, paper()))[0] != "CALL":
                break
            page.wait_for_timeout(200)
        assert found == ("ALLOW_REG", "LIST_DAY_OLD")
    finally:
        context.close()
        server.stop()
