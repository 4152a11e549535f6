"""Storing passages exactly once: the SQL of the front's hot path (G-1, G-4).

Everything a batch changes stands in one statement, which is one transaction. A row whose key is taken is
compared by hash: the same bytes are accepted again, other bytes are kept beside and raised.
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

#: One statement, so one transaction and one way to the server and back. The rows travel as one byte string with
#: the length of each: as an array every row would cost more to write down than to store.
_STORE: Final = """
WITH given AS (
  SELECT %(first)s::bigint + n - 1 AS seq,
         substr(%(rows)b::bytea, 1 + (sum(size) OVER (ORDER BY n) - size)::int, size) AS sealed
  FROM unnest(%(sizes)s::int[]) WITH ORDINALITY AS g(size, n)
), fresh AS (
  INSERT INTO gates_passage_key (device, seq, hash, received_on)
  SELECT %(device)s, seq, sha256(sealed), (%(at)s::timestamptz AT TIME ZONE 'Asia/Shanghai')::date FROM given
  ORDER BY seq
  ON CONFLICT DO NOTHING RETURNING seq
), stored AS (
  INSERT INTO gates_passage (device, seq, gate, received_at, sealed)
  SELECT %(device)s, seq, %(gate)s, %(at)s, sealed FROM given JOIN fresh USING (seq)
), counted AS (
  SELECT count(*) AS n, max(seq) AS highest, array_agg(seq ORDER BY seq) AS seqs FROM fresh HAVING count(*) > 0
), waiting AS (
  INSERT INTO gates_untallied (device, gate, seqs, received_at)
  SELECT %(device)s, %(gate)s, seqs, %(at)s FROM counted
), heard AS (
  INSERT INTO gates_contact (device_id, last_at, list_version, highest_seq, stored)
  SELECT %(device)s, %(at)s, 0, highest, n FROM counted
  ON CONFLICT (device_id) DO UPDATE SET
    last_at = greatest(gates_contact.last_at, excluded.last_at),
    highest_seq = greatest(gates_contact.highest_seq, excluded.highest_seq),
    stored = gates_contact.stored + excluded.stored
)
SELECT count(*) FROM fresh
"""
_KEPT: Final = "SELECT seq, hash FROM gates_passage_key WHERE device = %s AND seq BETWEEN %s AND %s"
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
    values = {
        "first": batch.from_seq,
        "rows": b"".join(batch.rows),
        "sizes": "{" + ",".join([str(len(row)) for row in batch.rows]) + "}",
        "device": device,
        "gate": gate,
        "at": at,
    }
    answer = await (await connection.execute(_STORE, values)).fetchone()
    fresh = answer[0] if answer else 0
    assert isinstance(fresh, int)
    if fresh == len(batch.rows):
        return Stored(fresh, [])
    # A second statement, so that it sees what a request that ran beside us has just committed.
    between = (device, batch.from_seq, batch.to_seq)
    kept = {row[0]: row[1] async for row in await connection.execute(_KEPT, between)}
    other = []
    async with connection.transaction():
        for seq, row in enumerate(batch.rows, batch.from_seq):
            row_hash = hashlib.sha256(row).digest()
            if kept.get(seq) != row_hash:
                other.append(seq)
                await connection.execute(_CONFLICT, (device, seq, row_hash, row, at))
    return Stored(fresh, other)


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
