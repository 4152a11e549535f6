"""Six hundred people in thirty minutes through one gate, in two lanes: camera and hand scanner, alone and as households.

At the size of a change some pass as fast as the gate takes them; at night all of them, in real time.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest

from lianfang_pass.tokens import Identity, PassClass
from lianfang_pass.verdict import Verdict
from tests.browser import launch
from tests.pass_ import world
from tests.sizes import SIZE, size
from tests.web.conftest import Watched
from tests.web.film import card, film
from tests.web.gate_page import WATCH, enrol, paper, pull, sent
from tests.web.gate_server import GateServer

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Playwright

PEOPLE: Final = size("gate_people")
#: Twenty a minute.
PACE: Final = 3
REAL_TIME: Final = SIZE != "change"
#: Counts the looks, as a screen reader hears them, and notes at which doors they were. From the first moment of the
#: page: the camera starts with the shift and may see somebody before the test goes on.
LOG: Final = """
  Object.assign(window, { looks: 0, doors: [] });
  new MutationObserver((records) => {
    for (const record of records.filter(({ target }) => target.matches?.('[aria-live]')))
      for (const node of record.addedNodes) if (node.textContent) window.looks += 1;
    const door = document.querySelector('[data-verdict] .g-person span:nth-child(2)')?.textContent;
    if (door && door !== window.doors.at(-1)) window.doors.push(door);
  }).observe(document, { subtree: true, childList: true });
"""
#: One more of the household that is on the screen, if it still is.
ALONG: Final = """(door) => {
  const view = document.querySelector('[data-verdict]');
  if (view?.querySelector('.g-person span:nth-child(2)')?.textContent !== door) return 0;
  [...view.querySelectorAll('button')].find((b) => b.textContent.startsWith('同户同行')).click();
  return 1;
}"""
TURN: Final = "() => document.querySelector('.g-direction button:nth-child(2)').click()"
STOP: Final = "() => document.querySelector('video').srcObject.getTracks().forEach((track) => track.stop())"

pytestmark = [pytest.mark.journey, pytest.mark.nightly]


def neighbour(n: int) -> tuple[bytes, Identity]:
    return n.to_bytes(8, "big"), Identity(f"{n // 60 + 1}-1-{n % 60 + 101}", 1, "WLJ", 1940 + n % 70)


@pytest.mark.timeout(2400)
def test_six_hundred_people_pass_one_gate_in_half_an_hour(playwright: Playwright, tmp_path: Path) -> None:
    server = GateServer()
    before_camera = [neighbour(9_000 + n) for n in range(4)]
    reel = tmp_path / "lane.mjpeg"
    cards = [card(paper(cti=cti, identity=identity)) for cti, identity in before_camera]
    film(reel, cards, each=10, still=2 * PACE * 3 if REAL_TIME else 1)
    browser = launch(playwright, [f"--use-file-for-fake-video-capture={reel}"])
    context = browser.new_context(viewport={"width": 360, "height": 640}, permissions=["camera"])
    watched = Watched(context, at=world.NOON)
    page = watched.page
    context.add_init_script(LOG)
    enrol(page, server)
    page.evaluate(WATCH)
    companions = 0
    began = time.monotonic()
    for n in range(PEOPLE // 2):
        watched.set_clock(world.NOON + 2 * PACE * n)
        if n == PEOPLE // 4:
            page.evaluate(TURN)
        cti, identity = neighbour(n)
        household = n % 5 == 4
        kind = PassClass.HOUSEHOLD if household else PassClass.PERSON
        pull(page, paper(cti=cti, identity=identity, kind=kind))
        page.wait_for_function("(door) => window.doors.includes(door)", arg=identity.door)
        if household:
            for _ in range(2):
                companions += page.evaluate(ALONG, identity.door)
                page.wait_for_timeout(100)
        if REAL_TIME:
            page.wait_for_timeout(max(0.0, (began + 2 * PACE * (n + 1) - time.monotonic()) * 1000))
        elif n % 4 == 3:  # the other lane's turn
            page.wait_for_function("(looks) => window.looks > looks", arg=page.evaluate("window.looks"))
    seconds = time.monotonic() - began
    page.evaluate(STOP)
    page.wait_for_timeout(500)
    looks = page.evaluate("window.looks")
    took = sorted(page.evaluate("window.took"))
    rows = sent(page, server, looks + companions)
    report = (
        f"{looks} looks and {companions} companions in {seconds:.1f} s; last key to verdict"
        f" {took[len(took) // 2]:.0f} ms in the middle, {took[-1]:.0f} ms at most"
    )
    print(report)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) == looks + companions, report
    assert {row.verdict for row in rows} == {Verdict.ALLOW}
    by_pass = Counter(row.cti for row in rows)
    alone = [neighbour(n)[0] for n in range(PEOPLE // 2) if n % 5 != 4]
    assert [by_pass[cti] for cti in alone] == [1] * len(alone)
    seen = [cti for cti, _ in before_camera if by_pass[cti]]
    assert len(seen) == len(before_camera) if REAL_TIME else seen, report
    assert {row.inward for row in rows} == {True, False}
    assert took[len(took) // 2] < 300, report
    if REAL_TIME:
        assert took[-1] < 300, report
    else:
        assert looks / seconds * 60 >= 20, report
    assert watched.errors == []
    context.close()
    browser.close()
    server.stop()
