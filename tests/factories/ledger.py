"""Actors and entries for the tests of the chain."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from lianfang.kernel import ids
from lianfang.kernel.actor import Actor
from lianfang.ledger import actions

AT = datetime(2020, 2, 13, 2, 30, 17, tzinfo=UTC)


def an_actor(at: datetime = AT, *, organ: str = "cdc") -> Actor:
    return Actor(
        user_id=ids.new_id(),
        pseudonym="officer-7",
        organ=organ,
        organ_kind="health",
        grants=frozenset(),
        at=at,
        purpose="order",
        surface="test",
        request_id=ids.new_id(),
    )


def an_entry(**changes: Any) -> UUID:
    """Append one entry; call it inside a transaction."""
    facts: dict[str, Any] = {
        "kind": "orders:isolation:issued",
        "act_id": ids.new_id(),
        "organ": "cdc",
        "scope": "d510402.s510402002.c001",
        "basis": "传染病防治法第三十九条",
        "terms": {"days": 14},
        "secrets": {"person": str(ids.new_id()), "door": "3-2-501"},
        "by": an_actor(),
    }
    return actions.append(**{**facts, **changes})


def past_the_triggers(sql: str, *values: Any) -> None:
    """Change one row as the owner of the database could: no trigger of the tables named is asked."""
    tables = set(re.findall(r"(?:UPDATE|INTO|FROM) (\w+)", sql))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(sql, values)
        assert cursor.rowcount == 1
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
