"""Day counting: the published cases, an independent count, and 12 zones of the process."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.orders.policy import Term, days_left, term
from lianfang.rules.policy import ReleaseAt
from tests.orders import deadline_grid
from tests.sizes import SIZE, size

if TYPE_CHECKING:
    from collections.abc import Iterator

VECTORS = Path(__file__).parents[2] / "vectors" / "deadlines.json"
NEXT_DAY, SAME_HOUR = ReleaseAt.START_OF_NEXT_DAY, ReleaseAt.SAME_HOUR


@dataclass(frozen=True)
class Counting:
    days: int
    anchor_counts_as: int
    release_at: ReleaseAt


def legal(text: str) -> datetime:
    return datetime.fromisoformat(text + "+08:00")


@pytest.mark.parametrize(
    ("days", "counts_as", "release", "anchor", "last_full_day", "ends_at"),
    [
        # A returnee by day: 30 January 14:20, fourteen days, release 14 February 00:00.
        (14, 0, NEXT_DAY, "2020-01-30T14:20", "2020-02-13", "2020-02-14T00:00"),
        # A compound closed from 6 February 00:00 "to" 20 February 00:00: exactly 14 times 24 hours.
        (14, 0, NEXT_DAY, "2020-02-06T00:00", "2020-02-19", "2020-02-20T00:00"),
        (14, 1, NEXT_DAY, "2020-02-06T00:00", "2020-02-19", "2020-02-20T00:00"),
        (14, 0, SAME_HOUR, "2020-02-06T00:00", "2020-02-19", "2020-02-20T00:00"),
        # A public data set keeps 6 April to 20 April for 14 days.
        (14, 0, SAME_HOUR, "2021-04-06T09:00", "2021-04-19", "2021-04-20T09:00"),
        # One minute makes the day count as day 0; where the document says so, it is day 1 all the same.
        (14, 0, NEXT_DAY, "2020-02-06T00:01", "2020-02-20", "2020-02-21T00:00"),
        (14, 1, NEXT_DAY, "2020-02-06T00:01", "2020-02-19", "2020-02-20T00:00"),
        (14, 1, NEXT_DAY, "2020-02-06T23:59", "2020-02-19", "2020-02-20T00:00"),
        # Over the leap day, over the year, one day.
        (14, 0, NEXT_DAY, "2020-02-20T12:00", "2020-03-05", "2020-03-06T00:00"),
        (7, 0, NEXT_DAY, "2022-12-29T12:00", "2023-01-05", "2023-01-06T00:00"),
        (1, 1, NEXT_DAY, "2020-02-20T12:00", "2020-02-20", "2020-02-21T00:00"),
    ],
)
def test_published_cases(
    days: int, counts_as: int, release: ReleaseAt, anchor: str, last_full_day: str, ends_at: str
) -> None:
    assert term(Counting(days, counts_as, release), legal(anchor)) == Term(
        date.fromisoformat(last_full_day), legal(ends_at)
    )


def test_midnight_belongs_to_the_day_it_begins_whatever_zone_says_it() -> None:
    same = [legal("2020-02-06T00:00"), datetime(2020, 2, 5, 16, tzinfo=UTC)]
    assert len({term(Counting(14, 0, NEXT_DAY), a) for a in same}) == 1


@pytest.mark.parametrize(
    "counting", [Counting(14, 1, SAME_HOUR), Counting(0, 0, NEXT_DAY), Counting(3, 2, NEXT_DAY)]
)
def test_contradictory_parameters_are_refused(counting: Counting) -> None:
    with pytest.raises(ValueError):
        term(counting, legal("2020-02-06T12:00"))


def test_an_anchor_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError):
        term(Counting(14, 0, NEXT_DAY), datetime(2020, 2, 6))  # noqa: DTZ001 - that is what is refused


@given(
    st.integers(1, 60),
    st.sampled_from([(0, NEXT_DAY), (1, NEXT_DAY), (0, SAME_HOUR)]),
    st.datetimes(datetime(1992, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_a_term_is_never_longer_than_its_days_and_the_rest_of_the_anchors_day(
    days: int, how: tuple[int, ReleaseAt], anchor: datetime
) -> None:
    result = term(Counting(days, *how), anchor)
    length = result.ends_at - anchor
    assert timedelta(days=days - 1) < length < timedelta(days=days + 1)
    if how[1] is NEXT_DAY:
        assert result.ends_at.astimezone(LEGAL).strftime("%H:%M:%S.%f") == "00:00:00.000000"
    assert result.last_full_day < result.ends_at.astimezone(LEGAL).date()


LEGAL = legal("2020-01-01T00:00").tzinfo


@given(
    st.integers(1, 30),
    st.datetimes(datetime(2019, 1, 1), datetime(2023, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.timedeltas(timedelta(0), timedelta(days=40)),
)
def test_days_left_fall_by_one_each_midnight_and_end_at_the_end(
    days: int, anchor: datetime, later: timedelta
) -> None:
    end = term(Counting(days, 0, NEXT_DAY), anchor).ends_at
    at = anchor + later
    assert (days_left(end, at=at) == 0) == (at >= end)
    assert days_left(end, at=end - timedelta(seconds=1)) == 1
    assert days_left(end, at=end - timedelta(days=1)) == 1
    assert days_left(end, at=end - timedelta(days=1, microseconds=1)) == 2


def test_the_shared_vectors_hold() -> None:
    vectors = json.loads(VECTORS.read_text())
    assert len(vectors["cases"]) >= 200
    for v in vectors["cases"]:
        counting = Counting(v["days"], v["anchor_counts_as"], ReleaseAt(v["release_at"]))
        result = term(counting, datetime.fromisoformat(v["anchor_at"]))
        assert result == Term(date.fromisoformat(v["last_full_day"]), datetime.fromisoformat(v["ends_at"])), v
    for v in vectors["refused"]:
        with pytest.raises(ValueError):
            term(
                Counting(v["days"], v["anchor_counts_as"], ReleaseAt(v["release_at"])),
                datetime.fromisoformat(v["anchor_at"]),
            )


def test_the_grid_agrees_with_an_independent_count_in_every_zone_of_the_process() -> None:
    """C-2: the same cells, counted in one process per zone, give one digest, and it is the oracle's."""
    cells = size("deadline_samples")
    per_zone = max(1, cells // len(deadline_grid.ZONES))
    digests = set()
    for zone in deadline_grid.ZONES:
        run = subprocess.run(
            [sys.executable, "-m", "tests.orders.deadline_grid", str(per_zone)],
            env={**os.environ, "TZ": zone, "LC_ALL": "C"},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(run.stdout.strip())
    oracle = hashlib.sha256()
    for cell in _first(per_zone):
        oracle.update(deadline_grid.line(deadline_grid.expected(cell)))
    assert digests == {oracle.hexdigest()}, SIZE


def _first(n: int) -> Iterator[deadline_grid.Cell]:
    return islice(deadline_grid.cells(n), n)
