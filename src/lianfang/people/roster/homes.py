"""The dwellings a roster names: those that stand, and those that are registered with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lianfang.places.actions import PlaceDraft, add_places
from lianfang.places.policy import Kind
from lianfang.places.queries import standing_below

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from .checking import Row

    Homes = dict[tuple[str, str, str, str], str]
else:
    Homes = dict


def find_homes(rows: Iterable[Row], *, community: str, on: date) -> tuple[Homes, int]:
    """The path of each dwelling of the file, and how many places were registered for it."""
    standing: dict[tuple[str, Kind, str], str] = {}
    compounds: dict[str, str] = {}
    for place in standing_below(
        community, kinds=(Kind.COMPOUND, Kind.BUILDING, Kind.STAIRWELL, Kind.DWELLING)
    ):
        if place.kind is Kind.COMPOUND:
            compounds[place.name] = place.path
        else:
            standing[place.path.rpartition(".")[0], place.kind, place.code] = place.path
    wanted = {row.dwelling: row.room for row in rows}
    made = 0

    names = sorted({d[0] for d in wanted} - compounds.keys())
    made += len(names)
    new = add_places([PlaceDraft(Kind.COMPOUND, community, n, n) for n in names], from_on=on)
    compounds |= dict(zip(names, new, strict=True))

    def ensure(drafts: dict[tuple[str, Kind, str], str]) -> int:
        missing = [(key, name) for key, name in drafts.items() if key not in standing]
        paths = add_places([PlaceDraft(k[1], k[0], name, k[2]) for k, name in missing], from_on=on)
        standing.update(zip((key for key, _ in missing), paths, strict=True))
        return len(missing)

    made += ensure({(compounds[c], Kind.BUILDING, b): f"{b}栋" for c, b, _, _ in wanted})
    building = {(c, b): standing[compounds[c], Kind.BUILDING, b] for c, b, _, _ in wanted}
    made += ensure({(building[c, b], Kind.STAIRWELL, w): f"{w}单元" for c, b, w, _ in wanted if w})
    above = {
        (c, b, w): standing[building[c, b], Kind.STAIRWELL, w] if w else building[c, b]
        for c, b, w, _ in wanted
    }
    made += ensure({(above[c, b, w], Kind.DWELLING, door): room for (c, b, w, door), room in wanted.items()})
    return {d: standing[above[d[:3]], Kind.DWELLING, d[3]] for d in wanted}, made
