"""Every test of concerns runs in the incident of the demonstration."""

from __future__ import annotations

import pytest

from lianfang.kernel.row_security import set_scope
from tests.factories.orders import ROOT, an_incident


@pytest.fixture
def district(db: None) -> None:
    """The incident with its rules, and a scope over the district for the test's transaction."""
    an_incident()
    set_scope(areas=[ROOT])
