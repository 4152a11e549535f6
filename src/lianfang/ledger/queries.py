"""Questions about the chain: how far an entry has come, its proof, what is wrong at present."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from django.db.models import Count

from lianfang.kernel.clock import start_of_legal_day
from lianfang_chain.entry import Entry as ChainEntry
from lianfang_chain.note import Signature, parse_note
from lianfang_chain.proof import TlogProof, paper_proof_of, sheet_text_of, verify_paper_proof
from lianfang_chain.submission import AddCheckpoint
from lianfang_chain.tiles import TileHashes
from lianfang_chain.tree import NotProved, consistency_proof, inclusion_proof, verify_consistency

from . import keys, parties, publication, sealing
from .errors import NoSuchEntry, NotWitnessedYet
from .models import Checkpoint, Cosignature, Disclosures, Entry, Tree, WitnessState
from .policy import ALARM_AFTER_SECONDS, quorum_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date
    from uuid import UUID

    from django.db.models import QuerySet

    from lianfang_chain.disclosure import Disclosure as Opened
    from lianfang_chain.proof import Proved

#: How many checkpoints are looked through. With the default policy the first with enough lines has a quorum.
_LOOK: Final = 4


@dataclass(frozen=True, slots=True)
class ChainState:
    """How far an entry has come.

    :ivar index: its place in the chain; None while it is only recorded
    :ivar size: of the checkpoint that shows it; None until one does
    :ivar at: when the last of the quorum cosigned, else when the checkpoint was signed or the entry recorded
    """

    index: int | None
    size: int | None
    witnesses: tuple[str, ...]
    of: int
    quorum: bool
    at: datetime

    @property
    def stage(self) -> str:
        """recorded, sequenced or witnessed."""
        if self.quorum:
            return "witnessed"
        return "recorded" if self.index is None else "sequenced"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something the command and all three parties must see."""

    code: str  # fork, suspended, no_quorum
    since: datetime
    facts: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry that has its place in the chain."""

    id: UUID
    index: int
    leaf: bytes
    data: bytes
    kind: str
    organ: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Head:
    """A signed checkpoint with the cosignatures that are known."""

    size: int
    root: bytes
    note: bytes
    signed_at: datetime

    @property
    def short(self) -> str:
        """The first sixteen characters of the root, as they are printed on board sheets."""
        return self.root.hex()[:16]


def state_of(entry_id: UUID) -> ChainState:
    """:raises NoSuchEntry: no such entry"""
    entry = _entry(entry_id)
    of = len(parties.witnesses())
    if entry.idx is None:
        return ChainState(None, None, (), of, False, entry.appended_at)
    shown = _checkpoint_over(entry.idx)
    if shown is None:
        return ChainState(entry.idx, None, (), of, False, entry.appended_at)
    checkpoint, seen, quorum = shown
    at = max(seen.values(), default=checkpoint.signed_at)
    return ChainState(entry.idx, checkpoint.size, tuple(sorted(seen)), of, quorum, at)


def states_of(entry_ids: Sequence[UUID]) -> dict[UUID, ChainState]:
    """The same for many, for lists; entries that do not exist are left out."""
    return {i: state_of(i) for i in Entry.objects.filter(pk__in=entry_ids).values_list("pk", flat=True)}


def newest_states(entry_ids: Iterable[UUID]) -> dict[UUID, ChainState]:
    """The states over the newest checkpoint that a quorum has seen, for papers; a known number of queries."""
    size, of = _quorum_size(), len(parties.witnesses())
    seen = dict(Cosignature.objects.filter(checkpoint=size).values_list("witness", "cosigned_at"))
    rows = Entry.objects.filter(pk__in=list(entry_ids)).values_list("pk", "idx", "appended_at")
    return {
        pk: ChainState(index, size, tuple(sorted(seen)), of, True, max(seen.values()))
        if index is not None and index < size
        else ChainState(index, None, (), of, False, appended_at)
        for pk, index, appended_at in rows
    }


def proof(entry_id: UUID, disclose: Sequence[str] = ()) -> bytes:
    """The paper proof (ledger.md 6.5), with the disclosures of these fields; what was erased is left out.

    :raises NoSuchEntry: no such entry
    :raises NotWitnessedYet: no checkpoint with a quorum shows it yet
    """
    entry, path, note = _proved(entry_id)
    shown = [d for d in disclosures_of(entry_id).values() if d.field in disclose]
    assert entry.idx is not None
    return paper_proof_of(bytes(entry.data), shown, entry.idx, path, note, parties.policy())


def proofs(entry_ids: Sequence[UUID], disclose: Sequence[str] = ()) -> dict[UUID, bytes]:
    """The paper proofs of many entries over the newest checkpoint with a quorum; a known number of queries.

    Entries that it does not show yet are left out. With `disclose`, whoever calls writes down who reads it and why.
    """
    size = _quorum_size()
    rows = Entry.objects.filter(pk__in=entry_ids, idx__lt=size).values_list("pk", "idx", "data")
    if not rows:
        return {}
    checkpoint = Checkpoint.objects.prefetch_related("cosignatures").get(size=size)
    note, policy, tree = _cosigned_note(checkpoint), parties.policy(), TileHashes(size, publication.read)
    opened = disclosures_of_each([pk for pk, _, _ in rows]) if disclose else {}
    made = {}
    for pk, index, data in rows:
        shown = [d for d in opened.get(pk, {}).values() if d.field in disclose]
        assert index is not None
        path = inclusion_proof(index, size, tree)
        made[pk] = paper_proof_of(bytes(data), shown, index, path, note, policy)
    return made


def tlog_proofs(entry_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """The same as `.tlog-proof` files."""
    size = _quorum_size()
    rows = Entry.objects.filter(pk__in=entry_ids, idx__lt=size).values_list("pk", "idx")
    if not rows:
        return {}
    note = _cosigned_note(Checkpoint.objects.prefetch_related("cosignatures").get(size=size))
    tree = TileHashes(size, publication.read)
    return {
        pk: bytes(TlogProof(index, tuple(inclusion_proof(index, size, tree)), note))
        for pk, index in rows
        if index is not None
    }


def rows_of(entry_ids: Sequence[UUID]) -> list[EntryRow]:
    """These entries in the order of the chain; those that have no place yet are left out."""
    return _rows(Entry.objects.filter(pk__in=entry_ids))


def rows_between(since: datetime, until: datetime, *, area: str) -> list[EntryRow]:
    """What was appended in a half-open period with a scope at or below an area, in the order of the chain."""
    return _rows(Entry.objects.filter(appended_at__gte=since, appended_at__lt=until, scope__within=area))


def _rows(found: QuerySet[Entry]) -> list[EntryRow]:
    rows = found.filter(idx__isnull=False).order_by("idx")
    return [
        EntryRow(r.pk, r.idx, bytes(r.leaf_hash), bytes(r.data), r.kind, r.organ, r.appended_at)
        for r in rows
        if r.idx is not None
    ]


def first_witnessed_root(entry_id: UUID) -> Head | None:
    """The first checkpoint with a quorum that holds the entry; None until there is one.

    :raises NoSuchEntry: no such entry
    """
    entry = _entry(entry_id)
    shown = _checkpoint_over(entry.idx) if entry.idx is not None else None
    return _head(shown[0]) if shown and shown[2] else None


def newest_witnessed() -> Head | None:
    """The newest checkpoint with a quorum."""
    found = _with_quorum()
    return _head(found) if found else None


def checkpoint_before(instant: datetime) -> Head | None:
    """The last checkpoint that a quorum has seen of those signed before an instant: what that day ended with."""
    last = Checkpoint.objects.filter(signed_at__lt=instant).order_by("-signed_at", "-size").first()
    found = _with_quorum(up_to=last.size) if last else None
    return _head(found) if found else None


def head_of_day(day: date) -> Head | None:
    """With what the legal day began: the last checkpoint with a quorum before it, else the first one there is."""
    return checkpoint_before(start_of_legal_day(day)) or newest_witnessed()


def sheet_text(head: Head) -> str:
    """A checkpoint as the code of a public sheet."""
    return sheet_text_of(head.note, keys.log_key())


def consistency(old: int, new: int) -> bytes:
    """That the tree of one size is the beginning of the other's: an add-checkpoint request (C2SP tlog-witness).

    :raises NoSuchEntry: no checkpoint of that size was signed
    """
    later = Checkpoint.objects.prefetch_related("cosignatures").filter(size=new).first()
    if later is None or not 0 <= old <= new:
        raise NoSuchEntry
    proof = consistency_proof(old, new, TileHashes(new, publication.read))
    return bytes(AddCheckpoint(old, tuple(proof), _cosigned_note(later)))


def are_consistent(older: Head, newer: Head) -> bool:
    """Whether the older tree is the beginning of the newer one, by the proof that everybody gets."""
    proof = AddCheckpoint.parse(consistency(older.size, newer.size)).proof
    try:
        verify_consistency(older.size, newer.size, older.root, newer.root, proof)
    except NotProved:
        return False
    return True


def checkpoint_note(size: int) -> bytes:
    """The checkpoint of a size as it was signed, with the cosignatures that are known.

    :raises NoSuchEntry: none of that size was signed
    """
    found = Checkpoint.objects.prefetch_related("cosignatures").filter(size=size).first()
    if found is None:
        raise NoSuchEntry
    return _cosigned_note(found)


def _head(checkpoint: Checkpoint) -> Head:
    return Head(checkpoint.size, bytes(checkpoint.root), _cosigned_note(checkpoint), checkpoint.signed_at)


def proved(paper: bytes) -> Proved:
    """What a paper proof says to whoever trusts our policy file.

    :raises Exception: of `lianfang_chain.proof.verify_paper_proof`: it proves nothing, and we made it
    """
    return verify_paper_proof(paper, parties.policy())


def instant(seconds: int) -> datetime:
    """An instant of the chain, which counts seconds."""
    return datetime.fromtimestamp(seconds, UTC)


def parties_count() -> int:
    """How many witnesses are configured."""
    return len(parties.witnesses())


def tlog_proof(entry_id: UUID) -> bytes:
    """The `.tlog-proof` file; whoever checks it takes the leaf from `entry_bytes`.

    :raises NoSuchEntry: no such entry
    :raises NotWitnessedYet: no checkpoint with a quorum shows it yet
    """
    entry, path, note = _proved(entry_id)
    assert entry.idx is not None
    return bytes(TlogProof(entry.idx, tuple(path), note))


def entry_bytes(entry_id: UUID) -> bytes:
    """The entry as it stands in the chain.

    :raises NoSuchEntry: no such entry
    """
    return bytes(_entry(entry_id).data)


def entry_view(entry_id: UUID) -> dict[str, object]:
    """The entry for people.

    :raises NoSuchEntry: no such entry
    """
    return ChainEntry.parse(entry_bytes(entry_id)).view()


def entries_of_case(act_id: UUID) -> list[UUID]:
    """All entries of one case in the order in which they were recorded."""
    return list(Entry.objects.filter(act_id=act_id).order_by("id").values_list("pk", flat=True))


def acts_of_room(room: str) -> Iterator[tuple[UUID, str, UUID]]:
    """Every entry of a room with its kind and the act it is about; to be compared with the room's own rows (L-5)."""
    found = Entry.objects.filter(kind__startswith=f"{room}:").order_by("pk")
    return found.values_list("pk", "kind", "act_id").iterator()


def unmatched(room: str, rows: Iterable[tuple[UUID, str, UUID]]) -> list[str]:
    """L-5: rows of a room (entry, kind, act) that have no such entry, and entries of the room that have no such row."""
    said = {entry_id: (kind, act_id) for entry_id, kind, act_id in acts_of_room(room)}
    found = [
        f"{kind} {act_id}: the chain does not hold it"
        for entry_id, kind, act_id in rows
        if said.pop(entry_id, None) != (kind, act_id)
    ]
    return found + [
        f"entry {pk} ({kind}): there is no row of {act_id}" for pk, (kind, act_id) in said.items()
    ]


def disclosures_of(entry_id: UUID) -> dict[int, Opened]:
    """What is left of an entry's disclosures, opened. Whoever calls this writes down who reads it and why."""
    return disclosures_of_each([entry_id]).get(entry_id, {})


def disclosures_of_each(entry_ids: Sequence[UUID]) -> dict[UUID, dict[int, Opened]]:
    """The same for many."""
    found = Disclosures.objects.filter(pk__in=entry_ids).values_list("pk", "sealed", "entry__casekey__sealed")
    return {
        entry_id: sealing.open_sealed(entry_id, bytes(sealed_key), bytes(sealed))
        for entry_id, sealed, sealed_key in found
        if sealed_key is not None
    }


def policy_text() -> str:
    """The trust file: any majority of the witnesses."""
    return parties.text()


def strict_policy_text() -> str:
    """The auditor's trust file: the residents and one of the others."""
    return parties.strict_text()


def organs_list() -> bytes:
    """The organs' keys, signed by the log; empty before the first round."""
    return publication.published_organs()


def latest_checkpoint() -> bytes:
    """The newest checkpoint that was published; empty before the first."""
    return publication.published_checkpoint()


def alarms(at: datetime) -> list[Alarm]:
    """What is wrong at this instant, the worst first."""
    found = [
        Alarm("fork", state.asked_at, {"witness": state.witness})
        for state in WitnessState.objects.filter(forked=True).order_by("witness")
    ]
    tree = Tree.objects.filter(pk=1).first()
    if tree and tree.suspended and tree.suspended_at:
        found.append(Alarm("suspended", tree.suspended_at, {"why": tree.suspended}))
    oldest = _oldest_without_quorum()
    if oldest and (at - oldest.appended_at).total_seconds() > ALARM_AFTER_SECONDS:
        found.append(Alarm("no_quorum", oldest.appended_at, {"entries": _waiting(oldest)}))
    return found


def witness_states() -> list[WitnessState]:
    """What each witness last answered."""
    return list(WitnessState.objects.order_by("witness"))


def _entry(entry_id: UUID) -> Entry:
    entry = Entry.objects.filter(pk=entry_id).first()
    if entry is None:
        raise NoSuchEntry
    return entry


def _proved(entry_id: UUID) -> tuple[Entry, list[bytes], bytes]:
    entry = _entry(entry_id)
    shown = _checkpoint_over(entry.idx) if entry.idx is not None else None
    if entry.idx is None or shown is None or not shown[2]:
        raise NotWitnessedYet
    checkpoint = shown[0]
    path = inclusion_proof(entry.idx, checkpoint.size, TileHashes(checkpoint.size, publication.read))
    return entry, path, _cosigned_note(checkpoint)


def _cosigned_note(checkpoint: Checkpoint) -> bytes:
    lines = sorted((c.witness, c.line) for c in checkpoint.cosignatures.all())
    note = parse_note(bytes(checkpoint.note)).with_signatures(Signature.parse(line) for _, line in lines)
    return bytes(note)


def _checkpoint_over(index: int) -> tuple[Checkpoint, dict[str, datetime], bool] | None:
    """The first checkpoint over this entry that has a quorum, else the one with the most cosignatures."""
    policy = parties.policy()
    best: tuple[Checkpoint, dict[str, datetime], bool] | None = None
    for checkpoint, seen in _checkpoints_over(index):
        if policy.met_by(set(seen)):
            return checkpoint, seen, bool(seen)
        if best is None or len(seen) > len(best[1]):
            best = checkpoint, seen, False
    return best


def _checkpoints_over(index: int) -> Iterator[tuple[Checkpoint, dict[str, datetime]]]:
    """First those that may have a quorum, the smallest first, then the very first ones."""
    behind = Checkpoint.objects.filter(size__gt=index).prefetch_related("cosignatures").order_by("size")
    needed = max(1, quorum_of(len(parties.witnesses())))
    likely = behind.alias(lines=Count("cosignatures")).filter(lines__gte=needed)
    for checkpoints in (likely[:_LOOK], behind[:_LOOK]):
        for checkpoint in checkpoints:
            yield checkpoint, {c.witness: c.cosigned_at for c in checkpoint.cosignatures.all()}


def _quorum_size() -> int:
    """The largest size that a quorum has cosigned."""
    found = _with_quorum()
    return found.size if found else 0


def _with_quorum(*, up_to: int | None = None) -> Checkpoint | None:
    """The largest checkpoint, up to a size, that a quorum has cosigned.

    While one party is away for days, thousands of checkpoints have no quorum. So it is first asked up to where each
    witness came: a quorum has no checkpoint above the least of its members.
    """
    within = {} if up_to is None else {"checkpoint__lte": up_to}
    names = [witness.name for witness in parties.witnesses()]
    came = (
        Cosignature.objects.filter(witness=name, **within)
        .order_by("-checkpoint")
        .values_list("checkpoint", flat=True)
        .first()
        for name in names
    )
    sizes = sorted((size for size in came if size is not None), reverse=True)
    needed = max(1, quorum_of(len(names)))
    if len(sizes) < needed:
        return None
    policy = parties.policy()
    below = Checkpoint.objects.filter(size__lte=sizes[needed - 1]).prefetch_related("cosignatures")
    for checkpoint in below.order_by("-size").iterator(chunk_size=16):
        if policy.met_by({c.witness for c in checkpoint.cosignatures.all()}):
            return checkpoint
    return None


def _oldest_without_quorum() -> Entry | None:
    if not parties.witnesses():
        return None
    sequenced = Entry.objects.filter(idx__gte=_quorum_size()).order_by("idx").first()
    return sequenced or Entry.objects.filter(idx__isnull=True).order_by("id").first()


def _waiting(oldest: Entry) -> int:
    unsequenced = Entry.objects.filter(idx__isnull=True).count()
    return unsequenced + (0 if oldest.idx is None else Entry.objects.filter(idx__gte=oldest.idx).count())
