"""The witness answers as the specification has it, stores before it answers, and keeps what proves a fork."""

import contextlib
import http.server
import os
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.chain.logs import AT, LOG, ORIGIN, WITNESS, SmallLog, a_witness, seed

from lianfang_chain.checkpoint import EMPTY_ROOT, Checkpoint, open_checkpoint
from lianfang_chain.client import (
    SIZE_TYPE,
    Behind,
    ClockOff,
    Cosigned,
    NotCosigned,
    Unreachable,
    add_checkpoint,
    held_by,
    send,
)
from lianfang_chain.evidence import ForkEvidence
from lianfang_chain.note import COSIGNATURE, ED25519, NotSigned, Signature, Signer, open_note
from lianfang_chain.submission import AddCheckpoint
from lianfang_chain.tiles import ENTRIES, TileId, bundle_of
from lianfang_chain.tree import NotProved, leaf_hash
from lianfang_chain.witness import __main__ as program
from lianfang_chain.witness import store as store_module
from lianfang_chain.witness.__main__ import main
from lianfang_chain.witness.judge import Witness
from lianfang_chain.witness.page import light_of, status_of, status_page
from lianfang_chain.witness.server import WitnessServer
from lianfang_chain.witness.store import HASH_AGAIN_SECONDS, DamagedFolder, Own, Store


@pytest.fixture
def log() -> Any:
    return SmallLog().grow(5)


@pytest.fixture
def witness(tmp_path: Path, log: Any) -> Iterator[Any]:
    witness = a_witness(tmp_path / "w", log)
    yield witness
    witness.store.close()


def accepted(witness: Any, log: Any, old: Any, new: Any = None) -> Any:
    reply = witness.add_checkpoint(log.submission(old, new))
    assert reply.status == 200, reply
    return reply


def test_a_new_tree_is_fetched_stored_and_cosigned(witness: Any, log: Any) -> None:
    reply = accepted(witness, log, 0)
    line = Signature.parse(reply.body)
    assert WITNESS.key.verify(open_checkpoint(log.note(), LOG.key)[0].text, line.raw) == AT
    held, opened = open_checkpoint(
        (witness.store.folder / "held").read_bytes(), LOG.key, others=(WITNESS.key,)
    )
    assert (held.size, len(opened.verified)) == (5, 2)
    assert (witness.store.folder / "hashes").stat().st_size == 5 * 32


class TestTheRowsOfTheSpecification:
    """One test for each row of "spec main"."""

    def test_wrong_old_is_409_with_the_size(self, witness: Any, log: Any) -> None:
        accepted(witness, log, 0)
        log.grow(3)
        for old in (0, 4, 6):
            reply = witness.add_checkpoint(log.submission(old))
            assert (reply.status, reply.body, reply.content_type) == (409, "5\n", SIZE_TYPE)

    def test_same_size_with_another_root_is_422(self, witness: Any, log: Any) -> None:
        accepted(witness, log, 0)
        other = SmallLog().grow(5, "other")
        body = bytes(AddCheckpoint(5, (), other.note()))
        assert witness.add_checkpoint(body).status == 422

    def test_a_larger_fork_with_a_bad_proof_is_422(self, witness: Any, log: Any) -> None:
        accepted(witness, log, 0)
        other = SmallLog().grow(9, "other")
        witness.read = other.read
        assert witness.add_checkpoint(other.submission(5)).status == 422
        assert witness.store.size == 5

    def test_a_proof_with_old_zero_is_422(self, witness: Any, log: Any) -> None:
        body = bytes(AddCheckpoint(0, (b"x" * 32,), log.note()))
        assert witness.add_checkpoint(body).status == 422

    def test_size_zero_with_a_root_is_422(self, witness: Any) -> None:
        text = Checkpoint(ORIGIN, 0, b"x" * 32).text
        body = bytes(AddCheckpoint(0, (), f"{text}\n{LOG.sign(text).line}".encode()))
        assert witness.add_checkpoint(body).status == 422

    def test_an_unknown_origin_is_404(self, witness: Any) -> None:
        stranger = SmallLog(Signer("other.example/log", ED25519, seed("x"))).grow(1)
        assert witness.add_checkpoint(stranger.submission(0)).status == 404

    def test_an_unknown_key_and_a_wrong_signature_are_403(self, witness: Any, log: Any) -> None:
        impostor = SmallLog(Signer(ORIGIN, ED25519, seed("x"))).grow(1)
        assert witness.add_checkpoint(impostor.submission(0)).status == 403
        text = Checkpoint(ORIGIN, 5, log.roots[5]).text
        wrong = f"{text}\n{LOG.sign(text + 'x').line}".encode()
        assert witness.add_checkpoint(bytes(AddCheckpoint(0, (), wrong))).status == 403

    def test_old_larger_than_the_checkpoint_is_400(self, witness: Any, log: Any) -> None:
        accepted(witness, log, 0)
        assert witness.add_checkpoint(bytes(AddCheckpoint(5, (), log.note(0)))).status == 400

    @pytest.mark.parametrize(
        "body",
        [b"", b"old 0", b"old 00\n\n", b"old -1\n\nx", b"old 0\nnot base64\n\nx", b"\xff" * 99, b"old 0\n\n"],
    )
    def test_what_is_malformed_is_400(self, witness: Any, body: Any) -> None:
        assert witness.add_checkpoint(body).status == 400

    def test_an_extension_line_is_400(self, witness: Any, log: Any) -> None:
        text = Checkpoint(ORIGIN, 5, log.roots[5]).text + "more\n"
        body = bytes(AddCheckpoint(0, (), f"{text}\n{LOG.sign(text).line}".encode()))
        assert witness.add_checkpoint(body).status == 400

    def test_the_same_size_again_is_200(self, witness: Any, log: Any) -> None:
        accepted(witness, log, 0)
        accepted(witness, log, 5)

    def test_the_empty_tree_is_200(self, witness: Any, log: Any) -> None:
        accepted(witness, log, 0, 0)
        assert open_checkpoint(witness.store.note, LOG.key)[0].root == EMPTY_ROOT


def test_catching_up_over_many_tiles_gives_the_same_tree(witness: Any, log: Any) -> None:
    accepted(witness, log, 0)
    log.grow(700)
    accepted(witness, log, 5)
    log.grow(1_000)
    accepted(witness, log, 705)
    for size in (1, 5, 256, 512, 705, 1_705):
        if size in log.roots:
            assert witness.store.root_at(size) == log.roots[size]


def test_catching_up_holds_a_tile_in_memory_and_not_the_chain(tmp_path: Path) -> None:
    log = SmallLog().add(*(i.to_bytes(4, "big") * 250 for i in range(9_000)))  # 9 MB, and 0.3 MB of hashes
    body = log.submission(0)
    witness = a_witness(tmp_path / "w", log)
    tracemalloc.start()
    try:
        assert witness.add_checkpoint(body).status == 200
        assert tracemalloc.get_traced_memory()[1] < 2_500_000
    finally:
        tracemalloc.stop()
    witness.store.close()
    with contextlib.closing(Store(tmp_path / "w", LOG.key)) as again:
        assert [index for index, _ in again.own_entries()] == list(range(9_000))


@pytest.mark.parametrize("restarted", [False, True])
def test_what_a_step_that_broke_off_had_written_counts_for_nothing(
    tmp_path: Path, log: Any, restarted: bool
) -> None:
    """The log breaks off in the third tile, at the first step and at a later one; then a smaller tree is signed."""
    witness = a_witness(tmp_path / "w", log)
    for old, size in ((0, 3), (3, 5)):
        reaches = SmallLog().grow(size)
        longer = SmallLog().grow(700)
        witness.read = lambda tile, log=longer: log.read(tile) if tile.index < 2 else nothing(tile)
        assert witness.add_checkpoint(longer.submission(old)).status == 503
        assert (tmp_path / "w" / "entries").stat().st_size > 512 * 10
        assert (witness.store.size, witness.store.look(AT).count) == (old, old)
        if restarted:
            witness.store.close()
            witness = a_witness(tmp_path / "w", reaches)
        witness.read = reaches.read
        accepted(witness, reaches, old)
        assert witness.store.own_entries() == [(i, f"e {i}".encode()) for i in range(size)]
        assert witness.store.look(AT).count == size
    witness.store.close()
    with contextlib.closing(Store(tmp_path / "w", LOG.key)) as again:
        assert again.root_at(5) == log.roots[5]


def nothing(tile: Any) -> None:
    raise Unreachable("no answer")


def test_own_places_are_kept_and_the_rest_only_as_hashes(tmp_path: Path) -> None:
    from tests.chain.test_vectors import load

    entries = [bytes.fromhex(e["bytes"]) for e in load("entries.json")["entries"]]
    log = SmallLog().add(*entries, b"not an entry of ours")
    for places, count in (["d510402"], 8), (["d510402.s510402002"], 8), (["d510402.s5"], 0), ([""], 9):
        witness = a_witness(tmp_path / str(places), log, places)
        accepted(witness, log, 0)
        assert [i for i, _ in witness.store.own_entries()] == list(range(count))
        witness.store.close()


def test_an_entry_that_is_not_what_its_hash_says_is_refused(witness: Any, log: Any) -> None:
    log.files[TileId(ENTRIES, 0, 5)] = bundle_of([*(f"e {i}".encode() for i in range(4)), b"changed"])
    assert witness.add_checkpoint(log.submission(0)).status == 422
    assert witness.store.size == 0


def withhold(log: Any, *hidden: int) -> None:
    log.files[TileId(ENTRIES, 0, log.size)] = bundle_of(
        b"" if i in hidden else f"e {i}".encode() for i in range(log.size)
    )


def test_nothing_is_cosigned_of_which_a_witness_of_all_places_is_not_shown_all(
    witness: Any, log: Any
) -> None:
    withhold(log, 0, 3)
    reply = witness.add_checkpoint(log.submission(0))
    assert (reply.status, reply.body) == (422, "2 entries are withheld from a witness of all places\n")
    assert (witness.store.size, light_of(witness)) == (0, "yellow")
    assert "账本有 2 条记录不给我们看原文" in status_page(witness, "居民")
    assert status_of(witness)["withheld"] == 2

    withhold(log)
    accepted(witness, log, 0)
    assert (light_of(witness), status_of(witness)["withheld"]) == ("green", 0)


def test_from_a_witness_of_one_place_others_entries_are_withheld_and_counted(
    tmp_path: Path, log: Any
) -> None:
    witness = a_witness(tmp_path / "w", log, ["d510402"])
    withhold(log, 0, 3)
    accepted(witness, log, 0)
    log.grow(1)
    withhold(log, 0, 3, 5)
    accepted(witness, log, 5)
    assert (light_of(witness), status_of(witness)["withheld"]) == ("green", 3)
    assert "3 条（本次启动以来，属于别处的不给我们）" in status_page(witness, "居民")
    witness.store.close()


def test_tiles_that_lead_to_another_root_are_refused(witness: Any, log: Any) -> None:
    tile = TileId(0, 0, 5)
    log.files[tile] = log.files[tile][:-1] + b"\x00"
    assert witness.add_checkpoint(log.submission(0)).status == 422
    assert witness.store.size == 0
    # Nor others that fit each other, entries and hashes: only the signed root tells.
    witness.read = SmallLog().grow(5, "other").read
    reply = witness.add_checkpoint(log.submission(0))
    assert (reply.status, "the tiles lead to another root" in reply.body) == (422, True)
    assert witness.store.size == 0


def test_a_log_that_serves_nothing_is_not_cosigned(witness: Any, log: Any) -> None:
    witness.read = nothing
    assert witness.add_checkpoint(log.submission(0)).status == 503
    assert witness.store.size == 0


def forks(log: Any) -> Iterator[Any]:
    """Each way in which a second history can come to a witness that holds five entries of the first."""
    same = SmallLog().grow(5, "other")
    smaller = SmallLog().grow(3, "other")
    larger = SmallLog().grow(9, "other")
    yield "same size", same, bytes(AddCheckpoint(5, (), same.note()))
    yield "smaller", smaller, bytes(AddCheckpoint(0, (), smaller.note()))
    yield "larger", larger, larger.submission(5)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_fork_is_refused_for_ever_and_its_evidence_convinces_others(
    tmp_path: Path, log: Any, which: Any
) -> None:
    witness = a_witness(tmp_path / "w", log)
    accepted(witness, log, 0)
    _, other, body = list(forks(log))[which]
    witness.read = other.read
    assert witness.add_checkpoint(body).status in (409, 422)

    smaller, larger = ForkEvidence.parse(witness.store.evidence).verify(LOG.key)
    assert smaller.size <= larger.size
    for name in ("fork-1.note", "fork-2.note"):  # a plain signed-note verifier is enough for the signatures
        assert open_note((tmp_path / "w" / name).read_bytes(), [LOG.key]).verified
    if smaller.size == larger.size:
        assert smaller.root != larger.root

    witness.store.close()
    again = a_witness(tmp_path / "w", log)
    log.grow(1)
    reply = again.add_checkpoint(log.submission(5))
    assert (reply.status, "fork" in reply.body) == (422, True)
    again.store.close()


def test_a_client_with_a_wrong_proof_raises_no_alarm(witness: Any, log: Any) -> None:
    accepted(witness, log, 0)
    log.grow(4)
    proof = log.proof(5)
    body = bytes(AddCheckpoint(5, (*proof[:-1], b"x" * 32), log.note()))
    assert witness.add_checkpoint(body).status == 422
    assert not witness.store.evidence
    accepted(witness, log, 5)


def test_evidence_of_a_consistent_pair_is_no_evidence(log: Any) -> None:
    log.grow(4)
    evidence = ForkEvidence(log.note(5), log.note(9), log.roots[5], tuple(log.proof(5, 9)))
    with pytest.raises(NotProved):
        ForkEvidence.parse(str(evidence)).verify(LOG.key)
    impostor = SmallLog(Signer(ORIGIN, ED25519, seed("x"))).grow(5, "other")
    with pytest.raises(NotSigned):
        ForkEvidence(log.note(5), impostor.note(), log.roots[5], ()).verify(LOG.key)


def test_two_clients_at_once_never_get_two_histories_cosigned(tmp_path: Path, log: Any) -> None:
    witness = a_witness(tmp_path / "w", log)
    other = SmallLog().grow(5, "other")
    witness.read = lambda tile: log.read(tile)
    bodies = [log.submission(0), bytes(AddCheckpoint(0, (), other.note()))] * 8
    replies = []
    threads = [threading.Thread(target=lambda b=b: replies.append(witness.add_checkpoint(b))) for b in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(r.status == 200 for r in replies) == 1
    assert witness.store.held.root == log.roots[5]
    witness.store.close()


class TestTheFolder:
    def test_a_second_process_is_kept_out(self, witness: Any) -> None:
        with pytest.raises(BlockingIOError):
            Store(witness.store.folder, LOG.key)

    def test_a_restart_continues_where_it_was(self, tmp_path: Path, log: Any) -> None:
        for step in range(4):
            witness = a_witness(tmp_path / "w", log)
            accepted(witness, log, 0 if step == 0 else log.size - 130)
            witness.store.close()
            log.grow(130)

    @pytest.mark.parametrize("name", ["hashes", "entries"])
    def test_what_a_crash_left_too_long_is_cut_back(self, tmp_path: Path, name: Any) -> None:
        from tests.chain.test_vectors import load

        entries = [bytes.fromhex(e["bytes"]) for e in load("entries.json")["entries"]]
        log = SmallLog().add(*entries[:5])
        witness = a_witness(tmp_path / "w", log)
        accepted(witness, log, 0)
        witness.store.close()
        before = (tmp_path / "w" / name).read_bytes()
        for extra in (1, 31, 32, 100):
            with (tmp_path / "w" / name).open("ab") as file:
                file.write(b"\x00" * extra)
            witness = a_witness(tmp_path / "w", log)
            assert [i for i, _ in witness.store.own_entries()] == [0, 1, 2, 3, 4]
            accepted(witness, log, 5)
            witness.store.close()
            assert (tmp_path / "w" / name).read_bytes() == before
        log.add(*entries[5:])
        witness = a_witness(tmp_path / "w", log)
        accepted(witness, log, 5)
        assert len(witness.store.own_entries()) == 8
        witness.store.close()

    def test_hashes_cut_short_or_changed_are_refused(self, tmp_path: Path, log: Any) -> None:
        witness = a_witness(tmp_path / "w", log)
        accepted(witness, log, 0)
        witness.store.close()
        file = tmp_path / "w" / "hashes"
        whole = file.read_bytes()
        for place in range(0, len(whole), 13):
            for damaged in (whole[:place], whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]):
                file.write_bytes(damaged)
                with pytest.raises(DamagedFolder):
                    Store(tmp_path / "w", LOG.key)
        file.write_bytes(whole)
        Store(tmp_path / "w", LOG.key).close()

    @pytest.fixture
    def full(self, tmp_path: Path) -> Any:
        """A folder that holds eight own entries, in two steps, of which the program is off."""
        from tests.chain.test_vectors import load

        entries = [bytes.fromhex(e["bytes"]) for e in load("entries.json")["entries"]]
        log = SmallLog()
        for first, last in ((0, 5), (5, 8)):
            log.add(*entries[first:last])
            witness = a_witness(tmp_path / "w", log)
            accepted(witness, log, first)
            witness.store.close()
        return tmp_path / "w"

    def test_one_changed_byte_of_an_own_entry_is_damage_and_loses_nothing(self, full: Path) -> None:
        file = full / "entries"
        whole = file.read_bytes()
        last = whole.rindex((7).to_bytes(8, "big"))
        for place in [
            *range(0, last, 7),
            *range(10),
            last - 1,
            last + 8,
            last + 9,
            last + 10,
            len(whole) - 1,
        ]:
            for bit in (1, 128):
                damaged = whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :]
                file.write_bytes(damaged)
                with pytest.raises(DamagedFolder, match="entries: the record at byte"):
                    Store(full, LOG.key)
                assert file.read_bytes() == damaged

    def test_records_out_of_order_twice_or_cut_short_are_damage(self, full: Path) -> None:
        file = full / "entries"
        whole = file.read_bytes()
        second, third = (whole.index(i.to_bytes(8, "big") + whole[8:9]) for i in (1, 2))
        for damaged in (
            whole[second:third] + whole[:second] + whole[third:],
            whole[:second] + whole,
            whole[:-1],
            whole[: second + 10],
            whole[:second],
            b"",
        ):
            file.write_bytes(damaged)
            with pytest.raises(DamagedFolder):
                Store(full, LOG.key)

    def test_what_a_crash_left_of_entries_not_held_yet_is_cut_back(self, full: Path) -> None:
        file = full / "entries"
        whole = file.read_bytes()
        more = (
            b"".join(i.to_bytes(8, "big") + b"\x00\x03new" for i in (8, 9))
            + (10).to_bytes(8, "big")
            + b"\x00\x00"
        )
        for length in range(len(more) + 1):
            for zeros in (0, 40):
                file.write_bytes(whole + more[:length] + bytes(zeros))
                store = Store(full, LOG.key)
                assert [i for i, _ in store.own_entries()] == list(range(8))
                store.close()

    @pytest.mark.parametrize("name", ["hashes", "entries"])
    def test_a_file_that_is_gone_is_not_silently_made_anew(self, full: Path, name: str) -> None:
        (full / name).unlink()
        with pytest.raises(DamagedFolder, match=f"{name}: the file is gone"):
            Store(full, LOG.key)
        assert not (full / name).exists()

    def test_a_checkpoint_held_that_is_torn_or_changed_is_damage(self, full: Path) -> None:
        def begin() -> None:
            with contextlib.closing(Store(full, LOG.key)) as store:
                Witness(store, WITNESS, SmallLog().read, lambda: AT)

        file = full / "held"
        whole = file.read_bytes()
        ours = whole.rindex("—".encode())
        torn = [whole[:place] for place in range(len(whole)) if place != ours]
        changed = [
            whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
            for place in (
                *range(ours),
                *range(whole.rindex(b" ") + 8, len(whole)),
            )  # all but whose line ours is
        ]
        for damaged in (*torn, *changed):
            file.write_bytes(damaged)
            with pytest.raises(DamagedFolder, match="held: "):
                begin()
        file.write_bytes(whole)
        begin()
        with pytest.raises(DamagedFolder, match="held: "):
            Store(full, Signer("other.example/log", ED25519, seed("x")).key)

    def test_entries_cut_off_after_any_record_are_noticed_said_and_not_cosigned_over(
        self, full: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Also by a witness of some places, which cannot know how many entries it should have."""
        (full / "witness.key").write_text(WITNESS.private_text())
        words = ["--folder", str(full), "--log-vkey", str(LOG.key), "--log-url", "http://127.0.0.1:9"]
        file = full / "entries"
        whole = file.read_bytes()
        ends = [0]
        while ends[-1] < len(whole):
            at = ends[-1]
            ends.append(at + 10 + int.from_bytes(whole[at + 8 : at + 10], "big"))
        assert len(ends) == 1 + 8 + 2  # eight records and the marks of two steps
        for end in ends[:-1]:
            file.write_bytes(whole[:end])
            assert main(words) == 2
            assert f"[entries: cut off at byte {end}, before the mark of 8]" in capsys.readouterr().err
            assert file.read_bytes() == whole[:end]
        file.write_bytes(whole)

        log = SmallLog().add(*(data for _, data in _entries_of(full)))
        witness = a_witness(full, log, places=("d1",))
        log.grow(1)
        for name in ("entries", "hashes"):
            there = (full / name).read_bytes()
            for cut in (0, len(there) - 1):
                os.truncate(full / name, cut)
                reply = witness.add_checkpoint(log.submission(8))
                assert (reply.status, f"not stored: {name}: " in reply.body) == (500, True), reply
                assert (witness.store.size, status_of(witness)["light"]) == (8, "damaged")
                (full / name).write_bytes(there)
        accepted(witness, log, 8)
        (full / "entries").unlink()
        log.grow(1)
        assert witness.add_checkpoint(log.submission(9)).status == 500
        witness.store.close()

    def test_without_what_it_held_it_does_not_begin_anew(self, full: Path) -> None:
        """It would cosign any other story; only who never finished the first step may begin again."""
        held = (full / "held").read_bytes()
        (full / "held").unlink()
        before = {f: f.read_bytes() for f in full.iterdir()}
        with pytest.raises(DamagedFolder, match="held: the file is gone"):
            Store(full, LOG.key)
        assert {f: f.read_bytes() for f in full.iterdir()} == before
        (full / "held").write_bytes(held)
        Store(full, LOG.key).close()

    def test_a_first_step_cut_off_before_it_was_held_is_done_again(self, tmp_path: Path, log: Any) -> None:
        witness = a_witness(tmp_path / "w", log)
        accepted(witness, log, 0)
        witness.store.close()
        (tmp_path / "w" / "held").unlink()
        log.grow(3)
        again = a_witness(tmp_path / "w", log)
        accepted(again, log, 0)
        assert again.store.root_at(5) == log.roots[5]
        again.store.close()

    def test_a_key_that_is_gone_or_torn_is_one_sentence_and_never_another_key(
        self, full: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = ["--folder", str(full), "--log-vkey", str(LOG.key), "--log-url", "http://127.0.0.1:9"]
        file, whole = full / "witness.key", (WITNESS.private_text() + "\n").encode()

        def refused() -> None:
            left = file.read_bytes() if file.exists() else None
            assert main(words) == 2
            said = capsys.readouterr().err
            for sign in (
                "没有可用的钥匙",
                "信封",
                "另一个见证方",
                "another witness",
                str(file),
                "[witness.key: ",
            ):
                assert sign in said
            assert (file.read_bytes() if file.exists() else None) == left

        refused()
        for place in range(len(whole) - 1):
            for damaged in (whole[:place], whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]):
                file.write_bytes(damaged)
                refused()
        file.write_bytes(whole[:20])
        assert (
            main(["--folder", str(full), "--new-key", WITNESS.key.name]) == 2
        )  # nor by asking for the first key again

    def test_damage_while_it_runs_stands_on_the_page(self, full: Path) -> None:
        witness = a_witness(full, SmallLog())
        witness.lights.asked_at = AT
        assert status_of(witness)["light"] == "green"
        file = full / "entries"
        changed_behind_it(file, file.read_bytes()[:-1] + b"\xff")
        for sign in ("文件夹损坏", "不要删除任何文件", "entries: the record at byte"):
            assert sign in status_page(witness, "居民")
        assert status_of(witness)["light"] == "damaged"
        file.unlink()
        assert "entries: the file is gone" in status_page(witness, "居民")
        witness.store.close()

    def test_a_view_hashes_nothing_that_was_hashed_before(
        self, full: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However large the file is: a view every ten seconds must not read it again, nor after each step."""
        log = SmallLog().add(*(data for _, data in _entries_of(full)))
        witness = a_witness(full, log)
        hashed: list[bytes] = []

        def noted(data: bytes) -> bytes:
            hashed.append(data)
            return leaf_hash(data)

        monkeypatch.setattr(store_module, "leaf_hash", noted)
        for size in range(9, 40):
            log.grow(1)
            accepted(witness, log, size - 1)
            assert f"其中本地的记录</dt><dd>{size} 条" in status_page(witness, "居民")
            assert status_of(witness)["light"] == "green"
            assert witness.store.look(AT).recent[-1] == (size - 1, f"e {size - 1}".encode())
        assert hashed == []
        assert [i for i, _ in witness.store.look(AT).recent] == list(range(19, 39))
        witness.store.close()

    def test_no_hash_is_written_before_its_entries_are_on_the_disk(
        self, tmp_path: Path, log: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else a loss of power in the first step looks like a folder whose `held` was taken away."""
        witness, real = a_witness(tmp_path / "w", log), os.fsync

        def failing(descriptor: int) -> None:
            if os.readlink(f"/proc/self/fd/{descriptor}").endswith("/entries"):
                raise OSError(5, "Input/output error")
            real(descriptor)

        monkeypatch.setattr(os, "fsync", failing)
        assert witness.add_checkpoint(log.submission(0)).status == 500
        assert (tmp_path / "w" / "entries").stat().st_size > 0
        assert (tmp_path / "w" / "hashes").stat().st_size == 0
        witness.store.close()

    def test_a_change_behind_it_is_seen_at_the_next_view_whatever_its_date_says(self, full: Path) -> None:
        log = SmallLog().add(*(data for _, data in _entries_of(full)))
        witness = a_witness(full, log)
        assert witness.store.look(AT) == Own(8, tuple(_held_entries(witness)))
        for name in ("entries", "hashes"):
            file = full / name
            whole, status = file.read_bytes(), file.stat()
            changed_behind_it(file, whole[:20] + bytes([whole[20] ^ 1]) + whole[21:])
            os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
            assert (file.stat().st_size, file.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
            assert "entries: the record at byte 0" in witness.store.look(AT).damage
            reply = witness.add_checkpoint(log.submission(8))  # a step neither hides nor heals it
            if name == "hashes":
                assert (reply.status, "hashes: they do not lead to the root" in reply.body) == (500, True)
                assert not witness.store.evidence  # what is broken here is no story of the log
            assert witness.store.look(AT).damage
            changed_behind_it(file, whole)
            assert witness.store.look(AT) == Own(8, tuple(_held_entries(witness)))
            # Changed between a view and a step: the step must not vouch for it.
            changed_behind_it(file, whole[:20] + bytes([whole[20] ^ 1]) + whole[21:])
            witness.add_checkpoint(log.submission(8))
            assert witness.store.look(AT).damage
            changed_behind_it(file, whole)
        witness.store.close()

    def test_a_change_that_the_kernel_does_not_tell_is_found_within_the_hour(
        self, full: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        witness = a_witness(full, SmallLog())
        monkeypatch.setattr(Store, "_stamp", lambda self: ("never another",))
        witness.store.look(AT)
        file = full / "entries"
        file.write_bytes(file.read_bytes()[:-1] + b"\xff")
        damaged = []
        for at in range(AT, AT + 2 * HASH_AGAIN_SECONDS, 600):
            damaged.append(bool(witness.store.look(at).damage))
        assert damaged.index(True) in (5, 6, 7)
        witness.store.close()

    def test_the_program_tells_the_committee_what_to_do(
        self, full: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (full / "witness.key").write_text(WITNESS.private_text())
        held = (full / "held").read_bytes()
        for damaged in (held[:40], held.replace(b"\n8\n", b"\n9\n")):
            (full / "held").write_bytes(damaged)
            assert (
                main(["--folder", str(full), "--log-vkey", str(LOG.key), "--log-url", "http://127.0.0.1:9"])
                == 2
            )
            said = capsys.readouterr().err
            for sign in (
                "文件夹损坏",
                "不要删除任何文件",
                "打电话给社区值班室",
                "第七节",
                "call the community",
                "[held: ",
            ):
                assert sign in said
            assert "Traceback" not in said

    def test_a_write_that_failed_but_was_stored_is_answered_again(
        self, tmp_path: Path, log: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        witness = a_witness(tmp_path / "w", log)
        real = witness.store.advance

        def stored_then_failed(*arguments: Any) -> None:
            real(*arguments)
            raise OSError("the answer was lost")

        monkeypatch.setattr(witness.store, "advance", stored_then_failed)
        assert witness.add_checkpoint(log.submission(0)).status == 500
        monkeypatch.undo()
        reply = witness.add_checkpoint(log.submission(0))
        assert (reply.status, reply.body) == (409, "5\n")
        accepted(witness, log, 5)
        witness.store.close()

    @pytest.mark.parametrize("step", [1, 2, 3])
    def test_evidence_that_was_stored_is_known_whatever_the_caller_heard(
        self, tmp_path: Path, log: Any, monkeypatch: pytest.MonkeyPatch, step: int
    ) -> None:
        """The evidence, and each of its two copies, written and yet said to have failed."""
        witness = a_witness(tmp_path / "w", log)
        accepted(witness, log, 0)
        _, other, body = next(forks(log))
        witness.read = other.read
        real, count = store_module.write_whole, 0

        def stored_then_failed(file: Path, data: bytes) -> None:
            nonlocal count
            real(file, data)
            count += 1
            if count == step:
                raise OSError("the answer was lost")

        monkeypatch.setattr(store_module, "write_whole", stored_then_failed)
        assert witness.add_checkpoint(body).status == 500
        monkeypatch.undo()
        witness.read = log.read
        log.grow(1)
        if step > 1:  # it knows it already; else it hears of the fork again, or is started again
            assert witness.add_checkpoint(log.submission(5)).status == 422
        witness.store.close()
        again = a_witness(tmp_path / "w", log)
        assert again.add_checkpoint(log.submission(5)).status == 422
        smaller, larger = ForkEvidence.parse(again.store.evidence).verify(LOG.key)
        for name, note in (("fork-1.note", smaller), ("fork-2.note", larger)):
            assert open_note((tmp_path / "w" / name).read_bytes(), [LOG.key]).text == note.text
        again.store.close()

    def test_a_key_that_was_stored_is_not_followed_by_another(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def stored_then_failed(folder: Path) -> None:
            raise OSError("the answer was lost")

        monkeypatch.setattr(program, "sync_folder", stored_then_failed)
        with pytest.raises(OSError, match="lost"):
            program.create_key(tmp_path / "w", WITNESS.key.name)
        monkeypatch.undo()
        written = (tmp_path / "w" / "witness.key").read_text().strip()
        assert program.create_key(tmp_path / "w", WITNESS.key.name).private_text() == written
        assert [f.name for f in (tmp_path / "w").iterdir()] == ["witness.key"]

    @pytest.mark.parametrize("restarted", [False, True])
    @pytest.mark.parametrize("step", range(1, 7))
    def test_a_full_disk_at_any_write_is_survived(
        self, tmp_path: Path, log: Any, monkeypatch: pytest.MonkeyPatch, step: Any, restarted: bool
    ) -> None:
        import os as os_module

        witness = a_witness(tmp_path / "w", log)
        accepted(witness, log, 0)
        log.grow(300)
        real, count = os_module.fsync, 0

        def failing(descriptor: Any) -> None:
            nonlocal count
            count += 1
            if count == step:
                raise OSError(28, "No space left on device")
            real(descriptor)

        monkeypatch.setattr(os_module, "fsync", failing)
        assert witness.add_checkpoint(log.submission(5)).status in (200, 500)
        monkeypatch.undo()
        if restarted:
            witness.store.close()
            witness = a_witness(tmp_path / "w", log)
        old = witness.store.size
        log.grow(7)  # so what is stored next is not what the failed write had begun to store
        accepted(witness, log, old)
        witness.store.close()
        again = Store(tmp_path / "w", LOG.key)
        assert again.root_at(312) == log.roots[312]
        assert [index for index, _ in again.own_entries()] == list(range(312))
        again.close()


def changed_behind_it(file: Path, data: bytes) -> None:
    """Written again until the kernel's clock has gone on since the last write: it moves every few milliseconds."""
    before = file.stat().st_ctime_ns
    while file.read_bytes() != data or file.stat().st_ctime_ns == before:
        with file.open("r+b") as target:
            target.write(data)


def _held_entries(witness: Any) -> list[tuple[int, bytes]]:
    return list(witness.store.own_entries())


def _entries_of(folder: Path) -> list[tuple[int, bytes]]:
    with contextlib.closing(Store(folder, LOG.key)) as store:
        return store.own_entries()


class TestThePage:
    def test_each_light_says_in_chinese_what_to_do(self, tmp_path: Path, log: Any) -> None:
        witness = a_witness(tmp_path / "w", log)
        assert light_of(witness) == "white"
        accepted(witness, log, 0)
        assert light_of(witness) == "green"
        assert "您什么都不用做" in status_page(witness, "居民")
        witness.now = lambda: AT + 301
        assert light_of(witness) == "yellow"
        witness.now = lambda: AT

        def nothing(tile: Any) -> None:
            raise Unreachable("timed out")

        log.grow(1)
        witness.read = nothing
        assert witness.add_checkpoint(log.submission(5)).status == 503
        page = status_page(witness, "居民")
        assert (light_of(witness), "503号：对方的服务器没有给出新记录" in page) == ("yellow", True)
        assert witness.add_checkpoint(log.submission(0)).status == 409
        assert light_of(witness) == "yellow"  # where we are is no news about what troubles us
        other = SmallLog().grow(5, "other")
        witness.add_checkpoint(bytes(AddCheckpoint(5, (), other.note())))
        page = status_page(witness, "<b>居民")
        assert (light_of(witness), "不要关机" in page, "fork-evidence.txt" in page) == ("red", True, True)
        assert "<b>居民" not in page
        witness.store.close()


class TestOverHttp:
    @pytest.fixture
    def server(self, tmp_path: Path, log: Any) -> Iterator[Any]:
        server = WitnessServer(("127.0.0.1", 0), a_witness(tmp_path / "w", log), "居民")
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()
        server.server_close()
        server.witness.store.close()

    def test_submission_and_monitoring(self, server: Any, log: Any) -> None:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        assert held_by(url, LOG.key, WITNESS.key) is None
        answer = add_checkpoint(url, WITNESS.key, old=3, proof=(), note=log.note(), now=AT)
        assert answer == Behind(0)
        answer = add_checkpoint(url, WITNESS.key, old=0, proof=(), note=log.note(), now=AT)
        assert isinstance(answer, Cosigned)
        held = held_by(url, LOG.key, WITNESS.key)
        assert held is not None
        assert held.size == 5
        for path, status in [
            ("/", 200),
            ("/status.json", 200),
            ("/fork-evidence.txt", 404),
            ("/../witness.key", 404),
        ]:
            assert send("GET", url + path).status == status
        assert send("POST", f"{url}/elsewhere", body=b"x").status == 404
        assert send("POST", f"{url}/add-checkpoint", body=b"x" * 100_000).status == 413
        # Python reads no number of so many digits; the answer must come all the same.
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=5) as wire:
            wire.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: " + b"1" * 5_000 + b"\r\n\r\n")
            assert wire.recv(64).startswith(b"HTTP/1.1 400 ")

    def test_foreign_witnesses_answers_mean_not_cosigned(self, log: Any) -> None:
        """What litewitness and transparency-dev do otherwise, and what nobody should do (ledger.md 2)."""
        stranger = Signer("other.example/w", COSIGNATURE, seed("x"))
        text = open_checkpoint(log.note(), LOG.key)[0].text
        for status, body, kind in [
            (403, "unknown origin", "text/plain"),
            (409, "", "text/plain"),
            (409, "", SIZE_TYPE),
            (409, "-1\n", SIZE_TYPE),
            (409, "5\n", "text/plain"),
            (500, "bad signature", "text/plain"),
            (200, "", "text/plain"),
            (200, "nonsense\n", "text/plain"),
            (200, stranger.cosign(text, at=AT).line, "text/plain"),
            (200, WITNESS.cosign(text + "x", at=AT).line, "text/plain"),
            (202, WITNESS.cosign(text, at=AT).line, "text/plain"),
            (301, WITNESS.cosign(text, at=AT).line, "text/plain"),
        ]:
            with answering(status, body, kind) as url:
                heard = add_checkpoint(url, WITNESS.key, old=0, proof=(), note=log.note(), now=AT)
            assert isinstance(heard, NotCosigned), (status, body)
        for off in (-AT, -601, 601, 1 << 62):
            with answering(200, WITNESS.cosign(text, at=AT + off).line, "text/plain") as url:
                heard = add_checkpoint(url, WITNESS.key, old=0, proof=(), note=log.note(), now=AT)
            assert heard == ClockOff(off)
        for off in (-600, 600):
            with answering(200, WITNESS.cosign(text, at=AT + off).line, "text/plain") as url:
                heard = add_checkpoint(url, WITNESS.key, old=0, proof=(), note=log.note(), now=AT)
            assert isinstance(heard, Cosigned)
        both = stranger.cosign(text, at=AT).line + WITNESS.cosign(text, at=AT).line
        with answering(200, both, "text/plain") as url:
            assert isinstance(
                add_checkpoint(url, WITNESS.key, old=0, proof=(), note=log.note(), now=AT), Cosigned
            )
        with pytest.raises(Unreachable):
            add_checkpoint("http://127.0.0.1:9", WITNESS.key, old=0, proof=(), note=log.note(), now=AT)


@contextlib.contextmanager
def answering(status: Any, body: Any, kind: Any) -> Iterator[Any]:
    """A server that gives one answer to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
