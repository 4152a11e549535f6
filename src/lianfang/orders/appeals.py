"""Objections to orders, and which of them wait for the panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lianfang.accounts.rights import Right
from lianfang.kernel.fields import within_any

from . import policy
from .models import Appeal

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

    from lianfang.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class AppealView:
    """An objection and what became of it."""

    id: UUID
    order_id: UUID
    person_id: UUID
    text: str
    raised_at: datetime
    answer_by: datetime
    granted: bool | None
    reasons: str
    decided_by: str
    decided_at: datetime | None
    entry_id: UUID | None  # none for those of before appeals were entries

    def is_late(self, at: datetime) -> bool:
        """Whether it should have been answered by now (AP-3)."""
        return self.granted is None and at >= self.answer_by


def _appeal(row: Appeal) -> AppealView:
    made = getattr(row, "decision", None)
    return AppealView(
        row.pk,
        row.order_id,
        row.order.person_id,
        row.text,
        row.raised_at,
        row.raised_at + policy.ANSWER_APPEAL_WITHIN,
        None if made is None else made.granted,
        "" if made is None else made.reasons,
        "" if made is None else made.organ,
        None if made is None else made.signed_at,
        row.entry_id,
    )


def of_order(order_id: UUID) -> list[AppealView]:
    """All objections to an order."""
    rows = Appeal.objects.filter(order_id=order_id).select_related("order", "decision")
    return [_appeal(r) for r in rows.order_by("raised_at")]


def _appeals_before(by: Actor) -> QuerySet[Appeal]:
    """Objections where the actor decides, decided or not."""
    return Appeal.objects.filter(within_any("order__area", by.areas(Right.ORDERS_APPEAL_DECIDE)))


def rows_to_decide(by: Actor) -> QuerySet[Appeal]:
    """The rows of `to_decide`."""
    return _appeals_before(by).filter(decision=None)


def appeal(appeal_id: UUID, *, by: Actor) -> AppealView | None:
    """One objection where the actor decides, whether decided already or not."""
    row = _appeals_before(by).filter(pk=appeal_id).select_related("order", "decision").first()
    return None if row is None else _appeal(row)


def to_decide(by: Actor, *, limit: int = 200) -> list[AppealView]:
    """Objections that wait for the panel, the oldest first."""
    rows = rows_to_decide(by).select_related("order", "decision").order_by("raised_at", "pk")
    return [_appeal(r) for r in rows[:limit]]
