"""The log of the system itself: entries in its table, given their places, signed and published by its own sequencer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle, islice
from uuid import UUID

from django.db import connection, transaction
from tests.factories.ledger import AT, an_entry
from tests.ledger.conftest import Party

from lianfang.kernel import ids
from lianfang.ledger import keys, publication
from lianfang.ledger.collecting import Collector
from lianfang.ledger.models import Checkpoint, Entry
from lianfang.ledger.sequencer import Sequencer
from lianfang_chain.cbor import encode
from lianfang_chain.disclosure import commit, commit_officer
from lianfang_chain.entry import Act, sign_entry
from lianfang_chain.entry import Entry as ChainEntry
from lianfang_chain.tiles import TileHashes
from lianfang_chain.tree import inclusion_proof, leaf_hash

ORGAN, KIND, SCOPE = "cdc", "orders:isolation:issued", "d510402.s510402002.c001"
#: So many are appended as an act does it; more go into the table as one COPY.
_APPENDED = 300
_COPY = "COPY ledger_entry (id, data, leaf_hash, kind, act_id, organ, scope, appended_at) FROM STDIN"


class SystemLog:
    """Grows to a size in one round, and keeps the root that was signed. Entry 0 announces the organ's key."""

    def __init__(self, witness: Party) -> None:
        self.witness = witness.signer
        # It is waited for while it re-hashes 65,000 entries, so that each checkpoint has its line.
        self._sequencer = Sequencer(Collector(patience=120.0))
        self.roots: dict[int, bytes] = {}

    def close(self) -> None:
        self._sequencer.close()

    def grow_to(self, size: int) -> None:
        if size and not Entry.objects.exists():
            keys.organ_signer(ORGAN)  # the round announces it
        _add(size - max(Entry.objects.count(), 1))
        done = self._sequencer.run_once(AT)
        assert (done.size, done.signed, len(done.cosigned)) == (size, True, 1), done
        self.roots[size] = bytes(Checkpoint.objects.get(size=size).root)

    def path(self, index: int, size: int) -> list[bytes]:
        """Our own inclusion proof."""
        return inclusion_proof(index, size, TileHashes(size, publication.read))


def _add(count: int) -> None:
    with transaction.atomic():
        if count > _APPENDED:
            _copy(islice(acts(), count))
        else:
            for _ in range(count):
                an_entry()


def acts() -> Iterator[tuple[UUID, bytes]]:
    """Acts without end: the id of the act, and the entry that its organ signed.

    Each is signed; what is not the act's id is made once for each of a few lengths, one of them nearly the longest that
    an entry may have. So 70,000 take seconds.
    """
    for make in cycle([_maker(letters) for letters in (*(0, 20, 1, 200, 7) * 6, 3_500)]):
        yield make()


def _maker(letters: int) -> Callable[[], tuple[UUID, bytes]]:
    signer = keys.organ_signer(ORGAN)
    act = Act(
        kind=KIND,
        act_id=ids.new_id(),
        issued_at=int(AT.timestamp()),
        organ=ORGAN,
        scope=SCOPE,
        basis="传染病防治法第三十九条",
        terms={"days": 14, "note": "x" * letters},
        commitments=commit({"person": "p", "door": "3-2-501"}, ids.random_bytes).hashes,
        officer=commit_officer("officer-7", ids.random_bytes).commitment,
    )
    one = ChainEntry.parse(sign_entry(act, signer))
    signed = encode(["Signature1", one.protected, b"", one.payload])
    message = signed.split(act.act_id.bytes)
    data = one.data.removesuffix(one.signature).split(act.act_id.bytes)

    def make() -> tuple[UUID, bytes]:
        act_id = ids.new_id()
        return act_id, act_id.bytes.join(data) + signer.sign_bytes(act_id.bytes.join(message))

    ChainEntry.parse(make()[1]).verify(signer.key)
    return make


def _copy(made: Iterator[tuple[UUID, bytes]]) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for act_id, data in made:
            copy.write_row((ids.new_id(), data, leaf_hash(data), KIND, act_id, ORGAN, SCOPE, AT))
