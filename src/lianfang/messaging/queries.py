"""Questions about messages that other rooms may ask. None of them returns a person's data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Prefetch

from .models import Attempt, OwedMessage, OwedMessages
from .policy import Means, Outcome

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class Owed:
    """One owed message and how far it has come."""

    id: UUID
    template: str
    to: UUID
    facts: dict[str, str]
    owed_at: datetime
    due_by: datetime
    attempts: int
    delivered_at: datetime | None
    means: Means | None


def undelivered(at: datetime) -> list[Owed]:
    """Everything owed that had not arrived at `at`, the most urgent first."""
    return _read(OwedMessage.objects.undelivered(at).order_by("due_by", "id"), at=at)


def late(at: datetime) -> list[Owed]:
    """Of these, what a person now has to bring: past its hour, or owed for two hours (O-10)."""
    return _read(OwedMessage.objects.late(at).order_by("due_by", "id"), at=at)


def owed_to(recipient: UUID, *, at: datetime) -> list[Owed]:
    """Everything ever owed to one recipient until `at`, the newest first."""
    return _read(
        OwedMessage.objects.filter(recipient=recipient, owed_at__lte=at).order_by("-owed_at", "-id"), at=at
    )


def _read(messages: OwedMessages, *, at: datetime) -> list[Owed]:
    attempts = Prefetch("attempts", Attempt.objects.filter(tried_at__lte=at).order_by("tried_at"))
    return [_owed(m, list(m.attempts.all())) for m in messages.prefetch_related(attempts)]


def _owed(message: OwedMessage, tried: list[Attempt]) -> Owed:
    arrived = next((a for a in tried if a.outcome == Outcome.DELIVERED), None)
    return Owed(
        id=message.pk,
        template=message.template,
        to=message.recipient,
        facts=message.facts,
        owed_at=message.owed_at,
        due_by=message.due_by,
        attempts=len(tried),
        delivered_at=arrived.tried_at if arrived else None,
        means=Means(arrived.means) if arrived else None,
    )
