"""The main path of every journey by keyboard alone, and without scripts: Tab, arrows, Space, Enter, typing.

Log in, report, propose, sign, print, serve, lift, import. The focus is to be seen at every stop.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from lianfang.accounts import actions as accounts
from lianfang.accounts import factor
from lianfang.accounts.rights import Role
from lianfang.kernel import clock
from lianfang.kernel.clock import LEGAL_ZONE
from lianfang.people.models import ImportRun
from tests.browser import tab_to
from tests.factories.accounts import a_user, an_office, log_in
from tests.factories.rosters import a_roster, as_xlsx

from .browser import ORIGIN, window
from .world import World, a_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from playwright.sync_api import Browser, Locator, Page

pytestmark = [pytest.mark.django_db, pytest.mark.nightly]

PASSWORD = "vier-kleine-Enten-2020"


class Keys:
    """Somebody who has no mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def to(self, target: Locator) -> None:
        """Tab until the target has the focus."""
        tab_to(self.page, target)

    def press(self, word: str) -> None:
        """A button or link in the page, by its words."""
        main = self.page.locator("main")
        self.to(main.get_by_role("button", name=word).or_(main.get_by_role("link", name=word)))
        self.enter()

    def enter(self) -> None:
        """Enter, and the page that follows, past the frame by which this window is sent on."""
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        self.page.locator("meta[content^='0;url']").wait_for(state="detached")

    def type(self, field: str, text: str) -> None:
        self.to(self.page.locator(f"[name={field}]"))
        self.page.keyboard.type(text)

    def tick(self, field: str) -> None:
        self.to(self.page.locator(f"input[name={field}]"))
        self.page.keyboard.press("Space")

    def pick(self, field: str, *, down: int) -> None:
        """The n-th choice of a list, by the arrow."""
        self.to(self.page.locator(f"select[name={field}]"))
        for _ in range(down):
            self.page.keyboard.press("ArrowDown")

    def moment(self, field: str, at: datetime) -> None:
        """A date and time, part by part, as this browser (which is American) orders them."""
        self.to(self.page.locator(f"[name={field}]"))
        self.page.keyboard.type(f"{at:%m%d%Y}")
        self.page.keyboard.press("ArrowRight")
        self.page.keyboard.type(f"{at:%I%M%p}"[:5])


def the_way_in(keys: Keys, world: World, who: str) -> None:
    """Login, password, second factor."""
    user = world.users[who]
    user.set_password(PASSWORD)
    user.save()
    secret = user.pk.bytes
    accounts.set_second_factor(user.pk, secret, at=clock.now())
    keys.page.goto(f"{ORIGIN}/login/?next=/desk/")
    keys.type("login", user.login)
    keys.type("password", PASSWORD)
    keys.press("登录")
    keys.page.locator("[name=code]").wait_for()
    keys.type("code", factor.code_at(secret, factor.step_of(clock.now())))
    keys.press("继续")
    keys.page.get_by_role("heading", name="我的今日清单").wait_for()


def a_report(keys: Keys) -> None:
    """The resident's own, from the first page on."""
    keys.page.goto(f"{ORIGIN}/")
    keys.press("报告返回或症状")
    keys.press("我从外地回来")
    keys.pick("came_from", down=1)
    keys.moment("left_at", clock.now().astimezone(LEGAL_ZONE) - timedelta(hours=9))
    keys.pick("transport", down=3)
    keys.press("报告")
    assert "由卫生人员在" in keys.page.inner_text("main")


def a_proposal(keys: Keys, name: str) -> None:
    keys.page.goto(f"{ORIGIN}/desk/orders/")
    keys.press(f"{name}：")
    keys.press("提出隔离建议")
    keys.tick("home_is_suitable")
    keys.press("提出建议")


def a_signature(keys: Keys, name: str) -> None:
    keys.page.goto(f"{ORIGIN}/desk/orders/")
    proposals = keys.page.locator("main section", has_text="待签字的建议")
    keys.to(proposals.get_by_role("link", name=name))
    keys.enter()
    keys.tick("confirm")
    keys.press("签发隔离决定")
    assert keys.page.url == f"{ORIGIN}/desk/orders/", keys.page.inner_text("main")


def a_print_and_its_serving(keys: Keys, name: str) -> None:
    keys.page.goto(f"{ORIGIN}/desk/orders/serving/")
    keys.press(name)
    order = keys.page.url
    keys.to(keys.page.get_by_role("link", name="告知书"))
    with keys.page.expect_request(lambda r: r.url.endswith("/print/notice/")) as asked:
        keys.page.keyboard.press("Enter")
    assert asked.value
    keys.page.goto(order)
    keys.press("登记送达")
    keys.to(keys.page.locator("input[name=receipt]"))
    keys.page.keyboard.press("Space")
    keys.press("登记")
    keys.page.goto(order)
    assert "未送达" not in keys.page.inner_text("main")


def a_lift(keys: Keys, name: str) -> None:
    keys.page.goto(f"{ORIGIN}/desk/orders/")
    keys.to(keys.page.locator("main").get_by_role("link", name=name, exact=True))
    keys.enter()
    keys.press("提前解除")
    keys.type("reason", "核酸阴性")
    keys.press("解除")
    assert "提前解除" in keys.page.inner_text("main")


def an_import(keys: Keys) -> None:
    """The file is chosen in the system's own window, which opens by Enter."""
    keys.page.goto(f"{ORIGIN}/desk/import/")
    keys.to(keys.page.locator("input[type=file]"))
    with keys.page.expect_file_chooser() as chooser:
        keys.page.keyboard.press("Enter")
    chooser.value.set_files(
        {"name": "a.xlsx", "mimeType": "application/octet-stream", "buffer": as_xlsx(a_roster(4, start=900))}
    )
    keys.press("上传")
    keys.press("试算")
    assert ImportRun.objects.get().stage == ImportRun.Stage.CHECKING


def test_the_main_paths_without_a_mouse(browser: Browser) -> None:
    world = a_world(households=1)
    person = world.people[1]
    # Orders are signed by the district's health organ; the small world's officers hold a street.
    world.users[Role.CDC] = an_office(Role.CDC).user

    @contextmanager
    def seat(client: Client) -> Iterator[Keys]:
        with window(
            browser, client, width=1280, locale="zh-CN", timezone_id="Asia/Shanghai",
            java_script_enabled=False,
        ) as page:  # fmt: skip
            yield Keys(page)

    with seat(log_in(a_user(person_id=person.id))) as keys:
        a_report(keys)
    with seat(Client()) as keys:
        the_way_in(keys, world, Role.COMMUNITY)
        a_proposal(keys, person.name)
        with seat(Client()) as officer:
            the_way_in(officer, world, Role.CDC)
            a_signature(officer, person.name)
            a_print_and_its_serving(keys, person.name)
            a_lift(officer, person.name)
        an_import(keys)
