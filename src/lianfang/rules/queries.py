"""Which document is in force for a place on a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lianfang.kernel.errors import NotFound

from . import parsing
from .errors import NoIncident
from .models import Document, Incident
from .policy import Kind, choose, jurisdictions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date
    from uuid import UUID

    from .policy import (
        Caps,
        Catalogue,
        Competence,
        IsolationRule,
        ListedArea,
        ListedAreas,
        Reason,
        Remedies,
        Wording,
    )


@dataclass(frozen=True, slots=True)
class RunningIncident:
    """The outbreak that is running."""

    id: UUID
    code: str
    disease: str
    name_zh: str
    name_en: str
    area: str


def incident() -> RunningIncident:
    """The outbreak that is running.

    :raises NoIncident: none is
    """
    row = Incident.objects.filter(ended_on=None).first()
    if row is None:
        raise NoIncident
    return RunningIncident(row.pk, row.code, row.disease, row.name_zh, row.name_en, row.area)


def _chosen(kind: Kind, *, area: str | None, on: date, subject: str = "") -> Document | None:
    now = incident()
    reach = jurisdictions(area or now.area)
    rows = {
        d.pk: d
        for d in Document.objects.in_force(on)
        .reaching(reach)
        .filter(kind=kind, disease=now.disease, subject=subject)
    }
    best = choose(map(parsing.sourced, rows.values()), reach=reach, on=on)
    return None if best is None else rows[best.id]


def isolation_rule(*, reason: str, area: str | None = None, on: date) -> IsolationRule | None:
    """How long and how a person is isolated for this reason, here, on this day. None: no document says so."""
    row = _chosen(Kind.ISOLATION, area=area, on=on, subject=reason)
    return None if row is None else parsing.isolation(row)


@dataclass(frozen=True, slots=True)
class Ruling:
    """All that the documents of a day say about one order: read at once, since an act asks for all of it."""

    incident: RunningIncident
    reason: Reason | None
    rule: IsolationRule | None
    caps: Caps | None
    competence: Competence | None


def ruling(*, reason: str, area: str, on: date) -> Ruling:
    """What is in force for an order for this reason, here, on this day; the same answers as one by one."""
    now = incident()
    reach = jurisdictions(area)
    wanted = {Kind.ISOLATION: reason, Kind.REASONS: "", Kind.CAPS: "", Kind.COMPETENCE: ""}
    rows = [
        d
        for d in Document.objects.in_force(on)
        .reaching(reach)
        .filter(kind__in=list(wanted), disease=now.disease, subject__in=["", reason])
        if d.subject == wanted[Kind(d.kind)]
    ]

    def chosen(kind: Kind) -> Document | None:
        of_kind = {d.pk: d for d in rows if d.kind == kind}
        best = choose(map(parsing.sourced, of_kind.values()), reach=reach, on=on)
        return None if best is None else of_kind[best.id]

    rule, reasons, caps_, competence_ = map(chosen, wanted)
    return Ruling(
        now,
        None if reasons is None else parsing.catalogue(reasons).find(reason),
        None if rule is None else parsing.isolation(rule),
        None if caps_ is None else parsing.caps(caps_),
        None if competence_ is None else parsing.competence(competence_),
    )


def rule_of(document_id: UUID) -> IsolationRule:
    """The rule an order keeps, whether still in force or not."""
    return rules_of([document_id])[document_id]


def rules_of(document_ids: Collection[UUID]) -> dict[UUID, IsolationRule]:
    """The rules that orders keep, whether still in force or not; in one query."""
    return {d.pk: parsing.isolation(d) for d in Document.objects.filter(pk__in=set(document_ids))}


def competence(*, on: date, area: str | None = None) -> Competence | None:
    """Who may order what on this day."""
    row = _chosen(Kind.COMPETENCE, area=area, on=on)
    return None if row is None else parsing.competence(row)


class Quoted:
    """The documents that pages and papers quote, read once: two queries, whatever days and places are asked for."""

    def __init__(self) -> None:
        self._incident: RunningIncident | None = None
        self._rows: dict[UUID, Document] = {}

    def catalogue(self, on: date, *, area: str | None = None) -> Catalogue | None:
        """The reasons in force; without a catalogue there is no reason."""
        row = self._chosen(Kind.REASONS, area=area, on=on)
        return None if row is None else parsing.catalogue(row)

    def remedies(self, on: date, *, area: str | None = None) -> Remedies | None:
        """The ways to object that are printed on a notice of this day."""
        row = self._chosen(Kind.REMEDIES, area=area, on=on)
        return None if row is None else parsing.remedies(row)

    def wording(self, on: date, *, area: str | None = None) -> Wording | None:
        """Duties, protections and legal basis as printed on a notice of this day."""
        row = self._chosen(Kind.WORDING, area=area, on=on)
        return None if row is None else parsing.wording(row)

    def _chosen(self, kind: Kind, *, area: str | None, on: date) -> Document | None:
        if self._incident is None:
            self._incident = incident()
            kinds = [Kind.REASONS, Kind.REMEDIES, Kind.WORDING]
            rows = Document.objects.filter(
                kind__in=kinds, disease=self._incident.disease, published_at__isnull=False
            )
            self._rows = {d.pk: d for d in rows}
        reach = jurisdictions(area or self._incident.area)
        of_kind = (parsing.sourced(d) for d in self._rows.values() if d.kind == kind)
        best = choose(of_kind, reach=reach, on=on)
        return None if best is None else self._rows[best.id]


def catalogue(on: date, *, area: str | None = None) -> Catalogue | None:
    """See `Quoted.catalogue`."""
    return Quoted().catalogue(on, area=area)


def reason_in_force(reason: str, on: date, *, area: str | None = None) -> Reason | None:
    """The reason of that code in the catalogue of the day."""
    found = catalogue(on, area=area)
    return None if found is None else found.find(reason)


def caps(on: date, *, area: str | None = None) -> Caps | None:
    """The ceilings in force."""
    row = _chosen(Kind.CAPS, area=area, on=on)
    return None if row is None else parsing.caps(row)


def listed_areas(on: date, *, area: str | None = None) -> ListedAreas | None:
    """The divisions from which an arrival calls for a look."""
    row = _chosen(Kind.LISTED_AREAS, area=area, on=on)
    return None if row is None else parsing.listed_areas(row)


def listed_area(division: str, on: date, *, area: str | None = None) -> ListedArea | None:
    """The listed division that holds this one."""
    found = listed_areas(on, area=area)
    return None if found is None else found.covering(division)


@dataclass(frozen=True, slots=True)
class Line:
    """One document as a page lists it."""

    id: UUID
    kind: str
    subject: str
    jurisdiction: str
    version: str
    effective_from: date | None
    effective_to: date | None
    title: str
    document_no: str
    source: str
    is_verified: bool
    verified_by: str
    verified_on: date | None
    is_published: bool
    is_demonstration: bool
    entry_id: UUID | None
    ended_entry_id: UUID | None
    in_force: bool
    measure: str
    days: int | None
    follow_on_measure: str
    follow_on_days: int
    anchor_event: str
    text: str


def lines(*, on: date, published_only: bool) -> list[Line]:
    """All documents, those in force first."""
    rows: Iterable[Document] = Document.objects.order_by(
        "kind", "jurisdiction", "subject", "effective_from", "version"
    )
    found = [_line(d, on) for d in rows if d.published_at is not None or not published_only]
    return sorted(found, key=lambda line: not line.in_force)


@dataclass(frozen=True, slots=True)
class Whole:
    """One document with all it says."""

    line: Line
    content: dict[str, object]


def document(document_id: UUID, *, on: date) -> Whole:
    """One document.

    :raises NotFound: no such document
    """
    found = Document.objects.filter(pk=document_id).first()
    if found is None:
        raise NotFound
    return Whole(_line(found, on), found.content)


def published_text(document_id: UUID) -> bytes:
    """A published document as the file whose SHA-256 its entry holds.

    :raises NotFound: no such document, or a draft
    """
    found = Document.objects.filter(pk=document_id, published_at__isnull=False).first()
    if found is None:
        raise NotFound
    return parsing.published_text(found)


def count_drafts(*, not_by: UUID) -> int:
    """How many drafts that others wrote wait for somebody to publish them. What ships without dates does not wait."""
    drafts = Document.objects.filter(
        published_at=None, drafted_by__isnull=False, effective_from__isnull=False
    )
    return drafts.exclude(drafted_by=not_by).count()


def count_unverified(*, on: date) -> int:
    """How many documents in force nobody has compared with the official text."""
    return Document.objects.in_force(on).filter(verified_by="").exclude(kind=Kind.GUIDANCE).count()


def _line(d: Document, on: date) -> Line:
    c = d.content if d.kind == Kind.ISOLATION else {}
    return Line(
        id=d.pk,
        kind=d.kind,
        subject=d.subject,
        jurisdiction=d.jurisdiction,
        version=d.version,
        effective_from=d.effective_from,
        effective_to=d.effective_to,
        title=d.title,
        document_no=d.document_no,
        source=d.source,
        is_verified=bool(d.verified_by),
        verified_by=d.verified_by,
        verified_on=d.verified_on,
        is_published=d.published_at is not None,
        is_demonstration=d.demonstration,
        entry_id=d.entry_id,
        ended_entry_id=d.ended_entry_id,
        in_force=d.published_at is not None
        and d.effective_from is not None
        and d.effective_from <= on
        and (d.effective_to is None or on <= d.effective_to),
        measure=c.get("measure", ""),
        days=c.get("days"),
        follow_on_measure=c.get("follow_on_measure", ""),
        follow_on_days=c.get("follow_on_days", 0),
        anchor_event=c.get("anchor_event", ""),
        text=d.content.get("text", "") if d.kind == Kind.GUIDANCE else "",
    )
