"""Document rows to values: the only place that reads the JSON of a document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from .errors import ContentDoesNotFit
from .policy import (
    Caps,
    Catalogue,
    Competence,
    CompetentOrgan,
    IsolationRule,
    Kind,
    ListedArea,
    ListedAreas,
    Measure,
    Reason,
    ReleaseAt,
    Remedies,
    Remedy,
    Sourced,
    Wording,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .models import Document

Value = IsolationRule | Competence | Catalogue | Caps | Remedies | ListedAreas | Wording


def sourced(d: Document) -> Sourced:
    """What every document carries.

    :raises ContentDoesNotFit: it has no first day
    """
    if d.effective_from is None:
        raise ContentDoesNotFit(missing="effective_from")
    return Sourced(
        id=d.pk,
        version=d.version,
        jurisdiction=d.jurisdiction,
        effective_from=d.effective_from,
        effective_to=d.effective_to,
        title=d.title,
        document_no=d.document_no,
        source=d.source,
        verified_by=d.verified_by,
        demonstration=d.demonstration,
    )


def published_text(d: Document) -> bytes:
    """What a published document says, as the one file whose SHA-256 the chain holds.

    JSON in UTF-8, names sorted by code point, indented by one space, nothing escaped that need not be, a line feed at
    the end. All that never changes after publication is in it; the last day and who compared it, which may be added
    later, are not: the entries say the days.
    """
    said = {
        "kind": d.kind,
        "disease": d.disease,
        "subject": d.subject,
        "jurisdiction": d.jurisdiction,
        "version": d.version,
        "effective_from": None if d.effective_from is None else d.effective_from.isoformat(),
        "title": d.title,
        "document_no": d.document_no,
        "source": d.source,
        "demonstration": d.demonstration,
        "content": d.content,
    }
    return (json.dumps(said, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def isolation(d: Document) -> IsolationRule:
    """An isolation rule."""
    c = d.content
    if c["anchor_counts_as"] not in (0, 1) or (
        c["anchor_counts_as"] and c["release_at"] == ReleaseAt.SAME_HOUR
    ):
        raise ValueError("anchor_counts_as")
    return IsolationRule(
        origin=sourced(d),
        reason=d.subject,
        measure=Measure(c["measure"]),
        days=_days(c["days"]),
        anchor_event=c["anchor_event"],
        anchor_counts_as=c["anchor_counts_as"],
        release_at=ReleaseAt(c["release_at"]),
        legal_basis=c["legal_basis"],
        legal_basis_en=c.get("legal_basis_en", ""),
        follow_on_measure=Measure(c["follow_on_measure"]) if c.get("follow_on_measure") else None,
        follow_on_days=c.get("follow_on_days", 0),
        tests_on_days=tuple(c.get("tests_on_days", ())),
        release_conditions=tuple(c.get("release_conditions", ())),
    )


def competence(d: Document) -> Competence:
    """Who may order what."""
    return Competence(
        sourced(d),
        tuple(
            CompetentOrgan(Measure(o["kind"]), o["organ_kind"], o["level"], o["second_signer"])
            for o in d.content["organs"]
        ),
    )


def catalogue(d: Document) -> Catalogue:
    """The reasons."""
    return Catalogue(
        sourced(d),
        tuple(Reason(r["code"], r["zh"], r["en"], r["anchor_event"]) for r in d.content["reasons"]),
    )


def caps(d: Document) -> Caps:
    """The ceilings."""
    c = d.content
    return Caps(
        origin=sourced(d),
        longest_days={m: _days(c["longest_days"][m]) for m in Measure},
        chained_days={m: _days(c["chained_days"][m]) for m in Measure},
        chain_gap_hours=c["chain_gap_hours"],
        alone_per_day=c["alone_per_day"],
        seconded_per_day=c["seconded_per_day"],
        presence_days=c["presence_days"],
    )


def remedies(d: Document) -> Remedies:
    """The ways to object."""
    return Remedies(sourced(d), tuple(Remedy(**r) for r in d.content["remedies"]))


def listed_areas(d: Document) -> ListedAreas:
    """The divisions listed."""
    return ListedAreas(
        sourced(d), d.content["look_back_days"], tuple(ListedArea(**a) for a in d.content["areas"])
    )


def wording(d: Document) -> Wording:
    """What a notice prints."""

    def pairs(name: str) -> tuple[tuple[str, str], ...]:
        return tuple((w["zh"], w["en"]) for w in d.content[name])

    return Wording(sourced(d), pairs("duties"), pairs("protections"), pairs("legal_basis"))


def _days(value: int) -> int:
    if not 1 <= value <= 365:
        raise ValueError(value)
    return value


PARSERS: Final[Mapping[str, Callable[[Document], Value]]] = {
    Kind.ISOLATION: isolation,
    Kind.COMPETENCE: competence,
    Kind.REASONS: catalogue,
    Kind.CAPS: caps,
    Kind.REMEDIES: remedies,
    Kind.LISTED_AREAS: listed_areas,
    Kind.WORDING: wording,
}


def check(d: Document) -> None:
    """Whether the content says what its kind must say; guidance may say anything.

    :raises ContentDoesNotFit: something is missing or is no value of its kind
    """
    parse: Callable[[Any], Value] | None = PARSERS.get(d.kind)
    if parse is None:
        return
    try:
        parse(d)
    except (KeyError, TypeError, ValueError) as error:
        raise ContentDoesNotFit(missing=str(error)[:80]) from error
