"""Storing passages exactly once: the SQL of the front's hot path (G-1, G-4).

Both inserts stand in one statement and one transaction. A row whose key is taken is compared by hash: the same
bytes are accepted again, other bytes are kept beside and raised.
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

_STORE: Final = """
WITH given AS (
  SELECT * FROM unnest(%(seqs)s::bigint[], %(hashes)b::bytea[], %(rows)b::bytea[]) AS g(seq, hash, sealed)
), fresh AS (
  INSERT INTO gates_passage_key (device, seq, hash, received_on)
  SELECT %(device)s, seq, hash, (%(at)s::timestamptz AT TIME ZONE 'Asia/Shanghai')::date FROM given
  ORDER BY seq
  ON CONFLICT DO NOTHING RETURNING seq
), stored AS (
  INSERT INTO gates_passage (device, seq, gate, received_at, sealed)
  SELECT %(device)s, seq, %(gate)s, %(at)s, sealed FROM given JOIN fresh USING (seq)
)
SELECT coalesce(array_agg(seq ORDER BY seq), '{}') FROM fresh
"""
_KEPT: Final = """
SELECT seq, hash FROM gates_passage_key WHERE device = %(device)s AND seq = ANY(%(seqs)s::bigint[])
"""
_CONFLICT: Final = """
INSERT INTO gates_conflict (device_id, seq, row_hash, sealed, received_at, explained)
VALUES (%s, %s, %s, %s, %s, '') ON CONFLICT DO NOTHING
"""
_COUNT: Final = """
WITH waiting AS (
  INSERT INTO gates_untallied (device, gate, seqs, received_at)
  VALUES (%(device)s, %(gate)s, %(fresh)s::bigint[], %(at)s)
)
INSERT INTO gates_contact (device_id, last_at, list_version, highest_seq, stored)
VALUES (%(device)s, %(at)s, 0, %(highest)s, %(n)s)
ON CONFLICT (device_id) DO UPDATE SET
  last_at = greatest(gates_contact.last_at, excluded.last_at),
  highest_seq = greatest(gates_contact.highest_seq, excluded.highest_seq),
  stored = gates_contact.stored + excluded.stored
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """How the rows of a batch were found: new, or with other bytes than before; the rest was there already."""

    fresh: list[int]
    other: list[int]


async def store(
    connection: AsyncConnection[tuple[object, ...]], batch: Batch, *, device: UUID, gate: UUID, at: datetime
) -> Stored:
    """Store the batch.

    Durable when this returns: the caller may then sign the receipt, and not before.
    """
    seqs = list(range(batch.from_seq, batch.to_seq + 1))
    hashes = [hashlib.sha256(row).digest() for row in batch.rows]
    values = {
        "seqs": seqs,
        "hashes": hashes,
        "rows": list(batch.rows),
        "device": device,
        "gate": gate,
        "at": at,
    }
    async with connection.transaction():
        answer = await (await connection.execute(_STORE, values)).fetchone()
        fresh = list(answer[0]) if answer and isinstance(answer[0], list) else []
        other: list[int] = []
        if len(fresh) < len(seqs):
            # A second statement, so that it sees what a request that ran beside us has just committed.
            kept = {row[0]: row[1] async for row in await connection.execute(_KEPT, values)}
            for seq, row_hash, row in zip(seqs, hashes, batch.rows, strict=True):
                if kept.get(seq) != row_hash:
                    other.append(seq)
                    await connection.execute(_CONFLICT, (device, seq, row_hash, row, at))
        if fresh:
            await connection.execute(
                _COUNT,
                {
                    "device": device,
                    "gate": gate,
                    "fresh": fresh,
                    "at": at,
                    "highest": max(fresh),
                    "n": len(fresh),
                },
            )
    return Stored(fresh, other)


def store_all(batches: Sequence[Batch], *, gates: Mapping[UUID, UUID], at: datetime) -> list[Stored]:
    """Store batches of several devices, one transaction each; for a caller that is no loop."""

    async def run() -> list[Stored]:
        async with await psycopg.AsyncConnection.connect(autocommit=True, **parameters()) as connection:
            return [
                await store(connection, batch, device=device, gate=gates[device], at=at)
                for batch in batches
                for device in [UUID(bytes=batch.device)]
            ]

    return asyncio.run(run())


def parameters() -> dict[str, Any]:
    """How Django reaches its database, for connections of our own."""
    settings = connection.settings_dict
    given = {
        "dbname": settings["NAME"],
        "user": settings["USER"],
        "password": settings["PASSWORD"],
        "host": settings["HOST"],
        "port": settings["PORT"],
    }
    options = {name: value for name, value in settings["OPTIONS"].items() if name != "pool"}
    return options | {name: value for name, value in given.items() if value}
