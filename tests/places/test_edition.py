"""Divisions are dated: the merges and new codes of November 2020, and the walls of the tree."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from lianfang.accounts.rights import Role
from lianfang.kernel.errors import NotAllowed, SameIdOtherContent
from lianfang.places import actions, queries
from lianfang.places.errors import EditionNotNewer, NotUnderThatPlace, SuccessorMissing
from lianfang.places.models import Division, Place, Succession
from lianfang.places.policy import Kind, at_level, base36
from tests.factories.people import DISTRICT, a_person, an_actor
from tests.factories.places import a_community, a_compound, a_district, a_dwelling

pytestmark = pytest.mark.django_db
NEW = "510402-2020-11"
DAY = date(2020, 12, 1)


def test_the_shipped_editions_are_the_published_ones() -> None:
    a_district()
    counts = {
        edition: [Division.objects.filter(edition_id=edition, level=level).count() for level in
                  ("subdistrict", "town", "community", "village")]
        for edition in ("510402-2020-02", NEW)
    }  # fmt: skip
    assert counts == {"510402-2020-02": [9, 1, 60, 9], NEW: [5, 1, 40, 7]}


def test_a_community_that_moved_keeps_its_people_and_its_past() -> None:
    home = a_dwelling("5-2-0603", community=a_community("510402002015"))
    person = a_person(area=home)
    street = an_actor(Role.STREET, DISTRICT)
    moved = actions.apply_edition(edition_id=NEW, successors={}, from_on=DAY, by=street)
    old, new = "d510402.s510402002.c510402002015", "d510402.s510402010.c510402010004"
    assert moved[old] == new
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lf.areas', %s, true)", [DISTRICT])
        cursor.execute("SELECT area::text FROM people_person WHERE id = %s", [person])
        assert cursor.fetchone()[0] == queries.current_path(home) == home.replace(old, new)
    assert queries.current_path(new) == new
    # The old code is answerable for its days, the new one for its own.
    before = queries.division_on("510402002015", date(2020, 3, 1))
    assert before is not None
    assert before.name == "新源路社区"
    assert queries.division_on("510402002015", DAY) is None
    after = queries.division_on("510402010004", DAY)
    assert after is not None
    assert after.name == "新源路社区居民委员会"
    assert queries.path_of_code("510402002015", on=date(2020, 3, 1)) == old
    assert queries.path_of_code("510402002015", on=DAY) is None
    assert queries.path_of_code("510402002015") is None
    assert queries.edition_on("510402", date(2020, 11, 30)) == "510402-2020-02"


def test_two_that_merge_live_below_one() -> None:
    first = a_dwelling("1-1-0101", community=a_community("510402009005"), compound=None)
    actions.apply_edition(
        edition_id=NEW,
        successors={"510402009005": "510402009006"},
        from_on=DAY,
        by=an_actor(Role.STREET, DISTRICT),
    )
    assert queries.current_path(first).startswith("d510402.s510402009.c510402009006.")


def test_nothing_is_moved_by_guessing() -> None:
    a_dwelling("1-1-0101", community=a_community("510402009005"))
    before = list(Place.objects.order_by("pk").values_list("path", "valid_to"))
    with pytest.raises(SuccessorMissing, match="510402009005"):
        actions.apply_edition(edition_id=NEW, successors={}, from_on=DAY, by=an_actor(Role.STREET, DISTRICT))
    assert list(Place.objects.order_by("pk").values_list("path", "valid_to")) == before


def test_an_edition_is_applied_once_and_by_the_entitled() -> None:
    a_district()
    with pytest.raises(NotAllowed):
        actions.apply_edition(
            edition_id=NEW, successors={}, from_on=DAY, by=an_actor(Role.STREET, "d510402.s510402002")
        )
    street = an_actor(Role.STREET, DISTRICT)
    actions.apply_edition(edition_id=NEW, successors={}, from_on=DAY, by=street)
    assert Place.objects.filter(kind="community", valid_to=None).count() == 47
    with pytest.raises(EditionNotNewer):
        actions.apply_edition(edition_id=NEW, successors={}, from_on=date(2021, 1, 1), by=street)


def test_a_place_is_registered_once_where_it_may_stand() -> None:
    community = a_community()
    by = an_actor(Role.COMMUNITY, community)
    draft = actions.PlaceDraft(Kind.COMPOUND, community, "云岭苑", "云岭苑")
    path = actions.register_place(draft, by=by)
    assert actions.register_place(draft, by=by) == path
    assert at_level(path, "community") == community
    with pytest.raises(NotUnderThatPlace):
        actions.register_place(actions.PlaceDraft(Kind.DWELLING, community, "603", "603"), by=by)
    with pytest.raises(SameIdOtherContent):
        actions.register_place(actions.PlaceDraft(Kind.COMPOUND, community, "云岭园", "云岭苑"), by=by)
    with pytest.raises(NotAllowed):
        actions.register_place(
            actions.PlaceDraft(Kind.COMPOUND, a_community("510402002001"), "云岭苑", "云岭苑"), by=by
        )


def test_a_path_is_cut_at_a_level() -> None:
    path = a_dwelling()
    assert at_level(path, "street") == "d510402.s510402001"
    assert at_level(path, "dwelling") == path
    assert at_level(path, "grid") is None
    assert base36(0) == "0"
    assert [int(base36(n), 36) for n in (1, 35, 36, 10**12)] == [1, 35, 36, 10**12]
    assert queries.addresses([path])[path].endswith("和睦花园5栋2单元0603")
    assert queries.doors([path]) == {path: "5-2-0603"}


@pytest.mark.parametrize(
    ("constraint", "changed"),
    [
        ("place_path_is_unique", {}),
        ("place_kind_is_known", {"kind": "castle", "path": "{compound}.b1"}),
        ("place_has_a_name_and_a_code", {"name": "", "path": "{compound}.b1"}),
        ("place_has_a_name_and_a_code", {"code": "", "path": "{compound}.b1"}),
        ("place_ends_after_it_begins", {"valid_to": date(2020, 1, 1), "path": "{compound}.b1"}),
        ("place_label_says_its_kind", {"path": "{compound}.w1"}),
        ("place_code_is_unique_under_its_parent", {"path": "{compound}.b1", "code": "5", "name": "五栋"}),
        ("place_stands_in_a_place", {"path": "{community}.b1"}),
        ("place_stands_in_a_place", {"path": "b1"}),
    ],
)
def test_the_schema_keeps_the_tree(constraint: str, changed: dict[str, object]) -> None:
    compound = a_compound()
    a_dwelling()
    building = queries.children(compound)[0].path
    values = {
        "kind": "building", "path": building, "name": "9栋", "code": "9", "valid_from": date(2020, 1, 1), **changed,
    }  # fmt: skip
    values["path"] = str(values["path"]).format(compound=compound, community=a_community())

    def put() -> None:
        with transaction.atomic():
            Place.objects.create(**values)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError, match=constraint):
        put()


def test_history_is_only_added_to() -> None:
    a_district()
    actions.apply_edition(edition_id=NEW, successors={}, from_on=DAY, by=an_actor(Role.STREET, DISTRICT))
    for rows in (Division.objects.all(), Succession.objects.all()):
        with pytest.raises(IntegrityError, match="only added"), transaction.atomic():
            rows.delete()
