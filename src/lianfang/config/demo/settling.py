"""Puts estates and people of the invented district into the database, through the acts of their rooms."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from lianfang.accounts.rights import Purpose
from lianfang.people.actions import enrolment as people
from lianfang.people.policy import IdType, Sex, Source
from lianfang.places import actions as places
from lianfang.places.actions import PlaceDraft
from lianfang.places.policy import Kind

from .calendar import REGISTERED_ON, at
from .numbers import Ids
from .offices import community_login

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, timedelta
    from uuid import UUID

    from .offices import Staff
    from .population import HouseholdOf
    from .progress import Progress
    from .world import World

#: When the roster of every community is entered.
ENROLLED_AT = at(REGISTERED_ON, 9)


@dataclass(slots=True)
class Settled:
    """Where everything is: `homes[i]` is the path of `world.homes[i]`, the ids are those of its people."""

    homes: list[str] = field(default_factory=list)
    #: The place each checkpoint guards: a compound, a community or a street.
    posts: list[str] = field(default_factory=list)
    compounds: dict[str, str] = field(default_factory=dict)
    grids: dict[str, str] = field(default_factory=dict)
    households: list[UUID | None] = field(default_factory=list)
    persons: list[list[UUID]] = field(default_factory=list)


def build(
    world: World, communities: Mapping[str, str], streets: Mapping[str, str], *, from_on: date
) -> Settled:
    """Put the estates into the divisions, level by level; returns the paths.

    :param communities: path by code; `streets` likewise
    """
    settled = Settled()
    settled.grids = _below(
        ((f"{c.code}/{g.number}", communities[c.code], Kind.GRID, f"第{g.number}网格", str(g.number))
         for c in world.estates.communities for g in c.grids),
        from_on,
    )  # fmt: skip
    settled.compounds = _below(
        ((f"{c.code}/{e.name}", settled.grids[f"{c.code}/{g.number}"], Kind.COMPOUND, e.name, e.name)
         for c in world.estates.communities for g in c.grids for e in g.compounds),
        from_on,
    )  # fmt: skip
    buildings = _below(
        ((f"{c.code}/{e.name}/{b.number}", settled.compounds[f"{c.code}/{e.name}"], Kind.BUILDING, f"{b.number}栋", str(b.number))
         for c in world.estates.communities for e in c.compounds() for b in e.buildings),
        from_on,
    )  # fmt: skip
    stairwells = _below(
        ((f"{c.code}/{e.name}/{b.number}/{w.number}", buildings[f"{c.code}/{e.name}/{b.number}"], Kind.STAIRWELL,
          f"{w.number}单元", str(w.number))
         for c in world.estates.communities for e in c.compounds() for b in e.buildings for w in b.stairwells),
        from_on,
    )  # fmt: skip
    drafts = [
        PlaceDraft(
            kind=Kind.DWELLING,
            parent=stairwells[f"{c.code}/{e.name}/{b.number}/{w.number}"],
            name=d.room,
            code=d.door,
        )
        if b is not None and w is not None
        else PlaceDraft(
            kind=Kind.DWELLING, parent=settled.compounds[f"{c.code}/{e.name}"], name=d.room, code=d.door
        )
        for c in world.estates.communities
        for e in c.compounds()
        for b, w, d in [
            *((b, w, d) for b in e.buildings for w in b.stairwells for d in w.dwellings),
            *((None, None, d) for d in e.houses),
        ]
    ]
    settled.homes = places.add_places(drafts, from_on=from_on)
    settled.posts = [
        settled.compounds[f"{p.place}/{p.compound}"]
        if p.compound
        else communities.get(p.place) or streets[p.place]
        for p in world.estates.checkpoints
    ]
    places.add_places(
        [
            PlaceDraft(kind=Kind.CHECKPOINT, parent=parent, name=p.name, code=f"K{n:03d}")
            for n, (p, parent) in enumerate(
                zip(world.estates.checkpoints, settled.posts, strict=True), start=1
            )
        ],
        from_on=from_on,
    )
    return settled


def _below(rows: Iterable[tuple[str, str, Kind, str, str]], from_on: date) -> dict[str, str]:
    """Add one level of places; path by key."""
    listed = list(rows)
    drafts = [
        PlaceDraft(kind=kind, parent=parent, name=name, code=code) for _, parent, kind, name, code in listed
    ]
    return dict(zip([row[0] for row in listed], places.add_places(drafts, from_on=from_on), strict=True))


def number_everybody(world: World, settled: Settled) -> None:
    """Give every person and household the id they will have, before anybody is entered."""
    person_ids, household_ids = (Ids(kind=kind) for kind in (1, 2))
    for home in world.households:
        settled.households.append(household_ids.next() if home else None)
        settled.persons.append([person_ids.next() for _ in home.members] if home else [])


def settle(world: World, settled: Settled, *, staff: Staff, shift: timedelta, progress: Progress) -> None:
    """Enter the people of each community through its worker."""
    when = ENROLLED_AT + shift
    guardian_ids = Ids(kind=3)
    progress.begin("people", sum(len(p) for p in settled.persons))
    for code, group in groupby(range(len(world.homes)), key=lambda i: world.homes[i].community):
        by = staff.actor(community_login(code), when, Purpose.REGISTER_KEEPING)
        drafts = (
            _household(home, household_id, settled.persons[i], settled.homes[i], guardian_ids, shift=shift)
            for i in group
            if (home := world.households[i]) and (household_id := settled.households[i])
        )
        progress.done(people.enrol_households(drafts, by=by))


def _household(
    home: HouseholdOf,
    household_id: UUID,
    persons: list[UUID],
    area: str,
    guardian_ids: Ids,
    *,
    shift: timedelta,
) -> people.HouseholdDraft:
    return people.HouseholdDraft(
        household_id=household_id,
        area=area,
        members=tuple(
            people.PersonDraft(
                person_id=person_id, name=m.name, area=area, id_type=IdType.CN_ID, id_no=m.number,
                sex=Sex.MALE if m.male else Sex.FEMALE, birth_date=m.born + shift, phone=m.phone,
                household_id=household_id, relation=m.relation, care=m.care, origin_division=m.origin,
                source=Source.IMPORT,
            )
            for m, person_id in zip(home.members, persons, strict=True)
        ),
        guardians=tuple(
            people.GuardianDraft(
                id=guardian_ids.next(), ward_id=persons[ward], guardian_id=persons[guardian], basis="parent"
            )
            for ward, guardian in home.guards
        ),
    )  # fmt: skip
