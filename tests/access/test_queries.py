"""A page asks the database a known number of times, whatever the district holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories.people import a_dwelling

from .addresses import Address, addresses
from .world import World, a_household, a_world, fillings, readable_by, url

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

#: No page needs more. Login, offices, scope and savepoints alone are eight.
MOST: Final = 45


#: Pages that cannot be flat, each with the reason.
GROWING: Final = {
    "/desk/orders/print/": "sets one paper after the other; each is looked up with its own facts"
}


def _asked(client: Client, target: str) -> int | None:
    """How many queries the page makes; None if it is no page of this role."""
    client.get(target)  # what is cached in the process is cached now
    with CaptureQueriesContext(connection) as asked:
        response = client.get(target)
    return len(asked) if response.status_code == 200 else None


def _pages(world: World) -> list[tuple[Address, str, str]]:
    found = []
    for address in addresses():
        if "GET" in address.methods and not address.arguments:
            found += [
                (address, who, url(address, {})) for who in readable_by(address)[:1] if who in world.users
            ]
        elif "GET" in address.methods and "print" not in address.route:
            values = fillings(address, world, most=2)[0]
            found += [
                (address, who, url(address, values)) for who in readable_by(address)[:1] if who in world.users
            ]
    return found


def test_pages_ask_as_often_in_a_larger_district() -> None:
    world = a_world(households=1)
    pages = _pages(world)
    before = {(str(a), who): _asked(world.browser(who), target) for a, who, target in pages}
    community = world.people[0].area.split(".m")[0]
    for house in range(6):
        a_household(world, a_dwelling(f"{house + 10}-1-0101", community=community))
        # Neighbours in the same stairwell, too: a list of one building grows as well.
        a_household(world, a_dwelling(f"1-1-{house + 2:02d}01", community=community))
    wrong = []
    for address, who, target in pages:
        asked = _asked(world.browser(who), target)
        first = before[(str(address), who)]
        if asked is None or first is None or str(address) in GROWING:
            continue
        if asked > first:
            wrong.append(f"{address} as {who}: {first} queries, then {asked}")
        if asked > MOST:
            wrong.append(f"{address} as {who}: {asked} queries")
    assert not wrong, "\n".join(wrong)
    assert sum(1 for n in before.values() if n) > 10, "hardly a page was measured"
