"""L-5 for gates: each signed act and each round of cards has its entry, each entry its row, and both say the same: what
the rule set for the gates is made of, from when until when, for whom; how many cards; the hours of evidence; the days
destroyed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lianfang.ledger import queries as ledger

from .models import AgesAct, Destruction, GateActLift, GateActSignature, PassRound, PassRoundEnd

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID


def chain_faults() -> list[str]:
    """What does not fit, in words for who runs `fsck`; numbers and ids, no content."""
    return (
        ledger.unmatched("gates", _rows())
        + ledger.unmatched_terms("gates:act:signed", _signed())
        + _elsewhere()
        + ledger.unmatched_terms("gates:act:lifted", _lifted())
        + ledger.unmatched_terms("gates:passes:given", _given())
        + ledger.unmatched_terms("gates:passes:withdrawn", _withdrawn())
        + ledger.unmatched_terms("gates:ages:set", _ages())
        + ledger.unmatched_terms("gates:passages:destroyed", _destructions())
    )


def _rows() -> Iterator[tuple[UUID, str, UUID]]:
    for pk, entry in GateActSignature.objects.values_list("act_id", "entry_id").iterator():
        yield entry, "gates:act:signed", pk
    for pk, entry in GateActLift.objects.values_list("act_id", "entry_id").iterator():
        yield entry, "gates:act:lifted", pk
    for pk, entry in AgesAct.objects.values_list("pk", "entry_id").iterator():
        yield entry, "gates:ages:set", pk
    for pk, entry in Destruction.objects.values_list("pk", "entry_id").iterator():
        yield entry, "gates:passages:destroyed", pk
    for pk, entry in PassRound.objects.values_list("pk", "entry_id").iterator():
        yield entry, "gates:passes:given", pk
    for pk, entry in PassRoundEnd.objects.values_list("round_id", "entry_id").iterator():
        yield entry, "gates:passes:withdrawn", pk


def _signed() -> Iterator[tuple[UUID, Mapping[str, str | int]]]:
    for row in GateActSignature.objects.select_related("act").iterator():
        act = row.act
        yield (
            row.entry_id,
            {
                "no": act.no,
                "kind": act.kind,
                "from": max(act.starts_at, row.signed_at).isoformat(timespec="seconds"),
                "until": act.ends_at.isoformat(timespec="seconds"),
                "classes": act.classes,
                "times": act.times,
                "days": act.window,
            },
        )


def _elsewhere() -> list[str]:
    """Signed acts whose place is not the one that was signed. It is sealed, for a compound may be too small to be named
    for ever; what was sealed before places were, or was erased, is compared no more."""
    acts = {row.entry_id: row.act for row in GateActSignature.objects.select_related("act").iterator()}
    found = []
    for entry, opened in ledger.disclosures_of_each(list(acts)).items():
        sealed = {d.field: d.value for d in opened.values()}
        row = {"area": acts[entry].area, "zones": ",".join(acts[entry].zones)}
        wrong = sorted(name for name in row.keys() & sealed.keys() if row[name] != sealed[name])
        if wrong:
            found.append(f"act {acts[entry].no}: {', '.join(wrong)} is not what was signed")
    return found


def _lifted() -> Iterator[tuple[UUID, Mapping[str, str | int]]]:
    for row in GateActLift.objects.select_related("act").iterator():
        yield row.entry_id, {"no": row.act.no}


def _given() -> Iterator[tuple[UUID, Mapping[str, str | int]]]:
    for row in PassRound.objects.iterator():
        until = row.valid_until.isoformat(timespec="seconds")
        yield row.entry_id, {"classes": "P", "count": row.count, "until": until}


def _withdrawn() -> Iterator[tuple[UUID, Mapping[str, str | int]]]:
    for row in PassRoundEnd.objects.iterator():
        yield row.entry_id, {"classes": "P", "count": row.count}


def _ages() -> Iterator[tuple[UUID, Mapping[str, str | int]]]:
    for row in AgesAct.objects.iterator():
        yield row.entry_id, {"no": row.no, "day_hours": row.day_hours, "old_hours": row.old_hours}


def _destructions() -> Iterator[tuple[UUID, Mapping[str, str | int]]]:
    for row in Destruction.objects.iterator():
        yield row.entry_id, {"count": row.days, "until": row.until.isoformat(), "reason": "term"}
