"""Codes that a gate could not trust, kept with the passage (passes.md §4.2): counted for everybody who sees the post,
opened one by one by who may, each time with a reason.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Right

from .errors import NoSuchCode
from .models import CodeReading, KeptCode
from .opening import passage_of
from .policy import KEPT_FOR

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from lianfang.kernel.actor import Actor

    from .models import Gate


@dataclass(frozen=True, slots=True)
class KeptView:
    """That there is a code, and who has opened it so far."""

    id: int
    at: datetime
    inward: bool
    verdict: str
    readings: tuple[tuple[datetime, str], ...]


def count_of(gate: Gate, *, at: datetime) -> int:
    """How many codes of this post are kept."""
    return KeptCode.objects.filter(gate=gate, received_at__gte=at - KEPT_FOR).count()


def codes_of(gate: Gate, *, by: Actor, limit: int = 30) -> list[KeptView]:
    """The newest kept codes of a post, for who may open them; nothing of what they say."""
    if not by.may(Right.GATES_CODE_OPEN, over=gate.area):
        return []
    rows = list(
        KeptCode.objects.filter(gate=gate, received_at__gte=by.at - KEPT_FOR).order_by(
            "-received_at", "-seq"
        )[:limit]
    )
    readings: dict[tuple[UUID, int, datetime], list[tuple[datetime, str]]] = defaultdict(list)
    for reading in CodeReading.objects.filter(gate=gate, seq__in=[row.seq for row in rows]).order_by("at"):
        # The time, too: once its day is forgotten, a device's number may come again.
        key = (reading.device_id, reading.seq, reading.passage_received_at)
        readings[key].append((reading.at, reading.read_as))
    return [
        KeptView(
            row.pk,
            row.passed_at or row.received_at,
            row.inward,
            row.verdict,
            tuple(readings[row.device_id, row.seq, row.received_at]),
        )
        for row in rows
    ]


@transaction.atomic
def open_code(code_id: int, *, gate_id: UUID, reason: str, by: Actor) -> str:
    """What the code says, as it was read at the gate. Every opening is recorded, with its reason: a forged code may name
    a real door and initials.

    :raises NoSuchCode: there is none at this post, its row is gone, or the actor opens no codes there
    """
    row = KeptCode.objects.select_related("gate").filter(pk=code_id, gate_id=gate_id).first()
    if row is None or not by.may(Right.GATES_CODE_OPEN, over=row.gate.area):
        raise NoSuchCode
    passage = passage_of(row.device_id, row.seq, row.received_at)
    if passage is None or passage.code is None:
        raise NoSuchCode
    CodeReading.objects.create(
        device_id=row.device_id,
        gate_id=row.gate_id,
        seq=row.seq,
        passage_received_at=row.received_at,
        at=by.at,
        user=by.user_id,
        read_as=accounts.shown_as(by.organ, by=by),
        reason=reason,
    )
    return passage.code
