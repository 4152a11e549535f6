"""The first milestone as one story: a roster imported, an order signed, a gate that needs no server, a proof.

XLSX of one community → order proposed and signed → status delta → the gate, with the server stopped, says
DENY for the paper pass → from the end instant ALLOW, still stopped → the order's proof, cosigned by two of
three witnesses, is verified by the verifier page, offline.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import pytest

from tests.factories.people import a_citizen_number

from .conftest import device
from .steps import (
    a_household,
    enrol_gate,
    fetched,
    find_person,
    log_in,
    paper_pass,
    picture,
    report_and_propose,
    scan,
    send_roster,
    sign,
    write_roster,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from .conftest import System

COMPOUND: Final = "向阳新苑"
HIM: Final = "高云朗"


def a_roster() -> bytes:
    """One household of a new compound, as a community keeps it."""
    him, her = (a_citizen_number(born) for born in (date(1984, 5, 6), date(1986, 7, 8)))
    return a_household(COMPOUND, [(HIM, him, "19900007101", "户主"), ("田雨秋", her, "19900007102", "配偶")])


@pytest.mark.timeout(420)
def test_from_a_spreadsheet_to_a_free_person_at_a_gate_without_a_server(
    system: System, browser: Browser
) -> None:
    with (
        device(browser, system, width=1280) as community,
        device(browser, system, width=1280) as health,
        device(browser, system) as guard,
    ):
        desk, officer = community.new_page(), health.new_page()
        log_in(desk, system, "community")
        send_roster(desk, system, a_roster())
        write_roster(desk)
        picture(desk, "milestone-1-imported")
        person = find_person(desk, system, HIM)
        card = paper_pass(desk, person)
        report_and_propose(desk, system, person, HIM)
        gate = enrol_gate(desk, system, guard, place=COMPOUND, name="向阳新苑北门")
        assert scan(gate, card)[0] in {"ALLOW", "ALLOW_REG"}
        log_in(officer, system, "cdc")
        order, ends_at = sign(officer, system, HIM)
        # The delta reaches the gate while it long-polls.
        for _ in range(60):
            if scan(gate, card)[0] == "DENY":
                break
            gate.wait_for_timeout(500)
        assert scan(gate, card) == ("DENY", "ORDER_IN_FORCE")
        picture(gate, "milestone-4-deny")

        # The proof, once two of three have cosigned; the verifier is visited once, then everything is stopped.
        officer.goto(order)
        entry = officer.locator("a[href*='/open/chain/entry/']").first.get_attribute("href")
        assert entry
        proof = ""
        for _ in range(40):
            proof = fetched(officer, f"{system.address}{entry}proof.txt").decode()
            if proof:
                break
            officer.wait_for_timeout(500)
        assert proof, "no proof within 20 s"
        verifier = guard.new_page()
        verifier.goto(f"{system.address}/open/verify/")
        verifier.evaluate("navigator.serviceWorker.ready.then(() => true)")
        gate.evaluate("navigator.serviceWorker.ready.then(() => true)")

        system.stop()
        try:
            assert scan(gate, card) == ("DENY", "ORDER_IN_FORCE")
            gate.clock.set_fixed_time(ends_at - timedelta(seconds=1))
            assert scan(gate, card)[0] == "DENY"
            gate.clock.set_fixed_time(ends_at)
            assert scan(gate, card) == ("ALLOW", "TERM_ENDED")
            picture(gate, "milestone-5-allow")

            verifier.reload()
            verifier.get_by_text("粘贴二维码文字").click()
            verifier.locator("textarea").fill(proof)
            verifier.get_by_role("button", name="核验", exact=True).click()
            said = verifier.locator("[data-result]").inner_text()
            assert "已证明：这份记录在信息链中" in said
            assert "不证明它现在仍然有效" in said
            picture(verifier, "milestone-6-proved")
        finally:
            system.start()
