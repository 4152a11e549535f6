"""L-5 for documents: what was published and ended has its entry, each entry its row, and both say the same text and days.

What was published before documents had entries has none. A document without an entry that says it was published after
the first that has one is found. KNOWN: one that is written into the tables by hand with an earlier instant is not; the
page of rules shows of each whether it stands in the chain.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from django.db.models import Min

from lianfang.ledger import queries as ledger

from . import parsing
from .models import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID


def chain_faults() -> list[str]:
    """What does not fit, in words for who runs `fsck`; ids, no content."""
    return [
        *ledger.unmatched("rules", _rows()),
        *ledger.unmatched_terms("rules:document:published", _published()),
        *ledger.unmatched_terms("rules:document:ended", _ended()),
        *_without_entry(),
    ]


def _rows() -> Iterator[tuple[UUID, str, UUID]]:
    for pk, entry, ended in Document.objects.values_list("pk", "entry", "ended_entry").iterator():
        if entry is not None:
            yield entry, "rules:document:published", pk
        if ended is not None:
            yield ended, "rules:document:ended", pk


def _published() -> Iterator[tuple[UUID, Mapping[str, str | int]]]:
    for d in Document.objects.filter(entry__isnull=False, effective_from__isnull=False).iterator():
        assert d.entry_id is not None  # the filter says it
        assert d.effective_from is not None
        # Only a document without a last day is ended: it had none when it was published.
        until = None if d.ended_entry_id else d.effective_to
        yield (
            d.entry_id,
            {
                "rule": d.version,
                "sha256": sha256(parsing.published_text(d)).hexdigest(),
                "from": d.effective_from.isoformat(),
                "until": until.isoformat() if until else "further notice",
            },
        )


def _ended() -> Iterator[tuple[UUID, Mapping[str, str | int]]]:
    for d in Document.objects.filter(ended_entry__isnull=False).iterator():
        assert d.ended_entry_id is not None  # the filter says it
        yield d.ended_entry_id, {"rule": d.version, "until": str(d.effective_to)}


def _without_entry() -> Iterator[str]:
    since = Document.objects.filter(entry__isnull=False).aggregate(first=Min("published_at"))["first"]
    if since is not None:
        for pk in Document.objects.filter(entry=None, published_at__gte=since).values_list("pk", flat=True):
            yield f"document {pk}: it was published and has no entry"
