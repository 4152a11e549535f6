"""Every test of orders runs in the incident of the demonstration, seeing the whole district's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lianfang.kernel.row_security import set_scope
from tests.factories.orders import ROOT, an_incident
from tests.factories.people import a_household

if TYPE_CHECKING:
    from uuid import UUID


@pytest.fixture
def district(db: None) -> None:
    """The incident with its rules, and a scope over the district for the test's transaction."""
    an_incident()
    set_scope(areas=[ROOT])


@pytest.fixture
def household(district: None) -> list[UUID]:
    """Ms Luo, her husband and their child of six, at 5-2-0603."""
    return a_household()


@pytest.fixture
def luo(household: list[UUID]) -> UUID:
    """Ms Luo."""
    return household[0]
