"""L-5 for gates: each signed act and each round of cards has its entry, and each entry its row; of the ages of
evidence the entry says the same hours, of passages destroyed the same days."""

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


def _ages() -> Iterator[tuple[UUID, Mapping[str, str | int]]]:
    for row in AgesAct.objects.iterator():
        yield row.entry_id, {"no": row.no, "day_hours": row.day_hours, "old_hours": row.old_hours}


def _destructions() -> Iterator[tuple[UUID, Mapping[str, str | int]]]:
    for row in Destruction.objects.iterator():
        yield row.entry_id, {"count": row.days, "until": row.until.isoformat(), "reason": "term"}
