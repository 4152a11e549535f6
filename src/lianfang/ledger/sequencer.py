"""The one writer of the tree, in the order of ledger.md 6.8: index, tiles, checkpoint, cosignatures, publish.

Every step may be the last one before a crash. Indices are given in one transaction; tiles follow from the
table; a checkpoint is committed before anybody sees it, so the same size is never signed with another root;
and what was published is only ever what is on the disk. The next round finds what is missing and goes on.
"""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from django.db import DataError, connection, transaction

from lianfang.kernel.points import point
from lianfang_chain.checkpoint import Checkpoint as TreeHead
from lianfang_chain.checkpoint import open_checkpoint, sign_checkpoint
from lianfang_chain.note import MalformedNote, NotSigned, Signature, parse_note
from lianfang_chain.tiles import TileWriter, sizes_in_partial_tiles
from lianfang_chain.tree import NotProved

from . import held_evidence, keys, parties, publication
from .announcing import Names, announce_new_keys, publish_list, unnamed
from .collecting import Answer, Collector, Heard
from .models import Checkpoint, Cosignature, Tree, WitnessState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

log_ = logging.getLogger("lianfang.witnesses")

_LOCK: Final = 0x6C66_6368  # "lfch"
_BATCH: Final = 4_096
_ASK_AGAIN_SECONDS: Final = 60.0

_SEQUENCE: Final = """
UPDATE ledger_entry SET idx = %(size)s + next.n
FROM (
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS n
    FROM (SELECT id FROM ledger_entry WHERE idx IS NULL ORDER BY id LIMIT %(batch)s) AS unsequenced
) AS next
WHERE ledger_entry.id = next.id
"""


class HistoryDiffers(Exception):
    """The table does not lead to the root that was signed before. Nothing is signed; a person must look."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did. `busy` means that another sequencer is at work, `alone` that too few witnesses have said yet
    what they hold for anything to be signed."""

    size: int
    signed: bool = False
    cosigned: tuple[str, ...] = ()
    busy: bool = False
    alone: bool = False
    suspended: str = ""


class Sequencer:
    """Keeps the right edge of the tree between rounds; every round checks that it is still the right one."""

    def __init__(self, collector: Collector | None = None, *, names: Names = unnamed) -> None:
        self._collector = collector or Collector()
        self._names = names
        self._writer: TileWriter | None = None
        self._compared = False
        self._signed = 0  # the largest size that this sequencer saw signed
        self._asked_at = 0.0

    def close(self) -> None:
        self._collector.close()

    def run_once(self, at: datetime) -> Round:
        """Do one round; what it says is durable.

        :raises FilesDiffer: see the class
        :raises HistoryDiffers: see the class
        """
        with _alone() as mine:
            if not mine:
                return Round(-1, busy=True)
            return self._round(at)

    def _round(self, at: datetime) -> Round:
        if _largest() < self._signed:
            self._compared = False  # the tables were put back while we ran
        if not self._compared:
            self._compare_with_others(at)
        tree, _ = Tree.objects.get_or_create(pk=1)
        if tree.suspended:
            self._compared = False
            return Round(tree.size, suspended=tree.suspended)
        if not self._compared:
            return Round(tree.size, alone=True)
        announce_new_keys(at, self._names)
        size = sequence()
        point("ledger.sequence.after_commit")
        writer = self._writer_at_last_checkpoint()
        filled = publication.grow(writer, size)
        point("ledger.publish.after_tiles")
        checkpoint, signed = _checkpoint_of(writer, at)
        self._signed = checkpoint.size
        point("ledger.sign.after_commit")
        cosigned = self._collect(checkpoint, at)
        tree.refresh_from_db()
        if not tree.suspended:
            publication.publish_checkpoint(published_note(checkpoint))
            publication.drop_partials(filled)
            publish_list()
        return Round(size, signed, cosigned, suspended=tree.suspended)

    def _writer_at_last_checkpoint(self) -> TileWriter:
        last = Checkpoint.objects.order_by("-size").first()
        size = last.size if last else 0
        writer, self._writer = self._writer, None  # kept again only if all goes well
        if writer is None or writer.size != size:
            writer = _resumed(size)
        if last and writer.root() != bytes(last.root):
            raise HistoryDiffers(f"another root at {size} than was signed")
        self._writer = writer
        return writer

    def _compare_with_others(self, at: datetime) -> None:
        """Before the first signature: does anybody hold more, or something else, than this database (L-6)?

        Nobody can hold more than the largest checkpoint stored here, because it is stored before it is seen. Until a
        quorum has said what it holds, nothing is given a place and nothing signed: any quorum has a witness in common
        with the one that saw the last proof. Acts are recorded meanwhile and do not wait.
        """
        tree, _ = Tree.objects.get_or_create(pk=1)
        if tree.suspended:
            return
        size, log = _largest(), keys.log_key()
        if published := publication.published_checkpoint():
            try:
                head, _ = open_checkpoint(published, log)
            except (MalformedNote, NotSigned) as error:
                raise publication.FilesDiffer(f"checkpoint: {error}") from error
            if head.size > size:
                _suspend(f"the published checkpoint has {head.size} entries, the database {size}", at)
                return
        # A restored backup brings no files: they are written from the table, and what witnesses hold is judged by them.
        self._writer_at_last_checkpoint()
        witnesses = parties.witnesses()
        heard = self._collector.compare(witnesses, log, size)
        _write_down(heard, at)
        tree.refresh_from_db()
        told = {h.witness for h in heard if h.held is not None}
        enough = not witnesses or parties.policy().met_by(told)
        self._compared = enough and not tree.suspended

    def _collect(self, checkpoint: Checkpoint, at: datetime) -> tuple[str, ...]:
        witnesses = parties.witnesses()
        have = set(checkpoint.cosignatures.values_list("witness", flat=True))
        since = time.monotonic() - self._asked_at
        if len(have) == len(witnesses) and since < _ASK_AGAIN_SECONDS:
            return ()
        policy = parties.policy()
        missing = [w for w in witnesses if w.name not in have or since >= _ASK_AGAIN_SECONDS]
        if len(missing) == len(witnesses):
            self._asked_at = time.monotonic()
        heard = self._collector.collect(
            missing,
            keys.log_key(),
            bytes(checkpoint.note),
            checkpoint.size,
            lambda names: policy.met_by(have | names),
            at,
        )
        _write_down(heard, at)
        return tuple(h.witness for h in heard if h.signature)


def _largest() -> int:
    """The largest size that was signed."""
    return Checkpoint.objects.order_by("-size").values_list("size", flat=True).first() or 0


def run_once(at: datetime, *, names: Names = unnamed) -> Round:
    """One round of a fresh sequencer; for tests and for the command line."""
    sequencer = Sequencer(names=names)
    try:
        return sequencer.run_once(at)
    finally:
        sequencer.close()


@contextlib.contextmanager
def _alone() -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        (mine,) = cursor.fetchone()
        try:
            yield bool(mine)
        finally:
            if mine:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def sequence() -> int:
    """Give every entry that has none its index, gapless from the size on; returns the new size."""
    while True:
        with transaction.atomic():
            tree = Tree.objects.select_for_update().get(pk=1)
            with connection.cursor() as cursor:
                cursor.execute(_SEQUENCE, {"size": tree.size, "batch": _BATCH})
                given = cursor.rowcount
            point("ledger.sequence.after_index")
            if given:
                tree.size += given
                tree.save(update_fields=["size"])
            point("ledger.sequence.before_commit")
        if given < _BATCH:
            return tree.size


def _resumed(size: int) -> TileWriter:
    """The right edge at a size that was published before, from the files; from the table when there are none."""
    if size and publication.folder().exists():
        try:
            return TileWriter.resume(size, publication.read)
        except (FileNotFoundError, NotProved, MalformedNote) as error:
            raise publication.FilesDiffer(f"the files of {size} are not whole: {error}") from error
    writer, filled = TileWriter(), []
    # Who holds an earlier checkpoint asks for the partial tiles of its size until there are full ones.
    for stop in sizes_in_partial_tiles(Checkpoint.objects.values_list("size", flat=True), size):
        filled += publication.grow(writer, stop)
    publication.drop_partials(filled)
    return writer


def _checkpoint_of(writer: TileWriter, at: datetime) -> tuple[Checkpoint, bool]:
    """The stored checkpoint of this size, signed and committed now if there is none."""
    stored = Checkpoint.objects.filter(size=writer.size).first()
    root = writer.root()
    if stored is not None:
        if bytes(stored.root) != root:
            raise HistoryDiffers(f"another root at {writer.size} than was signed")
        return stored, False
    note = sign_checkpoint(TreeHead(keys.origin(), writer.size, root), keys.log_signer())
    point("ledger.sign.before_commit")
    return Checkpoint.objects.create(size=writer.size, root=root, note=note, signed_at=at), True


def published_note(checkpoint: Checkpoint) -> bytes:
    """The signed note with all cosignatures that are known."""
    lines = checkpoint.cosignatures.order_by("witness").values_list("line", flat=True)
    note = parse_note(bytes(checkpoint.note))
    return bytes(note.with_signatures(Signature.parse(line) for line in lines))


def _write_down(all_heard: Iterable[Heard], at: datetime) -> None:
    """Each by itself: what one witness said must not keep the others' cosignatures from being stored."""
    for heard in all_heard:
        answer = _judged(heard, at)
        try:
            with transaction.atomic():
                _write_one(heard, answer, at)
        except (ValueError, OverflowError, DataError):
            log_.exception("what %s said cannot be stored", heard.witness)
            _write_one(Heard(heard.witness, heard.size, answer, "what it said cannot be stored"), answer, at)


def _judged(heard: Heard, at: datetime) -> Answer:
    """What its answer is, once what it shows was compared with all that is signed by now; suspends if that is more.

    A fault in here stops the round, as it must: nothing is signed before this is known.
    """
    if heard.shown is None:
        return Answer(heard.answer)
    head, note = heard.shown
    if held_evidence.is_ours(head):
        return Answer.BEHIND  # somebody handed it what we signed while it was asked about less
    held_evidence.keep_more(heard.witness, note, at)
    _suspend(f"witness {heard.witness} {heard.detail}", at)
    return Answer.AHEAD


def _write_one(heard: Heard, answer: Answer, at: datetime) -> None:
    if heard.signature is not None and heard.at is not None:
        Cosignature.objects.bulk_create(
            [
                Cosignature(
                    checkpoint_id=heard.size,
                    witness=heard.witness,
                    line=heard.signature.line,
                    cosigned_at=datetime.fromtimestamp(heard.at, UTC),
                )
            ],
            ignore_conflicts=True,
        )
    if heard.evidence is not None:
        held_evidence.keep_fork(heard.witness, heard.evidence, at)
    facts: dict[str, object] = {"answer": answer, "detail": _plain(heard.detail), "asked_at": at}
    if heard.held is not None:
        facts["held_size"] = heard.held
    if heard.signature is not None:
        facts["cosigned_at"] = at
    if answer != Answer.SILENT:  # what it said last stands until it says something else
        facts["trouble"] = heard.trouble
    state, _ = WitnessState.objects.update_or_create(witness=heard.witness, defaults=facts)
    since = (state.troubled_at or at) if state.trouble else None
    if since != state.troubled_at:
        WitnessState.objects.filter(pk=state.pk).update(troubled_at=since)


def _plain(detail: str) -> str:
    """Words of a stranger, short and printable: PostgreSQL takes no NUL, and a page none of the other control characters."""
    return "".join(c if c.isprintable() else " " for c in detail[:500])


def _suspend(why: str, at: datetime) -> None:
    Tree.objects.filter(pk=1, suspended="").update(suspended=why, suspended_at=at)
