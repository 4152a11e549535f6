"""L-5 for announcements: each signed row has its entry and each entry its row, and both say the same text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lianfang.ledger import queries as ledger

from . import policy, queries
from .models import Publication, Supersession, Withdrawal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID


def chain_faults() -> list[str]:
    """What does not fit, in words for who runs `fsck`; numbers and ids, no content."""
    found = ledger.unmatched("announcements", _rows())
    found += ledger.unmatched_terms("announcements:announcement:withdrawn", _withdrawn())
    found += ledger.unmatched_terms("announcements:announcement:superseded", _superseded())
    for text in queries.whole().filter(publication__isnull=False).order_by("pk").iterator(chunk_size=500):
        row = text.publication
        view = queries.View(text, policy.State.IN_FORCE, row, None, None)
        if row.text_hash != policy.hash_of(queries.text_of(text, row)) or not queries.is_as_published(view):
            found.append(f"announcement {row.number}: the text is not what was published")
        elif row.ends_at != text.ends_at:
            found.append(f"announcement {row.number}: it is dated otherwise than it was drafted")
    return found


def _rows() -> Iterator[tuple[UUID, str, UUID]]:
    for table, kind in ((Publication, "published"), (Supersession, "superseded"), (Withdrawal, "withdrawn")):
        for entry_id, text_id in table.objects.values_list("entry_id", "announcement_id").iterator():
            yield entry_id, f"announcements:announcement:{kind}", text_id


def _withdrawn() -> Iterator[tuple[UUID, Mapping[str, str | int]]]:
    for row in Withdrawal.objects.select_related("announcement__publication").iterator():
        yield row.entry_id, {"number": row.announcement.publication.number, "reason": row.reason}


def _superseded() -> Iterator[tuple[UUID, Mapping[str, str | int]]]:
    for row in Supersession.objects.select_related("announcement__publication", "later").iterator():
        yield row.entry_id, {"number": row.announcement.publication.number, "by": row.later.number}
