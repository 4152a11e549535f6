"""L-5 for what the chain says about itself: keys, witnesses, beginnings and erasures, compared with tables and files.

`ledger:chain:reconciled` has no row: what it brought back are entries, and `queries.came_back` reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lianfang_chain.entry import Entry as ChainEntry

from . import keys, parties, sealing
from .models import Entry, FormerChain, OrganKey
from .queries import came_back, terms_of_kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    _Bytes = bytes | memoryview[int]


def chain_faults() -> list[str]:
    """What does not fit, in words for who runs `fsck`; no content."""
    return [*_keys(), *_beginnings(), *_successions(), *_witnesses(), *_erasures()]


def _keys() -> Iterator[str]:
    """Each key of an organ was announced as the table has it, and each announcement is in the table."""
    said = {pk: (t["organ"], t["vkey"]) for pk, t in terms_of_kind("ledger:key:announced")}
    for entry_id, organ, vkey in OrganKey.objects.values_list("entry_id", "organ", "vkey"):
        if said.pop(entry_id, None) != (organ, vkey):
            yield f"key of {organ}: entry {entry_id} does not announce it"
    for entry_id, (named, _) in said.items():
        yield f"entry {entry_id}: there is no row of the key of {named} that it announces"


def _beginnings() -> Iterator[str]:
    rows = FormerChain.objects.values_list("evidence", "origin", "vkey")
    said = {
        (t["evidence"], t["former"], t["former_vkey"]) for _, t in terms_of_kind("ledger:origin:continued")
    }
    for origin in sorted({str(former) for _, former, _ in said ^ set(rows)}):
        yield f"chain {origin}: that it ended stands in the table or in the chain, not in both"


def _successions() -> Iterator[str]:
    """A key that was to follow was announced since, or is the organ's now and waits for the next round."""
    announced = set(OrganKey.objects.values_list("organ", "vkey"))
    for entry_id, terms in terms_of_kind("ledger:key:succeeded"):
        organ, vkey = str(terms["organ"]), str(terms["vkey"])
        if (organ, vkey) in announced:
            continue
        if keys.organ_key_file(organ).exists() and str(keys.organ_signer(organ).key) == vkey:
            continue
        yield f"entry {entry_id}: {organ} does not sign with the key that was to follow; `chain new-key` goes on"


def _witnesses() -> Iterator[str]:
    """Each change of a witness's key stands in `chain.json`, and each retired line of it in the chain.

    The keys of the first start are in no entry: nobody was there before who could have said so.
    """
    counted = {(w.name, str(w.key)) for w in parties.known()}
    retired = {str(w.key) for w in parties.known() if w.retired}
    said = set()
    for entry_id, terms in terms_of_kind("ledger:policy:changed"):
        said.add(terms["retired"])
        if (terms["witness"], terms["vkey"]) not in counted or terms["retired"] not in retired:
            yield f"entry {entry_id}: the witnesses are not those that it says"
    for vkey in sorted(retired - said):
        yield f"witness {vkey}: it is retired, and the chain does not say so"


def _erasures() -> Iterator[str]:
    """What a notice says is erased is not there, and what is not there was erased with a notice.

    Every entry commits to its officer, so one without any disclosure is known. KNOWN: if others are taken out past the
    act and the officer is left, only the room's own comparison sees it, because decoys hide how many there were.
    """
    gone: dict[bytes, set[int]] = {}
    for data in Entry.objects.filter(kind="ledger:disclosures:erased").values_list("data", flat=True):
        act = ChainEntry.parse(bytes(data)).act
        if act.prior is not None:
            gone.setdefault(act.prior, set()).update(map(int, str(act.terms["positions"]).split(",")))
    lost, closed = came_back(), []
    # After an older restore the rows are older than the keys: what was left of a partial erasure was sealed anew, and
    # that row is gone with the disk.
    restored = Entry.objects.filter(kind="ledger:chain:reconciled").exists()
    rows = Entry.objects.order_by("pk").values_list(
        "pk", "leaf_hash", "casekey__sealed", "disclosures__sealed"
    )
    for pk, leaf, sealed_key, sealed in rows.iterator(chunk_size=500):
        left, erased = _left(pk, sealed_key, sealed), gone.get(bytes(leaf), set())
        if left & erased:
            yield f"entry {pk}: details are there that the chain says were erased"
        if sealing.OFFICER_POSITION not in left | erased and pk not in lost and not (restored and erased):
            closed.append(pk)
    if closed:
        yield f"{len(closed)} entries: their details cannot be opened, and no notice says so; the first is {closed[0]}"


def _left(entry_id: UUID, sealed_key: _Bytes | None, sealed: _Bytes | None) -> set[int]:
    if sealed_key is None or sealed is None:
        return set()
    try:
        return set(sealing.open_sealed(entry_id, bytes(sealed_key), bytes(sealed)))
    except sealing.Closed:
        return set()
