"""Each hour's readings under one root of the chain: proved one by one, altered or removed never unseen (R-2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, transaction

from lianfang.accounts.queries import system_actor
from lianfang.accounts.rights import Role
from lianfang.kernel.errors import NotFound
from lianfang.kernel.row_security import scope
from lianfang.ledger import queries as ledger
from lianfang.ledger.models import Entry
from lianfang.people import queries, reader
from lianfang.people.actions import batch_reads
from lianfang.people.errors import NotBatchedYet
from lianfang.people.models import ReadBatch, ReadLeaf, ReadRecord
from lianfang.people.policy import PersonField as F
from lianfang.places.queries import at_level
from lianfang_chain.tree import NotProved
from tests.factories.ledger import past_the_triggers
from tests.factories.people import AT, DISTRICT, a_dwelling, a_person, an_actor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _district() -> Iterator[None]:
    a_dwelling()
    with scope(areas=[DISTRICT]):
        yield


def looked(person: UUID, hours: float = 0.0, *fields: F, **changed: Any) -> Any:
    by = an_actor(Role.COMMUNITY, at_level(a_dwelling(), "community") or "", at=AT + hours * HOUR, **changed)
    reader.read([person], fields or (F.NAME,), by=by)
    return by


def close(hours: float) -> int:
    return batch_reads(by=system_actor("test", AT + hours * HOUR, ()))


def entries() -> Any:
    return [
        ledger.entry_view(pk)
        for pk in Entry.objects.filter(kind="accounts:read_log:batch")
        .order_by("id")
        .values_list("pk", flat=True)
    ]


def test_an_hour_is_closed_once_and_each_reading_is_proved_under_its_root() -> None:
    person = a_person()
    for minutes in (0, 10, 59):
        looked(person, minutes / 60)
    looked(person, 1.5)
    assert (close(1.2), close(1.2), close(1.9)) == (1, 0, 0)
    (said,) = entries()
    first, _, third, open_hour = ReadRecord.objects.order_by("pk")
    assert said["terms"]["readings"] == 3
    proof = queries.read_proof(person, third.pk)
    proof.verify()
    assert (proof.root.hex(), proof.count) == (said["terms"]["root"], 3)
    assert proof.entry_id == ReadBatch.objects.get().entry_id
    with pytest.raises(NotProved):
        replace(proof, leaf=queries.read_proof(person, first.pk).leaf).verify()
    with pytest.raises(NotBatchedYet):
        queries.read_proof(person, open_hour.pk)
    with pytest.raises(NotFound):
        queries.read_proof(a_person(), first.pk)
    assert queries.journal_faults() == []
    assert (close(2), ReadBatch.objects.get(hour=AT + HOUR).count) == (
        1,
        1,
    )  # those of the first hour only once


def test_after_a_stop_every_hour_that_waits_is_done_and_each_batch_names_the_one_before() -> None:
    person = a_person()
    for hours in (0, 1, 5):
        looked(person, hours)
    assert close(72) == 3
    batches = list(ReadBatch.objects.order_by("hour"))
    assert [batch.hour for batch in batches] == [AT, AT + HOUR, AT + 5 * HOUR]
    priors = [bytes(Entry.objects.get(pk=b.entry_id).leaf_hash).hex() for b in batches]
    assert [str(e["prior"] or "")[:64] for e in entries()] == ["", *priors[:-1]]


def test_a_reading_committed_late_or_grown_goes_into_the_next_batch() -> None:
    person = a_person()
    by = looked(person, 0.5)
    assert close(1) == 1
    looked(person, 0.9)  # of the closed hour, by a request that took its time
    reader.read([person], (F.PHONE,), by=by)  # the same request reads on
    assert close(1.5) == 0
    assert close(2) == 1
    assert [b.count for b in ReadBatch.objects.order_by("hour")] == [1, 2]
    for record in ReadRecord.objects.all():
        queries.read_proof(person, record.pk).verify()
    assert queries.journal_faults() == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE people_readrecord SET organ = 'somebody else' WHERE id = %s",
        "UPDATE people_readrecord SET organ = 'x', fields = fields || '{phone}'::varchar[] WHERE id = %s",
        "UPDATE people_readrecord SET fields = '{address}' WHERE id = %s",
        "WITH gone AS (DELETE FROM people_readleaf WHERE record_id = %s RETURNING record_id)"
        " DELETE FROM people_readrecord USING gone WHERE id = record_id",
    ],
)
def test_what_was_altered_or_removed_past_the_triggers_is_found(sql: str) -> None:
    person = a_person()
    looked(person)
    looked(person, 0.1)
    close(1)
    record = ReadRecord.objects.order_by("pk")[0].pk
    assert queries.journal_faults() == []
    past_the_triggers(sql, record)
    assert queries.journal_faults()


def test_the_batches_themselves_stay() -> None:
    looked(a_person())
    close(1)
    for sql in ("DELETE FROM people_readleaf", "UPDATE people_readbatch SET count = 2"):
        with (
            pytest.raises(IntegrityError, match="refused"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)
    assert ReadLeaf.objects.count() == 1


def test_a_batch_in_the_table_or_in_the_chain_alone_is_found() -> None:
    """L-5, both ways, whatever was done past every act."""
    person = a_person()
    looked(person)
    looked(person, 1.5)
    close(2)
    first, second = ReadBatch.objects.order_by("hour")
    assert queries.journal_faults() == []
    past_the_triggers("UPDATE people_readbatch SET root = sha256(root) WHERE hour = %s", second.hour)
    otherwise = "accounts:read_log:batch: the chain does not say what the row of entry {} says"
    assert queries.journal_faults()[0] == otherwise.format(second.entry_id)
    past_the_triggers(
        "UPDATE people_readbatch SET root = %s WHERE hour = %s", bytes(second.root), second.hour
    )
    assert queries.journal_faults() == []
    past_the_triggers(
        "WITH gone AS (DELETE FROM people_readleaf WHERE batch_id = %s) DELETE FROM people_readbatch WHERE hour = %s",
        first.hour, first.hour,
    )  # fmt: skip
    assert queries.journal_faults() == [
        f"entry {first.entry_id} (accounts:read_log:batch): there is no row of it"
    ]
