"""Negative controls: each bug is planted in the chain, and the test that is there to find it does.

The bugs are of the kind that people make: one too many, a line feed too few, the wrong order, a check left out. A
plant that no test finds fails here; so does a test that would pass whatever the code did.
"""

from __future__ import annotations

import functools
import gc
import traceback
from collections.abc import Callable
from typing import Any, Final

import pytest
from django.db import transaction
from tests.chain import test_cbor, test_mutations, test_vectors, test_witness
from tests.chain.planting import planted
from tests.chain.test_witness import log as log  # the fixtures
from tests.chain.test_witness import witness as witness
from tests.ledger import test_append, test_erase, test_liars, test_pages, test_sealing, test_sequence
from tests.ledger.test_liars import liar as liar
from tests.ledger.test_pages import entry_id as entry_id

from lianfang.ledger import (
    actions,
    collecting,
    held_evidence,
    publication,
    queries,
    reconcile,
    sealing,
    sequencer,
    serving,
)
from lianfang_chain import cbor, checkpoint, client, disclosure, entry, note, policy, reading, tiles, tree
from lianfang_chain.witness import judge, mirror, store

pytestmark = pytest.mark.django_db

_rows = test_witness.TestTheRowsOfTheSpecification()
_folder = test_witness.TestTheFolder()
_older = test_sequence.TestRestoredOlder()
_more = test_liars.TestItSaysThatItHoldsMore()
_own = test_liars.TestOneFaultIsOnesOwn()
_fork = test_liars.TestItSaysThatThereIsAFork()
full = _folder.full

Finder = Callable[..., Any]
#: What is planted: in which function, the words that stand there, the wrong ones; and who finds it.
PLANTED: Final[dict[str, tuple[Any, str, str, Finder]]] = {
    # tree, proof
    "a leaf with the prefix of a node": (tree.leaf_hash, r"\x00", r"\x01", test_vectors.test_entries),
    "a node with the prefix of a leaf": (
        tree.node_hash, r"\x01", r"\x00", test_vectors.test_inclusion_and_consistency,
    ),
    "the leaf in the middle is in the left half": (
        tree.inclusion_proof, "if index < middle:", "if index <= middle:",
        test_mutations.test_every_changed_hash_of_a_path_is_noticed,
    ),
    "a path that is too short": (
        tree.root_from_inclusion, "    if last:\n", "    if False:\n",
        test_mutations.test_every_changed_hash_of_a_path_is_noticed,
    ),
    "the old root is not compared": (
        tree.verify_consistency, "if seen_old != old_root:", "if False:",
        test_mutations.test_every_changed_hash_of_a_path_is_noticed,
    ),
    # note, cosignature, checkpoint
    "signed without the last line feed": (
        note.Signer.sign, "text.encode()", "text.rstrip().encode()",
        _rows.test_the_same_size_again_is_200,
    ),
    "checked without the last line feed": (
        note.VerifierKey.verify, "message = text.encode()", "message = text.rstrip().encode()", test_vectors.test_notes,
    ),
    "a cosignature that leaves the time out": (
        note._cosigned, r"time {at}\n", "", test_vectors.test_notes,
    ),
    "a note that no known key signed": (note.open_note, "if not verified:", "if False:", test_vectors.test_notes),
    "a key whose id is not looked at": (
        note.VerifierKey.parse, "if key.key_id.hex() != key_id:", "if False:", test_vectors.test_notes,
    ),
    "two spellings of one base64": (
        note.bytes_of_base64, "if base64_of(data) != text:", "if False:", test_vectors.test_base64_has_one_spelling,
    ),
    "a checkpoint of a fourth line": (
        checkpoint.Checkpoint.parse, "if len(lines) != 4 or lines[3] or not lines[0]:", "if len(lines) < 4 or not lines[0]:",
        _rows.test_an_extension_line_is_400,
    ),
    "more than enough for a quorum": (policy.Policy._met, ">= group", "> group", test_vectors.test_paper_proofs),
    # cbor, entry, disclosure
    "map keys in the order in which they were given": (
        cbor._encoded_map, "pairs.sort()", "pass", test_cbor.test_keys_are_sorted_bytewise_where_cbor2_sorts_by_length,
    ),
    "an entry signed over its payload alone": (
        entry._to_be_signed, 'b"", payload]', 'b"", b""]', test_vectors.test_entries,
    ),
    # Turned round and not merely left as they are: four of them are in order by chance once in 24 times.
    "commitments in another order than their own": (
        disclosure.commit, "tuple(sorted([*made, *decoys]))", "tuple(sorted([*made, *decoys], reverse=True))",
        test_append.test_secrets_are_commitments_among_decoys_and_open_only_with_their_salt,
    ),
    "one salt for all fields": (
        disclosure.commit, "random(SALT_BYTES)", "bytes(SALT_BYTES)",
        test_append.test_two_entries_about_one_person_share_no_commitment,
    ),
    # tiles
    "255 hashes to a tile": (
        tiles.width_at, "& 0xFF", "% 0xFF", test_mutations.test_sizes_of_the_specification_have_its_tiles,
    ),
    "a tile that is full one hash later": (
        tiles.TileWriter._add, "if len(row) == FULL:", "if len(row) > FULL:",
        test_mutations.test_growing_by_any_steps_gives_the_same_tiles_and_a_resumed_writer_too,
    ),
    "the 1,000th tile beside its folder": (
        tiles.TileId.path, '"x{g}"', '"{g}"', test_mutations.test_bundles_and_tile_paths_come_back_as_they_were,
    ),
    # the witness
    "cosigned before it is stored": (
        judge.Witness._hold_what_is_new, "self.store.advance(", "(lambda *_: None)(", _folder.test_a_restart_continues_where_it_was,
    ),
    "`held` written before what it holds": (
        store.Store.advance,
        "    _sync(self._entries, draft.entries_end)\n",
        '    write_whole(self.folder / "held", note)\n    _sync(self._entries, draft.entries_end)\n',
        functools.partial(_folder.test_a_full_disk_at_any_write_is_survived, step=3, restarted=True),
    ),
    "entries without the mark at their end": (
        store.Store._held_entries, "        if index is None:\n", "        if index is None:\n            return\n        if False:\n",
        _folder.test_records_out_of_order_twice_or_cut_short_are_damage,
    ),
    "a fork that is forgotten": (
        judge.Witness._add, "if self.store.evidence:", "if False:",
        functools.partial(test_witness.test_a_fork_is_refused_for_ever_and_its_evidence_convinces_others, which=0),
    ),
    "the size held, asked for again, is too old": (
        judge.Witness._add, "if request.old > checkpoint.size:", "if request.old >= checkpoint.size:",
        _rows.test_the_same_size_again_is_200,
    ),
    "an entry that the tile does not vouch for": (
        mirror.fetch_new, "elif leaf_hash(entry) != leaf:", "elif False:",
        test_witness.test_an_entry_that_is_not_what_its_hash_says_is_refused,
    ),
    "a place whose name begins like ours": (
        mirror._lies_within, 'f"{place}."', "place", test_witness.test_own_places_are_kept_and_the_rest_only_as_hashes,
    ),
    # sequencer, publication, reconcile, sealing, serving
    "a checkpoint that is seen before it is stored": (
        sequencer._checkpoint_of,
        '    point("ledger.sign.before_commit")\n',
        '    publication.publish_checkpoint(note)\n    point("ledger.sign.before_commit")\n',
        test_sequence.test_a_checkpoint_that_was_not_stored_was_seen_by_nobody,
    ),
    "a checkpoint that is signed again": (
        sequencer._checkpoint_of, "return Checkpoint.objects.create(", "return Checkpoint(",
        test_sequence.test_the_stored_checkpoint_is_used_again_and_never_another,
    ),
    "a file with other bytes is left as it is": (
        publication.write, "if file.read_bytes() != data:", "if False:",
        test_sequence.test_a_file_that_is_there_with_other_bytes_is_not_written_over,
    ),
    "partial tiles that nobody drops": (
        publication.drop_partials, "if tile.width == FULL:", "if False:",
        functools.partial(test_sequence.test_the_files_do_not_depend_on_the_rounds, steps=[200, 100]),
    ),
    "another history that a witness holds": (
        collecting._asked, "!= theirs.root", "== b''", _older.test_a_witness_that_holds_another_root_for_a_smaller_size_is_noticed,
    ),
    "more than the database holds is not ahead": (
        sequencer.Sequencer._compare_with_others, "if head.size > size:", "if False:",
        test_sequence.test_files_that_know_more_than_the_database_stop_it,
    ),
    "a number that is taken for a longer chain": (
        collecting._consult, "return _says_more(witness, log, size, theirs, tls)",
        'return Heard(witness.name, size, Answer.AHEAD, f"holds {theirs}", theirs)',
        functools.partial(_more.test_a_number_without_a_signed_checkpoint_suspends_nothing, shows="nothing"),
    ),
    "what was signed meanwhile is taken for more": (
        sequencer._judged, "if held_evidence.is_ours(head):", "if False:",
        _more.test_what_we_signed_ourselves_meanwhile_is_not_more,
    ),
    "a cosignature of another day": (
        client.add_checkpoint, "> CLOCK_SECONDS", "> 1 << 64",
        functools.partial(_own.test_a_clock_that_is_wrong_is_caught_told_and_stops_nobody, off=601),
    ),
    "words of a stranger as they came": (
        sequencer._plain, "c.isprintable()", "True",
        functools.partial(_own.test_no_words_of_a_refusal_stop_the_others, body=b"fork\0"),
    ),
    "one answer that cannot be stored stops all": (
        sequencer._write_down, "except (ValueError, OverflowError, DataError):", "except KeyError:",
        _own.test_what_cannot_be_stored_is_left_out_alone,
    ),
    "a word that is taken for a fork": (
        queries.alarms, "Alarm(s.trouble,", 'Alarm("fork",',
        functools.partial(_fork.test_a_word_is_said_to_be_one_and_ends_with_the_next_signature, shows="nothing"),
    ),
    "evidence against another key": (
        held_evidence._proves, ".verify(log)", ".smaller", _fork.test_evidence_against_the_chain_before_a_restart_is_said_no_more,
    ),
    "what comes back leads anywhere": (
        reconcile.recover, "if edge.root() != head.root:", "if False:",
        functools.partial(
            _older.test_what_was_lost_comes_back_from_files_or_a_witness_and_the_chain_goes_on, source="files"
        ),
    ),
    "one nonce for all pieces of an entry": (
        sealing._nonce, "(position + 1)", "(1)", test_sealing.test_each_piece_has_a_nonce_of_its_own,
    ),
    "a sealed row that opens under another entry": (
        sealing.open_sealed, "cipher.decrypt(_nonce(position), piece, entry_id.bytes)",
        "cipher.decrypt(_nonce(position), piece, None)", test_sealing.test_what_was_sealed_opens_again,
    ),
    "an erasure that leaves the key": (
        actions.replace_disclosures, "DELETE FROM ledger_casekey WHERE entry_id = %s", "SELECT %s",
        test_erase.test_the_entry_stays_and_a_notice_follows_it,
    ),
    "a token of the future": (
        reading.reader_of, "abs(at - made)", "at - made", test_pages.test_entries_are_for_witnesses_with_a_fresh_token_of_their_own,
    ),
    "entries of the place next door": (
        serving._may_read, 'f"{p}."', "p", test_pages.test_entries_are_for_witnesses_with_a_fresh_token_of_their_own,
    ),
}  # fmt: skip


@pytest.mark.filterwarnings(
    "ignore:unclosed file:ResourceWarning"
)  # the test that fails leaves its files open
@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(bug: str, request: pytest.FixtureRequest) -> None:
    where, right, wrong, finder = PLANTED[bug]
    bound = finder.keywords if isinstance(finder, functools.partial) else {}
    test = finder.func if isinstance(finder, functools.partial) else finder
    inner = getattr(test, "hypothesis", None)  # what it draws, it draws itself
    names = [] if inner else test.__code__.co_varnames[: test.__code__.co_argcount]
    given = {name: request.getfixturevalue(name) for name in names if name not in {"self", *bound}}
    with (
        planted(where, right, wrong),
        pytest.raises((Exception, pytest.fail.Exception)) as found,
        transaction.atomic(),
    ):
        finder(**given)
    # Found by what it does, not because the plant does not fit its place.
    assert not isinstance(found.value, (AttributeError, NameError, TypeError)), found.value
    traceback.clear_frames(found.value.__traceback__)
    gc.collect()
