"""Drills: a chain that forked or whose key was stolen ends and is continued; every key is changed in service."""

import hashlib
import json
import os
import shutil
import tomllib
from argparse import Namespace
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from django.test import Client
from tests.factories.ledger import AT, an_actor, an_entry

from lianfang.config import chain_tending
from lianfang.kernel.actor import Grant
from lianfang.kernel.clock import legal_day
from lianfang.ledger import fsck, keys, publication, queries, resealing, restart, sealing, sequencer
from lianfang.ledger import parties as configured
from lianfang.ledger.actions import erase
from lianfang.ledger.errors import NoSuchEntry, NothingToErase, RestoredOlder
from lianfang.ledger.models import (
    CaseKey,
    Checkpoint,
    Disclosures,
    Entry,
    FormerChain,
    FormerCheckpoint,
    OrganKey,
)
from lianfang_chain.checkpoint import Checkpoint as TreeHead
from lianfang_chain.checkpoint import open_checkpoint, sign_checkpoint
from lianfang_chain.entry import Entry as ChainEntry
from lianfang_chain.evidence import ForkEvidence
from lianfang_chain.note import VerifierKey
from lianfang_chain.organs import Organs, SignedBy
from lianfang_chain.policy import Policy
from lianfang_chain.proof import verify_paper_proof
from lianfang_chain.submission import AddCheckpoint
from lianfang_chain.tiles import TileHashes
from lianfang_chain.tree import consistency_proof, root_of, verify_consistency
from lianfang_chain.verify import main as verify
from lianfang_chain.verify import say
from lianfang_chain.witness.__main__ import create_key
from lianfang_chain.witness.joining import fingerprint

pytestmark = pytest.mark.django_db


def an_operator() -> Any:
    actor = an_actor(organ="command")
    return type(actor)(**{f: getattr(actor, f) for f in actor.__slots__ if f != "grants"},
                       grants=frozenset({Grant("config:system:operate", "d510402")}))  # fmt: skip


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Any:
    by = an_operator()
    monkeypatch.setattr(chain_tending, "officer", lambda login, **_: by if login == "operator" else None)
    return by


@pytest.fixture
def installed(parties: Any, chain: Path, operator: Any) -> Any:
    """A data folder as the first start leaves it, with the running witnesses in it."""
    witnesses = []
    for party in parties:
        (party.folder / "witness.key").write_text(party.signer.private_text() + "\n")
        witnesses.append({**party.setting, "folder": str(party.folder.relative_to(chain))})
    (chain / "chain.json").write_text(json.dumps({"origin": keys.origin(), "witnesses": witnesses}))
    return parties


def told(data: Path, settings: Any, parties: Any) -> None:
    """What the next `up` would do: read chain.json, start the witnesses of this machine anew."""
    content = json.loads((data / "chain.json").read_text())
    settings.LIANFANG_CHAIN_ORIGIN = content["origin"]
    settings.LIANFANG_WITNESSES = content["witnesses"]
    from lianfang_chain.witness.__main__ import load_key

    for party in parties:
        party.signer = load_key(party.folder)
        party.start()


def command(data: Path, act: str, **words: Any) -> int:
    given: dict[str, Any] = {"user": "operator", "reason": "drill", "agreed": None, "no_fork": False, "witness": None, "recheck": False, "without": [],
             "organ": None, "party": None, "disclosures": False, "vkey": None, "fingerprint": None, "url": None}  # fmt: skip
    return chain_tending.command(data, Namespace(act=act, **{**given, **words}))


def a_fork(parties: Any) -> Path:
    """The log signs another history for a witness, which keeps the evidence."""
    head = Checkpoint.objects.order_by("-size")[0]
    other = sign_checkpoint(
        TreeHead(keys.origin(), head.size, hashlib.sha256(b"x").digest()), keys.log_signer()
    )
    reply = parties[1].server.witness.add_checkpoint(bytes(AddCheckpoint(head.size, (), other)))
    assert reply.status == 422
    return Path(parties[1].folder / "fork-evidence.txt")


@pytest.fixture
def forked(installed: Any, tmp_path: Path) -> Any:
    orders = [an_entry() for _ in range(5)]
    for _ in range(20):  # until the third has signed, too: a round goes on with two
        sequencer.run_once(AT)
        if Checkpoint.objects.get().cosignatures.count() == 3:
            break
    agreed = Checkpoint.objects.get().size
    orders += [an_entry() for _ in range(3)]
    sequencer.run_once(AT)
    evidence = tmp_path / "fork-evidence.txt"
    shutil.copy(a_fork(installed), evidence)
    old = {o: queries.proof(o) for o in orders}, queries.policy_text()
    for party in installed:
        party.stop()
    return orders, agreed, evidence, old


def test_after_a_fork_the_next_chain_begins_with_the_evidence_and_proves_every_act_again(
    forked: Any, installed: Any, chain: Path, settings: Any, capsys: Any
) -> None:
    orders, agreed, evidence, (old, old_policy) = forked
    origin, old_key = keys.origin(), str(keys.log_signer().key)
    assert command(chain, "restart", evidence=evidence) == 0
    told(chain, settings, installed)
    waiting = an_entry()
    done = [sequencer.run_once(AT) for _ in range(2)][-1]
    assert done.suspended == ""
    assert keys.origin() != origin
    assert str(keys.log_signer().key) != old_key

    first = ChainEntry.parse(bytes(Entry.objects.get(idx=0).data)).act
    assert first.kind == "ledger:origin:continued"
    assert first.terms["evidence"] == hashlib.sha256(evidence.read_bytes()).hexdigest()
    assert (first.terms["former"], first.terms["former_vkey"], first.terms["size"]) == (
        origin,
        old_key,
        agreed,
    )
    policy = Policy.parse(queries.policy_text())
    for entry_id in [*orders, waiting]:
        assert verify_paper_proof(queries.proof(entry_id), policy).quorum
    assert fsck.check().problems == []
    # The keys of the organs go on; what they signed before is theirs still.
    listed = Organs.open(publication.published_organs(), policy)
    assert {o.code for o in listed.organs} == {"cdc", "command"}
    assert all(signed_by(listed, e.pk).replaced is None for e in Entry.objects.all())

    # The old chain stays readable: old papers under the old policy, its files and its evidence.
    assert all(verify_paper_proof(p, Policy.parse(old_policy)).quorum for p in old.values())
    former = FormerChain.objects.get()
    away = chain / "former" / former.evidence[:16]
    assert {f.name for f in away.iterdir()} >= {"chain", "log.key", "evidence.txt", "witnesses", "chain.json"}
    (chain / "old-policy.txt").write_text(old_policy)
    assert verify(["--policy", str(chain / "old-policy.txt"), str(away / "evidence.txt")]) == 0
    assert former.checkpoints.count() == 2
    # Entry 0 holds the evidence itself, and everybody may fetch what is left of the old chain.
    assert first.terms["evidence_text"] == evidence.read_text()
    assert served(former, "evidence.txt") == evidence.read_bytes()
    assert served(former, "policy.txt").decode() == old_policy
    last = open_checkpoint(served(former, "checkpoint"), keys_of(old_policy))[0]
    assert last.size == max(former.checkpoints.values_list("size", flat=True))
    earlier, _ = open_checkpoint(served(former, f"checkpoint/{agreed}"), keys_of(old_policy))

    def tile(wanted: Any) -> bytes:
        return served(former, wanted.path)

    assert root_of(last.size, TileHashes(last.size, tile)) == last.root
    verify_consistency(earlier.size, last.size, earlier.root, last.root,
                       consistency_proof(earlier.size, last.size, TileHashes(last.size, tile)))  # fmt: skip
    for nothing in (
        "tile/entries/000.p/3",
        "tile/0/001",
        "checkpoint/999",
        "log.key",
        "../chain.json",
        "chain/checkpoint",
    ):
        with pytest.raises(AssertionError):
            served(former, nothing)
    (away / "evidence.txt").write_text("another")
    assert served(former, "evidence.txt") == evidence.read_bytes()  # out of entry 0
    assert former.evidence[:16] in Client().get("/open/chain/").text


def served(former: FormerChain, path: str) -> bytes:
    answer = Client().get(f"/open/chain/former/{former.evidence[:16]}/{path}")
    assert answer.status_code == 200
    return answer.content


def keys_of(policy: str) -> Any:
    return Policy.parse(policy).logs[0][0]


def test_evidence_too_large_for_an_entry_is_named_by_its_fingerprint_and_served(
    forked: Any, installed: Any, chain: Path, settings: Any
) -> None:
    _, _, evidence, _ = forked
    told_two = ForkEvidence.parse(evidence.read_text())
    # A larger tree has a longer proof; here the cosigners' lines make it as long, and the log's key signed both notes.
    noise = "".join(f"\u2014 other.example/{n} {'A' * 103}=\n" for n in range(14)).encode()
    made = replace(told_two, smaller=told_two.smaller + noise, larger=told_two.larger + noise)
    evidence.write_text(str(made))
    assert len(evidence.read_bytes()) > 4_096
    assert command(chain, "restart", evidence=evidence) == 0
    terms = ChainEntry.parse(bytes(Entry.objects.get(idx=0).data)).act.terms
    assert "evidence_text" not in terms
    assert terms["evidence"] == hashlib.sha256(evidence.read_bytes()).hexdigest()
    former = FormerChain.objects.get()
    assert served(former, "evidence.txt") == evidence.read_bytes()
    (chain / "former" / former.evidence[:16] / "evidence.txt").write_text("another")
    with pytest.raises(AssertionError):
        served(former, "evidence.txt")


def test_evidence_that_an_entry_would_change_is_named_by_its_fingerprint(
    forked: Any, installed: Any, chain: Path
) -> None:
    """Text of an entry is in normal form C: a line of somebody else's that is not would come out as other bytes."""
    _, _, evidence, _ = forked
    told_two = ForkEvidence.parse(evidence.read_text())
    odd = f"\u2014 A\u030aland.example/1 {'A' * 103}=\n".encode()
    evidence.write_text(str(replace(told_two, smaller=told_two.smaller + odd)))
    assert command(chain, "restart", evidence=evidence) == 0
    terms = ChainEntry.parse(bytes(Entry.objects.latest("pk").data)).act.terms
    assert "evidence_text" not in terms
    assert terms["evidence"] == hashlib.sha256(evidence.read_bytes()).hexdigest()


def test_days_before_a_restart_have_their_checkpoint_still(
    forked: Any, installed: Any, chain: Path, settings: Any
) -> None:
    _, agreed, evidence, _ = forked
    before = queries.checkpoint_before(AT + timedelta(seconds=1))
    assert before is not None
    assert command(chain, "restart", evidence=evidence) == 0
    told(chain, settings, installed)
    later = AT + timedelta(days=1)
    for _ in range(2):
        sequencer.run_once(later)
    assert queries.checkpoint_before(AT + timedelta(seconds=1)) == before
    assert queries.checkpoint_before(AT) is None
    # Nor does a later one count that only the log signed.
    last = FormerCheckpoint.objects.latest("size")
    text, _, lines = bytes(last.note).decode().partition("\n\n")
    FormerCheckpoint.objects.create(
        chain=last.chain, size=last.size + 1, root=last.root, note=f"{text}\n\n{lines.splitlines()[0]}\n".encode(),
        signed_at=last.signed_at + timedelta(milliseconds=500),
    )  # fmt: skip
    assert queries.checkpoint_before(AT + timedelta(seconds=1)) == before
    now = queries.checkpoint_before(later + timedelta(seconds=1))
    assert now is not None
    assert (before.origin != keys.origin(), now.origin) == (True, keys.origin())
    # Within the old chain there is a proof; between the two there is none, and that is no fork.
    first = replace(before, size=agreed, root=queries.root_at(before.origin, agreed) or b"")
    assert queries.are_consistent(first, before)
    assert not queries.are_consistent(replace(first, root=bytes(32)), before)
    with pytest.raises(NoSuchEntry):
        queries.are_consistent(before, now)
    # What sheets print is of the chain that goes on.
    assert queries.head_of_day(legal_day(later)) == queries.newest_witnessed()


def test_without_evidence_that_verifies_nothing_is_restarted(
    forked: Any, installed: Any, chain: Path, tmp_path: Path, capsys: Any
) -> None:
    _, _, evidence, _ = forked
    head = Checkpoint.objects.order_by("-size")[0]
    bad = tmp_path / "bad.txt"
    text = evidence.read_text()
    true = str(
        ForkEvidence(bytes(head.note), bytes(head.note), bytes(head.root), ())
    ).encode()  # signed, and no fork
    for wrong in (true, b"", b"a fork, believe me", text.replace(keys.origin(), "else.example/chain").encode(),
                  text[:-30].encode(), bytes(head.note)):  # fmt: skip
        bad.write_bytes(wrong)
        assert command(chain, "restart", evidence=bad) == 1
    bad.write_bytes(bytes(head.note))  # the log's line alone: too few witnesses
    assert command(chain, "restart", evidence=bad, no_fork=True) == 1
    assert command(chain, "restart", evidence=evidence, user="somebody") == 2
    assert not FormerChain.objects.exists()
    assert publication.published_checkpoint()
    assert "nothing was changed" in capsys.readouterr().out


@pytest.mark.parametrize("after", ["begin", "finish", "_rename"])
def test_a_restart_cut_off_at_any_step_is_taken_up_with_the_same_evidence(
    forked: Any, installed: Any, chain: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    orders, _, evidence, _ = forked
    where = chain_tending if after == "_rename" else restart
    real = getattr(where, after)

    def cut(*words: Any, **named: Any) -> None:
        real(*words, **named)
        raise InterruptedError

    monkeypatch.setattr(where, after, cut)
    with pytest.raises(InterruptedError):
        command(chain, "restart", evidence=evidence)
    monkeypatch.setattr(where, after, real)
    if after != "_rename":
        assert sequencer.run_once(AT).suspended == restart.BEGINNING  # nobody signs the old chain on
        with pytest.raises(RestoredOlder):
            an_entry()
        an_entry(kind="orders:order:lifted")
    assert command(chain, "restart", evidence=evidence) == 0
    told(chain, settings, installed)
    sequencer.run_once(AT)
    assert all(queries.state_of(o).quorum for o in orders)
    assert FormerChain.objects.count() == 1


def test_a_stolen_key_of_the_log_is_changed_with_the_last_cosigned_checkpoint(
    installed: Any, chain: Path, settings: Any, tmp_path: Path
) -> None:
    order = an_entry()
    sequencer.run_once(AT)
    thief = keys.log_signer()
    last = tmp_path / "last"
    last.write_bytes(publication.published_checkpoint())
    for party in installed:
        party.stop()
    assert command(chain, "restart", evidence=last, no_fork=True) == 0
    told(chain, settings, installed)
    sequencer.run_once(AT)
    assert queries.state_of(order).quorum
    forged = sign_checkpoint(TreeHead(thief.key.name, 900, hashlib.sha256(b"y").digest()), thief)
    assert {
        p.server.witness.add_checkpoint(bytes(AddCheckpoint(0, (), forged))).status for p in installed
    } == {404}


def test_a_lost_key_of_the_log_is_not_silently_another_and_is_changed_in_the_same_way(
    installed: Any, chain: Path, settings: Any, tmp_path: Path
) -> None:
    order = an_entry()
    sequencer.run_once(AT)
    paper, policy = queries.proof(order), queries.policy_text()
    last = tmp_path / "last"
    last.write_bytes(publication.published_checkpoint())
    (chain / "keys" / "log.key").unlink()
    keys.forget()
    later = an_entry()  # acts go on; only nothing is signed
    with pytest.raises(keys.LogKeyLost, match="Changing keys"):
        sequencer.run_once(AT)
    assert not (chain / "keys" / "log.key").exists()
    assert queries.policy_text() == policy
    assert verify_paper_proof(queries.proof(order), Policy.parse(policy)).quorum
    for party in installed:
        party.stop()
    assert command(chain, "restart", evidence=last, no_fork=True) == 0
    told(chain, settings, installed)
    sequencer.run_once(AT)
    assert queries.state_of(order).quorum
    assert queries.state_of(later).quorum
    assert queries.policy_text() != policy
    assert verify_paper_proof(paper, Policy.parse(policy)).quorum
    assert fsck.check().problems == []


def test_a_stolen_key_of_an_organ_is_replaced_and_the_chain_says_when(
    installed: Any, chain: Path, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = an_entry()
    sequencer.run_once(AT)
    old = keys.organ_signer("cdc")
    assert command(chain, "new-key", organ="nobody") == 2
    assert command(chain, "new-key", organ="cdc") == 0
    after = an_entry()
    sequencer.run_once(AT)
    sequencer.run_once(AT)
    assert keys.organ_signer("cdc").key != old.key
    assert OrganKey.objects.filter(organ="cdc").count() == 2
    listed = Organs.open(publication.published_organs(), configured.policy())
    # The key before says in the chain which one follows it, and by whose hand.
    following = Entry.objects.get(kind="ledger:key:succeeded").pk
    named = ChainEntry.parse(queries.entry_bytes(following)).act
    assert named.terms == {"organ": "cdc", "vkey": str(keys.organ_signer("cdc").key)}
    signers = [signed_by(listed, e) for e in (before, following, after)]
    new = keys.organ_signer("cdc").key
    assert [s.organ.key.public for s in signers] == [old.key.public, old.key.public, new.public]
    assert {s.replaced for s in signers} == {None}
    assert fsck.check().problems == []

    # Who has the old key and the way in goes on signing. Each reader sees that the key had been replaced.
    with monkeypatch.context() as thief:
        thief.setattr(keys, "organ_signer", lambda _: old)
        forged = an_entry()
    assert signed_by(listed, forged).replaced == listed.organs[1]  # it has no place yet
    for _ in range(2):
        sequencer.run_once(AT)
    listed = Organs.open(publication.published_organs(), configured.policy())
    assert signed_by(listed, forged) == SignedBy(listed.organs[0], listed.organs[1])
    assert queries.signer_of(forged) == signed_by(listed, forged)
    code, words = say(queries.proof(forged), configured.policy(), organs=listed)
    place = Entry.objects.get(pk=forged).idx
    announced = listed.organs[1].index
    assert (code, f"already replaced: entry {announced} announced" in words) == (3, True)
    assert fsck.check().problems == [
        f"entry {place}: signed by a key of cdc that entry {announced} had replaced"
    ]
    page = client.get(f"/open/chain/entry/{forged}/").content.decode()
    assert "签它的公钥当时已被替换。" in page
    assert f"第 {announced} 条公布了接替的公钥" in page
    assert "已被替换" not in client.get(f"/open/chain/entry/{after}/").content.decode()


def signed_by(listed: Organs, entry_id: UUID) -> SignedBy:
    found = listed.signer_of(
        ChainEntry.parse(queries.entry_bytes(entry_id)), Entry.objects.get(pk=entry_id).idx
    )
    assert found is not None
    return found


def test_an_organs_key_changed_before_any_round_announced_it_is_announced_with_the_change(
    installed: Any, chain: Path
) -> None:
    before = an_entry()
    first = keys.organ_signer("cdc").key
    for _ in range(2):
        assert command(chain, "new-key", organ="cdc") == 0
    an_entry()
    for _ in range(2):
        sequencer.run_once(AT)
    assert fsck.check().problems == []
    listed = Organs.open(publication.published_organs(), configured.policy())
    assert len(listed.organs) == 3
    assert signed_by(listed, before).organ.key.public == first.public
    # Keys of the same moment: none of them is called replaced before the next one's announcement.
    assert {signed_by(listed, e.pk).replaced for e in Entry.objects.all()} == {None}


def test_an_organ_is_called_as_it_was_when_its_key_was_announced(
    installed: Any, chain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old chain has none; a name comes with the next key, and what was signed before goes on under the old one."""
    nameless = an_entry()
    sequencer.run_once(AT)
    names = {"cdc": ("疾控\n中心 |", "Disease control")}

    def called(organ: str) -> tuple[str, str]:
        return names.get(organ, ("", ""))

    monkeypatch.setattr(chain_tending, "public_names", called)
    assert command(chain, "new-key", organ="cdc") == 0
    named = an_entry()
    assert command(chain, "new-key", organ="cdc") == 0  # which announces the one before with its name
    names["cdc"] = ("卫生局", "")
    renamed = an_entry()
    for _ in range(2):
        sequencer.run_once(AT, names=called)
    listed = Organs.open(publication.published_organs(), configured.policy())
    signers = [signed_by(listed, e) for e in (nameless, named, renamed)]
    assert [s.organ.called for s in signers] == ["cdc", "疾控 中心 / / Disease control (cdc)", "卫生局 (cdc)"]
    # The name is not the list's alone: the entry that announced the key says it.
    said = ChainEntry.parse(bytes(Entry.objects.get(idx=listed.organs[1].index).data)).act.terms
    assert (said["name"], said["name_en"]) == (listed.organs[1].name, "Disease control")
    assert fsck.check().problems == []


def test_a_stolen_key_of_a_witness_is_replaced_and_counts_no_more(
    installed: Any, chain: Path, settings: Any
) -> None:
    order = an_entry()
    sequencer.run_once(AT)
    paper, old = queries.proof(order), queries.policy_text()
    for party in installed:
        party.stop()
    assert command(chain, "new-key", party="nobody") == 2
    assert command(chain, "new-key", party="residents") == 0
    told(chain, settings, installed)
    thief = Policy.parse(old).witnesses[0]
    noted = ChainEntry.parse(queries.entry_bytes(Entry.objects.get(kind="ledger:policy:changed").pk)).act
    assert (noted.terms["witness"], noted.terms["retired"]) == ("residents-2", str(thief.key))
    assert str(noted.terms["vkey"]) in queries.policy_text()
    later = an_entry()
    sequencer.run_once(AT)
    assert "residents-2" in queries.state_of(later).witnesses
    for policy in map(Policy.parse, (queries.policy_text(), queries.strict_policy_text())):
        assert policy.witnesses[0].key == thief.key  # papers count lines, so the line stays
        assert not policy.met_by({"residents", "property"})
        assert policy.met_by({"residents-2", "property"})
        assert verify_paper_proof(queries.proof(later), policy).quorum
        verify_paper_proof(paper, policy)  # what was printed before is still read, by number
    assert verify_paper_proof(paper, Policy.parse(old)).quorum
    assert fsck.check().problems == []


def test_a_change_of_a_witness_that_was_cut_off_goes_on_with_the_key_that_the_chain_names(
    installed: Any, chain: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for party in installed:
        party.stop()
    for step in ("create_key", "write_whole"):  # before the entry, and behind it

        def cut(*_: Any, **__: Any) -> None:
            raise InterruptedError

        with monkeypatch.context() as planted:
            planted.setattr(chain_tending, step, cut)
            with pytest.raises(InterruptedError):
                command(chain, "new-key", party="residents")
    assert command(chain, "new-key", party="residents") == 0
    told(chain, settings, installed)
    assert fsck.check().problems == []
    vkeys = {
        str(ChainEntry.parse(bytes(e.data)).act.terms["vkey"])
        for e in Entry.objects.filter(kind="ledger:policy:changed")
    }
    assert vkeys == {settings.LIANFANG_WITNESSES[-1]["vkey"]}
    assert len(settings.LIANFANG_WITNESSES) == 4


def test_a_party_takes_its_witness_to_its_own_computer(
    installed: Any, chain: Path, settings: Any, tmp_path: Path, capsys: Any
) -> None:
    file = chain / "chain.json"
    before = file.read_bytes()
    own = create_key(tmp_path / "committee", f"{keys.origin()}/committee")
    home = "http://127.0.0.1:8479"
    read_aloud = fingerprint(own.key)
    there, another = installed[1].setting["vkey"], fingerprint(keys.log_key())
    for vkey, url, heard in (
        ("", home, read_aloud), ("no key", home, read_aloud), (str(own.key), None, read_aloud),
        (str(keys.log_key()), home, another), (there, home, fingerprint(VerifierKey.parse(there))),
        (str(own.key), home, None), (str(own.key), home, ""), (str(own.key), home, another),
        (str(own.key), home, read_aloud[:-1]), (str(own.key), home, f"{read_aloud} 0"),
    ):  # fmt: skip
        words = {"vkey": vkey, "url": url, "fingerprint": heard}
        assert command(chain, "new-key", party="residents", **words) == 2
    assert file.read_bytes() == before
    typed = f" {read_aloud.upper().replace(' ', '  ')}"  # as people type
    words = {"vkey": str(own.key), "url": home, "fingerprint": typed}
    assert command(chain, "new-key", party="residents", **words) == 0
    capsys.readouterr()
    assert command(chain, "invite", party="residents") == 0
    said = capsys.readouterr().out
    assert another in said
    told = tomllib.loads(said[said.index("folder = ") :])
    assert (told["log-vkey"], told["name"]) == (str(keys.log_key()), f"{keys.origin()}/residents-3")
    old, *_, new = json.loads(file.read_text())["witnesses"]
    assert (old["name"], bool(old["retired"]), old["folder"]) == ("residents", True, "")
    assert (new["name"], new["vkey"], new["url"], "folder" in new) == (
        "residents-2",
        str(own.key),
        home,
        False,
    )
    assert command(chain, "new-key", party="residents") == 2  # what runs elsewhere makes its key itself
    settings.LIANFANG_WITNESSES = json.loads(file.read_text())["witnesses"]
    assert Policy.parse(queries.policy_text()).met_by({"residents-2", "property"})
    assert not Policy.parse(queries.policy_text()).met_by({"residents", "property"})


class TestTheKeyOfTheDisclosures:
    """Somebody saw `disclosures.key`: all is sealed anew under another, and the old one is destroyed."""

    @pytest.fixture
    def acts(self, chain: Path, operator: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setattr(resealing, "BATCH", 2)
        return [an_entry(secrets={"person": f"p{n}", "door": "3-2-501"}) for n in range(7)]

    def told(self, acts: Any) -> Any:
        keys.forget()  # as another process would
        return [
            sorted((d.field, d.value) for d in queries.disclosures_of(a).values() if d.field != "officer")
            for a in acts
        ]

    def test_all_is_sealed_anew_and_the_old_key_opens_nothing_of_it(
        self, chain: Path, acts: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sequencer.run_once(AT)
        erased = acts.pop()
        erase(erased, reason="term", basis="个人信息保护法第四十七条", by=an_actor())
        before, old = self.told(acts), keys.sealing_key()
        assert before[0] == [("door", "3-2-501"), ("person", "p0")]
        copied = dict(CaseKey.objects.values_list("pk", "sealed"))  # what a thief of the database has
        tree = dict(Entry.objects.values_list("pk", "leaf_hash"))
        assert command(chain, "new-key", disclosures=True) == 0
        said = capsys.readouterr().out
        # Six acts, the announcement of the organ's key and the notice of the erasure.
        for sign in ("of 8 entries", "old key is destroyed", "--case-keys", "could read"):
            assert sign in said
        assert self.told(acts) == before
        assert self.told([erased]) == [[]]
        assert keys.sealing_key() != old
        assert sorted(f.name for f in (chain / "keys").glob("disclosures*")) == [
            "disclosures.id",
            "disclosures.key",
        ]
        assert old.hex() not in "".join(
            f.read_text() for f in chain.rglob("*") if f.parent.name == "keys" and f.is_file()
        )
        for act in acts:
            now = bytes(CaseKey.objects.get(pk=act).sealed)
            with pytest.raises(InvalidTag):
                sealing._case_key(old, act, now)
            # Cannot be undone: with the copied rows the old key opens what was copied. Of the rows of today it opens none.
            stolen = sealing._case_key(old, act, bytes(copied[act]))
            assert stolen != sealing._case_key(keys.sealing_key(), act, now)
        assert dict(Entry.objects.values_list("pk", "leaf_hash")) == tree  # the chain knows nothing of it
        assert fsck.check().sound

    @pytest.mark.parametrize(
        ("where", "step", "times"),
        [(os, "link", 1), (os, "link", 2), (keys, "sync_folder", 1), (keys, "sync_folder", 2), (keys, "sync_folder", 3),
         (keys, "succeed_sealing_key", 1), (resealing, "_reseal", 1), (resealing, "_reseal", 2),
         (keys, "destroy_former_sealing_key", 1)],
    )  # fmt: skip
    def test_cut_off_at_any_step_all_can_be_read_and_the_same_command_goes_on(
        self, chain: Path, acts: Any, monkeypatch: pytest.MonkeyPatch, where: Any, step: str, times: int
    ) -> None:
        before, real, done = self.told(acts), getattr(where, step), 0

        def cut(*words: Any) -> Any:
            nonlocal done
            outcome = real(*words)
            done += 1
            if done == times:
                raise InterruptedError
            return outcome

        monkeypatch.setattr(where, step, cut)
        with pytest.raises(InterruptedError):
            command(chain, "new-key", disclosures=True)
        monkeypatch.setattr(where, step, real)
        assert self.told(acts) == before
        later = an_entry(
            secrets={"person": "later", "door": "3-2-501"}
        )  # the system may be started meanwhile
        assert command(chain, "new-key", disclosures=True) == 0
        assert self.told(acts) == before
        assert self.told([later]) == [[("door", "3-2-501"), ("person", "later")]]
        assert all(
            sealing.is_current(pk, bytes(sealed))
            for pk, sealed in CaseKey.objects.values_list("pk", "sealed")
        )
        assert keys.former_sealing_key() is None
        assert not list((chain / "keys").glob("disclosures.[no]*"))

    def test_what_no_key_opens_stays_and_is_said(
        self, chain: Path, acts: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = chain / "keys" / "disclosures.key"
        kept = dict(Disclosures.objects.values_list("pk", "sealed"))
        file.unlink()
        keys.forget()
        assert (
            command(chain, "new-key", disclosures=True) == 1
        )  # lost is not changed: no other is made in its place
        assert "is gone" in capsys.readouterr().out
        assert not file.exists()
        (chain / "keys" / keys.SEAL_ID).rename(chain / "keys" / "away")  # docs/chain.md, "Changing keys"
        later = an_entry(secrets={"person": "later"})
        assert command(chain, "new-key", disclosures=True) == 0
        said = capsys.readouterr().out
        assert "of 1 entries are sealed anew" in said
        assert "7 entries were sealed under a key that is not here" in said
        assert self.told([later]) == [[("person", "later")]]
        # Nobody reads it any more, and it is erased all the same: whole, for nobody can seal the rest anew.
        closed = next(iter(kept))
        assert queries.disclosures_of(closed) == {}
        held = sealing.positions(bytes(kept[closed]))
        with pytest.raises(NothingToErase):
            erase(closed, positions=[9], reason="term", basis="x", by=an_actor())
        erase(closed, positions=held[-1:], reason="term", basis="x", by=an_actor())
        assert not Disclosures.objects.filter(pk=closed).exists()
        assert not CaseKey.objects.filter(pk=closed).exists()
        [(_, terms)] = queries.terms_of_kind("ledger:disclosures:erased")
        assert terms["positions"] == ",".join(map(str, sorted(held)))
        kept.pop(closed)
        file.with_suffix(".old").write_bytes(bytes(65))  # cut off between writing over it and deleting it
        assert command(chain, "new-key", disclosures=True) == 0
        assert not file.with_suffix(".old").exists()
        assert {
            pk: sealed for pk, sealed in Disclosures.objects.values_list("pk", "sealed") if pk in kept
        } == kept
