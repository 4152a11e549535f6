"""Invented estates in the real divisions: grids, compounds, buildings, stairwells, dwellings, checkpoints.

Two estates of the story always stand: Hemu Garden 禾木花园, where Ms Luo lives behind 5-2-0603, and Yunling
Court 云岭苑 with its north gate. The others are made until the number of dwellings is exactly reached.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import TYPE_CHECKING, Final

from . import names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random  # noqa: TID251 - the generator is passed in, seeded

PEOPLE: Final = 410_000
DWELLINGS: Final = 175_000
VACANT_SHARE: Final = 0.04
CHECKPOINTS: Final = 552
ROAD_CHECKPOINTS: Final = 12
#: Of the checkpoints that are not on roads, this share stands at venues and villages: 40 of 540.
_VENUE_SHARE: Final = 40 / 540
FEWEST_CHECKPOINTS: Final = 20
#: Below this a district is too small for the estates of the story.
SMALLEST_SCALE: Final = 0.002

#: Where the story plays: the communities Zhuhuyuan and Yangguang Xinyuan, and Ashuda village.
HEMU_COMMUNITY: Final = "510402002001"
YUNLING_COMMUNITY: Final = "510402009010"
VILLAGE: Final = "510402100207"
HEMU: Final = "禾木花园"
YUNLING: Final = "云岭苑"
LUO_DOOR: Final = "5-2-0603"
WU_DOOR: Final = "3-1-0102"
SEAL_DOOR: Final = "7-1-0902"
_GRID_HOLDS: Final = 400


@dataclass(frozen=True, slots=True)
class Dwelling:
    """One flat or house. `door` is as on passes: building-stairwell-room, or the number of a village house."""

    door: str
    room: str


@dataclass(frozen=True, slots=True)
class Stairwell:
    """One 单元."""

    number: int
    dwellings: tuple[Dwelling, ...]


@dataclass(frozen=True, slots=True)
class Building:
    """One building."""

    number: int
    stairwells: tuple[Stairwell, ...]


@dataclass(frozen=True, slots=True)
class Compound:
    """One estate, or one group of houses of a village: then `houses` stand in it without buildings."""

    name: str
    buildings: tuple[Building, ...] = ()
    houses: tuple[Dwelling, ...] = ()

    def dwellings(self) -> list[Dwelling]:
        """All of them, building by building."""
        return [d for b in self.buildings for s in b.stairwells for d in s.dwellings] + list(self.houses)


@dataclass(frozen=True, slots=True)
class Grid:
    """What one grid worker looks after."""

    number: int
    compounds: tuple[Compound, ...]


@dataclass(slots=True)
class Community:
    """A community or village and what stands in it; most are empty in a small district."""

    code: str
    village: bool
    grids: tuple[Grid, ...] = ()

    def compounds(self) -> list[Compound]:
        """All estates of the community."""
        return [c for g in self.grids for c in g.compounds]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One staffed point: `place` is a street's code, a community's code, or (community, compound)."""

    kind: str
    name: str
    place: str
    compound: str = ""


@dataclass(slots=True)
class Estates:
    """Everything that stands in the district."""

    communities: list[Community] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)


def make(rng: Random, *, scale: float, communities: Sequence[tuple[str, bool]]) -> Estates:
    """The estates of a district with `scale` times 175,000 dwellings.

    :param communities: code of each community of the edition, and whether it is a village
    :raises ValueError: smaller than the estates of the story, or larger than the district
    """
    if not SMALLEST_SCALE <= scale <= 1:
        raise ValueError(f"between {SMALLEST_SCALE} and 1, not {scale}")
    total = round(DWELLINGS * scale)
    hemu = _story_compound(HEMU, _HEMU_BUILDINGS, room_for=total * 0.35)
    yunling = _story_compound(YUNLING, _YUNLING_BUILDINGS, room_for=total * 0.31)
    story = {HEMU_COMMUNITY: hemu, YUNLING_COMMUNITY: yunling}
    left = total - len(hemu.dwellings()) - len(yunling.dwellings())

    peopled = _peopled(rng, communities, scale=scale)
    weights = {
        code: rng.uniform(0.6, 1.4) * (0.3 if village else 1.0)
        for code, village in communities
        if code in peopled and (code not in story or scale > 0.05)
    }
    targets = apportion(left, weights)
    fresh_names = iter(names.estate_names(rng))
    made = Estates()
    for code, village in communities:
        compounds = [story[code]] if code in story else []
        target = targets.get(code, 0)
        if village:
            compounds += _village_groups(rng, target)
        else:
            for size in _compound_sizes(rng, target):
                compounds.append(_estate(rng, next(fresh_names), size))
        made.communities.append(Community(code, village, _grids(compounds)))
    made.checkpoints = _checkpoints(made.communities, scale=scale)
    return made


def apportion(total: int, weights: dict[str, float]) -> dict[str, int]:
    """Share `total` by weight in whole numbers that sum to it exactly (largest remainder)."""
    whole = sum(weights.values())
    exact = {key: total * weight / whole for key, weight in weights.items()}
    shares = {key: int(value) for key, value in exact.items()}
    by_remainder = sorted(exact, key=lambda key: (shares[key] - exact[key], key))
    for key in by_remainder[: total - sum(shares.values())]:
        shares[key] += 1
    return shares


def _peopled(rng: Random, communities: Sequence[tuple[str, bool]], *, scale: float) -> set[str]:
    """Which communities have anything in them: all of a full district, seven of one at 1 %."""
    count = min(len(communities), max(4, round(len(communities) * scale**0.5)))
    fixed = [HEMU_COMMUNITY, YUNLING_COMMUNITY, VILLAGE]
    others = [code for code, village in communities if code not in fixed and (not village or scale > 0.1)]
    rng.shuffle(others)
    return set(fixed + others[: count - len(fixed)]) if scale < 1 else {code for code, _ in communities}


#: (building, stairwells, floors, doors to a floor), the ones the story needs first.
_HEMU_BUILDINGS: Final = (
    (5, 2, 6, 3), (3, 1, 6, 3), (12, 4, 6, 3), *((n, 2, 6, 3) for n in (1, 2, 4, 6, 7, 8, 9, 10, 11)),
)  # fmt: skip
_YUNLING_BUILDINGS: Final = tuple((n, 1, 19, 4) for n in (7, 1, 2, 3, 4, 5, 6))


def _story_compound(
    name: str, buildings: Sequence[tuple[int, int, int, int]], *, room_for: float
) -> Compound:
    chosen: list[Building] = []
    size = 0
    for number, stairwells, floors, doors in buildings:
        if chosen and size + stairwells * floors * doors > room_for:
            break
        size += stairwells * floors * doors
        chosen.append(_building(number, stairwells=stairwells, floors=floors, doors=doors))
    return Compound(name, tuple(sorted(chosen, key=lambda b: b.number)))


def _building(number: int, *, stairwells: int, floors: int, doors: int, at_most: int = 10_000) -> Building:
    """A building; its last stairwells and upper floors are left out beyond `at_most` dwellings."""
    made = []
    for stairwell in range(1, stairwells + 1):
        rooms = [f"{floor:02d}{door:02d}" for floor in range(1, floors + 1) for door in range(1, doors + 1)][
            :at_most
        ]
        at_most -= len(rooms)
        if rooms:
            made.append(
                Stairwell(stairwell, tuple(Dwelling(f"{number}-{stairwell}-{room}", room) for room in rooms))
            )
    return Building(number, tuple(made))


def _compound_sizes(rng: Random, target: int) -> list[int]:
    """Cut a community's dwellings into estates of some 200 to 700."""
    sizes: list[int] = []
    while target > 0:
        size = rng.randint(260, 640)
        if target - size < 120:
            size = target
        sizes.append(size)
        target -= size
    return sizes


def _estate(rng: Random, name: str, size: int) -> Compound:
    buildings: list[Building] = []
    tower = size > 200 and rng.random() < 0.3
    number = 0
    while size > 0:
        number += 1
        stairwells = rng.choice((1, 2)) if tower else rng.choice((2, 3, 3, 4))
        floors = rng.choice((11, 17, 18)) if tower else rng.choice((5, 6, 6, 7))
        doors = 4 if tower else rng.choice((2, 2, 3))
        buildings.append(_building(number, stairwells=stairwells, floors=floors, doors=doors, at_most=size))
        size -= sum(len(s.dwellings) for s in buildings[-1].stairwells)
    return Compound(name, tuple(buildings))


def _village_groups(rng: Random, target: int) -> list[Compound]:
    """Villages have groups of houses without buildings."""
    groups: list[Compound] = []
    while target > 0:
        size = min(target, rng.randint(40, 160))
        numerals = "一二三四五六七八九十"
        ordinal = len(groups) + 1
        name = numerals[ordinal - 1] if ordinal <= 10 else f"十{numerals[ordinal - 11]}"
        houses = tuple(Dwelling(str(n), f"{n}号") for n in range(1, size + 1))
        # More than twenty groups do not occur below 1,000 houses; the last one takes what is left.
        if ordinal == 20:
            houses = tuple(Dwelling(str(n), f"{n}号") for n in range(1, target + 1))
        groups.append(Compound(f"{name}组", houses=houses))
        target -= len(houses)
    return groups


def _grids(compounds: Sequence[Compound]) -> tuple[Grid, ...]:
    """Whole estates to a grid until it holds some 400 dwellings."""
    bundles: list[list[Compound]] = []
    held = _GRID_HOLDS
    for compound in compounds:
        size = len(compound.dwellings())
        if held + size > _GRID_HOLDS:
            bundles.append([])
            held = 0
        bundles[-1].append(compound)
        held += size
    return tuple(Grid(n, tuple(bundle)) for n, bundle in enumerate(bundles, start=1))


def _checkpoints(communities: Sequence[Community], *, scale: float) -> list[Checkpoint]:
    """Twelve on roads whatever the size; the others at estates first, then at venues and villages."""
    total = max(FEWEST_CHECKPOINTS, round(CHECKPOINTS * scale))
    others = total - ROAD_CHECKPOINTS
    venues = round(others * _VENUE_SHARE)
    streets = list(dict.fromkeys(c.code[:9] for c in communities))
    points = [
        Checkpoint("road", f"公路{n + 1}号卡口", streets[n % len(streets)]) for n in range(ROAD_CHECKPOINTS)
    ]
    peopled = [c for c in communities if c.grids]
    # Villages come first among those that are not estates: their road is their gate.
    at_places = sorted(peopled, key=lambda c: (not c.village, c.code))
    points += [
        Checkpoint("venue", f"{'村口' if c.village else '便民场所'}{n // len(at_places) + 1}号卡口", c.code)
        for n, c in enumerate(islice(cycle(at_places), venues))
    ]
    estates = sorted(
        ((c, e) for c in peopled if not c.village for e in c.compounds()),
        key=lambda pair: (pair[1].name not in (YUNLING, HEMU), -len(pair[1].dwellings())),
    )
    gates = [
        Checkpoint("gate", name, community.code, estate.name)
        for name in ("北门", "南门", "东门", "西门")
        for community, estate in estates
    ]
    return points + gates[: others - venues]
