"""The file a device without network writes, and the file that answers it (docs/gates.md, "By hand")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lianfang_chain import cbor
from lianfang_pass.errors import Rejected
from lianfang_pass.passages import Batch, decode_batch, encode_batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FORMAT: Final = 1
#: Some weeks of one busy device.
MAX_EXPORT: Final = 16 * 1024 * 1024
_FORMAT, _RECEIPTS, _OTHER = 1, 2, 3


def encode_export(batches: Iterable[Batch]) -> bytes:
    return cbor.encode([encode_batch(batch) for batch in batches])


def decode_export(data: bytes) -> list[Batch]:
    """:raises Rejected: not whole, or not a file of ours"""
    try:
        bodies = cbor.decode(data, max_bytes=MAX_EXPORT)
    except cbor.NotCanonical:
        raise Rejected("cbor") from None
    if not isinstance(bodies, list) or not bodies:
        raise Rejected("claims")
    batches = []
    for body in bodies:
        if not isinstance(body, bytes):
            raise Rejected("claims")
        batches.append(decode_batch(body))
    return batches


def runs_without(batch: Batch, seqs: Iterable[int]) -> list[Batch]:
    """The batch in pieces that leave these numbers out: what one receipt each can cover."""
    left_out = set(seqs)
    runs: list[Batch] = []
    rows: list[bytes] = []
    for seq, row in enumerate(batch.rows, batch.from_seq):
        if seq not in left_out:
            rows.append(row)
            continue
        if rows:
            runs.append(Batch(batch.device, seq - len(rows), tuple(rows)))
        rows = []
    if rows:
        runs.append(Batch(batch.device, batch.to_seq + 1 - len(rows), tuple(rows)))
    return runs


def encode_answer(receipts: Sequence[bytes], other: Mapping[bytes, Sequence[int]]) -> bytes:
    """The receipts, and per device the numbers that were used for other content."""
    return cbor.encode(
        {
            _FORMAT: FORMAT,
            _RECEIPTS: list(receipts),
            _OTHER: [[device, sorted(seqs)] for device, seqs in sorted(other.items())],
        }
    )
