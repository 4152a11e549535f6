"""Rights × roles × scopes, all of them, from offices as the database holds them (5.5a of the fault programme)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest

from lianfang.accounts import queries
from lianfang.accounts.rights import Right, Role
from tests.factories.accounts import AT, a_user, an_office

from .test_registry import _documented

pytestmark = pytest.mark.django_db

TARGET: Final = "d510402.s510402001.c510402001003"
#: Where the office is, seen from the place where it is used. None is no office at all.
SCOPES: Final[dict[str, str | None]] = {
    "own": TARGET,
    "child": "d510402.s510402001",  # the place lies below the office's area
    "parent": f"{TARGET}.g1",  # the office is over a part of the place
    "sibling": "d510402.s510402001.c510402001004",
    "prefix": "d510402.s510402001.c51040200100",  # begins with the same letters, is another place
    "none": None,
    "ended": TARGET,
    "not_begun": TARGET,
}
STAFF: Final = [r for r in Role if r not in (Role.RESIDENT, Role.SYSTEM)]


@pytest.mark.parametrize("role", STAFF)
@pytest.mark.parametrize("scope", list(SCOPES))
def test_a_right_reaches_as_far_as_its_office(role: Role, scope: str) -> None:
    user, area = a_user(), SCOPES[scope]
    day = timedelta(days=1)
    if area is not None:
        starts_at = {"ended": AT - 30 * day, "not_begun": AT + day}.get(scope, AT - day)
        an_office(role, area, user=user, starts_at=starts_at, ends_at=AT if scope == "ended" else None)
    grants = queries.grants_of(queries.offices_held(user.pk, AT))
    documented = _documented()
    for right in Right:
        holds = documented[str(right)][str(role)] == "a"
        reaches = scope in ("own", "child")
        may = any(g.right == right and (g.area == TARGET or TARGET.startswith(g.area + ".")) for g in grants)
        assert may == (holds and reaches), f"{role} {scope} {right}"
