"""The demonstration district: the real divisions of East District, everything and everybody in them invented.

By seed, so that the same size gives the same district. `fill` puts it into an empty system in one transaction:
after a kill it is not there at all, and the next start begins anew. See docs/demo.md.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from lianfang.accounts.rights import Purpose
from lianfang.kernel import clock
from lianfang.kernel.row_security import scope
from lianfang.places import actions as places
from lianfang.places import queries as places_queries
from lianfang.places.policy import Kind, at_level
from lianfang.rules import actions as rules

from . import happenings, offices, settling, world
from .calendar import REGISTERED_ON, at, shift_for
from .cases import officers_for
from .estates import HEMU, HEMU_COMMUNITY, LUO_DOOR, WU_DOOR
from .offices import Staff, logins
from .progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

__all__ = ["fill", "logins"]

INCIDENT = UUID("0190a0c0-0000-7000-8000-000000000019")


def fill(*, scale: float, say: Callable[[str], None]) -> None:
    """Fill an empty system with the district at a scale: 0.01 has 4,100 people, 1 has 410,000.

    In a year other than 2020 the story moves by whole days so that its twentieth day is today.

    :raises ValueError: the scale is not between 0.002 and 1
    """
    now = clock.now()
    shift = timedelta(days=shift_for(now))
    progress = Progress(say)
    say(f"inventing a district at scale {scale:g} …")
    made = world.make(scale=scale, shift=shift)
    from_on = REGISTERED_ON + shift
    with transaction.atomic():
        root = places.open_district(edition_id=world.EDITION, from_on=from_on)
        with scope(areas=[root]):
            _fill(made, root, now=now, shift=shift, progress=progress)


def _fill(made: world.World, root: str, *, now: datetime, shift: timedelta, progress: Progress) -> None:
    communities, streets = _paths(made)
    settled = settling.build(made, communities, streets, from_on=REGISTERED_ON + shift)
    luo, wu = (made.home_of(HEMU, door) for door in (LUO_DOOR, WU_DOOR))
    settling.number_everybody(made, settled)
    staff = offices.enter(
        areas=offices.Areas(
            district=root,
            street=streets[HEMU_COMMUNITY[:9]],
            community=communities[HEMU_COMMUNITY],
            grid=at_level(settled.homes[luo], Kind.GRID) or "",
            compound=at_level(settled.homes[luo], Kind.COMPOUND) or "",
        ),
        communities={c.code: communities[c.code] for c in made.estates.communities if c.grids},
        names=places_queries.names([*communities.values(), *streets.values()]),
        health_officers=officers_for(len(made.cases)),
        residents={"luo": settled.persons[luo][0], "wu": settled.persons[wu][0]},
        shift=shift,
        now=now,
    )
    _begin_incident(staff, root, shift=shift)
    settling.settle(made, settled, staff=staff, shift=shift, progress=progress)
    happenings.let_the_planner_know()
    happenings.Stage(made, settled, staff=staff, shift=shift, until=now, progress=progress).play()


def _paths(made: world.World) -> tuple[dict[str, str], dict[str, str]]:
    """Paths of all communities and of all streets, by code."""
    codes = [c.code for c in made.estates.communities]
    found = {code: places_queries.path_of_code(code) for code in codes}
    communities = {code: path for code, path in found.items() if path is not None}
    return communities, {code[:9]: path.rpartition(".")[0] for code, path in communities.items()}


def _begin_incident(staff: Staff, root: str, *, shift: timedelta) -> None:
    """The outbreak and its rules. Only the rules of this jurisdiction move with the story."""
    by = staff.actor("commander", at(REGISTERED_ON, 8) + shift, Purpose.ADMINISTRATION)
    rules.declare_incident(
        INCIDENT, code="DEMO", disease="covid19", name_zh="新冠肺炎疫情（演示）", name_en="COVID-19 (demonstration)",
        area=root, by=by,
    )  # fmt: skip
    rules.load_shipped([*rules.SHIPPED, rules.DEMONSTRATION], shift_days=shift.days, by=by)
