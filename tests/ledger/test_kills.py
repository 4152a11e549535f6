"""SIGKILL at every step of append, sequence, sign and publish: nothing acknowledged is lost, nothing is double,
and what was published stays true."""

import json
import os
import random  # noqa: TID251 - a seeded generator only
import signal
import subprocess
import sys
import time
from base64 import b64decode
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings as django_settings
from django.db import connection
from tests.factories.ledger import AT, an_actor, an_entry
from tests.sizes import size

from lianfang.config import parties as config_parties
from lianfang.ledger import announcing, fsck, keys, publication, queries, sequencer
from lianfang.ledger import parties as configured
from lianfang.ledger.models import Checkpoint, Entry, Tree
from lianfang_chain.checkpoint import open_checkpoint
from lianfang_chain.organs import Organs
from lianfang_chain.tiles import TileHashes
from lianfang_chain.tree import NotProved, consistency_proof, root_of, verify_consistency
from lianfang_chain.witness.__main__ import load_key
from lianfang_chain.witness.store import sync_folder

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

POINTS = (
    "ledger.append.before",
    "ledger.append.after_insert",
    "ledger.append.before_commit",
    "ledger.append.after_commit",
    "ledger.sequence.after_index",
    "ledger.sequence.before_commit",
    "ledger.sequence.after_commit",
    "ledger.publish.after_tile",
    "ledger.publish.after_tiles",
    "ledger.sign.before_commit",
    "ledger.sign.after_commit",
    "ledger.publish.before_checkpoint",
    "ledger.publish.after_checkpoint",
)


def appender(folder: Path, witnesses: Any, *, fault: Any = "", acts: Any = 4) -> Any:
    """Run it; returns (killed, acknowledged ids, the largest size it ever said)."""
    words = [sys.executable, "-m", "tests.ledger.appender", connection.settings_dict["NAME"], str(folder),
             json.dumps(witnesses), str(acts)]  # fmt: skip
    done = subprocess.run(
        words,
        env={**os.environ, "LIANFANG_FAULT": fault},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    killed = done.returncode == -signal.SIGKILL
    assert killed or done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    ids = [UUID(line) for line in lines if not line.startswith("size")]
    sizes = [int(line[5:]) for line in lines if line.startswith("size")]
    return killed, ids, max(sizes, default=0)


def is_whole(acknowledged: Any, seen: Any) -> None:
    """Everything that must hold after a crash and one more round."""
    before = publication.published_checkpoint()
    deadline = time.monotonic() + 60
    # The database notices a killed client a moment later, and then gives up its lock.
    while (done := sequencer.run_once(AT)).busy and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not done.suspended
    assert not done.busy
    while acknowledged and not queries.state_of(acknowledged[-1]).quorum and time.monotonic() < deadline:
        sequencer.run_once(AT)  # a witness that is far behind answers after the round is over
    report = fsck.check()  # every file byte for byte what the table says, every signed root
    assert report.problems == []
    assert done.size >= seen
    rows = dict(Entry.objects.filter(pk__in=acknowledged).values_list("pk", "idx"))
    assert set(rows) == set(acknowledged)
    assert list(Entry.objects.order_by("idx").values_list("idx", flat=True)) == list(range(done.size))
    for entry_id in acknowledged[:20] + acknowledged[-20:]:
        assert queries.state_of(entry_id).quorum
    if before:  # what anybody could read before is a beginning of what is there now
        head, _ = open_checkpoint(before, keys.log_signer().key)
        assert root_of(head.size, TileHashes(done.size, publication.read)) == head.root


@pytest.mark.parametrize("where", POINTS)
def test_a_kill_leaves_nothing_lost_double_or_untrue(parties: Any, chain: Any, where: Any) -> None:
    witnesses = django_settings.LIANFANG_WITNESSES
    acknowledged, seen = [], 0
    for repeat in range(size("kill_repeats")):
        killed, ids, largest = appender(chain, witnesses, fault=f"{where}:{2 + repeat % 3}")
        assert killed, f"{where} was not passed"
        acknowledged += ids
        seen = max(seen, largest)
        is_whole(acknowledged, seen)
    heads = {party.server.witness.store.held.root for party in parties}
    assert heads == {bytes(Checkpoint.objects.order_by("-size")[0].root)}


def test_the_same_without_a_kill(parties: Any, chain: Any) -> None:
    """So that the test above cannot pass because nothing happens at all."""
    killed, ids, largest = appender(chain, django_settings.LIANFANG_WITNESSES)
    assert (killed, len(ids), largest) == (False, 4, 5)
    is_whole(ids, largest)


@pytest.mark.timeout(6 * 3_600)  # by command it appends hundreds of thousands
def test_eight_clients_and_sequencer_under_random_kills(parties: Any, chain: Any, tmp_path: Path) -> None:
    """They are killed at any moment and started again, while somebody reads what is published all the time."""
    generator = random.Random(7)
    wanted, number, running, outputs = size("appends_under_kills"), 0, {}, {}
    witnesses = json.dumps(django_settings.LIANFANG_WITNESSES)

    def start(role: Any) -> None:
        nonlocal number
        number += 1
        outputs[tmp_path / f"{role}-{number}.out"] = 0
        words = [sys.executable, "-m", "tests.ledger.appender", connection.settings_dict["NAME"], str(chain),
                 witnesses, "1000000", "sequence" if role == "sequencer" else "append"]  # fmt: skip
        with [*outputs][-1].open("wb") as target:
            running[role] = subprocess.Popen(words, cwd=Path(__file__).parents[2], stdout=target)

    acknowledged: list[UUID] = []
    largest = 0

    def hear() -> None:
        """Take up the whole lines that were said since the last time."""
        nonlocal largest
        for output, heard in outputs.items():
            with output.open("rb") as source:
                source.seek(heard)
                new, end, _ = source.read().rpartition(b"\n")
            outputs[output] = heard + len(new) + len(end)
            for line in new.decode().split("\n") if new else []:
                if line.startswith("size"):
                    largest = max(largest, int(line[5:]))
                else:
                    acknowledged.append(UUID(line))

    seen: set[bytes] = set()
    roles = (*(f"client-{n}" for n in range(8)), "sequencer")
    try:
        for role in roles:
            start(role)
        kills, deadline = 0, time.monotonic() + 200 + wanted / 50
        while (
            len(acknowledged) < wanted or kills < 2 * len(roles) or len(seen) <= 8
        ) and time.monotonic() < deadline:
            pause = time.monotonic() + generator.uniform(0.2, 2.0)
            while time.monotonic() < pause:
                seen |= {_text(publication.published_checkpoint())} | {_text(p.note) for p in parties}
                seen.discard(b"")
                time.sleep(0.01)
            role = generator.choice(roles)
            running[role].kill()
            running[role].wait()
            kills += 1
            start(role)
            hear()
    finally:
        for process in running.values():
            process.kill()
            process.wait()
    hear()
    assert len(acknowledged) >= wanted
    assert len(set(acknowledged)) == len(acknowledged)
    is_whole(acknowledged, largest)
    assert len(seen) > 8
    assert _untrue(seen) == []


def _text(note: bytes) -> bytes:
    """The signed text, which is the same whoever has cosigned by then; empty when there is no note yet."""
    return note.rpartition(b"\n\n")[0]


def _untrue(seen: set[bytes]) -> list[str]:
    """Of the checkpoints that anybody could read, those that are no beginning of the last one."""
    last = Checkpoint.objects.order_by("-size")[0]
    tree, wrong = TileHashes(last.size, publication.read), []
    for text in seen:
        _, size_line, root_line = text.decode().splitlines()[:3]
        proof = consistency_proof(int(size_line), last.size, tree)
        try:
            verify_consistency(int(size_line), last.size, b64decode(root_line), bytes(last.root), proof)
        except NotProved as error:
            wrong.append(f"{size_line}: {error}")
    return wrong


class TestFailedButStored:
    """Every write to the outside may succeed and yet seem to fail; doing it again must change nothing."""

    @pytest.mark.parametrize("target", ["write", "publish_checkpoint", "publish_organs"])
    def test_files(self, chain: Any, monkeypatch: pytest.MonkeyPatch, target: Any) -> None:
        an_entry()
        monkeypatch.setattr(publication, target, then_lost(getattr(publication, target)))
        with pytest.raises(OSError, match="lost"):
            sequencer.run_once(AT)
        monkeypatch.undo()
        sequencer.run_once(AT)
        assert fsck.check().sound
        assert Checkpoint.objects.filter(size=Tree.objects.get().size).count() == 1
        listed = Organs.open(publication.published_organs(), configured.policy())
        assert [organ.code for organ in listed.organs] == ["cdc"]

    def test_the_list_of_organs_that_was_stored_is_not_written_again(
        self, chain: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nor is the round that published it gone through twice: the next one finds nothing to do."""
        an_entry()
        monkeypatch.setattr("lianfang.ledger.sequencer.publish_list", then_lost(announcing.publish_list))
        with pytest.raises(OSError, match="lost"):
            sequencer.run_once(AT)
        monkeypatch.undo()
        before = {
            f: (f.read_bytes(), f.stat().st_mtime_ns) for f in publication.folder().rglob("*") if f.is_file()
        }
        assert not sequencer.run_once(AT).signed
        assert {f: (f.read_bytes(), f.stat().st_mtime_ns) for f in before} == before

    @pytest.mark.parametrize(
        "key", [keys.log_signer, keys.log_key, lambda: keys.organ_signer("cdc"), keys.sealing_key]
    )
    def test_a_key_that_was_written_is_the_one_that_is_used(
        self, chain: Any, monkeypatch: pytest.MonkeyPatch, key: Any
    ) -> None:
        monkeypatch.setattr(keys, "sync_folder", then_lost(sync_folder))
        with pytest.raises(OSError, match="lost"):
            key()
        monkeypatch.undo()
        written = {f: f.read_bytes() for f in keys.folder().rglob("*") if f.is_file()}
        assert len(written) == 1
        key()
        assert {f: f.read_bytes() for f in written} == written
        assert not list(keys.folder().rglob(".*"))

    def test_a_disk_that_is_full_leaves_no_half_key(
        self, chain: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def failing(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", failing)
        for key in (keys.log_signer, lambda: keys.organ_signer("cdc"), keys.sealing_key):
            with pytest.raises(OSError, match="No space"):
                key()
        monkeypatch.undo()
        assert [f for f in keys.folder().rglob("*") if f.is_file()] == []
        keys.log_signer()

    @pytest.mark.parametrize(("where", "step"), [(os, "link"), (keys, "sync_folder"), (keys, "succeed")])
    def test_an_organ_goes_over_to_the_key_that_the_chain_named_and_to_no_third(
        self, chain: Any, monkeypatch: pytest.MonkeyPatch, where: Any, step: str
    ) -> None:
        an_entry()
        sequencer.run_once(AT)  # announces the first
        following = keys.next_organ_signer("cdc").key
        monkeypatch.setattr(where, step, then_lost(getattr(where, step)))
        with pytest.raises(OSError, match="lost"):
            announcing.succeed_key("cdc", by=an_actor())
        monkeypatch.undo()
        keys.forget()  # as a process does that is started anew
        an_entry()
        if keys.organ_signer("cdc").key != following:
            assert announcing.succeed_key("cdc", by=an_actor()) == following
        assert keys.organ_signer("cdc").key == following
        for _ in range(2):
            sequencer.run_once(AT)
        assert fsck.check().sound
        listed = Organs.open(publication.published_organs(), configured.policy())
        assert listed.organs[-1].key == keys.organ_signer("cdc").key

    def test_a_name_of_a_witness_that_was_written_down_stays(self, chain: Any) -> None:
        """`chain.json` and `witness.key` of a first start that was told of a fault and is started again."""
        with pytest.MonkeyPatch.context() as planted:
            planted.setattr(os, "replace", then_lost(os.replace))
            with pytest.raises(OSError, match="lost"):
                config_parties.prepare(chain, host="lianfang.example", first_port=28471)
        before = (chain / "chain.json").read_bytes()
        vkeys = {w["name"]: w["vkey"] for w in json.loads(before)["witnesses"]}
        here = config_parties.prepare(chain, host="lianfang.example", first_port=28471)
        assert (chain / "chain.json").read_bytes() == before
        assert {party.name: str(load_key(party.folder).key) for party in here} == vkeys

    def test_a_witness_whose_answer_was_lost_is_asked_again(self, parties: Any) -> None:
        for party in parties:
            real = party.server.witness.add_checkpoint
            party.server.witness.add_checkpoint = lost(real)
        entry_id = an_entry()
        sequencer.run_once(AT)
        assert not queries.state_of(entry_id).quorum
        sequencer.run_once(AT)
        assert queries.state_of(entry_id).quorum
        assert {party.size for party in parties} == {2}

    @pytest.mark.parametrize("step", range(1, 12))
    def test_a_disk_that_is_full_at_any_sync(
        self, chain: Any, monkeypatch: pytest.MonkeyPatch, step: Any
    ) -> None:
        for _ in range(3):
            an_entry()
        real, count = os.fsync, 0

        def failing(descriptor: Any) -> None:
            nonlocal count
            count += 1
            if count == step:
                raise OSError(28, "No space left on device")
            real(descriptor)

        monkeypatch.setattr(os, "fsync", failing)
        try:
            sequencer.run_once(AT)
        except OSError:
            assert count == step
        monkeypatch.undo()
        sequencer.run_once(AT)
        assert fsck.check().problems == []
        assert not list(publication.folder().rglob(".*"))


def then_lost(real: Any) -> Any:
    """It is done, and the caller hears of a fault."""

    def stored_then_failed(*arguments: Any) -> None:
        real(*arguments)
        raise OSError("the answer was lost")

    return stored_then_failed


def lost(real: Any) -> Any:
    calls = []

    def answer(body: Any) -> Any:
        reply = real(body)
        calls.append(reply)
        if len(calls) == 1:
            raise OSError("the line broke")
        return reply

    return answer


@pytest.mark.parametrize("name", ["tile/0/000.p/4", "tile/entries/000.p/4", "checkpoint"])
def test_a_torn_file_is_found_and_written_anew(chain: Any, name: Any) -> None:
    for _ in range(3):
        an_entry()
    sequencer.run_once(AT)
    file = publication.folder() / name
    whole = file.read_bytes()
    places = range(0, len(whole), max(1, len(whole) // 40))
    for place in places:
        for torn in (whole[:place], whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]):
            file.write_bytes(torn)
            assert fsck.check().problems, (place, torn)
    assert fsck.check(rebuild=True).sound
    assert file.read_bytes() == whole
    assert fsck.check().sound
