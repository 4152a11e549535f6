"""L-5 for status lists and passes: each hourly digest has its entry, and each entry its digests; of passes destroyed the
entry says the same number and day."""

from __future__ import annotations

import hashlib
from itertools import groupby
from typing import TYPE_CHECKING

from lianfang.ledger import queries as ledger

from .models import Destruction, Digest, Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID


def chain_faults() -> list[str]:
    """What does not fit, in words for who runs `fsck`; no content.

    Digests are never deleted. A list is kept while it is the newest, so only that is hashed again.
    """
    found = ledger.unmatched_terms("credentials:status:published", _digests_said())
    found += ledger.unmatched_terms("credentials:passes:destroyed", _destructions())
    kept = Version.objects.filter(whole__isnull=False).order_by("shard_id", "version")
    for shard, version, whole in kept.values_list("shard_id", "version", "whole").iterator(chunk_size=1):
        assert whole is not None  # the filter says it
        hashes = Digest.objects.filter(shard_id=shard, version=version).values_list("sha256", flat=True)
        if {bytes(sha256) for sha256 in hashes} - {hashlib.sha256(bytes(whole)).digest()}:
            found.append(f"list {shard}, version {version}: it is not the one that was published")
    return found


def _digests_said() -> Iterator[tuple[UUID, Mapping[str, str | int]]]:
    """The digests of one entry together, as its terms."""
    rows = Digest.objects.order_by("entry_id", "shard_id").iterator(chunk_size=2_000)
    for entry_id, digests in groupby(rows, key=lambda digest: digest.entry_id):
        said: dict[str, str | int] = {}
        for digest in digests:
            said |= {
                "hour": digest.hour.isoformat(),
                digest.shard_id: f"{digest.version} {bytes(digest.sha256).hex()}",
            }
        yield entry_id, said


def _destructions() -> Iterator[tuple[UUID, Mapping[str, str | int]]]:
    for row in Destruction.objects.iterator():
        yield row.entry_id, {"count": row.count, "until": row.until.isoformat(), "reason": "term"}
