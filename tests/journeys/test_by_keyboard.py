"""Each journey once more with keys alone, in an installation of its own: no mouse, no finger (product, principle of access)."""

from __future__ import annotations

import inspect
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from . import (
    test_audited,
    test_first_milestone,
    test_in_wechat,
    test_proved_at_home,
    test_returnee,
    test_roster_with_faults,
    test_without_a_phone,
)
from .conftest import installed
from .no_mouse import no_mouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from .conftest import System

pytestmark = [pytest.mark.journey, pytest.mark.nightly]

#: In the order of their instants: an installation's clock does not run back.
JOURNEYS = (
    test_first_milestone.test_from_a_spreadsheet_to_a_free_person_at_a_gate_without_a_server,
    test_roster_with_faults.test_the_error_file_equals_the_list_and_the_corrected_roster_is_in_once,
    test_without_a_phone.test_what_a_phone_would_do_is_done_on_paper,
    test_in_wechat.test_nothing_is_lost_when_the_web_view_forgets,
    test_proved_at_home.test_a_resident_proves_an_order_with_the_network_off,
    test_audited.test_an_auditor_checks_one_order_and_a_sample,
    test_returnee.test_a_returnee_is_free_at_midnight_with_nothing_run,
)


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with installed() as found:
        yield found


@pytest.mark.timeout(900)
@pytest.mark.parametrize("journey", JOURNEYS, ids=[j.__module__.rpartition("test_")[2] for j in JOURNEYS])
def test_without_a_mouse(
    journey: Callable[..., None], system: System, browser: Browser, tmp_path: Path
) -> None:
    # An officer's code is good once, and the last journey may have used it.
    system.move_to(system.now() + timedelta(minutes=1))
    given: dict[str, Any] = {"system": system, "browser": browser, "tmp_path": tmp_path}
    with no_mouse():
        journey(**{name: given[name] for name in inspect.signature(journey).parameters})
