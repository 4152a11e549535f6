"""Search: what is found, by which index, page after page."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from lianfang.accounts.rights import Role
from lianfang.kernel.errors import NotAllowed
from lianfang.kernel.row_security import scope
from lianfang.people import search
from lianfang.people.actions import rosters
from lianfang.people.models import Person
from lianfang.places.queries import at_level
from tests.factories.people import DISTRICT, a_citizen_number, a_community, a_dwelling, a_person, an_actor
from tests.factories.rosters import a_roster, as_xlsx

if TYPE_CHECKING:
    from lianfang.kernel.actor import Actor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _district() -> object:
    a_dwelling()
    with scope(areas=[DISTRICT]):
        yield


def _cdc() -> Actor:
    return an_actor(Role.CDC, DISTRICT)


def test_one_person_is_found_in_every_way() -> None:
    number = a_citizen_number(date(1986, 5, 4))
    pk = a_person("罗小娟", phone="19900000001", id_no=number)
    a_person("王伟", area=a_dwelling("5-2-0604"))
    for text in ("罗", "罗小", "罗小娟", "小娟", "lxj", "LX", "5-2-0603", "5-2-603", "05-2-603", number, number.lower(),
                 "19900000001", " 罗小娟 "):  # fmt: skip
        assert search.find(text, by=_cdc()).ids == (pk,), text
    for text in (
        "",
        "  ",
        "赵",
        number[:-1],
        "1990000000",
        "9-9-0999",
        "%",
        "_",
        "罗%",
        "'; DROP TABLE people_person",
    ):
        assert search.find(text, by=_cdc()).ids == (), text


def test_phone_and_number_only_whole() -> None:
    number = a_citizen_number(date(1986, 5, 4))
    a_person(phone="19900000001", id_no=number)
    for text in (number[:17], number[1:], "9900000001", "1990000"):
        assert search.find(text, by=_cdc()).ids == ()


def test_only_in_the_own_area() -> None:
    here, there = a_community(), a_community("510402002001")
    mine = a_person("罗小娟")
    a_person("罗小娟", area=a_dwelling("5-2-0603", community=there))
    for by in (an_actor(Role.COMMUNITY, here), an_actor(Role.GRID, here)):
        for text in ("罗", "小娟", "lxj", "5-2-0603"):
            assert search.find(text, by=by).ids == (mine,), text
        with pytest.raises(NotAllowed):
            search.find("罗", by=by, within=there)
    assert len(search.find("罗", by=_cdc()).ids) == 2
    assert search.find("罗", by=_cdc(), within=here).ids == (mine,)
    assert search.find("罗", by=an_actor(Role.STREET, DISTRICT)).ids == ()


def test_pages_follow_each_other_without_gap_or_double() -> None:
    community = a_community()
    rosters.import_roster(
        as_xlsx(a_roster(400)), community=community, filename="a.xlsx", by=an_actor(Role.COMMUNITY, community)
    )
    for by in (_cdc(), an_actor(Role.COMMUNITY, community)):
        for text, wanted in (
            ("伟", Person.objects.filter(name_given__startswith="伟")),
            ("w", Person.objects.filter(initials__startswith="w")),
            ("王", Person.objects.filter(name__startswith="王")),
        ):
            seen: list[object] = []
            after: str | None = ""
            while after is not None:
                page = search.find(text, by=by, after=after)
                assert len(page.ids) <= search.PAGE
                seen += page.ids
                after = page.next
            assert sorted(map(str, seen)) == sorted(map(str, wanted.values_list("pk", flat=True)))
    for after in ("x", "0.x", "9.", "0." + "0" * 36, "'"):
        assert search.find("王", by=_cdc(), after=after).ids


@pytest.mark.parametrize(
    ("column", "area", "index"),
    [
        ("name", DISTRICT, "person_by_name"),
        ("name_given", DISTRICT, "person_by_given"),
        ("initials", DISTRICT, "person_by_initials"),
        ("name", "community", "person_by_community_name"),
        ("initials", "community", "person_by_community_initials"),
    ],
)
def test_an_index_answers_below_row_security(column: str, area: str, index: str) -> None:
    """The bounds must be conditions of the index and not a filter above the policy: else it reads everybody."""
    area = a_community() if area == "community" else area
    seen: list[str] = []

    class Explained:
        def __call__(self, execute, sql, params, many, context):  # type: ignore[no-untyped-def]
            if "FROM people_person WHERE" in sql:
                with connection.cursor() as cursor:
                    # Only what the index can answer counts, not what is cheapest for a handful of rows.
                    for other in ("seqscan", "bitmapscan", "sort"):
                        cursor.execute(f"SET LOCAL enable_{other} = off")
                    if "community" in index:
                        cursor.execute(f"DROP INDEX person_by_{column}")  # until the test's transaction ends
                    cursor.cursor.execute("EXPLAIN (COSTS OFF) " + sql, params)
                    seen.append("\n".join(r[0] for r in cursor.fetchall()))
            return execute(sql, params, many, context)

    with connection.execute_wrapper(Explained()):
        search._range(column, "罗", [area], None, 51)
    (plan,) = seen
    assert re.search(rf"Index (Only )?Scan using {index}\b", plan), plan
    bounds = next(line for line in plan.splitlines() if "Index Cond" in line)
    assert f"({column})::text >=" in bounds
    assert "Sort" not in plan


def test_a_place_lists_its_people() -> None:
    pk = a_person()
    a_person("王伟", area=a_dwelling("6-1-0101"))
    building = at_level(a_dwelling(), "building") or ""
    assert search.list_people(building, by=_cdc()).ids == (pk,)
    with pytest.raises(NotAllowed):
        search.list_people(building, by=an_actor(Role.COMMUNITY, a_community("510402002001")))
