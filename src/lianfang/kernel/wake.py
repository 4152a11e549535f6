"""Signals between processes: NOTIFY inside the act's transaction, so that no signal precedes its rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from uuid import UUID

#: PostgreSQL takes at most 8,000 bytes in a notification; ids beyond that are found by the listener's query.
_MOST_IDS = 100


def wake(topic: str, *ids: UUID) -> None:
    """Tell listeners of `topic` that something changed. Carries ids only, never facts.

    A lost signal costs a delay, never a fact: every listener also asks by itself.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_notify(%s, %s)", [f"lf_{topic}", json.dumps([str(i) for i in ids[:_MOST_IDS]])]
        )
