"""The whole invented district as values, from one seed: estates, people, cases. Touches no database."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import timedelta
from random import Random  # noqa: TID251 - seeded here, so that the same seed gives the same district
from typing import TYPE_CHECKING, Final

from lianfang.places.actions import DATA

from . import cases, estates, population

if TYPE_CHECKING:
    from .cases import Case
    from .estates import Estates
    from .population import HouseholdOf

SEED: Final = 20200125
#: The official list of divisions by which the district lives in the scenario.
EDITION: Final = "510402-2020-02"


@dataclass(frozen=True, slots=True)
class Home:
    """One dwelling with its address in values: community, estate and door, and the grid it lies in."""

    community: str
    grid: int
    estate: str
    door: str


@dataclass(frozen=True, slots=True)
class World:
    """Everything there is. `households[i]` lives in `homes[i]`, None where the dwelling is vacant."""

    estates: Estates
    homes: list[Home]
    households: list[HouseholdOf | None]
    cases: list[Case]

    def home_of(self, estate: str, door: str) -> int:
        """Where in `homes` a door is."""
        return next(i for i, h in enumerate(self.homes) if (h.estate, h.door) == (estate, door))


def communities() -> list[tuple[str, bool]]:
    """Code of each community and village of the edition, and whether it is a village."""
    with (DATA / f"divisions-{EDITION}.csv").open(encoding="utf-8-sig", newline="") as lines:
        return [
            (row["code"], row["level"] == "village")
            for row in csv.DictReader(lines)
            if row["level"] in ("community", "village")
        ]


def make(*, scale: float, seed: int = SEED, shift: timedelta = timedelta()) -> World:
    """The district of this seed. Each part draws from its own stream: more people change no estate."""
    built = estates.make(_stream(seed, "estates"), scale=scale, communities=communities())
    homes = [
        Home(community.code, grid.number, compound.name, dwelling.door)
        for community in built.communities
        for grid in community.grids
        for compound in grid.compounds
        for dwelling in compound.dwellings()
    ]
    doors = [population.Door(h.estate, h.door) for h in homes]
    households = list(population.make(_stream(seed, "people"), scale=scale, doors=doors, shift=shift))
    at = {(d.estate, d.door): i for i, d in enumerate(doors)}
    luo, wu = at[estates.HEMU, estates.LUO_DOOR], at[estates.HEMU, estates.WU_DOOR]
    candidates = [
        cases.Candidate(i, homes[i].community) for i, household in enumerate(households) if household
    ]
    made = cases.make(
        _stream(seed, "cases"), scale=scale, households=households, candidates=candidates, luo=luo,
        keep_free=[wu],
    )  # fmt: skip
    return World(built, homes, households, made)


def _stream(seed: int, name: str) -> Random:
    return Random(f"{seed}/{name}")  # noqa: S311 - it invents people, it guards nothing
