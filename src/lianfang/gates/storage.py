"""Storing passages exactly once: the SQL of the front's hot path (G-1, G-4).

Everything a batch changes stands in one statement, which is one transaction. Where numbers of it are taken, the
bytes are compared with those stored: the same are accepted again, others are kept beside and raised.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import psycopg
from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from psycopg import AsyncConnection

    from lianfang_pass.passages import Batch

#: One statement, so one transaction and one way to the server and back. The key of a batch is one row, whose range
#: of numbers overlaps no other of the device: a hundred rows cost one look into the index.
_STORE: Final = """
WITH fresh AS (
  INSERT INTO gates_passage_key (device, seqs, received_at)
  VALUES (%(device)s, int8range(%(first)s, %(last)s, '[]'), %(at)s)
  ON CONFLICT DO NOTHING RETURNING seqs
), stored AS (
  INSERT INTO gates_passage (device, seq, gate, received_at, sealed)
  SELECT %(device)s, %(first)s::bigint + n - 1, %(gate)s, %(at)s, sealed
  FROM fresh, unnest(%(rows)b::bytea[]) WITH ORDINALITY AS g(sealed, n)
), waiting AS (
  INSERT INTO gates_untallied (device, gate, seqs, received_at)
  SELECT %(device)s, %(gate)s, seqs, %(at)s FROM fresh
), heard AS (
  INSERT INTO gates_contact (device_id, last_at, list_version, highest_seq, stored)
  SELECT %(device)s, %(at)s, 0, %(last)s, %(last)s::bigint - %(first)s + 1 FROM fresh
  ON CONFLICT (device_id) DO UPDATE SET
    last_at = greatest(gates_contact.last_at, excluded.last_at),
    highest_seq = greatest(gates_contact.highest_seq, excluded.highest_seq),
    stored = gates_contact.stored + excluded.stored
)
SELECT count(*) FROM fresh
"""
_KEPT: Final = """
SELECT lower(seqs), upper(seqs), received_at FROM gates_passage_key
WHERE device = %s AND seqs && int8range(%s, %s, '[]') ORDER BY seqs
"""
#: The instant of a batch leads to its day and, by the block range index, to its rows.
_SEALED: Final = """
SELECT seq, sealed FROM gates_passage
WHERE received_at = ANY(%s) AND device = %s AND seq BETWEEN %s AND %s
"""
_CONFLICT: Final = """
INSERT INTO gates_conflict (device_id, seq, row_hash, sealed, received_at, explained)
VALUES (%s, %s, %s, %s, %s, '') ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """How the rows of a batch were found: how many new, and which with other bytes than before."""

    fresh: int
    other: list[int]


async def store(
    connection: AsyncConnection[tuple[object, ...]], batch: Batch, *, device: UUID, gate: UUID, at: datetime
) -> Stored:
    """Store the batch, on a connection that commits each statement.

    Durable when this returns: the caller may then sign the receipt, and not before.
    """
    fresh = 0
    left = [(batch.from_seq, batch.to_seq)]
    while True:
        for first, last in left:
            rows = list(batch.rows[first - batch.from_seq : last - batch.from_seq + 1])
            values = {"first": first, "last": last, "rows": rows, "device": device, "gate": gate, "at": at}
            answer = await (await connection.execute(_STORE, values)).fetchone()
            fresh += len(rows) if answer == (1,) else 0
        if fresh == len(batch.rows):
            return Stored(fresh, [])
        # Some number was stored before, or by a request that ran beside us. What is free between is stored too.
        asked = (device, batch.from_seq, batch.to_seq)
        kept = await (await connection.execute(_KEPT, asked)).fetchall()
        left = _gaps(kept, batch.from_seq, batch.to_seq)
        if not left:
            break
    sealed = await connection.execute(_SEALED, ([row[2] for row in kept], *asked))
    before = {seq: data async for seq, data in sealed}
    other = [seq for seq, row in enumerate(batch.rows, batch.from_seq) if before.get(seq) != row]
    async with connection.transaction():
        for seq in other:
            row = batch.rows[seq - batch.from_seq]
            await connection.execute(_CONFLICT, (device, seq, hashlib.sha256(row).digest(), row, at))
    return Stored(fresh, other)


def _gaps(kept: Sequence[Any], first: int, last: int) -> list[tuple[int, int]]:
    """The runs between `first` and `last`, both included, that no range of `kept` (begin, end behind it) covers."""
    found = []
    for begin, end, *_ in kept:
        if first < begin:
            found.append((first, begin - 1))
        first = max(first, end)
    return [*found, (first, last)] if first <= last else found


def store_all(batches: Sequence[Batch], *, gates: Mapping[UUID, UUID], at: datetime) -> list[Stored]:
    """Store batches of several devices, one transaction each; for a caller that is no loop."""

    async def run() -> list[Stored]:
        async with await psycopg.AsyncConnection.connect(**parameters()) as connection:
            return [
                await store(connection, batch, device=device, gate=gates[device], at=at)
                for batch in batches
                for device in [UUID(bytes=batch.device)]
            ]

    return asyncio.run(run())


def parameters() -> dict[str, Any]:
    """How Django reaches its database, for connections of our own that commit each statement."""
    settings = connection.settings_dict
    given = {
        "autocommit": True,
        "dbname": settings["NAME"],
        "user": settings["USER"],
        "password": settings["PASSWORD"],
        "host": settings["HOST"],
        "port": settings["PORT"],
    }
    options = {name: value for name, value in settings["OPTIONS"].items() if name != "pool"}
    return options | {name: value for name, value in given.items() if value}
