"""Look at the whole chain: table, signed roots and files must say the same; write the files anew on demand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from django.db.models import F

from lianfang_chain.cbor import NotCanonical
from lianfang_chain.checkpoint import open_checkpoint
from lianfang_chain.entry import Entry as ChainEntry
from lianfang_chain.note import MalformedNote, NotSigned, Signature, VerifierKey
from lianfang_chain.tiles import FULL, TileId, TileWriter
from lianfang_chain.tree import Edge, leaf_hash

from . import chain_rows, keys, parties, publication
from .models import Checkpoint, Cosignature, Entry, OrganKey, Tree
from .sequencer import published_note

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass
class Report:
    """What was looked at, and what is wrong; nothing is wrong when `problems` is empty."""

    entries: int = 0
    checkpoints: int = 0
    cosignatures: int = 0
    files: int = 0
    written: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.problems


def check(*, rebuild: bool = False) -> Report:
    """Re-hash every entry, compare every signed root and every file, and what the chain says of itself (L-5).

    `rebuild` replaces files that differ.

    The database is never changed. A problem in it is for people to solve, with a witness's copy at hand.
    """
    report = Report()
    last = Checkpoint.objects.order_by("-size").first()
    published = last.size if last else 0
    _check_tree(report)
    _check_table(report, rebuild=rebuild, published=published)
    _check_cosignatures(report)
    _check_published(report, published, rebuild=rebuild)
    report.problems += chain_rows.chain_faults()
    return report


def _check_tree(report: Report) -> None:
    tree = Tree.objects.filter(pk=1).first()
    size = tree.size if tree else 0
    sequenced = Entry.objects.filter(idx__isnull=False).count()
    if sequenced != size:
        report.problems.append(f"the tree has {size} entries, the table {sequenced} with an index")


def _check_table(report: Report, *, rebuild: bool, published: int) -> None:
    organs = _organ_keys()
    checkpoints = {size: bytes(root) for size, root in Checkpoint.objects.values_list("size", "root")}
    edge, writer = Edge(), TileWriter()
    _check_root(report, edge, checkpoints)
    try:
        for data, leaf in publication.leaves_from(0):
            if leaf_hash(data) != leaf:
                report.problems.append(f"entry {edge.size} is not what its hash says")
            _check_entry(report, edge.size, data, organs)
            edge.append(leaf)
            report.entries += 1
            _check_root(report, edge, checkpoints)
            if edge.size <= published:
                writer.append(data, leaf)
                if edge.size % FULL == 0:
                    _check_files(report, writer.take_full(), rebuild=rebuild)
                if edge.size in checkpoints:
                    kept = [(tile, data) for tile, data in writer.partial() if tile.is_kept_at(published)]
                    _check_files(report, kept, rebuild=rebuild)
    except publication.FilesDiffer as gap:
        report.problems.append(str(gap.args[0]))
    for size in sorted(set(checkpoints)):
        if size > edge.size:
            report.problems.append(f"a checkpoint of {size} was signed, the table ends at {edge.size}")


def _check_root(report: Report, edge: Edge, checkpoints: dict[int, bytes]) -> None:
    if edge.size in checkpoints:
        report.checkpoints += 1
        if checkpoints[edge.size] != edge.root():
            report.problems.append(f"another root at {edge.size} than was signed")


_Keys: TypeAlias = dict[str, list[tuple[VerifierKey, int | None]]]


def _organ_keys() -> _Keys:
    """Of each organ its keys, in order, with the place of the entry that announced them; the newest may have none yet."""
    organs: _Keys = {}
    rows = OrganKey.objects.order_by(F("entry__idx").asc(nulls_last=True))
    for organ, vkey, index in rows.values_list("organ", "vkey", "entry__idx"):
        organs.setdefault(organ, []).append((VerifierKey.parse(vkey), index))
    return organs


def _check_entry(report: Report, index: int, data: bytes, organs: _Keys) -> None:
    try:
        entry = ChainEntry.parse(data)
    except NotCanonical as error:
        report.problems.append(f"entry {index}: {error}")
        return
    own = organs.get(entry.act.organ, [])
    for n, (key, _) in enumerate(own, start=1):
        try:
            entry.verify(key)
        except NotSigned:
            continue
        # The next one is enough: what stands behind a later one stands behind it, too.
        if n < len(own) and (announced := own[n][1]) is not None and announced < index:
            report.problems.append(
                f"entry {index}: signed by a key of {entry.act.organ} that entry {announced} had replaced"
            )
        return
    report.problems.append(f"entry {index}: no announced key of {entry.act.organ} signed it")


def _check_files(report: Report, files: Iterable[tuple[TileId, bytes]], *, rebuild: bool) -> None:
    for tile, data in files:
        report.files += 1
        file = publication.folder() / tile.path
        there = file.read_bytes() if file.exists() else None
        if there == data:
            continue
        if not rebuild:
            report.problems.append(
                f"{tile.path} is {'missing' if there is None else 'not what the table says'}"
            )
            continue
        file.unlink(missing_ok=True)
        publication.write([(tile, data)])
        report.written += 1


def _check_cosignatures(report: Report) -> None:
    log = keys.log_key()
    witnesses = {w.name: w.key for w in parties.known()}
    for checkpoint in Checkpoint.objects.order_by("size").iterator():
        try:
            head, _ = open_checkpoint(bytes(checkpoint.note), log)
        except (MalformedNote, NotSigned) as error:
            report.problems.append(f"checkpoint {checkpoint.size}: {error}")
            continue
        if (head.size, head.root) != (checkpoint.size, bytes(checkpoint.root)):
            report.problems.append(f"checkpoint {checkpoint.size}: the note says something else")
    for cosignature in Cosignature.objects.select_related("checkpoint").iterator():
        report.cosignatures += 1
        key = witnesses.get(cosignature.witness)
        text = bytes(cosignature.checkpoint.note).decode().rpartition("\n\n")[0] + "\n"
        try:
            if key is not None:
                key.verify(text, Signature.parse(cosignature.line).raw)
        except (MalformedNote, NotSigned) as error:
            report.problems.append(f"cosignature of {cosignature.checkpoint_id}: {error}")


def _check_published(report: Report, published: int, *, rebuild: bool) -> None:
    file = publication.folder() / "checkpoint"
    last = Checkpoint.objects.filter(size=published).first()
    if last is None and not file.exists():
        return
    try:
        head, _ = open_checkpoint(file.read_bytes(), keys.log_key())
    except (MalformedNote, NotSigned, FileNotFoundError) as error:
        if rebuild and last is not None:
            publication.publish_checkpoint(published_note(last))
            report.written += 1
        else:
            report.problems.append(f"the published checkpoint: {error}")
        return
    if head.size > published:
        report.problems.append(f"a checkpoint of {head.size} was published, the database holds {published}")
