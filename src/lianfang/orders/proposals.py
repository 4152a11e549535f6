"""Proposals that wait for a signature, and concerns on which nobody has decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef

from lianfang.accounts.rights import Right
from lianfang.concerns import queries as concerns
from lianfang.kernel.fields import within_any

from . import policy
from .models import IsolationOrder, IsolationProposal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

    from lianfang.concerns.queries import Concern
    from lianfang.kernel.actor import Actor

    from .models import SecondSignature


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A proposal that waits for a signature."""

    id: UUID
    person_id: UUID
    area: str
    reason: str
    anchor_at: datetime
    evidence_id: UUID
    home_is_suitable: bool
    note: str
    organ: str
    pseudonym: str
    signed_at: datetime
    lapses_at: datetime
    seconded_by: tuple[str, ...]


def rows_waiting(by: Actor) -> QuerySet[IsolationProposal]:
    """The rows of `waiting`."""
    return IsolationProposal.objects.filter(
        within_any("area", by.areas(Right.ORDERS_PROPOSAL_SEE)),
        signed_at__gt=by.at - policy.PROPOSAL_WAITS,
        refusal=None,
    ).exclude(Exists(IsolationOrder.objects.filter(proposal=OuterRef("pk"))))


def waiting(by: Actor, *, limit: int = 200) -> list[ProposalView]:
    """Proposals that wait for a signature in the actor's areas, the most urgent first."""
    rows = rows_waiting(by).prefetch_related("second_signatures").order_by("signed_at", "pk")
    return [_proposal(r) for r in rows[:limit]]


def proposal(proposal_id: UUID, *, by: Actor) -> ProposalView | None:
    """One proposal, if the actor may see its area."""
    row = (
        IsolationProposal.objects.filter(
            within_any("area", by.areas(Right.ORDERS_PROPOSAL_SEE)), pk=proposal_id
        )
        .prefetch_related("second_signatures")
        .first()
    )
    return None if row is None else _proposal(row)


def _proposal(row: IsolationProposal) -> ProposalView:
    seconds: Iterable[SecondSignature] = row.second_signatures.all()
    return ProposalView(
        row.pk,
        row.person_id,
        row.area,
        row.reason,
        row.anchor_at,
        row.evidence_id,
        row.home_is_suitable,
        row.note,
        row.organ,
        row.pseudonym,
        row.signed_at,
        row.signed_at + policy.PROPOSAL_WAITS,
        tuple(s.organ for s in seconds),
    )


def concerns_without_order(by: Actor) -> list[Concern]:
    """Verified concerns in the actor's areas on which nobody has ordered or proposed anything yet."""
    verified = concerns.verified(by)
    ids = [concern.id for concern in verified]
    used: set[UUID] = set()
    for model in (IsolationOrder, IsolationProposal):
        used.update(model.objects.filter(evidence_id__in=ids).values_list("evidence_id", flat=True))
    return [concern for concern in verified if concern.id not in used]
