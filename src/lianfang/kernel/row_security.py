"""The second wall: which rows of persons this transaction may see, told to PostgreSQL.

The policies of the tables read `lf.areas` and `lf.persons`. Without a scope they show nothing: an empty
setting becomes an empty array, never the empty path that would be an ancestor of every area.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection, transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from uuid import UUID


def set_scope(*, areas: Iterable[str], persons: Iterable[UUID] = ()) -> None:
    """Scope the current transaction; ends with it. Call it inside one.

    :raises AssertionError: no transaction is open, so the setting would be lost at once
    """
    assert connection.in_atomic_block, "a scope lives in a transaction"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lf.areas', %s, true), set_config('lf.persons', %s, true)",
            [",".join(a for a in areas if a), ",".join(str(p) for p in persons)],
        )


@contextmanager
def scope(*, areas: Iterable[str], persons: Iterable[UUID] = ()) -> Iterator[None]:
    """One transaction that sees the rows of these areas and persons; the scope before is put back."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT coalesce(current_setting('lf.areas', true), ''),"
                " coalesce(current_setting('lf.persons', true), '')"
            )
            before = cursor.fetchone()
        set_scope(areas=areas, persons=persons)
        yield
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('lf.areas', %s, true), set_config('lf.persons', %s, true)", list(before)
            )
