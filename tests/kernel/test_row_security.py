"""The scope of a transaction, and the empty scope on a used connection."""

from __future__ import annotations

import pytest
from django.db import connection

from lianfang.kernel.row_security import scope


def _areas() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('lf.areas', true), '')")
        (areas,) = cursor.fetchone()
        return str(areas)


@pytest.mark.django_db
def test_a_scope_ends_where_it_ends() -> None:
    with scope(areas=["d1"]):
        with scope(areas=["d1.s2"]):
            assert _areas() == "d1.s2"
        assert _areas() == "d1"
    assert _areas() == ""
