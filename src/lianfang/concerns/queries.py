"""Which concerns wait for an officer, and what a concern says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Min

from lianfang.accounts.rights import Right
from lianfang.kernel.fields import within_any

from . import policy
from .models import ArrivalReport, PersonOfConcern

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

    from lianfang.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Concern:
    """A concern as others see it; whose it is says the reader of people, for those who may."""

    id: UUID
    person_id: UUID
    category: str
    anchor_event: str
    anchor_at: datetime
    measure: str
    rule_version: str
    reported_at: datetime
    decides_by: datetime
    state: policy.State


def _concern(row: PersonOfConcern, at: datetime) -> Concern:
    decision = getattr(row, "decision", None)
    return Concern(
        row.pk,
        row.person_id,
        row.category,
        row.anchor_event,
        row.anchor_at,
        row.measure,
        row.rule_version,
        row.reported_at,
        row.reported_at + policy.DECIDE_WITHIN,
        policy.state(
            reported_at=row.reported_at, decided=None if decision is None else decision.outcome, at=at
        ),
    )


def _unassessed(by: Actor) -> QuerySet[PersonOfConcern]:
    return PersonOfConcern.objects.filter(
        within_any("area", by.areas(Right.CONCERNS_REPORT_SEE)),
        decision=None,
        reported_at__gt=by.at - policy.DECIDE_WITHIN,
    )


def unassessed(by: Actor, *, limit: int = 200) -> list[Concern]:
    """Concerns that wait for a decision in the actor's areas, the most urgent first."""
    rows = _unassessed(by).select_related("decision").order_by("reported_at")[:limit]
    return [_concern(r, by.at) for r in rows]


def verified(by: Actor, *, limit: int = 200) -> list[Concern]:
    """Concerns in the actor's areas that hold and for which a rule provides a measure, the oldest first."""
    rows = (
        PersonOfConcern.objects.filter(
            within_any("area", by.areas(Right.CONCERNS_REPORT_SEE)),
            decision__outcome=policy.State.VERIFIED,
            anchor_at__gt=by.at - policy.SHOWN_FOR,
        )
        .exclude(measure="")
        .select_related("decision")
        .order_by("reported_at")[:limit]
    )
    return [_concern(r, by.at) for r in rows]


def count_unassessed(by: Actor) -> tuple[int, datetime | None]:
    """How many wait for a decision, and when the first of them lapses."""
    waiting = _unassessed(by).aggregate(count=Count("pk"), oldest=Min("reported_at"))
    oldest = waiting["oldest"]
    return waiting["count"], None if oldest is None else oldest + policy.DECIDE_WITHIN


def concern(concern_id: UUID, *, by: Actor) -> Concern | None:
    """One concern, if the actor may see its area."""
    row = (
        PersonOfConcern.objects.filter(within_any("area", by.areas(Right.CONCERNS_REPORT_SEE)), pk=concern_id)
        .select_related("decision")
        .first()
    )
    return None if row is None else _concern(row, by.at)


def evidence(concern_id: UUID, *, persons: Collection[UUID], at: datetime) -> Concern | None:
    """A concern on which an order about one of these records may rest: neither dismissed nor lapsed."""
    row = (
        PersonOfConcern.objects.filter(pk=concern_id, person_id__in=list(persons))
        .select_related("decision")
        .first()
    )
    found = None if row is None else _concern(row, at)
    usable = (policy.State.WAITING, policy.State.VERIFIED)
    return found if found is not None and found.state in usable else None


def open_concerns_of(person_id: UUID, at: datetime) -> list[Concern]:
    """What still waits for a decision about this person (the own page)."""
    rows = PersonOfConcern.objects.filter(
        person_id=person_id, decision=None, reported_at__gt=at - policy.DECIDE_WITHIN
    ).order_by("reported_at")
    return [_concern(r, at) for r in rows]


def met_arrival_since(person_id: UUID, since: datetime) -> UUID | None:
    """An arrival of this person entered by an officer who met them (O-6); scans and own reports are none."""
    return (
        ArrivalReport.objects.filter(person_id=person_id, way="officer", arrived_at__gte=since)
        .order_by("-arrived_at")
        .values_list("pk", flat=True)
        .first()
    )
