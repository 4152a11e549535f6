"""Finding people: by name, pinyin initials, door; by phone and document number exactly. Ids only: the reader shows.

Every question is bounded and goes by an index that serves below row security; pages go by keyset, nothing
is counted, and an answer says nothing about people outside the areas of the one who asks (A-2).
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import connection

from lianfang.accounts.rights import Right
from lianfang.kernel.row_security import scope
from lianfang.places.queries import at_level, dwellings_by_door

from .actions.persons import number_index
from .citizen_number import normal
from .models import Person
from .naming import tidy
from .policy import IdType
from .roster.checking import number_of, room_of
from .sealing import blind_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.backends.utils import CursorWrapper

    from lianfang.kernel.actor import Actor

#: People on one page; never more (T14).
PAGE: Final = 50
_LAST: Final = "\U0010ffff"


class By(StrEnum):
    """What a search text was taken for."""

    NUMBER = "number"
    PHONE = "phone"
    DOOR = "door"
    INITIALS = "initials"
    NAME = "name"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Found:
    """One page of ids, what the text was taken for, and where the next page begins (None: nothing more)."""

    ids: tuple[UUID, ...]
    kind: By
    next: str | None = None


def kind_of(text: str) -> By:
    """What a text is searched as."""
    plain = normal(text)
    if not plain:
        return By.NOTHING
    if re.fullmatch(r"[0-9]{17}[0-9X]", plain):
        return By.NUMBER
    if re.fullmatch(r"1[0-9]{10}|0[0-9]{2,3}-?[0-9]{7,8}", plain):
        return By.PHONE
    if re.fullmatch(r"[0-9A-Z一-龥]{1,6}-(?:[0-9A-Z]{1,6}-)?[0-9A-Z]{1,8}", plain):
        return By.DOOR
    if re.fullmatch(r"[A-Z]{1,8}", plain):
        return By.INITIALS
    return By.NAME


def find(text: str, *, by: Actor, within: str | None = None, after: str = "") -> Found:
    """People matching the text in the areas where `by` may search, at most a page, in the order of names.

    :param within: a smaller area to search in
    :param after: `next` of the page before
    :raises NotAllowed: `by` may not search over `within`
    """
    areas = by.areas(Right.PEOPLE_PERSON_SEARCH)
    if within:
        by.require(Right.PEOPLE_PERSON_SEARCH, over=within)
        areas = (within,)
    kind = kind_of(text)
    if kind is By.NOTHING or not areas:
        return Found((), By.NOTHING)
    with scope(areas=areas):
        if kind is By.NUMBER:
            return Found(_exact("id_index", number_index(IdType.CN_ID, normal(text))), kind)
        if kind is By.PHONE:
            return Found(_exact("phone_index", blind_index(normal(text), field="phone")), kind)
        if kind is By.DOOR:
            return Found(_at_door(text, areas), kind)
        phase, last = _position(after)
        if kind is By.INITIALS:
            ids = _range("initials", normal(text).lower(), areas, last, PAGE + 1)
            return _page(ids, "0", kind)
        return _by_name(tidy(text), areas, phase, last)


def list_people(area: str, *, by: Actor, after: str = "") -> Found:
    """The people living at or below a place, a page in the order of names.

    :raises NotAllowed: `by` may not search over it
    """
    by.require(Right.PEOPLE_PERSON_SEARCH, over=area)
    with scope(areas=[area]):
        _, last = _position(after)
        return _page(_range("name", "", (area,), last, PAGE + 1), "0", By.NAME)


def _position(after: str) -> tuple[str, UUID | None]:
    phase, _, last = after.partition(".")
    try:
        return (phase if phase in ("0", "1") else "0"), UUID(last)
    except ValueError:
        return "0", None


def _page(ids: Sequence[UUID], phase: str, kind: By) -> Found:
    more = f"{phase}.{ids[PAGE - 1]}" if len(ids) > PAGE else None
    return Found(tuple(ids[:PAGE]), kind, more)


def _exact(column: str, index: bytes) -> tuple[UUID, ...]:
    rows = Person.objects.filter(**{column: index}).order_by("pk").values_list("pk", flat=True)
    return tuple(rows[:PAGE])


def _at_door(text: str, areas: Sequence[str]) -> tuple[UUID, ...]:
    parts = normal(text).split("-")
    door = "-".join([*(number_of(p) for p in parts[:-1]), room_of(parts[-1])])
    homes = [place.path for place in dwellings_by_door(door, within=areas)]
    if not homes:
        return ()
    # Only the policy's own comparison of areas may use the index below row security: so narrow the scope.
    with scope(areas=homes), connection.cursor() as cursor, _planned(cursor, _ALONE):
        return tuple(Person.objects.order_by("area", "pk").values_list("pk", flat=True)[:PAGE])


def _by_name(text: str, areas: Sequence[str], phase: str, last: UUID | None) -> Found:
    """Names that begin so; then given names that begin so. The second phase starts where the first ends."""
    ids: list[UUID] = []
    if phase == "0":
        ids = _range("name", text, areas, last, PAGE + 1)
        if len(ids) > PAGE:
            return _page(ids, "0", By.NAME)
        last = None
    more = _range("name_given", text, areas, last, PAGE + 1 - len(ids), but_not=text)
    return _page([*ids, *more], "1" if more else "0", By.NAME)


def _range(
    column: str,
    prefix: str,
    areas: Sequence[str],
    last: UUID | None,
    limit: int,
    *,
    but_not: str | None = None,
) -> list[UUID]:
    """Ids in the order of a text column, from an index range: begins with `prefix`, comes after `last`."""
    communities = {at_level(a, "community") for a in areas}
    where: list[str] = ["true"]
    params: list[str | list[str] | UUID | int] = []
    if None not in communities:
        where.append("community = ANY(%s)" if len(communities) > 1 else "community = %s")
        labels = sorted(str(c).rpartition(".")[2] for c in communities)
        params.append(labels if len(labels) > 1 else labels[0])
    if prefix:
        where.append(f'{column} COLLATE "C" >= %s AND {column} COLLATE "C" < %s')
        params += [prefix, prefix + _LAST]
    if last is not None:
        where.append(
            f'({column} COLLATE "C", id) > (SELECT {column} COLLATE "C", id FROM people_person WHERE id = %s)'
        )
        params.append(last)
    if but_not is not None:
        where.append('NOT (name COLLATE "C" >= %s AND name COLLATE "C" < %s)')
        params += [but_not, but_not + _LAST]
    # The column is one of three names written above, never a value from outside.
    sql = (
        f'SELECT id FROM people_person WHERE {" AND ".join(where)} ORDER BY {column} COLLATE "C", id LIMIT %s'
    )
    with connection.cursor() as cursor, _planned(cursor, _IN_INDEX_ORDER):
        cursor.execute(sql, (*params, limit))
        return [row[0] for row in cursor.fetchall()]


#: Walk the index in its order and stop after a page. The planner cannot know how many rows a policy lets
#: through, takes them for few, and would read and sort everybody of a name: 19,000 people called 王 in the
#: district instead of 51.
_IN_INDEX_ORDER: Final = ("enable_sort", "off")
#: No helpers: the planner takes the people of one door for a tenth of the district, and starting two helpers
#: took thirty times as long as the question.
_ALONE: Final = ("max_parallel_workers_per_gather", "0")


@contextmanager
def _planned(cursor: CursorWrapper, how: tuple[str, str]) -> Iterator[None]:
    """One question planned otherwise than the planner would; the setting before is put back."""
    name, value = how
    cursor.execute("SELECT current_setting(%s), set_config(%s, %s, true)", [name, name, value])
    (before, _) = cursor.fetchone()
    yield
    cursor.execute("SELECT set_config(%s, %s, true)", [name, before])
