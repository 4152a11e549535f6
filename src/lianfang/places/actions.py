"""Acts on places: open a district, register a place, apply a new edition of the division codes."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction

from lianfang.kernel.errors import NotFound, SameIdOtherContent

from .errors import EditionNotNewer, NoSuchEdition, NotUnderThatPlace, PlaceHasEnded, SuccessorMissing
from .models import Division, Edition, EditionInForce, Place, Succession
from .policy import MANAGE, STANDS_IN, Kind, kind_at, label
from .queries import edition_on, path_of_code, reserve_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lianfang.kernel.actor import Actor

DATA: Final = Path(__file__).parent / "data"

#: The editions that come with the system: (id, district, codes as of, published).
SHIPPED: Final = (
    ("510402-2020-02", "510402", date(2019, 10, 31), date(2020, 2, 25)),
    ("510402-2020-11", "510402", date(2020, 6, 30), date(2020, 11, 6)),
)
_KIND_OF_LEVEL: Final = {
    "district": Kind.DISTRICT,
    "subdistrict": Kind.STREET,
    "town": Kind.STREET,
    "community": Kind.COMMUNITY,
    "village": Kind.COMMUNITY,
}


@dataclass(frozen=True, slots=True)
class PlaceDraft:
    """A place to be registered. Sending it again gives the same place: kind, parent and code are its identity."""

    kind: Kind
    parent: str
    name: str
    code: str


@transaction.atomic
def load_editions() -> None:
    """Put the shipped editions into the reference tables; those already there stay as they are."""
    for edition_id, district, as_of, published in SHIPPED:
        edition, made = Edition.objects.get_or_create(
            id=edition_id, defaults={"district": district, "codes_as_of": as_of, "published_on": published}
        )
        if made:
            with (DATA / f"divisions-{edition_id}.csv").open(encoding="utf-8-sig", newline="") as lines:
                Division.objects.bulk_create(
                    Division(edition=edition, **row) for row in csv.DictReader(lines)
                )


def shipped_editions() -> list[tuple[str, str, str, date]]:
    """What a first run can choose: (edition, name of the district, its code, codes as of)."""
    found = []
    for edition_id, code, as_of, _published in SHIPPED:
        with (DATA / f"divisions-{edition_id}.csv").open(encoding="utf-8-sig", newline="") as lines:
            name = next(row["name"] for row in csv.DictReader(lines) if row["code"] == code)
        found.append((edition_id, name, code, as_of))
    return found


def shipped_successors(edition_id: str) -> dict[str, str]:
    """Old code → new code, where the names themselves show it."""
    path = DATA / f"successors-{edition_id}.csv"
    if not path.exists():
        return {}
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return {row["old"]: row["new"] for row in csv.DictReader(lines)}


@transaction.atomic
def open_district(*, edition_id: str, from_on: date) -> str:
    """Set up a district's tree from an edition; returns the district's path. Again: nothing new.

    Part of the first run, before anybody holds an office; later editions come by `apply_edition`.

    :raises NoSuchEdition: not among the editions loaded
    """
    load_editions()
    edition = Edition.objects.filter(pk=edition_id).first()
    if edition is None:
        raise NoSuchEdition(edition=edition_id)
    if existing := path_of_code(edition.district):
        return existing
    EditionInForce.objects.create(district=edition.district, edition=edition, from_on=from_on)
    paths: dict[str, str] = {}
    for division in edition.divisions.order_by("code"):
        kind = _KIND_OF_LEVEL[division.level]
        above = paths.get(division.parent)
        own = label(kind, division.code)
        paths[division.code] = f"{above}.{own}" if above else own
        Place.objects.create(
            kind=kind, path=paths[division.code], name=division.name, code=division.code, valid_from=from_on
        )
    return paths[edition.district]


@transaction.atomic
def register_place(draft: PlaceDraft, *, by: Actor) -> str:
    """Register a place below the divisions; returns its path.

    :raises NotFound: no such parent
    :raises NotAllowed: `by` holds no office over the parent
    :raises NotUnderThatPlace: this kind does not stand there
    :raises PlaceHasEnded: the parent is no longer in use
    :raises SameIdOtherContent: the number is taken under another name
    """
    # Locking the parent makes two registrations of the same number queue here.
    parent = Place.objects.select_for_update().filter(path=draft.parent).first()
    if parent is None:
        raise NotFound(place=draft.parent)
    by.require(MANAGE, over=draft.parent)
    if Kind(parent.kind) not in STANDS_IN[draft.kind]:
        raise NotUnderThatPlace(kind=draft.kind.value)
    if parent.valid_to is not None and parent.valid_to <= by.legal_day:
        raise PlaceHasEnded()
    earlier = (
        Place.objects.filter(path__within=draft.parent, kind=draft.kind, code=draft.code, valid_to=None)
        .extra(where=["subpath(path, 0, -1) = %s::ltree"], params=[draft.parent])
        .first()
    )
    if earlier is not None:
        if earlier.name != draft.name:
            raise SameIdOtherContent()
        return str(earlier.path)
    return add_places([draft], from_on=by.legal_day)[0]


def add_places(drafts: Iterable[PlaceDraft], *, from_on: date) -> list[str]:
    """Write places in bulk for an act that has checked right and repeat itself; returns their paths in order.

    Parents come before their children or stand already; the schema checks both.
    """
    drafts = list(drafts)
    ids = reserve_ids(len(drafts))
    paths = [f"{d.parent}.{label(d.kind, i)}" for d, i in zip(drafts, ids, strict=True)]
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY places_place (id, kind, path, name, code, valid_from) FROM STDIN") as copy,
    ):
        for row_id, draft, path in zip(ids, drafts, paths, strict=True):
            copy.write_row((row_id, draft.kind.value, path, draft.name, draft.code, from_on))
    return paths


@transaction.atomic
def apply_edition(
    *, edition_id: str, successors: Mapping[str, str], from_on: date, by: Actor
) -> dict[str, str]:
    """Let the district live by a newer edition from a day on; returns old path → new path of what moved.

    Codes that cease end on that day and stay answerable for the days before; everything that stood in them
    moves below their successor in the same transaction, and with it (by foreign key) the homes of people.
    `successors` adds to the successions that the shipped data show and wins over them.

    :raises NoSuchEdition: not loaded
    :raises NotAllowed: `by` holds no office over the district
    :raises EditionNotNewer: it is in force already, or not newer
    :raises SuccessorMissing: a code ceases, something stands in it, and nobody said where it goes
    """
    load_editions()
    edition = Edition.objects.filter(pk=edition_id).first()
    root = path_of_code(edition.district) if edition else None
    if edition is None or root is None:
        raise NoSuchEdition(edition=edition_id)
    # Locking the district's root serialises editions.
    Place.objects.select_for_update().get(path=root)
    by.require(MANAGE, over=root)
    current = EditionInForce.objects.filter(district=edition.district).order_by("-from_on").first()
    if current is not None and (
        current.edition.codes_as_of >= edition.codes_as_of or current.from_on >= from_on
    ):
        raise EditionNotNewer()

    new = {d.code: d for d in edition.divisions.all()}
    old = {p.code: p for p in _divisions_in_use(root)}
    goes_to = {**shipped_successors(edition_id), **successors}
    ending = {code: place for code, place in old.items() if code not in new}
    missing = sorted(
        code
        for code, place in ending.items()
        if goes_to.get(code) not in new and (place.kind == Kind.COMMUNITY and _holds_anything(place.path))
    )
    if missing:
        raise SuccessorMissing(codes=", ".join(missing))

    EditionInForce.objects.create(district=edition.district, edition=edition, from_on=from_on)
    for code, place in old.items():
        if code in new and place.name != new[code].name:
            Place.objects.filter(pk=place.pk).update(name=new[code].name)
    for code in sorted(new.keys() - old.keys()):
        division = new[code]
        kind = _KIND_OF_LEVEL[division.level]
        above = path_of_code(division.parent)
        Place.objects.create(
            kind=kind,
            path=f"{above}.{label(kind, code)}",
            name=division.name,
            code=code,
            valid_from=from_on,
        )
    moved: dict[str, str] = {}
    for code, place in ending.items():
        target = path_of_code(goes_to[code]) if goes_to.get(code) in new else None
        if target is not None and kind_at(target) == kind_at(place.path):
            _move_contents(place.path, target)
            Succession.objects.create(old_path=place.path, new_path=target, edition=edition, on=from_on)
            moved[place.path] = target
    Place.objects.filter(pk__in=[p.pk for p in ending.values()]).update(valid_to=from_on)
    return moved


def _divisions_in_use(root: str) -> list[Place]:
    return list(
        Place.objects.filter(
            path__within=root, kind__in=[Kind.DISTRICT, Kind.STREET, Kind.COMMUNITY], valid_to=None
        )
    )


def _holds_anything(path: str) -> bool:
    return Place.objects.filter(path__within=path, valid_to=None).exclude(path=path).exists()


def _move_contents(old: str, new: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE places_place SET path = %s::ltree || subpath(path, nlevel(%s::ltree))"
            " WHERE path <@ %s::ltree AND path <> %s::ltree",
            [new, old, old, old],
        )


__all__ = [
    "PlaceDraft",
    "add_places",
    "apply_edition",
    "edition_on",
    "load_editions",
    "open_district",
    "register_place",
    "shipped_successors",
]
