"""Whole acts per second against bare commits of the same connection, alternating in rounds.

An act is everything: lock, right, rules, caps, chain entry, two slips, row with its triggers, owed message, signal.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from django.db import connection, transaction
from tests.factories.orders import ROOT, S1_NOW, a_draft, an_incident, officer
from tests.factories.people import a_dwelling, a_person

from lianfang.accounts.rights import Role
from lianfang.kernel.ids import random_id
from lianfang.kernel.row_security import scope
from lianfang.orders import actions, queries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROUNDS: Final = 6
#: One officer signs at most so many persons alone in a day.
ALONE: Final = 20


def cases(size: str) -> Iterable[dict[str, Any]]:
    """Issue and lift, and the question a gate's publisher asks, on 6 × 10 persons (district: 6 × 20)."""
    each = ALONE if size == "district" else ALONE // 2
    an_incident()
    persons = []
    for i in range(ROUNDS * each):
        door = f"{i // 200 + 1}-{i // 20 % 10 + 1}-{i % 20 + 101:04d}"
        persons.append(a_person("测试", area=a_dwelling(door), numbered=False))
    with scope(areas=[ROOT]):
        drafts = [a_draft(p) for p in persons]
    officers = [officer(Role.CDC) for _ in range(ROUNDS)]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_bare (id bigserial PRIMARY KEY, x text)")

    rates: dict[str, list[float]] = {"issue": [], "lift": [], "bare": []}
    cpu: dict[str, list[float]] = {"issue": [], "lift": [], "bare": []}
    for n in range(ROUNDS):
        part, by = drafts[n * each : (n + 1) * each], officers[n]
        _timed("bare", [_bare] * each, rates, cpu)
        _timed("issue", [lambda d=d, by=by: _issue(d, by) for d in part], rates, cpu)  # type: ignore[misc]  # bound by default
        _timed("lift", [lambda d=d, by=by: _lift(d, by) for d in part], rates, cpu)  # type: ignore[misc]  # as above
        _timed("bare", [_bare] * each, rates, cpu)
    bare = statistics.median(rates["bare"])
    for name in ("issue", "lift"):
        ours = statistics.median(rates[name])
        yield {
            "name": f"orders: whole acts, {name}, one client",
            "ours": round(ours, 1),
            "limit": round(bare, 1),
            "ratio": round(ours / bare, 3),
            "unit": "1/s against bare commits",
            "cpu_ms": round(statistics.median(cpu[name]), 2),
        }
    yield _publisher(len(persons))


def _issue(draft: actions.IsolationDraft, by: Any) -> None:
    with scope(areas=[ROOT]):
        actions.issue_isolation(draft, by=by)


def _lift(draft: actions.IsolationDraft, by: Any) -> None:
    with scope(areas=[ROOT]):
        actions.lift_isolation(
            actions.LiftDraft(id=random_id(), order_id=draft.order_id, reason="基准"), by=replace(by)
        )


def _bare() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_bare (x) VALUES ('x')")


def _timed(
    name: str,
    acts: list[Callable[[], None]],
    rates: dict[str, list[float]],
    cpu: dict[str, list[float]],
) -> None:
    wall, used = time.perf_counter(), time.process_time()
    for act in acts:
        act()
    rates[name].append(len(acts) / (time.perf_counter() - wall))
    cpu[name].append(1000 * (time.process_time() - used) / len(acts))


def _publisher(persons: int) -> dict[str, Any]:
    """What changed and who is restricted, for all of them: what the publisher asks after a burst."""
    used = time.process_time()
    wall = time.perf_counter()
    with scope(areas=[ROOT]):
        _, changed = queries.changes_since(0, limit=10 * persons)
        queries.restrictions(changed, S1_NOW)
    took = time.perf_counter() - wall
    return {
        "name": f"orders: status of {len(changed)} changed persons",
        "ours": round(len(changed) / took, 1),
        "limit": None,
        "ratio": None,
        "unit": "persons/s",
        "cpu_ms": round(1000 * (time.process_time() - used) / max(1, len(changed)), 3),
    }
