"""Questions about places that any room may ask. Places are no personal data; nothing here is logged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection
from django.db.models import Q

from lianfang.kernel.errors import NotFound
from lianfang.kernel.fields import within_any

from .models import Division, EditionInForce, Place, Succession
from .policy import Kind, at_level, kind_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

__all__ = [
    "DivisionView",
    "Kind",
    "PlaceView",
    "addresses",
    "addresses_below",
    "at_level",
    "children",
    "current_path",
    "division_on",
    "doors",
    "dwellings_by_door",
    "edition_on",
    "kind_at",
    "names",
    "path_of_code",
    "place",
    "places_at",
    "standing_below",
]


@dataclass(frozen=True, slots=True)
class PlaceView:
    """One place as others see it."""

    path: str
    kind: Kind
    name: str
    code: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class DivisionView:
    """One line of the edition that was in force on a day."""

    edition: str
    code: str
    name: str
    level: str
    parent: str


def place(path: str) -> PlaceView:
    """The place at a path.

    :raises NotFound: there is none
    """
    found = places_at([path])
    if path not in found:
        raise NotFound(place=path)
    return found[path]


def places_at(paths: Iterable[str]) -> dict[str, PlaceView]:
    """The places at these paths; unknown ones are left out."""
    rows = Place.objects.extra(where=["path = ANY(%s::ltree[])"], params=[list(set(paths))])
    return {row.path: _view(row) for row in rows}


def _view(row: Place) -> PlaceView:
    return PlaceView(row.path, Kind(row.kind), row.name, row.code, row.valid_from, row.valid_to)


def children(path: str, *, on: date | None = None, limit: int = 500) -> list[PlaceView]:
    """The places standing directly in `path` (on a day, or those in use), by number, at most `limit`."""
    rows = Place.objects.extra(where=["subpath(path, 0, -1) = %s::ltree"], params=[path])
    rows = (
        rows.filter(valid_to=None)
        if on is None
        else rows.filter(Q(valid_to=None) | Q(valid_to__gt=on), valid_from__lte=on)
    )
    return sorted((_view(r) for r in rows[:limit]), key=lambda p: (len(p.code), p.code))


def _ancestors(path: str) -> list[str]:
    labels = path.split(".")
    return [".".join(labels[: i + 1]) for i in range(len(labels))]


def districts() -> list[str]:
    """The paths of all districts; what lies in none of them is nowhere."""
    return list(Place.objects.filter(kind=Kind.DISTRICT).order_by("path").values_list("path", flat=True))


def names(paths: Iterable[str]) -> dict[str, str]:
    """The own name of each place."""
    return {path: view.name for path, view in places_at(paths).items()}


#: From which kind an address begins: the district knows in which street a compound lies.
_ADDRESS_KINDS: Final = (Kind.COMPOUND, Kind.BUILDING, Kind.STAIRWELL, Kind.DWELLING, Kind.VENUE)


def addresses(paths: Iterable[str]) -> dict[str, str]:
    """Full address of each place in one query: 炳草岗街道竹湖园社区和睦花园5栋2单元0603.

    The district, which everybody knows, is named only where nothing lies below it.
    """
    wanted = set(paths)
    found = places_at({a for path in wanted for a in _ancestors(path)})
    below = {path: view.name for path, view in found.items() if view.kind is not Kind.DISTRICT}
    return {
        path: "".join(below.get(a, "") for a in _ancestors(path)) or found[path].name
        for path in wanted
        if path in found
    }


def doors(paths: Iterable[str]) -> dict[str, str]:
    """The door of each dwelling, as on passes and sheets: `5-2-0603`."""
    return {path: view.code for path, view in places_at(paths).items() if view.kind is Kind.DWELLING}


def dwellings_by_door(door: str, *, within: Iterable[str], limit: int = 50) -> list[PlaceView]:
    """Dwellings with that whole door below any of the areas; at most `limit`."""
    rows = Place.objects.filter(
        within_any("path", within), kind=Kind.DWELLING, code=door, valid_to=None
    ).order_by("id")[:limit]
    return [_view(r) for r in rows]


def path_of_code(code: str, *, on: date | None = None) -> str | None:
    """The path of the division with that official code: in use, or as it was on a day."""
    kinds = [Kind.DISTRICT, Kind.STREET, Kind.COMMUNITY]
    rows = Place.objects.filter(code=code, kind__in=kinds)
    rows = (
        rows.filter(valid_to=None)
        if on is None
        else rows.filter(Q(valid_to=None) | Q(valid_to__gt=on), valid_from__lte=on)
    )
    row = rows.first()
    return row.path if row else None


def edition_on(district: str, on: date) -> str | None:
    """The edition by which the district lived on that day."""
    row = EditionInForce.objects.filter(district=district, from_on__lte=on).order_by("-from_on").first()
    return row.edition_id if row else None


def division_on(code: str, on: date) -> DivisionView | None:
    """What an official code meant on that day; None where it did not exist then."""
    edition = edition_on(code[:6], on)
    row = Division.objects.filter(edition_id=edition, code=code).first() if edition else None
    return DivisionView(row.edition_id, row.code, row.name, row.level, row.parent) if row else None


def current_path(path: str) -> str:
    """Where a path of an earlier day leads now, through every edition applied since."""
    moves: Mapping[str, str] = {
        s.old_path: s.new_path for s in Succession.objects.filter(old_path__contains_area=path).order_by("id")
    }
    seen = {path}
    while True:
        for old, new in moves.items():
            if path == old or path.startswith(old + "."):
                path = new + path[len(old) :]
                break
        else:
            return path
        if path in seen:
            return path
        seen.add(path)
        moves = {
            s.old_path: s.new_path
            for s in Succession.objects.filter(old_path__contains_area=path).order_by("id")
        }


def reserve_ids(count: int) -> list[int]:
    """Row ids for places that are written in bulk by `actions.add_places`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('places_place', 'id')) FROM generate_series(1, %s)",
            [count],
        )
        return [row[0] for row in cursor.fetchall()]


def standing_below(path: str, *, kinds: Iterable[Kind]) -> list[PlaceView]:
    """Every place in use of these kinds at or below a path. For bulk acts; may be long."""
    rows = Place.objects.filter(path__within=path, kind__in=[k.value for k in kinds], valid_to=None)
    return [_view(r) for r in rows.iterator(chunk_size=10_000)]


def addresses_below(areas: Iterable[str], *, kinds: Iterable[Kind]) -> dict[str, str]:
    """Full address of every place in use of these kinds at or below the areas, to choose one from."""
    wanted = list(kinds)
    return addresses({place.path for area in areas for place in standing_below(area, kinds=wanted)})
