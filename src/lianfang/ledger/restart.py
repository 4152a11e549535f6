"""A new chain on the same database, after a fork or a lost key of the log: a new name, a new key, entry 0 says why.

The old chain is dead and stays readable (`former`): its files, its key and its evidence are put away, its checkpoints
kept in their table. Entry 0 holds the evidence itself, where an entry has room for it, and its SHA-256 always. Every act of the database stands in the new chain again, after entry 0 and in the order of recording, with
the bytes and the signature it always had; so everybody can prove it again. What only the other story of the fork had
is not in this database: the parties find it in the evidence and in their witnesses' folders.

`begin` is one transaction and suspends the chain; `finish` moves files and lifts the suspension. Either may be repeated
after a crash, with the same evidence.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction

from lianfang.kernel import ids
from lianfang_chain.cbor import NotCanonical
from lianfang_chain.checkpoint import open_checkpoint
from lianfang_chain.evidence import FIRST_LINE, ForkEvidence
from lianfang_chain.note import MalformedNote, NotSigned, Signature, open_note, parse_note
from lianfang_chain.tree import NotProved
from lianfang_chain.witness.store import sync_folder, write_whole

from . import actions, former, keys, parties, publication
from .models import Checkpoint, Entry, FormerChain, FormerCheckpoint, Tree
from .policy import WHOLE_CHAIN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from uuid import UUID

    from lianfang.kernel.actor import Actor

#: Why nothing is signed between the two steps.
BEGINNING: Final = "a new chain is being begun"
_TABLES: Final = ("ledger_entry", "ledger_checkpoint", "ledger_cosignature", "ledger_tree")


class NoEvidence(Exception):
    """What was given does not prove that this chain is dead. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Proved:
    """Why the old chain is at its end, and the last checkpoint that all parties hold."""

    why: str  # fork, key
    data: bytes
    size: int
    root: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def proof_of_fork(data: bytes, agreed: bytes = b"") -> Proved:
    """Evidence that our log told two stories, as a witness wrote it down.

    :param agreed: the last checkpoint that all parties hold; without it, the last one before the fork that all cosigned
    :raises NoEvidence: it proves no fork of this log, or the checkpoint is not of this chain before the fork
    """
    log = keys.log_key()
    try:
        if not data.startswith(FIRST_LINE.encode()):
            raise NoEvidence("this is no evidence of a fork")
        smaller, _ = ForkEvidence.parse(data.decode("utf-8", "replace")).verify(log)
        size, root = _agreed(agreed, smaller.size)
    except (MalformedNote, NotSigned, NotProved) as error:
        raise NoEvidence(str(error)) from error
    return Proved("fork", data, size, root)


def proof_of_end(note: bytes) -> Proved:
    """The last checkpoint, cosigned by a quorum: for a new key of the log where there was no fork.

    :raises NoEvidence: it is not the newest checkpoint of this chain, or too few witnesses signed it
    """
    log = keys.log_key()
    policy = parties.policy()
    try:
        head, _ = open_checkpoint(note, log)
        opened = open_note(note, (log, *policy.keys))
    except (MalformedNote, NotSigned) as error:
        raise NoEvidence(str(error)) from error
    last = Checkpoint.objects.order_by("-size").first()
    if last is None or (last.size, bytes(last.root)) != (head.size, head.root):
        raise NoEvidence("this is not the newest checkpoint of this chain")
    if not policy.met_by({w.name for w in policy.witnesses if opened.by(w.key) is not None}):
        raise NoEvidence("too few witnesses signed this checkpoint")
    return Proved("key", note, head.size, head.root)


def _agreed(note: bytes, before: int) -> tuple[int, bytes]:
    if note:
        head, _ = open_checkpoint(note, keys.log_key())
        stored = Checkpoint.objects.filter(size=head.size).first()
        if stored is None or bytes(stored.root) != head.root or head.size > before:
            raise NoEvidence("the agreed checkpoint is not of this chain before the fork")
        return head.size, head.root
    wanted = {w.name for w in parties.witnesses()}
    rows = Checkpoint.objects.filter(size__lt=before).order_by("-size").prefetch_related("cosignatures")
    for row in rows.iterator(chunk_size=256):
        if wanted <= {c.witness for c in row.cosignatures.all()}:
            return row.size, bytes(row.root)
    return 0, hashlib.sha256(b"").digest()


@transaction.atomic
def begin(proved: Proved, *, origin: str, reason: str, by: Actor) -> FormerChain:
    """End the old chain in the tables and write entry 0 of the new one; the same evidence again changes nothing.

    :raises NoEvidence: the old chain was ended with other evidence
    """
    Tree.objects.get_or_create(pk=1)
    Tree.objects.select_for_update().get(pk=1)
    if earlier := FormerChain.objects.filter(origin=keys.origin()).first():
        if earlier.evidence != proved.digest:
            raise NoEvidence("this chain was ended with other evidence")
        return earlier
    ended = FormerChain.objects.create(
        origin=keys.origin(),
        vkey=str(keys.log_key()),
        evidence=proved.digest,
        continued_as=origin,
        ended_at=by.at,
    )
    FormerCheckpoint.objects.bulk_create(
        (
            FormerCheckpoint(chain=ended, size=c.size, root=c.root, note=_cosigned(c), signed_at=c.signed_at)
            for c in Checkpoint.objects.prefetch_related("cosignatures").order_by("size").iterator(500)
        ),
        batch_size=1_000,
    )
    with connection.cursor() as cursor:
        # The owner lifts the guards for this transaction, as a restore would; nobody else can (migration 0002).
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM ledger_cosignature")
        cursor.execute("DELETE FROM ledger_checkpoint")
        cursor.execute("DELETE FROM ledger_witnessstate")
        cursor.execute("UPDATE ledger_entry SET idx = NULL WHERE idx IS NOT NULL")
        cursor.execute("UPDATE ledger_tree SET size = 0, suspended = '', suspended_at = NULL")
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    facts = {"why": proved.why, "reason": reason, "former": ended.origin, "former_vkey": ended.vkey}
    first = _entry_0(
        {"evidence": proved.digest, **facts, "size": proved.size, "root": proved.root.hex()}, proved, by
    )
    Entry.objects.filter(pk=first).update(idx=0)
    Tree.objects.filter(pk=1).update(size=1, suspended=BEGINNING, suspended_at=by.at)
    return ended


def _entry_0(terms: Mapping[str, str | int], proved: Proved, by: Actor) -> UUID:
    """With the evidence itself, so that whoever holds the new chain holds it; without, where it is too large for an
    entry or would not come out of it byte for byte. Its SHA-256 is there in both cases, and the file is served."""
    text = proved.data.decode("utf-8", "replace")
    whole = unicodedata.normalize("NFC", text).encode() == proved.data
    if whole:
        try:
            return _continued({**terms, former.EVIDENCE_TEXT: text}, by)
        except NotCanonical:  # more than 4,096 bytes; nothing was written
            pass
    return _continued(terms, by)


def _continued(terms: Mapping[str, str | int], by: Actor) -> UUID:
    return actions.append(
        kind="ledger:origin:continued",
        act_id=ids.new_id(),
        organ=by.organ,
        scope=WHOLE_CHAIN,
        basis=actions.CHAIN_RULES,
        terms=terms,
        secrets={},
        by=by,
    )


def _cosigned(checkpoint: Checkpoint) -> bytes:
    lines = sorted((c.witness, c.line) for c in checkpoint.cosignatures.all())
    note = parse_note(bytes(checkpoint.note)).with_signatures(Signature.parse(line) for _, line in lines)
    return bytes(note)


def begun(evidence: bytes) -> FormerChain | None:
    """The chain that was ended with this evidence, if it was: then only the rest is to be done."""
    return FormerChain.objects.filter(evidence=hashlib.sha256(evidence).hexdigest()).first()


def finish(ended: FormerChain, evidence: bytes) -> Path:
    """Put the old chain's files, key and evidence away; the folder in which they are. Nothing is deleted.

    Call it before the new name is written down, `resume` after; each may be repeated.
    """
    away = former.folder(ended.evidence)
    away.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(away / "evidence.txt", evidence)
    for source, target in (
        (publication.folder(), away / "chain"),
        (keys.folder() / "log.key", away / "log.key"),
        (keys.folder() / keys.LOG_VKEY, away / keys.LOG_VKEY),
    ):
        if source.exists() and not target.exists():
            os.rename(source, target)
            sync_folder(source.parent)
    sync_folder(away)
    return away


def resume() -> None:
    """The new name is written down: from now on the new chain is signed."""
    Tree.objects.filter(pk=1, suspended=BEGINNING).update(suspended="", suspended_at=None)
