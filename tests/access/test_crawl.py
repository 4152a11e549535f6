"""The crawl: every address × every role; each marker seen is in scope and has exactly one read record (5.5b).

Also: no marker in the logs, and no page that nobody ever got to see.
"""

from __future__ import annotations

import html
import io
import logging
import re
import zipfile
from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest
from django.apps import apps
from django.test import Client
from django.urls import resolve
from pypdf import PdfReader

from lianfang.accounts.rights import HELD_BY, Right, Role, Scope
from lianfang.kernel.row_security import scope
from tests.factories.accounts import DISTRICT
from tests.sizes import SIZE

from .addresses import addresses
from .rooms import fill_rooms
from .world import STAFF, Marked, World, a_world, fillings, readable_by, url

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponseBase

pytestmark = pytest.mark.django_db

#: Addresses that open to nobody in this world, each with the reason.
NEVER_OPEN: Final = {
    "/first-run/": "offices exist",
    "/open/demo/": "this is no demonstration",
    "/open/authority/": "no own certificate authority without TLS",
    "/open/chain/checkpoint": "no log is published here",
    "/open/chain/entry/<uuid:entry_id>/proof.tlog-proof": "no log is published here",
    "/open/chain/entry/<uuid:entry_id>/proof.txt": "no log is published here",
    "/open/chain/checkpoint/<int:size>": "no log is published here",
    "/open/chain/consistency/<int:old>/<int:new>": "no log is published here",
    "/open/chain/organs.txt": "no log is published here",
    "/open/chain/policy-change/<int:index>.txt": "no witness has changed here",
    "/open/chain/later/<slug:leaf>/<slug:fingerprint>": "who asks has no entry",
    "/open/chain/former/<slug:ended>/<path:path>": "no chain has ended here",
    "/open/chain/fork/<slug:witness>.txt": "no witness has evidence of a fork",
    "/open/verify/organs.txt": "no log is published here",
    "/login/set-up/": "everybody who may open it has a generator, or is no officer",
}


#: Rows of a file that was handed in and not taken over: nobody's record yet, shown to those who may import there.
FILE_ROWS: Final = re.compile(r"/desk/import/[0-9a-f-]{36}/(faults/)?")


def _text(response: HttpResponseBase) -> str:
    """Everything a reader could get out of the answer."""
    content = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]  # both kinds
    if content[:4] == b"%PDF":
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "\n".join(archive.read(n).decode(errors="replace") for n in archive.namelist())
    headers = "\n".join(f"{k}: {v}" for k, v in response.headers.items())
    return headers + content.decode(errors="replace")


LINK: Final = re.compile(r'<a\s[^>]*?href="(/[^"#]*)')
#: Keys, numbers and areas in an address.
ONE_OF_MANY: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|d\d+[\w.]*|\d+")


class Journal:
    """What readings were recorded since the last look."""

    def __init__(self) -> None:
        self.last = 0
        self.since_last_look()

    def since_last_look(self) -> Counter[UUID]:
        """New read records, by person."""
        with scope(areas=[DISTRICT]):
            new = list(
                apps.get_model("people.ReadRecord")
                .objects.filter(pk__gt=self.last)
                .order_by("pk")
                .values_list("pk", "person_id")
            )
        self.last = new[-1][0] if new else self.last
        return Counter(person for _, person in new)


class Crawl:
    """Visits addresses as one role and keeps what was wrong."""

    def __init__(self, world: World, who: str) -> None:
        self.world, self.who = world, who
        self.browser = world.browser(who) if who != "nobody" else Client()
        self.browser.raise_request_exception = False
        self.wrong: list[str] = []
        #: Where pages lead to, and one page that does.
        self.offered: dict[str, str] = {}
        self.journal = Journal()

    def visit(self, target: str, data: dict[str, str] | None = None) -> tuple[int, str]:
        """Open an address (or search on it), judge what it shows; its status and text."""
        response = self.browser.get(target) if data is None else self.browser.post(target, data)
        text = _text(response)
        if response.status_code >= 500:
            self.wrong.append(f"{self.who} {target}: {response.exc_info[1]!r}")  # type: ignore[attr-defined]  # kept by the test client
        if data is not None:
            # What was typed into the search comes back in its own field.
            text = text.replace(f'value="{data["q"]}"', "")
        records = self.journal.since_last_look()
        for marked in self.world.people:
            if marked.seen_in(text):
                self._judge(marked, target, records[marked.id])
        if response.status_code == 200 and response.get("Content-Type", "").startswith("text/html"):
            for link in LINK.findall(text):
                self.offered.setdefault(html.unescape(link), target)
        return response.status_code, text

    def follow(self) -> None:
        """Open one of each kind of link that was offered: what is offered must not be refused."""
        of_a_kind: dict[str, str] = {}
        for link in self.offered:
            of_a_kind.setdefault(ONE_OF_MANY.sub("…", link), link)
        for link in of_a_kind.values():
            if "/" + resolve(link.split("?")[0]).route in NEVER_OPEN:
                continue
            status = self.browser.get(link).status_code
            if status in (403, 404):
                self.wrong.append(f"{self.who} is offered {link} at {self.offered[link]}: {status}")

    def _judge(self, marked: Marked, target: str, records: int) -> None:
        own = self.who == Role.RESIDENT and marked.id == self.world.people[0].id
        at_home = self.who == Role.RESIDENT and marked.area == self.world.people[0].area
        reader = self.who in {str(r) for r, s in HELD_BY[Right.PEOPLE_PERSON_READ].items() if s == Scope.AREA}
        if not (at_home or (reader and self.world.reach(self.who, marked))):
            self.wrong.append(f"{self.who} sees {marked.id} out of scope at {target}")
        if FILE_ROWS.fullmatch(target):
            return
        if records != (0 if own else 1):
            self.wrong.append(f"{self.who} sees {marked.id} at {target} with {records} records")


@pytest.fixture
def world() -> World:
    made = a_world()
    fill_rooms(made)
    return made


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("django.db.backends").setLevel(logging.INFO)  # statements are not logged in earnest
    return caplog


@pytest.mark.parametrize("who", [*map(str, STAFF), str(Role.RESIDENT), "nobody"])
def test_each_marker_seen_is_in_scope_and_recorded_once(
    who: str, world: World, quiet: pytest.LogCaptureFixture
) -> None:
    crawl = Crawl(world, who)
    everything = ""
    for address in addresses():
        if address.route.startswith("login/out"):
            continue
        for values in fillings(address, world, most=MOST):
            target = url(address, values)
            status, page = crawl.visit(target)
            if status == 403 and who not in readable_by(address):
                break  # the role is refused whatever the address is filled with
            everything += page
            if 'name="q"' in page:
                for sought in (world.people[0], world.people[2], world.people[4], world.people[-1]):
                    for q in (sought.name, sought.phone, sought.id_no):
                        everything += crawl.visit(target, {"q": q})[1]
    crawl.follow()
    assert not crawl.wrong, "\n".join(crawl.wrong)
    # The crawl saw something: an empty world would prove nothing.
    if who in READERS:
        assert any(m.seen_in(everything) for m in world.people)
    assert not [m for m in world.people if m.seen_in(quiet.text)], "a marker stands in the logs"


def test_there_is_no_page_that_nobody_ever_saw(world: World) -> None:
    """A page that opens to no role in this world was not crawled: it would prove nothing."""
    browsers = {who: world.browser(who) for who in world.users}
    unseen = []
    for address in addresses():
        if "GET" not in address.methods or address.route.endswith(("<path:name>", "<path:path>")):
            continue
        able = [who for who in readable_by(address) if who in browsers]
        visits = (
            browsers[who].get(url(address, values)).status_code
            for who in able
            for values in fillings(address, world, most=MOST)
        )
        if not any(status in (200, 301) for status in visits):
            unseen.append(str(address))
    known = NEVER_OPEN.keys() | UNFILLED | MORE_THAN_A_RIGHT.keys()
    assert set(unseen) <= known, sorted(set(unseen) - known)


#: Rows of each table that an address is filled with.
MOST: Final = {"change": 3, "nightly": 6, "release": 20}[SIZE]
READERS: Final = {str(r) for r, s in HELD_BY[Right.PEOPLE_PERSON_READ].items() if s == Scope.AREA} & set(
    map(str, STAFF)
)


#: Pages that ask for the right over more than anybody here has; the room's own tests open them.
MORE_THAN_A_RIGHT: Final = {
    "/desk/gates/acts/ages/": "one rule set is for all gates, and nobody here signs for every district",
}
#: Pages whose rows this world does not make; the room's own tests open them.
UNFILLED: Final[set[str]] = {
    "/desk/people/corrections/<uuid:correction_id>/",  # an answer to a form; opened, it sends on
    "/me/order/<uuid:order_id>/proof/<uuid:entry_id>.txt",  # no log is published here
    "/me/reads/<int:read_id>/proof.txt",  # as above
    "/desk/passes/rounds/<uuid:round_id>/print/<int:part>/",  # no round was given here
    "/desk/gates/files/<uuid:file_id>/",  # no device has handed one in; it names nobody
    "/desk/gates/files/<uuid:file_id>/receipts/",  # as above
}


def test_each_page_opens_to_its_roles_and_to_no_other(world: World) -> None:
    """Without arguments, so that the answer depends on the role alone."""
    wrong = []
    for who in [*map(str, STAFF), str(Role.RESIDENT)]:
        browser = world.browser(who)
        browser.raise_request_exception = False
        for address in addresses():
            if address.arguments or "GET" not in address.methods or address.surface is None:
                continue
            if str(address) in MORE_THAN_A_RIGHT:
                continue
            status = browser.get(url(address, {})).status_code
            is_staff = address.surface.audience.value == "staff"
            if is_staff and (status == 403) == (who in readable_by(address)):
                wrong.append(f"{who} {address}: {status}")
            if address.surface.audience.value == "resident" and (status == 403) == (who == Role.RESIDENT):
                wrong.append(f"{who} {address}: {status}")
    assert not wrong, "\n".join(wrong)


def test_without_login_only_public_pages_open(world: World) -> None:
    for address in addresses():
        assert address.surface is not None
        if address.arguments or "GET" not in address.methods or str(address) in NEVER_OPEN:
            continue
        response = Client().get(url(address, {}))
        if address.surface.audience.value in ("staff", "resident", "signed_in"):
            assert response.status_code in (302, 401), str(address)
            assert response.status_code == 401 or response["Location"].startswith(("/login/", "/enter/"))
