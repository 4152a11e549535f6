"""Which concerns wait for an officer, and what a concern says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Exists, Min, OuterRef

from lianfang.accounts.rights import Right
from lianfang.kernel.fields import within_any

from . import policy
from .models import ArrivalReport, PersonOfConcern, SymptomReport

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
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
    #: It is kept longer only where an order or a proposal names it, which the room above knows.
    kept_until: datetime


def _concern(row: PersonOfConcern, at: datetime) -> Concern:
    decision = getattr(row, "decision", None)
    decided = None if decision is None else decision.outcome
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
        policy.state(reported_at=row.reported_at, decided=decided, at=at),
        policy.kept_until(reported_at=row.reported_at, anchor_at=row.anchor_at, decided=decided),
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
    """A concern on which an order about one of these records may rest: neither dismissed nor lapsed.

    Locked until the transaction ends: what is about to be named is not destroyed meanwhile (`actions.destroy_ended`).
    """
    row = (
        PersonOfConcern.objects.select_for_update(of=("self",))
        .filter(pk=concern_id, person_id__in=list(persons))
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


@dataclass(frozen=True, slots=True)
class Ended:
    """What is past its term: a concern with the report it rests on, or a report that asked for nothing."""

    concern_id: UUID | None
    report_id: UUID


def past_term(at: datetime) -> Iterator[Ended]:
    """Concerns and reports whose term is over, unless something above rests on them: who asks leaves those out."""
    before = at - policy.KEPT_AFTER
    old = PersonOfConcern.objects.filter(reported_at__lte=before - policy.DECIDE_WITHIN).order_by("pk")
    rows = old.values_list("pk", "basis_id", "reported_at", "anchor_at", "decision__outcome")
    for pk, basis, reported_at, anchor_at, decided in rows.iterator():
        if policy.kept_until(reported_at=reported_at, anchor_at=anchor_at, decided=decided) <= at:
            yield Ended(pk, basis)
    for model in (ArrivalReport, SymptomReport):
        rests = PersonOfConcern.objects.filter(basis_id=OuterRef("pk"))
        alone = model.objects.filter(~Exists(rests), recorded_at__lte=before).order_by("pk")
        for pk in alone.values_list("pk", flat=True).iterator():
            yield Ended(None, pk)
