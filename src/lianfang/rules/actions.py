"""Acts on documents: draft, publish, end, verify; declare an incident; load what ships with the product."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction

from lianfang.accounts.rights import Right
from lianfang.kernel.errors import NotFound, SameIdOtherContent
from lianfang.kernel.ids import new_id
from lianfang.ledger import actions as ledger

from . import parsing
from .errors import AlreadyPublished, DraftLacksDates, OnePersonCannotPublish, OverlapsAtOneLevel
from .models import Document, Incident
from .queries import incident

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from lianfang.kernel.actor import Actor

_DATA: Final = Path(__file__).parent / "data"
#: The documents every installation starts with, and those of the demonstration district.
SHIPPED: Final = ("national", "covid19")
DEMONSTRATION: Final = "demonstration"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDraft:
    """What is written down of one text before it rules anything."""

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
    content: Mapping[str, Any]
    demonstration: bool = False
    disease: str = field(default="")


@transaction.atomic
def declare_incident(
    incident_id: UUID, *, code: str, disease: str, name_zh: str, name_en: str, area: str, by: Actor
) -> UUID:
    """Begin an outbreak; sending it again changes nothing.

    :raises NotAllowed: `by` publishes no rules over this area
    :raises SameIdOtherContent: the id was used for another incident
    """
    by.require(Right.RULES_RULE_PUBLISH, over=area)
    earlier = Incident.objects.filter(pk=incident_id).first()
    if earlier is not None:
        if (earlier.code, earlier.disease, earlier.area) != (code, disease, area):
            raise SameIdOtherContent
        return earlier.pk
    return Incident.objects.create(
        id=incident_id,
        code=code,
        disease=disease,
        name_zh=name_zh,
        name_en=name_en,
        area=area,
        started_on=by.legal_day,
    ).pk


@transaction.atomic
def draft_document(draft: DocumentDraft, *, by: Actor) -> UUID:
    """Write a text down. It rules nothing until another person publishes it.

    :raises NotAllowed: `by` publishes no rules over the district
    :raises SameIdOtherContent: the id was used for another text
    """
    by.require(Right.RULES_RULE_PUBLISH, over=incident().area)
    earlier = Document.objects.filter(pk=draft.id).first()
    if earlier is not None:
        if _same(earlier, draft):
            return earlier.pk
        raise SameIdOtherContent
    return _insert(draft, by=by, drafted_by=by.user_id).pk


@transaction.atomic
def publish_document(document_id: UUID, *, by: Actor) -> UUID:
    """Put a draft in force on its days. The chain says what was published.

    :raises NotFound: no such document
    :raises NotAllowed: `by` publishes no rules over the district
    :raises OnePersonCannotPublish: `by` wrote the draft
    :raises DraftLacksDates: it has no first day
    :raises ContentDoesNotFit: it does not say what its kind must say
    :raises OverlapsAtOneLevel: another document of the same level covers some of its days
    """
    document = _locked(document_id, by=by)
    if document.published_at is not None:
        return document.pk
    if document.drafted_by == by.user_id:
        raise OnePersonCannotPublish
    return _publish(document, by=by)


@transaction.atomic
def end_document(document_id: UUID, *, last_day: date, by: Actor) -> UUID:
    """Set the last day of a document that had none. Orders made under it keep it.

    The entry is refused while a restored database waits for its reconciliation: to end a document frees nobody, for
    orders keep their rule, and without caps or remedies people are worse off. A draft rules nothing and has no entry.

    :raises NotFound: no such document
    :raises NotAllowed: `by` publishes no rules over the district
    :raises AlreadyPublished: its last day is set already
    """
    document = _locked(document_id, by=by)
    if document.effective_to == last_day:
        return document.pk
    if document.effective_to is not None:
        raise AlreadyPublished
    document.effective_to = last_day
    if document.published_at is not None:
        document.ended_entry_id = ledger.append(
            kind="rules:document:ended",
            act_id=document.pk,
            organ=by.organ,
            scope=incident().area,
            basis=_basis(document),
            terms={"rule": document.version, "until": last_day.isoformat()},
            secrets={},
            by=by,
            prior=document.entry_id,
        )
    document.save(update_fields=["effective_to", "ended_entry"])
    return document.pk


@transaction.atomic
def verify_document(document_id: UUID, *, verified_by: str, by: Actor) -> UUID:
    """Record that a named person compared the row with the official text.

    :raises NotFound: no such document
    :raises NotAllowed: `by` publishes no rules over the district
    """
    document = _locked(document_id, by=by)
    if not document.verified_by:
        document.verified_by = verified_by
        document.verified_on = by.legal_day
        document.save(update_fields=["verified_by", "verified_on"])
    return document.pk


@transaction.atomic
def load_shipped(names: Iterable[str] = SHIPPED, *, shift_days: int = 0, by: Actor) -> int:
    """Load documents that ship with the product, each once; returns how many are new.

    Rows with exact dates are published, rows without stay drafts. Only demonstration rows move by
    `shift_days`: the law of the land keeps its dates.

    :raises NotAllowed: `by` publishes no rules over the district
    """
    by.require(Right.RULES_RULE_PUBLISH, over=incident().area)
    new = 0
    for name in names:
        for row in json.loads((_DATA / f"{name}.json").read_text())["documents"]:
            draft = _from_row(row, shift_days=shift_days)
            if Document.objects.filter(version=draft.version).exists():
                continue
            document = _insert(draft, by=by, drafted_by=None)
            new += 1
            if draft.effective_from is not None:
                _publish(document, by=by)
    return new


def _from_row(row: Mapping[str, Any], *, shift_days: int) -> DocumentDraft:
    demonstration = bool(row.get("demonstration"))
    shift = timedelta(days=shift_days if demonstration else 0)

    def day(name: str) -> date | None:
        return date.fromisoformat(row[name]) + shift if row.get(name) else None

    return DocumentDraft(
        id=new_id(),
        kind=row["kind"],
        subject=row.get("subject", ""),
        jurisdiction=row["jurisdiction"],
        version=row["version"] + (f"+{shift_days}d" if shift else ""),
        effective_from=day("effective_from"),
        effective_to=day("effective_to"),
        title=row["title"],
        document_no=row.get("document_no", ""),
        source=row.get("source", ""),
        content=row["content"],
        demonstration=demonstration,
        disease=row.get("disease", ""),
    )


def _insert(draft: DocumentDraft, *, by: Actor, drafted_by: UUID | None) -> Document:
    return Document.objects.create(
        id=draft.id,
        kind=draft.kind,
        disease=draft.disease or incident().disease,
        subject=draft.subject,
        jurisdiction=draft.jurisdiction,
        version=draft.version,
        effective_from=draft.effective_from,
        effective_to=draft.effective_to,
        title=draft.title,
        document_no=draft.document_no,
        source=draft.source,
        demonstration=draft.demonstration,
        content=dict(draft.content),
        drafted_by=drafted_by,
        drafted_at=by.at,
    )


def _publish(document: Document, *, by: Actor) -> UUID:
    if document.effective_from is None:
        raise DraftLacksDates
    parsing.check(document)
    document.published_at, document.published_by = by.at, by.user_id
    document.entry_id = ledger.append(
        kind="rules:document:published",
        act_id=document.pk,
        organ=by.organ,
        scope=incident().area,
        basis=_basis(document),
        terms={
            "rule": document.version,
            "sha256": sha256(parsing.published_text(document)).hexdigest(),
            "from": document.effective_from.isoformat(),
            "until": document.effective_to.isoformat() if document.effective_to else "further notice",
        },
        secrets={"drafted_by": str(document.drafted_by)} if document.drafted_by else {},
        by=by,
    )
    try:
        with transaction.atomic():
            document.save(update_fields=["published_at", "published_by", "entry"])
    except IntegrityError as error:
        if "documents_of_one_level_do_not_overlap" in str(error):
            raise OverlapsAtOneLevel from error
        raise
    return document.pk


def _basis(document: Document) -> str:
    """The text that is put in force: no law stands above it in this system but the one it quotes."""
    return f"{document.title} {document.document_no}".rstrip()


def _locked(document_id: UUID, *, by: Actor) -> Document:
    by.require(Right.RULES_RULE_PUBLISH, over=incident().area)
    document = Document.objects.select_for_update().filter(pk=document_id).first()
    if document is None:
        raise NotFound
    return document


def _same(row: Document, draft: DocumentDraft) -> bool:
    return (
        row.kind,
        row.subject,
        row.jurisdiction,
        row.version,
        row.effective_from,
        row.effective_to,
        row.content,
    ) == (
        draft.kind,
        draft.subject,
        draft.jurisdiction,
        draft.version,
        draft.effective_from,
        draft.effective_to,
        dict(draft.content),
    )
