"""The application does not start with a database role that row security does not bind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper

from lianfang.accounts.checks import RoleTooStrong, refuse_strong_role
from lianfang.config.cluster import ADMIN, ROLE

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_admin() -> Iterator[DatabaseWrapper]:
    wrapper = DatabaseWrapper(connection.settings_dict | {"USER": ADMIN}, alias="admin")
    yield wrapper
    wrapper.close()


def test_the_role_of_the_embedded_cluster_is_bound() -> None:
    refuse_strong_role()


def test_a_superuser_is_refused(as_admin: DatabaseWrapper) -> None:
    with pytest.raises(RoleTooStrong, match=ADMIN):
        refuse_strong_role(as_admin)


@pytest.mark.parametrize("strength", ["SUPERUSER", "BYPASSRLS"])
def test_a_role_that_may_become_a_strong_one_is_refused(as_admin: DatabaseWrapper, strength: str) -> None:
    as_admin.set_autocommit(False)
    with as_admin.cursor() as cursor:
        cursor.execute(f"CREATE ROLE strong_one {strength}")
        cursor.execute(f"CREATE ROLE weak_one; GRANT strong_one TO weak_one; GRANT weak_one TO {ROLE}")
        cursor.execute(f"SET LOCAL ROLE {ROLE}")
    try:
        with pytest.raises(RoleTooStrong, match="strong_one"):
            refuse_strong_role(as_admin)
    finally:
        as_admin.rollback()
