"""Several at once: the same draft, two officers for one person, one officer's cap, the numbers of changes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import pytest
from django.db import close_old_connections, connections
from tests.factories.orders import ROOT, S1_NOW, a_draft, an_incident, officer
from tests.factories.people import a_dwelling, a_person
from tests.orders.test_issue_isolation import lower_caps

from lianfang.accounts.rights import Role
from lianfang.kernel.ids import random_id
from lianfang.kernel.row_security import scope
from lianfang.orders import actions, queries
from lianfang.orders.errors import AlreadyOver, AlreadyUnderOrder, NeedsSecondSigner
from lianfang.orders.models import Change, IsolationOrder, Lift

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from lianfang.kernel.actor import Actor

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
T = TypeVar("T")


def issuing(draft: actions.IsolationDraft, by: Actor) -> Callable[[], IsolationOrder]:
    """The act, to be done later in a thread."""
    return lambda: actions.issue_isolation(draft, by=by)


def at_once(acts: list[Callable[[], T]]) -> list[T | Exception]:
    """Run all in threads of their own connections; what they returned or refused with."""

    def run(act: Callable[[], T]) -> T | Exception:
        close_old_connections()
        try:
            with scope(areas=[ROOT]):
                return act()
        except Exception as error:  # every outcome is judged by the test
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.fixture
def persons() -> list[UUID]:
    an_incident()
    with scope(areas=[ROOT]):
        return [a_person("测试", area=a_dwelling(f"6-1-{i + 101:04d}"), numbered=False) for i in range(6)]


def drafts(persons: list[UUID]) -> list[actions.IsolationDraft]:
    with scope(areas=[ROOT]):
        return [a_draft(p) for p in persons]


def test_the_same_draft_five_times_at_once_is_one_order(persons: list[UUID]) -> None:
    (draft,) = drafts(persons[:1])
    by = officer(Role.CDC)
    made = at_once([lambda: actions.issue_isolation(draft, by=by)] * 5)
    assert {getattr(m, "pk", m) for m in made} == {draft.order_id}
    with scope(areas=[ROOT]):
        assert IsolationOrder.objects.count() == 1
    lift = actions.LiftDraft(id=random_id(), order_id=draft.order_id, reason="误判")
    lifted = at_once([lambda: actions.lift_isolation(lift, by=by)] * 5)
    assert {getattr(m, "pk", m) for m in lifted} == {lift.id}
    with scope(areas=[ROOT]):
        assert Lift.objects.count() == 1


def test_two_officers_for_one_person_one_order(persons: list[UUID]) -> None:
    one, two = drafts([persons[0], persons[0]])
    first, second = officer(Role.CDC), officer(Role.CDC)
    made = at_once(
        [lambda: actions.issue_isolation(one, by=first), lambda: actions.issue_isolation(two, by=second)]
    )
    assert [type(m) for m in made if isinstance(m, Exception)] == [AlreadyUnderOrder]
    with scope(areas=[ROOT]):
        assert IsolationOrder.objects.count() == 1


def test_a_cap_is_not_passed_by_being_fast(persons: list[UUID]) -> None:
    lower_caps(alone=3, seconded=5)
    ready, by = drafts(persons), officer(Role.CDC)
    made = at_once([issuing(d, by) for d in ready])
    with scope(areas=[ROOT]):
        assert IsolationOrder.objects.count() == 3
    refused = [m for m in made if isinstance(m, Exception)]
    assert len(refused) == 3
    # Who was first past the act's own count is stopped by the trigger: a refusal of the schema, not of the act.
    assert all(isinstance(r, NeedsSecondSigner) or "officer_orders_at_most_20" in str(r) for r in refused), (
        refused
    )


def test_changes_follow_commits_without_gaps(persons: list[UUID]) -> None:
    ready = drafts(persons)
    officers = [officer(Role.CDC) for _ in ready]
    made = at_once([issuing(d, by) for d, by in zip(ready, officers, strict=True)])
    assert not [m for m in made if isinstance(m, Exception)]
    numbers = sorted(Change.objects.values_list("n", flat=True))
    start = numbers[0] - 1  # the counter goes on where an earlier test left it
    assert numbers == list(range(start + 1, start + 1 + len(persons)))
    with scope(areas=[ROOT]):
        assert set(queries.changes_since(start)[1]) == set(persons)
        assert set(queries.restrictions(persons, S1_NOW)) == set(persons)


def test_two_lifts_at_once_are_one(persons: list[UUID]) -> None:
    (draft,) = drafts(persons[:1])
    by = officer(Role.CDC)
    with scope(areas=[ROOT]):
        actions.issue_isolation(draft, by=by)
    made = at_once(
        [
            lambda: actions.lift_isolation(
                actions.LiftDraft(id=random_id(), order_id=draft.order_id, reason="误判"), by=by
            )
        ]
        * 2
    )
    assert [type(m) for m in made if isinstance(m, Exception)] == [AlreadyOver]
