"""A new device at a post: its camera sees the code on the desk's screen, and it is enrolled. Nothing is typed or sent over.

The desk's page, the gate's app and the front are answered by one server as in life, on one port; the code goes from one
browser to the other as light only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from lianfang.accounts.rights import Role
from lianfang.gates.models import Device, EnrolmentCode
from lianfang.kernel import clock
from tests.browser import launch
from tests.factories.accounts import client_for
from tests.gates.test_front import AREA, a_gate
from tests.pictures import qr_code
from tests.web.conftest import Watched
from tests.web.film import film, held_up
from tests.web.gate_page import look

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client
    from playwright.sync_api import Browser, Playwright

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def code_on_the_desk(browser: Browser, officer: Client, address: str, post: str) -> bytes:
    """The picture of the code that the desk's page draws, as an officer comes to it."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, device_scale_factor=2)
    context.add_cookies([{"name": m.key, "value": m.value, "url": address} for m in officer.cookies.values()])
    desk = Watched(context)
    desk.page.goto(address + post)
    desk.page.get_by_role("link", name="登记设备").click()
    desk.page.get_by_role("button", name="生成登记码").click()
    shown = desk.page.locator(".lf-qr")
    shown.wait_for()
    look(desk.page, "enrol-desk")
    drawn = shown.screenshot()
    assert desk.errors == []
    context.close()
    return drawn


def test_a_camera_that_sees_the_code_on_the_desks_page_enrols_the_device(
    playwright: Playwright, browser: Browser, one_port: str, tmp_path: Path
) -> None:
    gate = a_gate()
    officer = client_for(Role.STREET, AREA.rsplit(".", 2)[0])
    drawn = code_on_the_desk(browser, officer, one_port, reverse("gates:post", args=[gate.pk]))
    assert qr_code(drawn).text.startswith(one_port + "/gate/#enrol=")
    assert EnrolmentCode.objects.get().device is None
    reel = tmp_path / "desk.mjpeg"
    film(reel, [held_up(drawn)], each=20)
    seeing = launch(playwright, [f"--use-file-for-fake-video-capture={reel}"])
    context: Any = seeing.new_context(viewport={"width": 360, "height": 640}, permissions=["camera"])
    watched = Watched(context)
    page = watched.page
    page.goto(one_port + "/gate/")
    page.get_by_role("heading", name="登记这台设备").wait_for()
    look(page, "enrol-before")
    page.locator(".g-start").click()
    page.locator("input[name=guard]").wait_for(timeout=40_000)
    assert page.url == one_port + "/gate/"  # neither the one-time code nor anything else stays in the address
    device = Device.objects.get()
    code = EnrolmentCode.objects.get()
    assert (device.gate_id, device.withdrawn_at, code.device) == (gate.pk, None, device)
    assert device.enrolled_at < code.expires_at
    page.locator("input[name=guard]").fill("G-07")
    page.keyboard.press("Enter")
    page.locator(".g-facts", has_text="名单").wait_for()
    page.get_by_text(gate.name).first.wait_for()
    look(page, "enrol-after")
    print(f"enrolled {(clock.now() - code.made_at).total_seconds():.0f} s after the code was made")
    assert watched.errors == []
    seeing.close()
