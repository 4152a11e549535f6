"""Negative controls: each bug is planted in the room, and the test that is there to find it does.

A plant that no test finds fails here; so does a test that would pass whatever the code did.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest
from django.db import transaction

from lianfang.ledger import actions as ledger
from lianfang.messaging import actions as messaging
from lianfang.orders import policy
from lianfang.orders.actions import isolation, serving
from lianfang.orders.policy import Needs
from lianfang.people import queries as people

from . import test_issue_isolation, test_life
from .test_life import order as order  # the fixture

if TYPE_CHECKING:
    from collections.abc import Callable


pytestmark = pytest.mark.django_db

_term, _status = policy.term, policy.status


def _a_second_longer(*given: Any) -> policy.Term:
    found = _term(*given)
    return replace(found, ends_at=found.ends_at + timedelta(seconds=1))


#: What is planted: in which module, under which name, what stands there instead; and who finds it.
PLANTED: Final[dict[str, tuple[object, str, Callable[..., Any], Callable[..., None]]]] = {
    "a term a second too long": (policy, "term", _a_second_longer, test_issue_isolation.test_the_order_of_s1),
    "no second signer, however many": (
        policy, "signatures_needed", lambda *_, **__: Needs.ONE_SIGNATURE,
        test_issue_isolation.test_the_21st_person_alone_and_the_201st_with_a_second_signer,
    ),
    "two orders at a time": (
        isolation, "_one_at_a_time", lambda *_: None, test_issue_isolation.test_refusals_leave_nothing,
    ),
    "a second factor of this morning": (
        isolation, "require_fresh_factor", lambda _: None, test_issue_isolation.test_the_second_factor_is_asked_again,
    ),
    "another order under the same id": (
        isolation, "same_or_refuse", lambda earlier, _: earlier,
        test_issue_isolation.test_the_same_draft_twice_is_one_order,
    ),
    "no entry in the chain": (
        ledger, "append", lambda **_: UUID(int=7), test_issue_isolation.test_the_order_of_s1,
    ),
    "nobody is told": (messaging, "owe", lambda *_, **__: None, test_issue_isolation.test_the_order_of_s1),
    "a child forgotten": (people, "dependants", lambda *_, **__: [], test_issue_isolation.test_the_order_of_s1),
    "served before anybody cares for the child": (
        policy, "may_be_served", lambda *_: (), test_life.test_serving_waits_for_who_cares_for_the_child,
    ),
    "another serving under the same id": (
        serving, "same_or_refuse", lambda earlier, _: earlier, test_life.test_it_is_served_once,
    ),
    "a lifted order goes on": (
        policy, "status", lambda orders, _, at: _status(orders, (), at),
        test_life.test_a_lift_frees_at_signature_and_nothing_returns,
    ),
    "a sheet that names the stairwell of two households": (
        policy, "public_place", lambda ancestors: ancestors[0][0],
        test_life.test_fewer_than_five_take_the_next_larger_place,
    ),
}  # fmt: skip


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(
    bug: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, name, instead, finder = PLANTED[bug]
    code = finder.__code__
    given = {fixture: request.getfixturevalue(fixture) for fixture in code.co_varnames[: code.co_argcount]}
    monkeypatch.setattr(where, name, instead)
    with pytest.raises((Exception, pytest.fail.Exception)) as found, transaction.atomic():
        finder(**given)
    # Found by what it does, not because the plant does not fit its place.
    assert not isinstance(found.value, (AttributeError, NameError, TypeError)), found.value
