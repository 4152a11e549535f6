"""Questions about the chain: how far an entry has come, its proof, what is wrong at present."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from lianfang.kernel.clock import start_of_legal_day
from lianfang_chain.entry import Entry as ChainEntry
from lianfang_chain.note import MalformedNote, NotSigned, parse_note
from lianfang_chain.organs import Organs, SignedBy
from lianfang_chain.proof import TlogProof, paper_proof_of, sheet_text_of, verify_paper_proof
from lianfang_chain.submission import AddCheckpoint
from lianfang_chain.tiles import ENTRIES, FULL, TileHashes, TileId, bundle_of, entries_of
from lianfang_chain.tree import Edge, NotProved, consistency_proof, inclusion_proof, verify_consistency

from . import former, held_evidence, in_office, keys, parties, publication, quorums, sealing
from .errors import NoSuchEntry, NotWitnessedYet
from .models import Checkpoint, Cosignature, Disclosures, Entry, Tree, WitnessState
from .policy import ALARM_AFTER_SECONDS, with_earlier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import date
    from uuid import UUID

    from django.db.models import QuerySet

    from lianfang_chain.disclosure import Disclosure as Opened
    from lianfang_chain.proof import Proved


_WORST_FIRST: Final = (
    "fork", "suspended", "says_fork", "damaged", "rounds_fail", "says_more", "no_quorum", "clock",
)  # fmt: skip


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

    code: str  # of `_WORST_FIRST`, and not_sequenced; damaged and rounds_fail are known to the worker alone
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
    def origin(self) -> str:
        """The name of its chain, which may have ended since."""
        return parse_note(self.note).text.partition("\n")[0]

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
    shown = quorums.over(entry.idx)
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
    size, of = quorums.size(), len(parties.witnesses())
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
    found = list(_over_the_newest(entry_ids))
    policy = parties.policy()
    opened = disclosures_of_each([entry.pk for entry, _, _, _ in found]) if disclose else {}
    made = {}
    for entry, index, path, note in found:
        shown = [d for d in opened.get(entry.pk, {}).values() if d.field in disclose]
        made[entry.pk] = paper_proof_of(bytes(entry.data), shown, index, path, note, policy)
    return made


def tlog_proofs(entry_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """The same as `.tlog-proof` files."""
    return {
        entry.pk: bytes(TlogProof(index, tuple(path), note))
        for entry, index, path, note in _over_the_newest(entry_ids)
    }


def _over_the_newest(entry_ids: Sequence[UUID]) -> Iterator[tuple[Entry, int, list[bytes], bytes]]:
    """Each entry with its place, its path and the note that shows it: the newest with a quorum of today's witnesses,
    and for what that does not show the newest that had one in its time."""
    least = 0
    heads = {c.size: c for c in (quorums.newest_of(parties.witnesses()), quorums.newest()) if c is not None}
    for size, checkpoint in sorted(heads.items()):
        note, tree = quorums.note_of(checkpoint), TileHashes(size, publication.read)
        for entry in Entry.objects.filter(pk__in=entry_ids, idx__gte=least, idx__lt=size):
            assert entry.idx is not None
            yield entry, entry.idx, inclusion_proof(entry.idx, size, tree), note
        least = size


def rows_of(entry_ids: Sequence[UUID]) -> list[EntryRow]:
    """These entries in the order of the chain; those that have no place yet are left out."""
    return _rows(Entry.objects.filter(pk__in=entry_ids))


def erasures_of(entry_ids: Sequence[UUID]) -> list[UUID]:
    """The notices that disclosures of these entries were erased."""
    acts = Entry.objects.filter(pk__in=entry_ids).values("act_id")
    found = Entry.objects.filter(kind="ledger:disclosures:erased", act_id__in=acts)
    return list(found.values_list("pk", flat=True))


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
    shown = quorums.over(entry.idx) if entry.idx is not None else None
    return _head(shown[0]) if shown and shown[2] else None


def newest_witnessed() -> Head | None:
    """The newest checkpoint with a quorum."""
    found = quorums.newest()
    return _head(found) if found else None


def checkpoint_before(instant: datetime) -> Head | None:
    """The last checkpoint that a quorum has seen of those signed before an instant: what that day ended with.

    Before the present chain was begun it is one of a chain that has ended (`Head.origin`).
    """
    if found := _before_in_this_chain(instant):
        return found
    ended = former.checkpoint_before(instant)
    return Head(ended.size, bytes(ended.root), bytes(ended.note), ended.signed_at) if ended else None


def _before_in_this_chain(instant: datetime) -> Head | None:
    last = Checkpoint.objects.filter(signed_at__lt=instant).order_by("-signed_at", "-size").first()
    found = quorums.newest(up_to=last.size) if last else None
    return _head(found) if found else None


def head_of_day(day: date) -> Head | None:
    """With what the legal day began: the last checkpoint of this chain with a quorum before it, else the first one there
    is. What is printed is compared with this chain."""
    return _before_in_this_chain(start_of_legal_day(day)) or newest_witnessed()


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
    return bytes(AddCheckpoint(old, tuple(proof), quorums.note_of(later)))


def are_consistent(older: Head, newer: Head) -> bool:
    """Whether the older tree is the beginning of the newer one of the same chain, by the proof that everybody gets.

    :raises NoSuchEntry: they are of two chains, and no proof leads from one to the other; or of one unknown here
    """
    proof = AddCheckpoint.parse(consistency_of(older, newer)).proof
    try:
        verify_consistency(older.size, newer.size, older.root, newer.root, proof)
    except NotProved:
        return False
    return True


def consistency_of(older: Head, newer: Head) -> bytes:
    """`consistency`, of a chain that has ended too.

    :raises NoSuchEntry: see `are_consistent`
    """
    if older.origin != newer.origin or older.size > newer.size:
        raise NoSuchEntry
    proof = consistency_proof(older.size, newer.size, TileHashes(newer.size, _reader(newer.origin)))
    return bytes(AddCheckpoint(older.size, tuple(proof), newer.note))


def stretch(origin: str, older: int, newer: int) -> tuple[tuple[bytes, ...], bytes]:
    """What leads from the tree of one size to the root of a later one that was signed: the complete subtrees of the
    first, largest first, and every entry since as one bundle. Nothing can be left out of it.

    :raises NoSuchEntry: no such chain
    """
    read = _reader(origin)
    entries: list[bytes] = []
    for index in range(older // FULL, -(-newer // FULL)):
        width = min(FULL, newer - index * FULL)
        entries += entries_of(read(TileId(ENTRIES, index, width)), width=width)
    edge = Edge.of(older, TileHashes(newer, read)).subtrees
    return edge, bundle_of(entries[older % FULL :])


def _reader(origin: str) -> Callable[[TileId], bytes]:
    """Reads the tiles of this chain, or of one that has ended.

    :raises NoSuchEntry: no such chain
    """
    if origin == keys.origin():
        return publication.read
    if ended := former.by_origin(origin):
        return former.reader(ended)
    raise NoSuchEntry


def note_at(origin: str, size: int) -> bytes:
    """The checkpoint of a size, of this chain or of one that has ended, with the cosignatures that are known.

    :raises NoSuchEntry: none of that size was signed
    """
    if origin == keys.origin():
        return checkpoint_note(size)
    short, _ = ended_as(origin) or ("", None)
    return former.content(short, f"checkpoint/{size}")[0]


def root_at(origin: str, size: int) -> bytes | None:
    """The root that a chain, this one or one that has ended, was signed with at a size."""
    if origin == keys.origin():
        found = Checkpoint.objects.filter(size=size).first()
        return bytes(found.root) if found else None
    return former.root_at(origin, size)


def ended_as(origin: str) -> tuple[str, datetime] | None:
    """Of a chain that has ended: how its files are addressed, and when that was."""
    ended = former.by_origin(origin)
    return (ended.evidence[:16], ended.ended_at) if ended else None


def former_files(origin: str) -> dict[str, bytes]:
    """What an auditor needs of a chain that has ended: why, its last checkpoint, whom to trust for it."""
    ended = former.by_origin(origin)
    if ended is None:
        return {}
    short = ended.evidence[:16]
    return {name: former.content(short, name)[0] for name in ("evidence.txt", "checkpoint", "policy.txt")}


def former_chains() -> list[tuple[str, str, datetime]]:
    """Name, address and end of the chains that have ended, the newest first."""
    return [(c.origin, c.evidence[:16], c.ended_at) for c in former.chains()]


def checkpoint_note(size: int) -> bytes:
    """The checkpoint of a size as it was signed, with the cosignatures that are known.

    :raises NoSuchEntry: none of that size was signed
    """
    found = Checkpoint.objects.prefetch_related("cosignatures").filter(size=size).first()
    if found is None:
        raise NoSuchEntry
    return quorums.note_of(found)


def _head(checkpoint: Checkpoint) -> Head:
    return Head(checkpoint.size, bytes(checkpoint.root), quorums.note_of(checkpoint), checkpoint.signed_at)


def proved(paper: bytes) -> Proved:
    """What a paper proof says to whoever trusts our policy file.

    :raises Exception: of `lianfang_chain.proof.verify_paper_proof`: it proves nothing, and we made it
    """
    return verify_paper_proof(paper, parties.parsed(policy_text()))


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


def acts_of_room(room: str) -> Iterator[tuple[UUID, str, UUID]]:
    """Every entry of a room with its kind and the act it is about; to be compared with the room's own rows (L-5)."""
    found = Entry.objects.filter(kind__startswith=f"{room}:").order_by("pk")
    return found.values_list("pk", "kind", "act_id").iterator()


def unmatched(room: str, rows: Iterable[tuple[UUID, str, UUID]]) -> list[str]:
    """L-5: rows of a room (entry, kind, act) that have no such entry, and entries of the room that have no such row.

    Entries that came back after a restore have none: their acts were lost with the database.
    """
    said = {entry_id: (kind, act_id) for entry_id, kind, act_id in acts_of_room(room)}
    found = [
        f"{kind} {act_id}: the chain does not hold it"
        for entry_id, kind, act_id in rows
        if said.pop(entry_id, None) != (kind, act_id)
    ]
    lost = came_back() if said else ()
    return found + [
        f"entry {pk} ({kind}): there is no row of {act_id}"
        for pk, (kind, act_id) in said.items()
        if pk not in lost
    ]


def came_back() -> set[UUID]:
    """The entries that reconciliations brought back without disclosures. A notice says how many at most, and they
    were recorded in its transaction, right before it."""
    found: set[UUID] = set()
    for notice, terms in terms_of_kind("ledger:chain:reconciled"):
        before = Entry.objects.filter(pk__lt=notice).order_by("-pk").values_list("pk", "disclosures")
        found |= {pk for pk, sealed in before[: int(terms["recovered"])] if sealed is None}
    return found


def terms_of_kind(kind: str) -> Iterator[tuple[UUID, Mapping[str, str | int]]]:
    """What each entry of a kind says in public."""
    found = Entry.objects.filter(kind=kind).order_by("pk").values_list("pk", "data")
    for entry_id, data in found.iterator(chunk_size=500):
        yield entry_id, ChainEntry.parse(bytes(data)).act.terms


def unmatched_terms(kind: str, rows: Iterable[tuple[UUID, Mapping[str, str | int]]]) -> list[str]:
    """L-5 where a row is about no act, a digest for example: its entry says the same in public, and each such entry has
    its row."""
    said = dict(terms_of_kind(kind))
    found = [
        f"{kind}: the chain does not say what the row of entry {entry_id} says"
        for entry_id, terms in rows
        if said.pop(entry_id, None) != terms
    ]
    lost = came_back() if said else ()
    return found + [f"entry {pk} ({kind}): there is no row of it" for pk in said if pk not in lost]


def signer_of(entry_id: UUID) -> SignedBy | None:
    """Whose key signed the entry, by the list that everybody gets; None where that does not say it yet.

    :raises NoSuchEntry: no such entry
    """
    row = _entry(entry_id)
    try:
        listed = Organs.open(publication.published_organs(), parties.policy())
        return listed.signer_of(ChainEntry.parse(bytes(row.data)), row.idx)
    except (
        MalformedNote,
        NotSigned,
    ):  # no list before the first round, and a torn one is written anew by the next
        return None


def disclosures_of(entry_id: UUID) -> dict[int, Opened]:
    """What is left of an entry's disclosures, opened. Whoever calls this writes down who reads it and why."""
    return disclosures_of_each([entry_id]).get(entry_id, {})


def disclosures_of_each(entry_ids: Sequence[UUID]) -> dict[UUID, dict[int, Opened]]:
    """The same for many; those sealed under a key that was lost are left out, as if they were erased."""
    found = Disclosures.objects.filter(pk__in=entry_ids).values_list("pk", "sealed", "entry__casekey__sealed")
    opened = {}
    for entry_id, sealed, sealed_key in found:
        if sealed_key is not None:
            with contextlib.suppress(sealing.Closed):
                opened[entry_id] = sealing.open_sealed(entry_id, bytes(sealed_key), bytes(sealed))
    return opened


def policy_text() -> str:
    """The trust file: any majority of the witnesses; and where the earlier ones are, for older papers."""
    addresses = {t.until: _address(t.until, "policy") for t in in_office.earlier()}
    return with_earlier(parties.text(), addresses, in_office.changes())


def strict_policy_text() -> str:
    """The auditor's trust file: the residents and one of the others."""
    addresses = {t.until: _address(t.until, "strict-policy") for t in in_office.earlier()}
    return with_earlier(parties.strict_text(), addresses, in_office.changes())


def policy_text_at(size: int, *, strict: bool = False) -> str:
    """The trust file under which a paper holds whose checkpoint has so many entries."""
    term = in_office.term_of(size, in_office.earlier())
    if term is None:
        return strict_policy_text() if strict else policy_text()
    return parties.strict_text(term.witnesses) if strict else parties.text(term.witnesses)


def change_proof(index: int) -> bytes:
    """The paper proof of the entry that changed a witness, for who has the trust file before it: over a checkpoint that
    the witnesses of that file, those that stayed, have cosigned.

    :raises NoSuchEntry: no witness changed with that entry
    :raises NotWitnessedYet: too few of the witnesses before it have seen it, or all of them changed at once
    """
    now = parties.parsed(policy_text())
    if all(change.index != index for change in now.changes):
        raise NoSuchEntry
    before = now.at(index)
    checkpoint = quorums.meets(before, index)
    if checkpoint is None:
        raise NotWitnessedYet
    path = inclusion_proof(index, checkpoint.size, TileHashes(checkpoint.size, publication.read))
    data = Entry.objects.values_list("data", flat=True).get(idx=index)
    return paper_proof_of(bytes(data), (), index, path, quorums.note_of(checkpoint), before)


def earlier_policies() -> dict[int, str]:
    """The trust files before today's, by the largest checkpoint that each is for."""
    return {term.until: parties.text(term.witnesses) for term in in_office.earlier()}


def _address(size: int, name: str) -> str:
    return f"/open/chain/{name}/{size}.txt"


def organs_list() -> bytes:
    """The organs' keys, signed by the log; empty before the first round."""
    return publication.published_organs()


def latest_checkpoint() -> bytes:
    """The newest checkpoint that was published; empty before the first."""
    return publication.published_checkpoint()


def alarms(at: datetime) -> list[Alarm]:
    """What is wrong at this instant, the worst first. Only evidence that verifies makes a fork; a word is said to be one."""
    proved = held_evidence.forks()
    found = [Alarm("fork", since, {"witness": witness}) for witness, since in proved.items()]
    tree = Tree.objects.filter(pk=1).first()
    if tree and tree.suspended and tree.suspended_at:
        found.append(Alarm("suspended", tree.suspended_at, {"why": tree.suspended}))
    asked = {witness.name for witness in parties.witnesses()}
    troubled = WitnessState.objects.exclude(trouble="").filter(witness__in=asked).order_by("witness")
    said = [Alarm(s.trouble, s.troubled_at or s.asked_at, {"witness": s.witness}) for s in troubled]
    found += [alarm for alarm in said if alarm.code != "says_fork" or alarm.facts["witness"] not in proved]
    oldest = _oldest_without_quorum()
    if oldest and (at - oldest.appended_at).total_seconds() > ALARM_AFTER_SECONDS:
        found.append(Alarm("no_quorum", oldest.appended_at, {"entries": _waiting(oldest)}))
    return worst_first(found)


def worst_first(found: Iterable[Alarm]) -> list[Alarm]:
    """Alarms in the order in which they are told."""
    return sorted(found, key=lambda alarm: _WORST_FIRST.index(alarm.code))


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
    checkpoint = quorums.for_a_paper(entry.idx) if entry.idx is not None else None
    if entry.idx is None or checkpoint is None:
        raise NotWitnessedYet
    path = inclusion_proof(entry.idx, checkpoint.size, TileHashes(checkpoint.size, publication.read))
    return entry, path, quorums.note_of(checkpoint)


def _oldest_without_quorum() -> Entry | None:
    if not parties.witnesses():
        return None
    sequenced = Entry.objects.filter(idx__gte=quorums.size()).order_by("idx").first()
    return sequenced or Entry.objects.filter(idx__isnull=True).order_by("id").first()


def _waiting(oldest: Entry) -> int:
    unsequenced = Entry.objects.filter(idx__isnull=True).count()
    return unsequenced + (0 if oldest.idx is None else Entry.objects.filter(idx__gte=oldest.idx).count())
