"""What one witness says, or somebody on the line in its place, stops nobody; what it can show counts."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from tests.factories.accounts import client_for
from tests.factories.ledger import AT, an_actor, an_entry
from tests.ledger.test_drills import a_fork, command, installed, operator  # noqa: F401 - fixtures
from tests.ledger.test_drills import told as next_up

from lianfang.accounts.rights import Role
from lianfang.kernel import clock
from lianfang.ledger import (
    board,
    collecting,
    fsck,
    held_evidence,
    jobs,
    keys,
    publication,
    queries,
    rechecking,
    sequencer,
)
from lianfang.ledger.announcing import unnamed
from lianfang.ledger.collecting import Answer, Heard
from lianfang.ledger.errors import RestoredOlder
from lianfang.ledger.models import Checkpoint, Cosignature, Tree, WitnessState
from lianfang.ledger.queries import Alarm
from lianfang_chain.checkpoint import Checkpoint as TreeHead
from lianfang_chain.checkpoint import open_checkpoint, sign_checkpoint
from lianfang_chain.client import SIZE_TYPE
from lianfang_chain.evidence import ForkEvidence
from lianfang_chain.note import ED25519, Signer, parse_note

pytestmark = pytest.mark.django_db
OTHER_ROOT = hashlib.sha256(b"another").digest()


class Liar:
    """Stands where a witness is asked and answers what it is told: submissions, monitoring, evidence."""

    def __init__(self) -> None:
        self.submission: tuple[int, str, bytes] = (404, "text/plain", b"")
        self.monitoring = self.evidence = b""
        self.drip = threading.Event()  # set: the monitoring path drips one byte after the other for ever
        liar = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.say(*liar.submission)

            def do_GET(self) -> None:
                if self.path.endswith("/checkpoint") and liar.drip.is_set():
                    self.send_response(200)
                    self.end_headers()
                    with contextlib.suppress(OSError):
                        while liar.drip.is_set():
                            self.wfile.write(b"x")
                            threading.Event().wait(0.05)
                    return
                body = liar.evidence if self.path == "/fork-evidence.txt" else liar.monitoring
                self.say(200 if body else 404, "text/plain", body)

            def say(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def stop(self) -> None:
        self.drip.clear()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def liar(parties: Any, settings: Any) -> Iterator[Liar]:
    """Answers in place of the residents' witness."""
    made = Liar()
    settings.LIANFANG_WITNESSES[0]["url"] = made.url
    yield made
    made.stop()


def a_round(at: datetime = AT) -> Any:
    """One round; a witness that is not needed for the quorum may answer after it, so the same sequencer asks again."""
    made = sequencer.Sequencer()
    try:
        done = made.run_once(at)
        for future in list(made._collector._asked.values()):
            future.exception(timeout=20)
        made._asked_at = 0.0
        return made.run_once(at) if not done.suspended else done
    finally:
        made.close()


def codes(at: datetime = AT) -> list[str]:
    return [alarm.code for alarm in queries.alarms(at)]


def signed(size: int, root: bytes, *by: Signer) -> bytes:
    """A checkpoint of our log's name, with these signatures alone."""
    head = TreeHead(keys.origin(), size, root)
    lines = [
        s.sign(head.text) if s.key.key_type == ED25519 else s.cosign(head.text, at=int(AT.timestamp()))
        for s in by
    ]
    return f"{head.text}\n{''.join(line.line for line in lines)}".encode()


def published() -> int:
    return open_checkpoint(publication.published_checkpoint(), keys.log_key())[0].size


class TestItSaysThatItHoldsMore:
    """L-6: a number is no proof that this database is older."""

    @pytest.mark.parametrize(
        "shows", ["nothing", "words", "the log did not sign", "the witness did not sign", "less than it says"]
    )
    def test_a_number_without_a_signed_checkpoint_suspends_nothing(
        self, liar: Liar, parties: Any, settings: Any, shows: str
    ) -> None:
        an_entry()
        stranger = Signer(keys.origin(), ED25519, b"s" * 32)
        log, witness = keys.log_signer(), parties[0].signer
        liar.monitoring = {
            "nothing": b"",
            "words": b"999999\n",
            "the log did not sign": signed(999_999, OTHER_ROOT, stranger, witness),
            "the witness did not sign": signed(999_999, OTHER_ROOT, log),
            "less than it says": signed(0, hashlib.sha256(b"").digest(), log, witness),
        }[shows]
        liar.submission = (409, SIZE_TYPE, b"999999\n")
        done = a_round()
        assert done.suspended == ""
        assert published() == done.size == 2
        an_entry()  # a restriction is taken
        state = WitnessState.objects.get(witness="residents")
        assert (state.answer, state.held_size) == (
            "silent" if shows == "words" else "refused",  # before it was asked for anything
            0,
        )
        settings.LIANFANG_WITNESSES[0]["url"] = parties[0].setting["url"]
        a_round()
        assert codes() == []

    def test_the_claim_is_an_alarm_until_it_answers_in_order(
        self, liar: Liar, parties: Any, settings: Any
    ) -> None:
        an_entry()
        liar.submission = (409, SIZE_TYPE, b"999999\n")
        a_round()
        assert codes() == ["says_more"]
        board.write(AT)
        with clock.fixed(AT):
            page = client_for(Role.CMD_DUTY).get("/desk/").content.decode()
            overview = Client().get("/open/chain/").content.decode()
        assert "一个见证方说它的账更长" in page
        assert "没有拿出签过名的账" in overview
        settings.LIANFANG_WITNESSES[0]["url"] = parties[0].setting["url"]
        a_round()
        assert codes() == []

    def test_a_checkpoint_that_log_and_witness_signed_suspends_and_is_kept(
        self, liar: Liar, parties: Any
    ) -> None:
        an_entry()
        shown = signed(999_999, OTHER_ROOT, keys.log_signer(), parties[0].signer)
        collector = collecting.Collector()
        made = sequencer.Sequencer(collector)
        liar.submission = (409, SIZE_TYPE, b"999999\n")
        made.run_once(AT)
        liar.monitoring = shown
        collector._next.clear()
        made._asked_at = 0.0
        for _ in range(20):
            an_entry(kind="orders:order:lifted")
            if made.run_once(AT).suspended:
                break
            collector._next.clear()
        made.close()
        assert Tree.objects.get().suspended == "witness residents holds 999999"
        assert [(name, head.size) for name, head in held_evidence.more()] == [("residents", 999_999)]
        with pytest.raises(RestoredOlder):
            an_entry()

    def test_what_we_signed_ourselves_meanwhile_is_not_more(self, parties: Any) -> None:
        """Anybody may hand a public checkpoint to a witness while we still wait for its answer about a smaller one."""
        an_entry()
        smaller = a_round().size
        an_entry()
        a_round()
        last = Checkpoint.objects.order_by("-size")[0]
        shown = open_checkpoint(bytes(last.note), keys.log_key())[0], bytes(last.note)
        heard = Heard("residents", smaller, Answer.AHEAD, f"holds {last.size}", last.size, shown=shown)
        sequencer._write_down([heard], AT)
        assert Tree.objects.get().suspended == ""
        assert WitnessState.objects.get(witness="residents").answer == "behind"


class TestSuspendedWithoutProof:
    """As an earlier version was, by a number alone."""

    @pytest.fixture
    def suspended(self, installed: Any) -> Any:  # noqa: F811 - the fixture
        an_entry()
        a_round()
        an_entry(kind="orders:order:lifted")
        sequencer.sequence()  # the tree has more than was signed, as a round leaves it that is suspended half way
        Tree.objects.update(suspended="witness residents holds 999999", suspended_at=AT)
        for party in installed:
            party.stop()
        return installed

    def test_it_is_lifted_when_no_witness_shows_more_and_the_chain_says_so(
        self, suspended: Any, chain: Path, settings: Any
    ) -> None:
        assert command(chain, "reconcile") == 1  # nothing to bring back
        assert Tree.objects.get().suspended
        assert command(chain, "reconcile", recheck=True) == 0
        next_up(chain, settings, suspended)
        an_entry()
        done = a_round()
        assert done.suspended == ""
        assert fsck.check().problems == []
        kinds = [terms["recovered"] for _, terms in queries.terms_of_kind("ledger:chain:reconciled")]
        assert kinds == [0]

    def test_not_while_somebody_shows_more(self, suspended: Any, chain: Path) -> None:
        note = signed(999_999, OTHER_ROOT, keys.log_signer(), suspended[0].signer)
        held_evidence.keep_more("residents", note, AT)
        assert command(chain, "reconcile", recheck=True) == 1
        (chain / "alarms" / "more-residents.note").unlink()
        (suspended[1].folder / "held").write_bytes(
            signed(999_999, OTHER_ROOT, keys.log_signer(), suspended[1].signer)
        )
        assert command(chain, "reconcile", recheck=True) == 1
        assert Tree.objects.get().suspended

    def test_not_while_somebody_was_not_heard(self, suspended: Any, chain: Path) -> None:
        file = chain / "chain.json"
        content = json.loads(file.read_text())
        content["witnesses"][2]["folder"] = ""  # runs elsewhere, and is off
        file.write_text(json.dumps(content))
        assert command(chain, "reconcile", recheck=True) == 1
        suspended[2].start()
        assert command(chain, "reconcile", recheck=True) == 0

    def test_one_that_is_off_for_weeks_is_named_and_not_waited_for(
        self, suspended: Any, chain: Path, settings: Any
    ) -> None:
        file = chain / "chain.json"
        content = json.loads(file.read_text())
        content["witnesses"][2]["folder"] = ""
        file.write_text(json.dumps(content))
        off = content["witnesses"][2]["name"]
        assert command(chain, "reconcile", recheck=True, without=["nobody"]) == 1
        others = [w["name"] for w in content["witnesses"][:2]]
        assert command(chain, "reconcile", recheck=True, without=[off, others[0]]) == 1, "no quorum is left"
        assert Tree.objects.get().suspended
        assert command(chain, "reconcile", recheck=True, without=[off]) == 0
        assert not Tree.objects.get().suspended
        next_up(chain, settings, suspended)
        a_round()
        assert [t["not_heard"] for _, t in queries.terms_of_kind("ledger:chain:reconciled")] == [off]

    def test_a_chain_that_is_not_suspended_has_nothing_to_lift(self, chain: Path) -> None:
        Tree.objects.create()
        with pytest.raises(rechecking.StillSuspended):
            rechecking.lift_unproved(look=lambda _: None, reason="drill", by=an_actor())


class TestOneFaultIsOnesOwn:
    @pytest.mark.parametrize("off", [-int(AT.timestamp()), -601, 601, 1 << 40, 1 << 62])
    def test_a_clock_that_is_wrong_is_caught_told_and_stops_nobody(self, parties: Any, off: int) -> None:
        parties[0].off = off
        entry = an_entry()
        done = a_round()
        assert published() == done.size
        assert queries.state_of(entry).quorum
        assert not Cosignature.objects.filter(witness="residents").exists()
        assert codes() == ["clock"]
        parties[0].off = 599 if off > 0 else -599
        an_entry()
        a_round()
        assert Cosignature.objects.filter(witness="residents").exists()
        assert codes() == []

    @pytest.mark.parametrize("body", [b"\0", b"\x1b[2J\xff\xfe", b"fork\0"])
    def test_no_words_of_a_refusal_stop_the_others(self, liar: Liar, body: bytes) -> None:
        liar.submission = (422, "text/plain", body)
        an_entry()
        assert a_round().size == published() == 2
        assert WitnessState.objects.get(witness="residents").detail.startswith("422")

    def test_what_cannot_be_stored_is_left_out_alone(self, parties: Any) -> None:
        an_entry()
        size = a_round().size
        line = parse_note(bytes(Checkpoint.objects.get(size=size).note)).signatures[0]
        sequencer._write_down(
            [
                Heard("residents", size, Answer.COSIGNED, "", size, line, 1 << 63),
                Heard("property", size, Answer.BEHIND, "heard", size),
            ],
            AT,
        )
        said = dict(WitnessState.objects.values_list("witness", "detail"))
        assert (said["residents"], said["property"]) == ("what it said cannot be stored", "heard")

    def test_a_witness_at_no_address_stops_nobody(self, parties: Any, settings: Any) -> None:
        settings.LIANFANG_WITNESSES[0]["url"] = "http://[half"
        an_entry()
        assert a_round().size == published() == 2
        assert WitnessState.objects.get(witness="residents").detail.startswith("not an http address")

    def test_a_fault_of_ours_in_asking_one_is_that_ones_silence(
        self, parties: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ask = collecting.consult

        def faulty(witness: Any, *others: Any) -> Heard:
            return ask(witness, *others) if witness.name != "residents" else 1 // 0  # type: ignore[return-value]  # never

        monkeypatch.setattr(collecting, "consult", faulty)
        entry = an_entry()
        assert a_round().size == published() == 2
        assert queries.state_of(entry).quorum
        assert WitnessState.objects.get(witness="residents").detail.endswith("ZeroDivisionError")

    def test_before_the_first_signature_nobody_is_waited_for_without_end(
        self, liar: Liar, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(collecting, "_FIRST_LOOK", 0.3)
        liar.drip.set()
        ended = threading.Timer(30, liar.drip.clear)
        ended.start()
        an_entry()
        made = sequencer.Sequencer()
        assert made.run_once(AT).signed
        assert liar.drip.is_set()  # it drips on
        ended.cancel()
        made.close()


class TestRoundsThatFail:
    def test_after_a_minute_that_is_an_alarm_until_one_succeeds(self, chain: Path) -> None:
        def at(seconds: int, *, failed: bool) -> list[str]:
            board.write(AT + timedelta(seconds=seconds), failed=failed)
            return [alarm.code for alarm in board.shown()]

        assert at(0, failed=True) == []
        assert at(60, failed=True) == []
        assert at(61, failed=True) == ["rounds_fail"]
        with clock.fixed(AT):
            page = client_for(Role.CMD_DUTY).get("/desk/").content.decode()
            assert "每一轮都出错" in page
            assert "新的记录没有入链" in Client().get("/open/chain/").content.decode()
        assert at(62, failed=False) == []
        assert at(200, failed=True) == []  # another one

    def test_the_worker_says_of_each_round_how_it_went(
        self, chain: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said: list[bool] = []
        stop = threading.Event()
        monkeypatch.setattr(board, "write", lambda *_, failed: said.append(failed))
        monkeypatch.setattr(sequencer.Sequencer, "run_once", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            jobs.loop(stop, names=unnamed)
        monkeypatch.setattr(sequencer.Sequencer, "run_once", lambda *_: stop.set())
        jobs.loop(stop, names=unnamed)
        assert said == [True, False]

    @pytest.mark.parametrize(
        "left", ["", "{", "null", '[["fork", 1]]', '{"alarms": [["fork"]]}', '{"alarms": 1}']
    )
    def test_a_board_that_is_torn_or_of_an_earlier_version_breaks_no_page(
        self, chain: Path, client: Client, left: str
    ) -> None:
        board.write(AT, [Alarm("damaged", AT, {})])
        (chain / "run" / "chain-alarms.json").write_text(left)
        assert [alarm.code for alarm in board.shown()] == ["not_sequenced"]
        assert client.get("/login/").status_code == client.get("/open/chain/").status_code == 200
        board.write(AT, [Alarm("damaged", AT, {})], failed=True)
        assert [alarm.code for alarm in board.shown()] == ["damaged"]


class TestItSaysThatThereIsAFork:
    def test_evidence_is_fetched_verified_kept_and_served_and_stays(self, parties: Any, chain: Path) -> None:
        an_entry()
        a_round()
        evidence = a_fork(parties).read_bytes()
        an_entry()
        a_round()
        assert (codes(), queries.alarms(AT)[0].facts["witness"]) == (["fork"], "property")
        board.write(AT)
        with clock.fixed(AT):
            for client in (client_for(Role.PROPERTY), client_for(Role.CMD_LEAD)):
                page = client.get("/desk/").content.decode()
                assert "信息链警报：记录对不上" in page
                assert "/open/chain/fork/property.txt" in page
                assert "谁也不要" in page
            assert Client().get("/open/chain/fork/property.txt").content == evidence
            assert Client().get("/open/chain/fork/residents.txt").status_code == 404
            alarms = json.loads(Client().get("/open/chain/alarms.json").content)
            overview = Client().get("/open/chain/").content.decode()
        ForkEvidence.parse(evidence.decode()).verify(keys.log_key())
        assert [(a["code"], a["witness"]) for a in alarms] == [("fork", "property")]
        for words in ("警报：记录对不上", "fork/property.txt", "居民和值守人员", "卡口照常放行"):
            assert words in overview
        # Nobody takes it back by signing again.
        WitnessState.objects.update(answer="cosigned", trouble="")
        assert codes() == ["fork"]

    @pytest.mark.parametrize("shows", ["nothing", "words", "a pair that fits"])
    def test_a_word_is_said_to_be_one_and_ends_with_the_next_signature(
        self, liar: Liar, parties: Any, settings: Any, shows: str
    ) -> None:
        an_entry()
        first = a_round().size
        liar.submission = (422, "text/plain", b"fork: this log has told two stories\n")
        note = bytes(Checkpoint.objects.get(size=first).note)
        pair = ForkEvidence(note, note, bytes(Checkpoint.objects.get(size=first).root), ())
        liar.evidence = {"nothing": b"", "words": b"fork", "a pair that fits": str(pair).encode()}[shows]
        an_entry()
        a_round()
        assert codes() == ["says_fork"]
        board.write(AT)
        with clock.fixed(AT):
            assert "说记录对不上，还没有拿出证据" in client_for(Role.PROPERTY).get("/desk/").content.decode()
            assert "对不上" not in client_for(Role.GRID).get("/desk/").content.decode()
            assert "对不上" not in Client().get("/open/rules/").content.decode()
            overview = Client().get("/open/chain/").content.decode()
        assert "有一方说记录对不上" in overview
        assert "警报" not in overview
        settings.LIANFANG_WITNESSES[0]["url"] = parties[0].setting["url"]
        an_entry()
        a_round()
        assert codes() == []

    def test_evidence_against_the_chain_before_a_restart_is_said_no_more(
        self, parties: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        an_entry()
        a_round()
        held_evidence.keep_fork("property", a_fork(parties).read_text(), AT)
        assert codes() == ["fork"]
        other = Signer("lianfang.example/next", ED25519, b"n" * 32)
        monkeypatch.setattr(keys, "log_key", lambda: other.key)
        assert held_evidence.forks() == {}


def test_forged_evidence_is_not_kept(liar: Liar, parties: Any, chain: Path) -> None:
    """Signed by somebody else under our name."""
    an_entry()
    size = a_round().size
    stranger = Signer(keys.origin(), ED25519, b"s" * 32)
    pair = [sign_checkpoint(TreeHead(keys.origin(), size, root), stranger) for root in (b"a" * 32, b"b" * 32)]
    liar.evidence = str(ForkEvidence(pair[0], pair[1], b"b" * 32, ())).encode()
    liar.submission = (422, "text/plain", b"fork: see the evidence\n")
    an_entry()
    a_round()
    assert codes() == ["says_fork"]
    assert not (chain / "alarms").exists()
