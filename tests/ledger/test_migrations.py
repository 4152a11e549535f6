"""What stood in the tables before a migration opens after it, and again after the way back."""

from __future__ import annotations

from typing import Any, Final

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from tests.factories.ledger import an_entry

from lianfang.ledger import queries
from lianfang.ledger.models import CaseKey, Disclosures

pytestmark = pytest.mark.django_db

BEFORE: Final = "0004_former_chains"
AFTER: Final = "0005_one_sealed_row"


def migrate(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # nothing pending may keep a table from being altered
    MigrationExecutor(connection).migrate([("ledger", name)])


def rows(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def test_pieces_sealed_one_by_one_and_the_row_that_holds_them_become_one_another() -> None:
    secrets = {f"field {n}": "值" * (40 * n) for n in range(1, 7)}
    full, bare = an_entry(secrets=secrets), an_entry(secrets={})
    written = {pk: bytes(s) for pk, s in Disclosures.objects.values_list("pk", "sealed")}
    opened = queries.disclosures_of(full)
    assert {d.value for d in opened.values()} > set(secrets.values())

    migrate(BEFORE)
    pieces = rows("SELECT entry_id, position FROM ledger_disclosure ORDER BY entry_id, position")
    assert pieces == [(full, position) for position in sorted(opened)] + [(bare, -1)]
    rest = "transaction_timestamp(), sealed, '{-1}', ARRAY['a'::bytea]) FROM ledger_casekey LIMIT 1"
    entry = "gen_random_uuid(), 'x', sha256('\\x0078'), 'k', gen_random_uuid(), 'o', 'd1'"
    assert rows(f"SELECT ledger_append(true, {entry}, {rest}") == [(True,)]  # the old call works again

    migrate(AFTER)
    again = {pk: bytes(s) for pk, s in Disclosures.objects.filter(pk__in=written).values_list("pk", "sealed")}
    assert {pk: len(s) for pk, s in again.items()} == {pk: len(s) for pk, s in written.items()}
    assert queries.disclosures_of(full) == opened
    assert CaseKey.objects.count() == Disclosures.objects.count() == 3
    an_entry()
