"""L-5 for reports: of what was destroyed after its term the entry says the same number, and each entry has its row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lianfang.ledger import queries as ledger

from .models import Destruction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID


def chain_faults() -> list[str]:
    """What does not fit, in words for who runs `fsck`; no content."""
    return ledger.unmatched_terms("concerns:reports:destroyed", _destructions())


def _destructions() -> Iterator[tuple[UUID, Mapping[str, str | int]]]:
    for row in Destruction.objects.iterator():
        yield row.entry_id, {"count": row.count, "reason": "term"}
