"""From the act's row to a proof that a quorum has witnessed, and what stops the sequencer."""

import itertools
import shutil
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from tests.factories.ledger import AT, an_actor, an_entry
from tests.sizes import size

from lianfang.ledger import fsck, keys, publication, queries, reconcile, sequencer
from lianfang.ledger import parties as configured
from lianfang.ledger.errors import NotWitnessedYet, RestoredOlder
from lianfang.ledger.models import Checkpoint, Cosignature, Entry, OrganKey, Tree, WitnessState
from lianfang_chain.checkpoint import Checkpoint as TreeHead
from lianfang_chain.checkpoint import open_checkpoint, sign_checkpoint
from lianfang_chain.entry import Entry as ChainEntry
from lianfang_chain.note import COSIGNATURE, Signer
from lianfang_chain.policy import Policy
from lianfang_chain.proof import verify_paper_proof, verify_tlog_proof
from lianfang_chain.submission import AddCheckpoint
from lianfang_chain.tiles import TileHashes, TileId, tiles_at
from lianfang_chain.tree import NotProved, root_of, verify_consistency

pytestmark = pytest.mark.django_db


def grow(count: Any) -> Any:
    return [an_entry() for _ in range(count)]


def run(rounds: Any = 1, at: Any = AT) -> Any:
    return [sequencer.run_once(at) for _ in range(rounds)][-1]


def files() -> Any:
    root = publication.folder()
    return {str(f.relative_to(root)): f.read_bytes() for f in root.rglob("*") if f.is_file()}


def test_entries_get_indices_without_a_gap_and_the_root_is_signed(chain: Any) -> None:
    grow(5)
    done = run()
    assert (done.size, done.signed) == (6, True)  # five, and the announcement of the organ's key
    assert list(Entry.objects.order_by("idx").values_list("idx", flat=True)) == list(range(6))
    checkpoint, _ = open_checkpoint(queries.latest_checkpoint(), keys.log_signer().key)
    assert (
        checkpoint.root
        == root_of(6, TileHashes(6, publication.read))
        == bytes(Checkpoint.objects.get(size=6).root)
    )


def test_of_any_two_published_checkpoints_the_smaller_begins_the_larger(chain: Any) -> None:
    """L-1, through the question that anybody may ask; and the answer does not fit any other pair."""
    for count in (1, 2, 3, 120, 130, 1, 7):
        grow(count)
        run()
    roots = {c.size: bytes(c.root) for c in Checkpoint.objects.all()}
    assert len(roots) == 7
    for old, new in itertools.combinations(sorted(roots), 2):
        asked = AddCheckpoint.parse(queries.consistency(old, new))
        head, _ = open_checkpoint(asked.note, keys.log_key())
        assert (asked.old, head.size, head.root) == (old, new, roots[new])
        verify_consistency(old, new, roots[old], roots[new], asked.proof)
        with pytest.raises(NotProved):
            verify_consistency(old, new, roots[new], roots[new], asked.proof)


def test_a_round_without_news_changes_nothing(chain: Any) -> None:
    grow(3)
    run()
    before = files()
    assert not run(3, at=AT + timedelta(hours=1)).signed
    assert files() == before


@pytest.mark.parametrize("steps", [[1, 254, 1, 1], [300], [255, 1, 256, 1]])
def test_the_files_do_not_depend_on_the_rounds(chain: Any, steps: Any) -> None:
    for step in steps:
        grow(step)
        run()
    whole = Tree.objects.get().size
    for tile in tiles_at(whole):
        assert publication.read(tile)
    report = fsck.check()
    assert (report.problems, report.entries) == ([], whole)
    # A partial tile whose full one exists is not kept, and is served all the same.
    if whole >= 256:
        assert not list(publication.folder().glob("tile/0/000.p"))
        assert publication.read(TileId(0, 0, 7)) == publication.read(TileId(0, 0))[: 7 * 32]


def test_a_later_process_continues_from_the_files(chain: Any) -> None:
    writer = sequencer.Sequencer()
    grow(200)
    writer.run_once(AT)
    grow(100)
    run()  # another process, which reads the right edge from the files
    grow(5)
    writer.run_once(AT)  # the first again, whose edge is old
    assert fsck.check().problems == []
    writer.close()


class TestWitnessed:
    def test_three_cosign_and_the_proofs_verify_with_the_policy_file(self, parties: Any) -> None:
        entry_id = grow(4)[2]
        assert queries.state_of(entry_id).stage == "recorded"
        with pytest.raises(NotWitnessedYet):
            queries.proof(entry_id)
        assert set(run().cosigned) >= {"residents"}
        state = queries.state_of(entry_id)
        assert (state.stage, state.index, state.of) == ("witnessed", 2, 3)

        policy = Policy.parse(queries.policy_text())
        proved = verify_paper_proof(queries.proof(entry_id, ["door"]), policy)
        assert (proved.index, proved.quorum) == (2, True)
        assert [d.field for d in proved.disclosed] == ["door"]
        leaf = ChainEntry.parse(queries.entry_bytes(entry_id)).leaf
        assert verify_tlog_proof(queries.tlog_proof(entry_id), leaf, policy).quorum
        assert verify_paper_proof(queries.proof(entry_id), Policy.parse(queries.strict_policy_text())).quorum

    def test_every_party_computes_the_same_root(self, parties: Any) -> None:
        for count in (3, 300):
            grow(count)
            run(3)
        roots = {party.server.witness.store.held.root for party in parties}
        assert roots == {bytes(Checkpoint.objects.order_by("-size")[0].root)}

    def test_two_of_three_are_enough_and_one_is_not(self, parties: Any) -> None:
        parties[0].stop()
        first = grow(1)[0]
        run(2)
        assert queries.state_of(first).quorum
        keeper = sequencer.Sequencer()
        keeper.run_once(AT)
        parties[1].stop()
        second = grow(1)[0]
        assert keeper.run_once(AT).signed
        state = queries.state_of(second)
        assert (state.stage, state.witnesses) == ("sequenced", ("community",))
        assert queries.alarms(AT + timedelta(seconds=59)) == []
        (alarm,) = queries.alarms(AT + timedelta(seconds=61))
        assert (alarm.code, alarm.facts["entries"]) == ("no_quorum", 1)

        parties[1].start()
        run()
        assert queries.state_of(second).quorum
        assert queries.alarms(AT + timedelta(days=1)) == []

    def test_who_starts_signs_nothing_before_a_quorum_says_what_it_holds(self, parties: Any) -> None:
        """Else a restored database that finds nobody tells a second story before anybody can say so."""
        grow(1)
        before = run(2).size
        for party in parties[:2]:
            party.stop()
        entry = grow(1)[0]
        keeper = sequencer.Sequencer()
        done = keeper.run_once(AT)
        assert (done.alone, done.signed, done.size) == (True, False, before)
        assert queries.state_of(entry).stage == "recorded"
        (alarm,) = queries.alarms(AT + timedelta(seconds=61))
        assert alarm.code == "no_quorum"
        parties[0].start()
        assert keeper.run_once(AT).signed
        assert queries.state_of(entry).quorum

    def test_a_witness_that_was_away_for_long_is_caught_up(self, parties: Any) -> None:
        run()
        parties[2].stop()
        for _ in range(5):
            grow(120)
            run()
        parties[2].start()
        run(2)
        assert parties[2].size == Tree.objects.get().size

    def test_a_quorum_between_long_absences_is_found(self, parties: Any) -> None:
        for party in parties[:2]:
            party.stop()
        entry_id = grow(1)[0]
        run()
        for _ in range(6):
            grow(1)
            run()
        for party in parties[:2]:
            party.start()
        grow(1)
        witnessed = run().size
        for party in parties[:2]:
            party.stop()
        for _ in range(6):
            grow(1)
            run()
        assert (queries.state_of(entry_id).size, queries.state_of(entry_id).quorum) == (witnessed, True)

    def test_a_dead_witness_delays_nothing(self, parties: Any, settings: Any) -> None:
        settings.LIANFANG_WITNESSES[0]["url"] = "http://10.255.255.1:9"  # answers never
        grow(1)
        collector_began = time.monotonic()
        assert len(run().cosigned) == 2
        assert time.monotonic() - collector_began < 12


class TestRestoredOlder:
    """A database that was brought back to an earlier state must be noticed before it signs (L-6)."""

    def restore(self, size: Any) -> None:
        """As if a backup of that size had been brought back; past the triggers, as the tables' owner can."""
        tables = ("cosignature", "checkpoint", "disclosures", "casekey", "organkey", "entry", "tree")
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in tables:
                cursor.execute(f"ALTER TABLE ledger_{table} DISABLE TRIGGER USER")
            cursor.execute("DELETE FROM ledger_cosignature WHERE checkpoint_id > %s", [size])
            cursor.execute("DELETE FROM ledger_checkpoint WHERE size > %s", [size])
            for table in ("disclosures", "casekey", "organkey"):
                cursor.execute(
                    f"DELETE FROM ledger_{table} USING ledger_entry e WHERE e.id = entry_id AND e.idx >= %s",
                    [size],
                )
            cursor.execute("DELETE FROM ledger_entry WHERE idx >= %s OR idx IS NULL", [size])
            cursor.execute("UPDATE ledger_tree SET size = %s", [size])
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in tables:
                cursor.execute(f"ALTER TABLE ledger_{table} ENABLE TRIGGER USER")

    @pytest.mark.parametrize("files_too", [False, True])
    @pytest.mark.parametrize("running", [False, True])
    def test_it_is_noticed_at_every_older_point_and_nothing_is_signed(
        self, parties: Any, running: Any, files_too: Any
    ) -> None:
        """By a worker that starts, and by one under which the tables were put back while it ran."""
        sizes = []
        for step in range(size("restores") + 1):
            grow(1 + step * 3)
            sizes.append(run(2).size)
        for older in sizes[:-1]:
            keeper = sequencer.Sequencer()
            assert keeper.run_once(AT).size == sizes[-1]  # so what follows is the restore's doing
            with transaction.atomic():
                self.restore(older)
                if files_too:  # then only the witnesses know better
                    (publication.folder() / "checkpoint").unlink(missing_ok=True)
                grow(2)
                assert (keeper.run_once(AT) if running else run()).suspended, older
                assert Checkpoint.objects.order_by("-size")[0].size == older
                assert queries.alarms(AT)[0].code == "suspended"
                with pytest.raises(RestoredOlder):
                    an_entry()
                transaction.set_rollback(True)
            keeper.close()

    @pytest.mark.parametrize("source", ["files", "witness"])
    def test_what_was_lost_comes_back_from_files_or_a_witness_and_the_chain_goes_on(
        self, parties: Any, source: Any
    ) -> None:
        first = grow(5)
        older = run(2).size
        grow(300)
        newest = run(2).size
        self.restore(older)
        waiting = an_entry(kind="orders:order:lifted")  # what frees is taken meanwhile
        assert run().suspended
        if source == "files":
            found, note = reconcile.from_files()
        else:
            parties[0].stop()
            found, note = reconcile.from_witness(parties[0].folder)
            parties[0].start()

        incomplete = {index: data for index, data in found.items() if index != newest - 1}
        other = {**found, older: found[older + 1]}
        for wrong in (incomplete, other, {}):
            with pytest.raises(reconcile.CannotReconcile), transaction.atomic():
                reconcile.recover(wrong, note, reason="test", by=an_actor())
        assert Tree.objects.get().suspended

        recovered = reconcile.recover(found, note, reason="backup of the day before", by=an_actor())
        assert len(recovered.entries) == newest - older
        # Their rows were lost with the database, and are not asked for: only those that were not are.
        assert queries.came_back() == {e.pk for e in Entry.objects.filter(idx__range=(older, newest - 1))}
        assert len(queries.unmatched("orders", [])) == len(first) + 1
        done = run(2)
        assert (done.suspended, done.size) == ("", newest + 2)  # the lift and the notice
        assert fsck.check().problems == []
        assert {party.size for party in parties} == {newest + 2}
        for entry_id in (first[0], waiting, recovered.notice):
            assert queries.state_of(entry_id).quorum

    def test_a_key_that_was_changed_after_the_backup_is_known_and_its_forerunner_signs_no_more(
        self, parties: Any
    ) -> None:
        grow(3)
        older = run(2).size
        old = keys.organ_key_file("cdc")
        kept = old.read_bytes()
        keys.put_away("cdc")
        changed = str(keys.organ_signer("cdc").key)
        grow(2)
        run(2)
        self.restore(older)
        old.write_bytes(kept)  # the folder of keys comes out of the backup, too
        keys.forget()
        assert run().suspended

        found, note = reconcile.from_files()
        recovered = reconcile.recover(found, note, reason="backup of the day before", by=an_actor())
        assert recovered.ended_keys == ("cdc",)
        an_entry()
        run(2)
        third = str(keys.organ_signer("cdc").key)
        assert list(OrganKey.objects.filter(organ="cdc").order_by("entry__idx").values_list("vkey", flat=True)[1:]) == [
            changed, third,
        ]  # fmt: skip
        assert kept.decode().strip() != old.read_text().strip()
        assert fsck.check().problems == []

    def test_a_key_that_was_made_after_the_restore_goes_on_and_is_announced(self, parties: Any) -> None:
        """An act between the restore and the first round, of an organ whose key was lost with the disk."""
        older = run(2).size
        grow(2)
        run(2)
        self.restore(older)
        keys.organ_key_file("cdc").unlink()
        keys.forget()
        waiting = an_entry()
        own = keys.organ_signer("cdc").key
        assert run().suspended
        found, note = reconcile.from_files()
        recovered = reconcile.recover(found, note, reason="backup of the day before", by=an_actor())
        assert recovered.ended_keys == ()
        run(2)
        assert keys.organ_signer("cdc").key == own
        assert queries.state_of(waiting).quorum
        assert fsck.check().problems == []

    def test_a_database_that_is_whole_writes_its_files_anew_when_they_are_gone(self, parties: Any) -> None:
        """A backup that is restored on another machine brings no files; the witnesses hold what it holds."""
        for count in (5, 300, 1, 1):  # partial tiles of several sizes that were signed are still to be had
            grow(count)
            size_before = run(2).size
        before = files()
        shutil.rmtree(publication.folder())
        done = run()
        assert (done.suspended, done.size) == ("", size_before)
        assert files() == before
        assert fsck.check().problems == []

    def test_a_witness_with_another_history_is_noticed(self, parties: Any) -> None:
        grow(3)
        run(2)
        self.restore(0)
        shutil.rmtree(publication.folder())
        grow(9)
        assert run().suspended
        assert not Checkpoint.objects.exists()

    def test_a_witness_that_holds_another_root_for_a_smaller_size_is_noticed(
        self, parties: Any, settings: Any
    ) -> None:
        """The sizes alone say nothing: a district that began anew has overtaken what the witnesses hold."""
        grow(3)
        held = run(2).size
        self.restore(0)
        shutil.rmtree(publication.folder())
        witnesses, settings.LIANFANG_WITNESSES = settings.LIANFANG_WITNESSES, []
        grow(9)
        larger = run().size
        settings.LIANFANG_WITNESSES = witnesses
        assert larger > held == parties[0].size
        assert run().suspended.endswith(f"holds another history at {held}")
        assert Checkpoint.objects.count() == 1


@pytest.mark.parametrize("name", ["tile/0/000.p/4", "tile/entries/000.p/4", "checkpoint"])
def test_a_damaged_edge_stops_the_sequencer_before_it_signs(chain: Any, name: Any) -> None:
    grow(3)
    run()
    (publication.folder() / name).write_bytes((publication.folder() / name).read_bytes()[:-3] + b"xyz")
    grow(300)
    with pytest.raises((publication.FilesDiffer, sequencer.HistoryDiffers)):
        run()
    assert Checkpoint.objects.count() == 1
    assert fsck.check(rebuild=True)
    assert run().signed
    assert fsck.check().problems == []


def test_a_file_that_is_there_with_other_bytes_is_not_written_over(chain: Any) -> None:
    grow(3)
    run()
    there = publication.folder() / "tile" / "0" / "000.p" / "5"
    there.write_bytes(b"x" * 160)
    grow(1)
    with pytest.raises(publication.FilesDiffer, match="lianfang fsck --rebuild"):
        run()
    assert there.read_bytes() == b"x" * 160
    assert Checkpoint.objects.count() == 1


def test_a_row_that_is_not_what_was_signed_stops_the_sequencer(chain: Any) -> None:
    grow(3)
    run()
    shutil.rmtree(publication.folder())  # so the tree is computed from the table again
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE ledger_entry DISABLE TRIGGER USER")
        cursor.execute("UPDATE ledger_entry SET idx = -idx - 1 + 1000 WHERE idx < 2")
        cursor.execute("UPDATE ledger_entry SET idx = idx - 998 WHERE idx > 2 AND idx > 900")
        cursor.execute("ALTER TABLE ledger_entry ENABLE TRIGGER USER")
    assert any("another root" in problem for problem in fsck.check().problems)
    grow(1)
    with pytest.raises(sequencer.HistoryDiffers):
        run()


def test_an_entry_whose_id_is_older_than_the_last_one_sequenced_is_not_forgotten(
    chain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids commit out of order: a transaction that began earlier may commit after a round (ledger.md 6.8)."""
    grow(2)
    run()
    monkeypatch.setattr("lianfang.ledger.actions.ids.new_id", lambda: UUID(int=1))
    late = an_entry(act_id=UUID(int=5))
    monkeypatch.undo()
    run()
    assert Entry.objects.get(pk=late).idx == 3


def test_a_damaged_tile_is_found_and_written_anew(chain: Any) -> None:
    grow(300)
    run()
    good = files()
    full = publication.folder() / "tile" / "0" / "000"
    for damage in (b"", b"x" * 8192, full.read_bytes()[:-1]):
        full.write_bytes(damage)
        report = fsck.check()
        assert report.problems == ["tile/0/000 is not what the table says"]
        assert fsck.check(rebuild=True).written == 1
        assert files() == good
        assert fsck.check().sound


def test_all_files_are_written_anew_byte_for_byte(chain: Any) -> None:
    grow(300)
    run()
    grow(300)
    run()
    good = files()
    shutil.rmtree(publication.folder() / "tile")
    assert not fsck.check().sound
    assert fsck.check(rebuild=True).sound
    assert files() == good


def test_the_stored_checkpoint_is_used_again_and_never_another(chain: Any) -> None:
    grow(2)
    run()
    note = bytes(Checkpoint.objects.get().note)
    (publication.folder() / "checkpoint").unlink()
    run(at=AT + timedelta(days=1))
    assert publication.published_checkpoint() == note


def test_a_checkpoint_that_was_not_stored_was_seen_by_nobody(
    parties: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the next round, with one entry more, could sign what contradicts it after a restore."""
    grow(2)

    def full(**_: Any) -> Any:
        raise OperationalError("could not extend file: No space left on device")

    monkeypatch.setattr(Checkpoint.objects, "create", full)
    with pytest.raises(OperationalError):
        run()
    assert publication.published_checkpoint() == b""
    assert {party.size for party in parties} == {0}
    monkeypatch.undo()
    assert run().signed


def test_files_that_know_more_than_the_database_stop_it(chain: Any) -> None:
    grow(3)
    run()
    head = TreeHead(keys.origin(), 9, b"r" * 32)
    publication.publish_checkpoint(sign_checkpoint(head, keys.log_signer()))
    grow(1)
    assert run().suspended == "the published checkpoint has 9 entries, the database 4"
    assert Checkpoint.objects.count() == 1


def test_one_sequencer_at_a_time(chain: Any) -> None:
    other = connections["default"].copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [sequencer._LOCK])
        grow(1)
        assert run().busy
        assert Entry.objects.filter(idx__isnull=False).count() == 0
    other.close()


def test_a_cosignature_that_does_not_verify_is_not_stored(
    parties: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    impostor = Signer(parties[0].signer.key.name, COSIGNATURE, b"x" * 32)
    parties[0].server.witness.signer = impostor
    grow(1)
    run()
    assert not Cosignature.objects.filter(witness="residents").exists()
    assert WitnessState.objects.get(witness="residents").answer in ("refused", "silent")
    assert configured.policy().met_by({"property", "community"})


def test_what_a_quorum_has_seen_is_found_after_days_with_one_witness(parties: Any) -> None:
    """600 checkpoints cosigned by one alone: the last one of a quorum is found, without looking at them all."""
    entry = grow(1)[0]
    seen = run(2).size
    later = range(seen + 1, seen + 601)
    Checkpoint.objects.bulk_create(
        Checkpoint(size=n, root=bytes(32), note=b"-", signed_at=AT + timedelta(minutes=n)) for n in later
    )
    Cosignature.objects.bulk_create(
        Cosignature(checkpoint_id=n, witness="property", line="-", cosigned_at=AT) for n in later
    )
    with CaptureQueriesContext(connection) as asked:
        newest = queries.newest_witnessed()
        before = queries.checkpoint_before(AT + timedelta(days=30))
    assert newest is not None
    assert before is not None
    assert newest.size == before.size == seen
    assert len(asked) < 14
    assert queries.newest_states([entry])[entry].quorum
    assert queries.proofs([entry])
