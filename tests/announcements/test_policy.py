"""Where an announcement stands, and the one text that is hashed."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.announcements import policy
from lianfang.announcements.policy import LAPSES, PUBLIC, Acts, State, Text, state

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
AT = datetime(2020, 2, 10, tzinfo=UTC)
SIGNED: dict[str, Any] = {
    "drafted_at": AT,
    "reviewed_at": AT + DAY,
    "approved": True,
    "published_at": AT + 2 * DAY,
    "starts_at": AT + 3 * DAY,
    "ends_at": AT + 10 * DAY,
}


@pytest.mark.parametrize(
    ("changes", "at", "wanted"),
    [
        ({}, AT, State.DRAFT),
        ({}, AT + DAY - SECOND, State.DRAFT),
        ({}, AT + DAY, State.REVIEWED),
        ({"approved": False, "published_at": None, "starts_at": None}, AT + DAY, State.RETURNED),
        ({"approved": False, "published_at": None, "starts_at": None}, AT + 99 * DAY, State.RETURNED),
        ({"reviewed_at": None, "published_at": None, "ends_at": None}, AT + LAPSES - SECOND, State.DRAFT),
        ({"reviewed_at": None, "published_at": None, "ends_at": None}, AT + LAPSES, State.LAPSED),
        ({"published_at": None}, AT + 10 * DAY - SECOND, State.REVIEWED),
        ({"published_at": None}, AT + 10 * DAY, State.LAPSED),
        ({}, AT + 2 * DAY - SECOND, State.REVIEWED),
        ({}, AT + 2 * DAY, State.TO_COME),
        ({}, AT + 3 * DAY - SECOND, State.TO_COME),
        ({}, AT + 3 * DAY, State.IN_FORCE),
        ({}, AT + 10 * DAY - SECOND, State.IN_FORCE),
        ({}, AT + 10 * DAY, State.ENDED),
        ({"ends_at": None}, AT + 9999 * DAY, State.IN_FORCE),
        ({"withdrawn_at": AT + 2 * DAY}, AT + 2 * DAY, State.WITHDRAWN),
        ({"withdrawn_at": AT + 5 * DAY}, AT + 5 * DAY - SECOND, State.IN_FORCE),
        ({"withdrawn_at": AT + 5 * DAY}, AT + 5 * DAY, State.WITHDRAWN),
        ({"superseded_at": AT + 6 * DAY}, AT + 6 * DAY - SECOND, State.IN_FORCE),
        ({"superseded_at": AT + 6 * DAY}, AT + 6 * DAY, State.SUPERSEDED),
        # The first end counts, whatever comes after it.
        ({"superseded_at": AT + 6 * DAY, "withdrawn_at": AT + 7 * DAY}, AT + 8 * DAY, State.SUPERSEDED),
        ({"superseded_at": AT + 11 * DAY}, AT + 12 * DAY, State.ENDED),
    ],
)
def test_a_state_is_computed_from_the_acts_and_the_instant(
    changes: dict[str, Any], at: datetime, wanted: State
) -> None:
    assert state(Acts(**(SIGNED | changes)), at) is wanted


def test_what_is_public_once_stays_public_and_what_has_ended_stays_ended() -> None:
    """All orders of the four later instants, hour by hour."""
    ended = {State.ENDED, State.SUPERSEDED, State.WITHDRAWN}
    days = [None, 3, 5, 7]
    for ends, withdrawn, superseded in product(days, repeat=3):
        acts = Acts(
            drafted_at=AT,
            reviewed_at=AT,
            approved=True,
            published_at=AT + DAY,
            starts_at=AT + 2 * DAY,
            ends_at=AT + ends * DAY if ends else None,
            withdrawn_at=AT + withdrawn * DAY if withdrawn else None,
            superseded_at=AT + superseded * DAY if superseded else None,
        )
        seen = [state(acts, AT + n * DAY / 2) for n in range(20)]
        first = next(n for n, s in enumerate(seen) if s in PUBLIC)
        assert all(s in PUBLIC for s in seen[first:])
        over = [s for s in seen if s in ended]
        assert len(set(over)) <= 1
        assert not over or seen[-len(over) :] == over
        assert bool(over) == bool(ends or withdrawn or superseded)


def a_text(**changes: Any) -> Text:
    said: dict[str, Any] = {
        "number": "甲〔2020〕1号", "kind": "notice", "organ": "a", "organ_name": "甲", "signatory": "某",
        "title": "题", "title_en": "", "basis": "法", "places": ("d1",), "place_names": ("区",), "starts_at": AT,
        "ends_at": None, "supersedes": (), "body": "一\n二", "plain": "", "body_en": "", "aloud": "",
    }  # fmt: skip
    return Text(**(said | changes))


def test_the_published_text_to_the_byte() -> None:
    """What anybody else must write to get the same hash."""
    wanted = (
        "lianfang announcement 1\nnumber: 甲〔2020〕1号\nkind: notice\norgan: 甲 [a]\nsignatory: 某\ntitle: 题\n"
        "title in English:\nbasis: 法\nplaces: 区 [d1]\nfrom: 2020-02-10T00:00:00Z\nuntil: further notice\n"
        "supersedes:\ntext: 2 lines\n一\n二\nplain language: 0 lines\ntext in English: 0 lines\nloudspeaker: 0 lines\n"
    ).encode()
    assert policy.published_text(a_text()) == wanted
    assert policy.hash_of(a_text()) == sha256(wanted).hexdigest()


def test_each_field_changes_the_hash_and_none_can_pass_for_another() -> None:
    other: dict[str, Any] = {"starts_at": AT + SECOND, "ends_at": AT + DAY, "supersedes": ("乙〔2020〕1号",)}
    changed = [
        a_text(),
        *(
            replace(a_text(), **{f.name: other.get(f.name, ("d2",) if f.name.startswith("place") else "变")})
            for f in fields(Text)
        ),
        a_text(body="一\n二\nplain language: 1 lines\n三"),
        a_text(plain="三"),
        a_text(body="一", plain="二"),
    ]
    assert len({policy.hash_of(text) for text in changed}) == len(changed)


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_long_texts_do_not_run_into_each_other(a: str, b: str, c: str, d: str) -> None:
    kept = [policy.paragraphs(text) for text in (a, b, c, d)]
    one = a_text(body=kept[0], plain=kept[1], body_en=kept[2], aloud=kept[3])
    moved = a_text(body=kept[0] + "\n" + kept[1], plain="", body_en=kept[2], aloud=kept[3])
    assert kept[1] == "" or policy.hash_of(one) != policy.hash_of(moved)
    assert [policy.paragraphs(text) for text in kept] == kept


@pytest.mark.parametrize(
    ("places", "area"),
    [
        (["d1.s1.c1"], "d1.s1.c1"),
        (["d1.s1.c1", "d1.s1.c2"], "d1.s1"),
        (["d1.s1", "d1.s1.c2"], "d1.s1"),
        (["d1.s1.c1", "d1.s10.c1"], "d1"),
        (["d1", "d2"], ""),
        ([], ""),
    ],
)
def test_the_area_is_the_smallest_around_all_places(places: list[str], area: str) -> None:
    assert policy.area_of(places) == area


def test_an_organ_or_one_above_ends_it() -> None:
    assert policy.ends_it("a", "d1.s1.c1", of="a", of_area="d1.s1")
    assert policy.ends_it("b", "d1", of="a", of_area="d1.s1")
    assert not policy.ends_it("b", "d1.s1", of="a", of_area="d1.s1")
    assert not policy.ends_it("b", "d1.s2", of="a", of_area="d1.s1")
    assert not policy.ends_it("b", "d1.s1.c1", of="a", of_area="d1.s1")


def test_a_minute_is_240_spoken_characters() -> None:
    assert policy.seconds_aloud("字" * 240) == 60
    assert policy.seconds_aloud("字" * 240 + "，。！") == 60
    assert policy.seconds_aloud("字" * 241) == 61


@pytest.mark.parametrize(
    ("text", "named"),
    [("110101199003070011", 1), ("号11010119900307001X。", 1), ("电话0812-1990000", 0), ("1" * 19, 0)],
)
def test_what_looks_like_a_citizen_number_is_found(text: str, named: int) -> None:
    assert policy.id_numbers_in([text, "别的"]) == named
