"""Places for tests: the district's real divisions, invented compounds."""

from __future__ import annotations

from datetime import date
from typing import Final

from lianfang.places import actions, queries
from lianfang.places.policy import Kind

#: The shipped edition and the day from which the tree of the tests stands.
EDITION: Final = "510402-2020-02"
SINCE: Final = date(2019, 10, 31)


def a_district() -> str:
    """The path of the district, its divisions beneath it."""
    return actions.open_district(edition_id=EDITION, from_on=SINCE)


def a_community(code: str = "510402001003") -> str:
    """The path of a community; the district stands around it."""
    a_district()
    path = queries.path_of_code(code)
    assert path is not None, code
    return path


def _child(parent: str, kind: Kind, name: str, code: str) -> str:
    for place in queries.children(parent):
        if place.kind is kind and place.code == code:
            return place.path
    return actions.add_places([actions.PlaceDraft(kind, parent, name, code)], from_on=SINCE)[0]


def a_compound(community: str | None = None, name: str = "和睦花园") -> str:
    """A compound of that name; the same one every time."""
    return _child(community or a_community(), Kind.COMPOUND, name, name)


def a_building(compound: str | None = None, number: str = "5") -> str:
    """A building of the compound."""
    return _child(compound or a_compound(), Kind.BUILDING, f"{number}栋", number)


def a_stairwell(building: str | None = None, number: str = "2") -> str:
    """A stairwell of the building."""
    return _child(building or a_building(), Kind.STAIRWELL, f"{number}单元", number)


def a_dwelling(door: str = "5-2-0603", *, community: str | None = None, compound: str | None = None) -> str:
    """The dwelling with that door; everything above it is built as needed."""
    building, stairwell, room = door.split("-")
    above = a_stairwell(a_building(compound or a_compound(community), building), stairwell)
    return _child(above, Kind.DWELLING, room, door)
