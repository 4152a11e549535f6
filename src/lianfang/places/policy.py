"""Kinds of places, what stands in what, and how a path is written and cut. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The right of `accounts.rights` that acts here ask for; that room stands above this one.
MANAGE: Final = "places:place:manage"


class Kind(StrEnum):
    """What a place is. 单元 is a stairwell, never a flat."""

    DISTRICT = "district"
    STREET = "street"
    COMMUNITY = "community"
    GRID = "grid"
    COMPOUND = "compound"
    BUILDING = "building"
    STAIRWELL = "stairwell"
    DWELLING = "dwelling"
    VENUE = "venue"
    CHECKPOINT = "checkpoint"


#: The first letter of a path's label says what kind of place it is.
LETTER: Final[Mapping[Kind, str]] = {
    Kind.DISTRICT: "d",
    Kind.STREET: "s",
    Kind.COMMUNITY: "c",
    Kind.GRID: "g",
    Kind.COMPOUND: "m",
    Kind.BUILDING: "b",
    Kind.STAIRWELL: "w",
    Kind.DWELLING: "h",
    Kind.VENUE: "v",
    Kind.CHECKPOINT: "k",
}
KIND_OF: Final[Mapping[str, Kind]] = {letter: kind for kind, letter in LETTER.items()}

#: Divisions: their label is the official code; every other place's label is its own row id.
DIVISIONS: Final = (Kind.DISTRICT, Kind.STREET, Kind.COMMUNITY)

#: Kind → what it may stand in. Villages have houses without buildings, old courts buildings without stairwells.
STANDS_IN: Final[Mapping[Kind, frozenset[Kind]]] = {
    Kind.DISTRICT: frozenset(),
    Kind.STREET: frozenset({Kind.DISTRICT}),
    Kind.COMMUNITY: frozenset({Kind.STREET}),
    Kind.GRID: frozenset({Kind.COMMUNITY}),
    Kind.COMPOUND: frozenset({Kind.COMMUNITY, Kind.GRID}),
    Kind.BUILDING: frozenset({Kind.COMPOUND}),
    Kind.STAIRWELL: frozenset({Kind.BUILDING}),
    Kind.DWELLING: frozenset({Kind.STAIRWELL, Kind.BUILDING, Kind.COMPOUND}),
    Kind.VENUE: frozenset({Kind.COMMUNITY, Kind.GRID, Kind.COMPOUND, Kind.BUILDING}),
    Kind.CHECKPOINT: frozenset({Kind.DISTRICT, Kind.STREET, Kind.COMMUNITY, Kind.GRID, Kind.COMPOUND}),
}

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(number: int) -> str:
    """A row id as the lower-case base-36 text used in a label."""
    if number < 0:
        raise ValueError(number)
    text = ""
    while True:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
        if not number:
            return text


def label(kind: Kind, own: int | str) -> str:
    """The last label of a place's path: letter and official code, or letter and row id."""
    return LETTER[kind] + (own if isinstance(own, str) else base36(own))


def kind_at(path: str) -> Kind:
    """What kind of place a path leads to.

    :raises KeyError: not a path of this tree
    """
    return KIND_OF[path.rpartition(".")[2][:1]]


def at_level(path: str, kind: str) -> str | None:
    """The path cut at the place of that kind, or None where the path has none."""
    letter = LETTER[Kind(kind)]
    labels = path.split(".")
    for i, text in enumerate(labels):
        if text[:1] == letter:
            return ".".join(labels[: i + 1])
    return None


def row_id_of(text: str) -> int:
    """The row id in a label that carries one."""
    return int(text[1:], 36)
