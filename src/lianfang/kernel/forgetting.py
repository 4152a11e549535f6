"""What a transaction may delete although rows are only inserted: the triggers of the rooms let go what is named here."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection, transaction

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from uuid import UUID


@contextmanager
def forgetting(*named: Collection[UUID]) -> Iterator[None]:
    """One transaction in which rows that these ids name may go; whatever is not named stays as it is."""
    with transaction.atomic(), connection.cursor() as cursor:
        ids = ",".join(str(pk) for some in named for pk in some)
        cursor.execute("SELECT set_config('lf.forgetting', %s, true)", [ids])
        yield
        cursor.execute("SELECT set_config('lf.forgetting', '', true)")
