"""After a restore: bring back the entries that the database lost, from published files or a witness's folder.

A suspended chain takes no restriction until this is done (L-6). What comes back are the entries of the chain
with their places; the acts themselves (orders, lifts) were lost with the database and are entered again by
people, who get the list of what the chain knows of them. Disclosures are lost too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.db import transaction

from lianfang.kernel import ids
from lianfang_chain.checkpoint import open_checkpoint
from lianfang_chain.entry import Entry as ChainEntry
from lianfang_chain.tiles import ENTRIES, FULL, TileId, entries_of
from lianfang_chain.tree import Edge, leaf_hash
from lianfang_chain.witness.store import Store

from . import actions, keys, publication
from .models import Checkpoint, Entry, FormerChain, OrganKey, Tree
from .policy import WHOLE_CHAIN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from uuid import UUID

    from lianfang.kernel.actor import Actor


class CannotReconcile(Exception):
    """What was given does not continue this database up to the signed checkpoint. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """The entries that came back, the organs whose key had ended, and the notice about it in the chain."""

    entries: tuple[ChainEntry, ...]
    ended_keys: tuple[str, ...]
    notice: UUID


def from_files() -> tuple[Mapping[int, bytes], bytes]:
    """Entries and checkpoint of the own published files, which a restore of the database leaves alone."""
    note = publication.published_checkpoint()
    head, _ = open_checkpoint(note, keys.log_key())
    found: dict[int, bytes] = {}
    for first in range(0, head.size, FULL):
        width = min(FULL, head.size - first)
        bundle = publication.read(TileId(ENTRIES, first // FULL, width))
        found.update(enumerate(entries_of(bundle, width=width), start=first))
    return found, note


def from_witness(folder: Path) -> tuple[Mapping[int, bytes], bytes]:
    """Entries and checkpoint out of a copy of a witness's folder; it must hold the entries of all places."""
    store = Store(folder, keys.log_key())
    try:
        return dict(store.own_entries()), store.note
    finally:
        store.close()


@transaction.atomic
def recover(found: Mapping[int, bytes], note: bytes, *, reason: str, by: Actor) -> Recovered:
    """Insert what is missing up to the checkpoint, lift the suspension, and say so in the chain.

    :raises CannotReconcile: see the class
    :raises NotSigned: the log did not sign the checkpoint
    """
    head, _ = open_checkpoint(note, keys.log_key())
    tree = Tree.objects.select_for_update().get(pk=1)
    if FormerChain.objects.filter(origin=keys.origin()).exists():
        raise CannotReconcile("this chain has ended and a new one is being begun")
    if head.size <= tree.size:
        raise CannotReconcile(f"the checkpoint has {head.size} entries, the database {tree.size} already")
    edge = Edge()
    for _, leaf in publication.leaves_from(0):
        edge.append(leaf)
    if edge.size != tree.size:
        raise CannotReconcile(f"the tree has {tree.size} entries, the table {edge.size}")
    if missing := [i for i in range(edge.size, head.size) if i not in found]:
        raise CannotReconcile(f"{len(missing)} entries are not at hand, the first is {missing[0]}")
    entries = [ChainEntry.parse(found[index]) for index in range(edge.size, head.size)]
    for entry in entries:
        edge.append(entry.leaf)
    if edge.root() != head.root:
        raise CannotReconcile("the entries do not lead to the root that was signed")
    _insert(entries, tree.size)
    ended = _with_the_keys_of(entries)
    Checkpoint.objects.create(size=head.size, root=head.root, note=_by_log_alone(note), signed_at=by.at)
    lost = head.size - tree.size
    tree.size, tree.suspended, tree.suspended_at = head.size, "", None
    tree.save()
    notice = actions.append(
        kind="ledger:chain:reconciled",
        act_id=ids.new_id(),
        organ=by.organ,
        scope=WHOLE_CHAIN,
        basis=actions.CHAIN_RULES,
        terms={"recovered": lost, "size": head.size, "reason": reason},
        secrets={},
        by=by,
    )
    return Recovered(tuple(entries), ended, notice)


def _insert(entries: list[ChainEntry], start: int) -> None:
    """Rows for these entries; one that the database has without an index only gets its index."""
    waiting = {
        bytes(leaf): pk for pk, leaf in Entry.objects.filter(idx__isnull=True).values_list("pk", "leaf_hash")
    }
    for index, entry in enumerate(entries, start=start):
        if (pk := waiting.get(entry.leaf)) is not None:
            Entry.objects.filter(pk=pk).update(idx=index)
            continue
        Entry.objects.create(
            id=ids.new_id(),
            data=entry.data,
            leaf_hash=leaf_hash(entry.data),
            kind=entry.act.kind,
            act_id=entry.act.act_id,
            organ=entry.act.organ,
            scope=entry.act.scope,
            appended_at=datetime.fromtimestamp(entry.act.issued_at, UTC),
            idx=index,
        )


def _with_the_keys_of(entries: list[ChainEntry]) -> tuple[str, ...]:
    """Know the keys that the entries announce. A key of the backup that one of them replaced has ended: it is put
    away, and the organ's next act makes another, for what replaced it was lost with the disk. A key that the chain
    does not know was made after the restore, by an act before the suspension: it stays, and the next round announces it.
    """
    announced: dict[str, str] = {}
    for entry in entries:
        if entry.act.kind != "ledger:key:announced":
            continue
        organ, vkey = str(entry.act.terms["organ"]), str(entry.act.terms["vkey"])
        announced[organ] = vkey
        OrganKey.objects.get_or_create(
            vkey=vkey,
            defaults={
                "organ": organ,
                "entry": Entry.objects.get(leaf_hash=entry.leaf),
                "announced_at": datetime.fromtimestamp(entry.act.issued_at, UTC),
            },
        )
    known = set(OrganKey.objects.values_list("vkey", flat=True))
    ended = [
        organ
        for organ in keys.organs_with_keys()
        if organ in announced and str(keys.organ_signer(organ).key) in known - {announced[organ]}
    ]
    for organ in ended:
        keys.put_away(organ)
    return tuple(ended)


def _by_log_alone(note: bytes) -> bytes:
    """The note with the log's line only, as the sequencer stores it; cosignatures are collected again."""
    _, opened = open_checkpoint(note, keys.log_key())
    by_log = opened.by(keys.log_key())
    assert by_log is not None  # open_checkpoint says so
    return f"{opened.text}\n{by_log.signature.line}".encode()
