"""That a reading stands in the journal as it was, proved under the root of its hour (R-2).

The root is a term of the entry `accounts:read_log:batch`, whose own proof comes from the chain. The leaf of a reading
is canonical CBOR of all it says; the ids of person and request in it are random, so that nobody finds it by guessing.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from lianfang.ledger import queries as ledger
from lianfang_chain.cbor import encode
from lianfang_chain.reading_proof import ReadingProof
from lianfang_chain.tree import LeafList, inclusion_proof, leaf_hash, root_of, verify_inclusion

from .errors import NotBatchedYet
from .models import ReadBatch, ReadLeaf

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from uuid import UUID

    from .models import ReadRecord


@dataclass(frozen=True, slots=True)
class ReadProof:
    """That one reading is under the root of its batch; `entry_id` names the entry of the chain that has the root."""

    leaf: bytes
    position: int
    count: int
    path: tuple[bytes, ...]
    root: bytes
    entry_id: UUID

    def text(self) -> str:
        """What the person takes away: this and the proof of the entry, for `lianfang-verify` and other programs.

        :raises NotWitnessedYet: no quorum has seen the entry yet
        """
        paper = ledger.proof(self.entry_id)
        return str(ReadingProof(self.leaf, self.position, self.count, self.path, paper))

    def verify(self) -> None:
        """:raises NotProved: it is not there, or not as it says"""
        verify_inclusion(leaf_hash(self.leaf), self.position, self.count, self.path, self.root)


def leaf_of(record: ReadRecord, fields: Sequence[str] | None = None, *, reasoned: bool = True) -> bytes:
    """What of a reading is hashed; with the fields it had, when it had fewer, and without a reason it got later."""
    fields = record.fields if fields is None else fields
    reason = record.reason if reasoned else ""
    said = [record.pseudonym, record.organ, record.purpose, record.surface, reason, *fields]
    return encode(
        [
            1,
            record.pk,
            record.person_id.bytes,
            record.request.bytes,
            record.user.bytes,
            record.at.astimezone(UTC).isoformat(),
            *(unicodedata.normalize("NFC", text) for text in said),
        ]
    )


def prove_read(record: ReadRecord) -> ReadProof:
    """The proof of one reading as the row says it now. It verifies only if the row says what it said then.

    :raises NotBatchedYet: its hour is not over, or it has grown since
    """
    held = ReadLeaf.objects.select_related("batch").filter(record=record, fields=record.fields)
    mine = held.filter(reasoned=bool(record.reason)).first()
    if mine is None:
        raise NotBatchedYet
    leaves = LeafList(_leaves(mine.batch))
    path = inclusion_proof(mine.position, mine.batch.count, leaves)
    batch = mine.batch
    return ReadProof(
        leaf_of(record), mine.position, batch.count, tuple(path), bytes(batch.root), batch.entry_id
    )


def faults() -> list[str]:
    """Looks at every batch and every reading in it: what was altered or removed since, and where (L-5).

    Both ways: a batch says what its entry says, and each batch of the chain is here. Nothing of it is ever deleted.
    """
    found = ledger.unmatched_terms("accounts:read_log:batch", _batches_said())
    for batch in ReadBatch.objects.order_by("hour").iterator():
        leaves = _leaves(batch)
        if len(leaves) != batch.count or root_of(len(leaves), LeafList(leaves)) != bytes(batch.root):
            found.append(f"readings of {batch.hour:%Y-%m-%d %H}h UTC: their hashes do not lead to the root")
        rows = ReadLeaf.objects.filter(batch=batch).select_related("record").order_by("position")
        for row in rows.iterator(chunk_size=2_000):
            grown = set(row.fields) <= set(row.record.fields)
            if not grown or leaf_hash(leaf_of(row.record, row.fields, reasoned=row.reasoned)) != bytes(
                row.leaf
            ):
                found.append(f"reading {row.record_id} is not what it was when its hour was closed")
    return found


def _batches_said() -> Iterator[tuple[UUID, Mapping[str, str | int]]]:
    for batch in ReadBatch.objects.iterator():
        said: dict[str, str | int] = {
            "hour": batch.hour.isoformat(),
            "readings": batch.count,
            "root": bytes(batch.root).hex(),
        }
        yield batch.entry_id, said


def _leaves(batch: ReadBatch) -> list[bytes]:
    rows = ReadLeaf.objects.filter(batch=batch).order_by("position").values_list("leaf", flat=True)
    return [bytes(leaf) for leaf in rows]
