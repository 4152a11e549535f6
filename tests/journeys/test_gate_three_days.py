"""Three days without any server, for a whole compound: orders end and begin, the age of the list stands on the screen.

What the gate says is compared, look by look, with the other implementation; afterwards everything is stored once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from lianfang_pass import scan
from lianfang_pass.statuslist import ListStatus, ShardState, pack
from lianfang_pass.tokens import Identity, SlipKind
from lianfang_pass.verdict import Decision, Verdict
from tests.browser import launch
from tests.pass_ import world
from tests.sizes import size
from tests.web.conftest import Watched
from tests.web.gate_page import enrol, next_person, paper, pull, sent, slip, turn
from tests.web.gate_server import SIZE as LIST_SIZE
from tests.web.gate_server import GateServer

if TYPE_CHECKING:
    from playwright.sync_api import Page, Playwright

NOON: Final = world.NOON
HOUR: Final = world.HOUR
#: Hours after the last contact at which everybody comes to the gate, and what the screen says of the list then.
COMING: Final = {1: "名单 1 小时", 25: "名单 25 小时", 31: "名单 31 小时", 73: "名单 3 天"}

pytestmark = pytest.mark.journey


@dataclass(frozen=True)
class Neighbour:
    """One of the compound: what the list says (None: nothing) and what they carry, in the order shown."""

    index: int
    order_ends: int | None
    unknown_end: bool
    codes: tuple[str, ...]


def neighbour(n: int) -> Neighbour:
    who = Identity(f"{n // 60 + 1}-1-{n % 60 + 101}", 1, "WLJ", 1940 + n % 70)
    index = 100 + n
    times = {"issued_at": NOON - 10 * world.DAY, "expires_at": NOON + 20 * world.DAY}
    ends: int | None = None
    unknown = False
    slips: list[str] = []
    first = False
    match n % 9:
        case 1:  # ends on the second day
            ends = NOON + 30 * HOUR
        case 2:  # ends on the third day
            ends = NOON + 72 * HOUR
        case 3:  # no end was known when the list was signed
            unknown = True
        case 4:  # begins without the gate having heard of it; the notice says so
            first = True
            start = NOON + 20 * HOUR
            slips = [
                slip(
                    SlipKind.ORDER,
                    identity=who,
                    issued_at=NOON - HOUR,
                    start=start,
                    not_before=start,
                    end=start + 14 * world.DAY,
                )
            ]
        case 5:  # runs longer than the outage
            ends = NOON + 100 * HOUR
        case 6:  # lifted by a slip that the gate has not heard of either
            ends = NOON + 100 * HOUR
            lifted = NOON + 10 * HOUR
            slips = [slip(SlipKind.LIFT, identity=who, issued_at=lifted, not_before=lifted)]
        case 7:  # the release slip knows the end that the list does not
            unknown = True
            end = NOON + 24 * HOUR
            slips = [
                slip(
                    SlipKind.RELEASE,
                    identity=who,
                    issued_at=NOON - 9 * world.DAY,
                    start=NOON - 9 * world.DAY,
                    end=end,
                    not_before=end,
                )
            ]
        case 8:  # the pass ends
            times["expires_at"] = NOON + 30 * HOUR
        case _:
            pass
    card = paper(cti=n.to_bytes(8, "big"), identity=who, index=index, **times)
    return Neighbour(index, ends, unknown, (*slips, card) if first else (card, *slips))


PEOPLE: Final = [neighbour(n) for n in range(size("compound_people"))]


def publish(server: GateServer) -> scan.Held:
    """The last list before the outage, as the server signs it and as the other implementation holds it."""
    for person in PEOPLE:
        if person.order_ends is not None or person.unknown_end:
            server.statuses[person.index] = ListStatus.SUSPENDED
            server.ends[person.index] = person.order_ends
    server.list_at = server.now
    ends = {index: end for index, end in server.ends.items() if end is not None}
    bits = pack(server.statuses, LIST_SIZE)
    shard = ShardState(world.URI, server.version, server.list_at, bits, ends)
    return scan.Held(world.KEY_LIST, {world.URI: shard}, floor=server.now)


def expected(held: scan.Held, person: Neighbour, *, at: int, inward: bool) -> tuple[list[str], Decision]:
    """What is shown, code by code until nothing is left to ask, and what the gate must say then."""
    gate = scan.Gate(frozenset({world.HOME}))
    shown: list[str] = []
    for code in person.codes:
        shown.append(code)
        said = scan.look(scan.Look(shown, inward=inward, device_time=at), gate=gate, held=held).decision
        if said.verdict is Verdict.ALLOW:
            break
    return shown, said


def at_the_gate(page: Page, codes: list[str], said: Decision) -> None:
    next_person(page)
    for code in codes:
        pull(page, code)
    wanted = f"[data-verdict={said.verdict.name}][data-reason={said.reason}]"
    page.locator(wanted).wait_for(timeout=5_000)


@pytest.mark.timeout(1800)
def test_three_days_without_a_server_for_a_whole_compound(playwright: Playwright) -> None:
    server = GateServer()
    held = publish(server)
    browser = launch(playwright)
    context = browser.new_context(viewport={"width": 360, "height": 640}, permissions=["camera"])
    watched = Watched(context, at=NOON)
    page = watched.page
    enrol(page, server, list_age="0 分")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    server.stop()
    facts = page.locator(".g-facts")
    wanted: list[tuple[int, bool, Decision]] = []
    reasons = set()
    for hours, age in COMING.items():
        at = NOON + hours * HOUR
        watched.set_clock(at)
        page.reload()  # the telephone was off in the night
        facts.get_by_text(age).wait_for()
        inward = hours == 25
        turn(page, "进" if inward else "出")
        for person in PEOPLE:
            codes, said = expected(held, person, at=at, inward=inward)
            at_the_gate(page, codes, said)
            wanted.append((at, inward, said))
            reasons.add((said.verdict.name, said.reason))
        next_person(page)
        # A verdict waits for no disk; the telephone goes out once the screen says that all is written.
        facts.get_by_text(f"未上传 {len(wanted)}").wait_for()
        assert "离线" in facts.inner_text()
    # The clock was set back to before the last contact: said, and no order comes back to life.
    watched.set_clock(NOON - world.DAY)
    turn(page, "出")
    for person in PEOPLE[:3]:
        codes, said = expected(held, person, at=NOON - world.DAY, inward=False)
        at_the_gate(page, codes, said)
        wanted.append((NOON - world.DAY, False, said))
    facts.get_by_text("本机时间存疑").wait_for()
    next_person(page)
    assert {("DENY", "ORDER_IN_FORCE"), ("ALLOW", "TERM_ENDED"), ("ALLOW_REG", "LIST_OLD")} <= reasons, (
        reasons
    )
    facts.get_by_text(f"未上传 {len(wanted)}").wait_for()

    now = NOON + 74 * HOUR
    watched.set_clock(now)
    back = server.back_again(now=now)
    back.fault = "lost answer"
    # The answer is lost once: the device sends all of it again.
    while back.uploads < 2:
        page.evaluate("dispatchEvent(new Event('online'))")
        page.wait_for_timeout(500)
    rows = sent(page, back, len(wanted))
    assert [row.seq for row in rows] == list(range(1, len(wanted) + 1))
    assert [(row.at, row.inward, row.verdict, row.reason) for row in rows] == [
        (at, inward, said.verdict, said.reason) for at, inward, said in wanted
    ]
    assert watched.errors == []
    context.close()
    browser.close()
    back.stop()
