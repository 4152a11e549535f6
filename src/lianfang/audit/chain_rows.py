"""L-5 for audits: each grant and each request for a sample has its entry, and each entry its row; what was drawn follows
from its seed, which is a root that was signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lianfang.ledger import queries as ledger
from lianfang_chain.sample import draw

from .models import Drawn, Grant, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID


def chain_faults() -> list[str]:
    """What does not fit, in words for who runs `fsck`; numbers and ids, no content."""
    return [*ledger.unmatched("audit", _rows()), *_draws()]


def _draws() -> Iterator[str]:
    for done in Drawn.objects.select_related("sample").iterator():
        seed = bytes(done.seed)
        if ledger.root_at(done.log, done.seed_size) != seed:
            yield f"sample {done.pk}: its seed is not the root of {done.seed_size} entries that was signed"
        leaves = {r.leaf: r.id for r in ledger.rows_of(done.population)}
        if {leaves[leaf] for leaf in draw(seed, list(leaves), done.sample.count)} != set(done.entries):
            yield f"sample {done.pk}: its seed draws others than those written down"


def _rows() -> Iterator[tuple[UUID, str, UUID]]:
    for pk, entry in Grant.objects.values_list("pk", "entry_id").iterator():
        yield entry, "audit:grant:given", pk
    for pk, entry in Sample.objects.values_list("pk", "entry_id").iterator():
        yield entry, "audit:sample:asked", pk
