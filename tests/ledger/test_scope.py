"""A place of fewer than five households is not named in the chain, whoever appends."""

from typing import Any

import pytest
from tests.factories.ledger import an_entry

from lianfang.ledger import queries
from lianfang.ledger.policy import PublicScope, public_scope
from lianfang_chain.cbor import NotCanonical

HOME = "d510402.s510402002.c001.m01.b03.w02"


@pytest.mark.parametrize(
    ("households", "named"),
    [
        ({}, "d510402.s510402002.c001"),
        ({"w02": 5}, HOME),
        ({"w02": 4, "b03": 5}, HOME[:-4]),
        ({"w02": 4, "b03": 4, "m01": 4}, "d510402.s510402002.c001"),
    ],
)
def test_the_next_larger_place_is_named(households: Any, named: str) -> None:
    found = public_scope(HOME, lambda area: households.get(area.rpartition(".")[2], 0))
    assert found == named


def test_a_dwelling_is_never_named_and_a_community_is_not_counted() -> None:
    assert public_scope(f"{HOME}.h501", lambda _: 99) == HOME
    asked: list[str] = []
    public_scope("d510402.s510402002.c001", lambda area: asked.append(area) or 0)  # type: ignore[func-returns-value]
    assert asked == []


@pytest.mark.django_db
def test_the_door_takes_no_small_place_that_nobody_counted(chain: Any) -> None:
    with pytest.raises(NotCanonical, match="counted"):
        an_entry(scope=HOME)
    assert queries.entry_view(an_entry(scope=PublicScope(HOME)))["scope"] == HOME
