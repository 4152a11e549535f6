"""Drill: parties take their witnesses home. What was proved before stays proved, on pages and on paper."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.factories.ledger import AT, an_entry
from tests.ledger.test_drills import (  # noqa: F401  # fixtures
    command,
    installed,
    operator,
    told,
)

from lianfang.ledger import fsck, keys, publication, queries, sequencer
from lianfang.ledger.errors import NotWitnessedYet
from lianfang.ledger.models import Checkpoint, Cosignature, Entry
from lianfang_chain.note import UnknownWitness, parse_note
from lianfang_chain.policy import Policy
from lianfang_chain.proof import from_qr_text, paper_proof_of, verify_paper_proof, verify_tlog_proof
from lianfang_chain.tiles import TileHashes
from lianfang_chain.tree import inclusion_proof, leaf_hash
from lianfang_chain.verify import newest_of_each_log
from lianfang_chain.witness.__main__ import create_key, load_key
from lianfang_chain.witness.joining import fingerprint

pytestmark = pytest.mark.django_db


def go_home(data: Path, parties: Any) -> None:
    """As docs/witness.en.md says: the party makes a key on its own computer, and here it is written down."""
    for party in parties:
        home = data / f"home-{party.name}"
        own = create_key(home, f"{keys.origin()}/home-{party.name}")
        url = f"http://127.0.0.1:{party.port}"
        words = {"vkey": str(own.key), "fingerprint": fingerprint(own.key), "url": url}
        assert command(data, "new-key", party=party.name, **words) == 0
        party.folder, party.signer = home, own


def whom(text: str) -> Any:
    """Whom a trust file trusts; the address at which a witness was asked is gone with it."""
    policy = Policy.parse(text)
    return policy.logs, [(w.name, w.key) for w in policy.witnesses], policy.groups, policy.quorum


@pytest.fixture
def moved(request: Any, installed: Any, chain: Path, settings: Any) -> Any:  # noqa: F811
    """Six checkpoints that all cosigned, more than are looked through one by one; then two or three parties move."""
    acts = []
    for n in range(6):
        acts.append(an_entry())
        for _ in range(20):
            sequencer.run_once(AT + timedelta(seconds=n))
            if Checkpoint.objects.order_by("-size")[0].cosignatures.count() == 3:
                break
    papers, old = [queries.proof(a) for a in acts], queries.policy_text()
    seed = queries.first_witnessed_root(acts[0])
    for party in installed:
        party.stop()
    go_home(chain, installed[: getattr(request, "param", 2)])
    settings.LIANFANG_WITNESSES = json.loads((chain / "chain.json").read_text())["witnesses"]
    return acts, papers, old, seed


@pytest.mark.parametrize("moved", [2, 3], indirect=True)
def test_old_acts_and_old_papers_hold_and_so_do_new_ones(
    moved: Any,
    installed: Any,  # noqa: F811  # the fixture
    chain: Path,
    settings: Any,
) -> None:
    acts, papers, old, seed = moved
    # Before anybody has cosigned anew: what was proved stays so, and the file of that time says it.
    for act, paper in zip(acts, papers, strict=True):
        state = queries.state_of(act)
        assert (state.quorum, state.stage) == (True, "witnessed")
        assert verify_paper_proof(queries.proof(act), Policy.parse(old)).quorum
        size = verify_paper_proof(paper, Policy.parse(old)).checkpoint.size
        assert whom(queries.policy_text_at(size)) == whom(old)
    assert all(s.quorum for s in queries.newest_states(acts).values())
    assert set(queries.proofs(acts)) == set(acts)
    newest = queries.newest_witnessed()
    assert newest is not None
    # What waits is what was recorded since: the changes themselves.
    changes = Entry.objects.filter(kind="ledger:policy:changed").count()
    assert [a.facts["entries"] for a in queries.alarms(AT + timedelta(hours=1))] == [changes]

    told(chain, settings, installed)
    later = an_entry()
    for _ in range(2):
        sequencer.run_once(AT + timedelta(minutes=1))
    now = Policy.parse(queries.policy_text())
    for act in [*acts, later]:
        assert queries.state_of(act).quorum
        assert verify_paper_proof(queries.proof(act), now).quorum
        assert verify_tlog_proof(queries.tlog_proof(act), leaf_hash(queries.entry_bytes(act)), now).quorum
    assert all(verify_paper_proof(p, now).quorum for p in queries.proofs([*acts, later]).values())
    # An old paper holds by the witnesses of its time, as today's file says; software that passes over comments gets the
    # file of that time.
    for read in (verify_paper_proof(papers[0], now), queries.proved(papers[0])):
        assert read.quorum
        assert read.changed is not None
        assert (read.changed.name, read.changed.before) == ("residents-2", "residents")
    plain = "".join(f"{line}\n" for line in queries.policy_text().splitlines() if line[0] != "#")
    assert not verify_paper_proof(papers[0], Policy.parse(plain)).quorum
    then = queries.policy_text_at(read.checkpoint.size)
    assert verify_paper_proof(papers[0], Policy.parse(then)).quorum
    # A seed that was published stays the same, and what a day ended with is found.
    assert queries.first_witnessed_root(acts[0]) == seed
    assert queries.checkpoint_before(AT + timedelta(seconds=30)) == newest
    assert fsck.check().problems == []


def test_who_has_the_old_file_is_told_which_one_a_proof_needs(
    moved: Any,
    installed: Any,  # noqa: F811  # the fixture
    chain: Path,
    settings: Any,
    client: Any,
) -> None:
    _, papers, old, _ = moved
    told(chain, settings, installed)
    later = an_entry()
    for _ in range(2):
        sequencer.run_once(AT + timedelta(minutes=1))
    with pytest.raises(UnknownWitness, match="not in this trust file"):
        verify_paper_proof(queries.proof(later), Policy.parse(old))
    served = client.get("/open/chain/policy.txt").text
    (told_of,) = {line for line in served.splitlines() if line.startswith("# papers")}
    address = told_of.split()[-1]
    until = int(address.rpartition("/")[2].partition(".")[0])
    assert whom(client.get(address).text) == whom(old)
    strict = client.get(address.replace("/policy/", "/strict-policy/")).text
    assert verify_paper_proof(papers[0], Policy.parse(strict)).quorum
    # It is the file of every checkpoint up to there, and of none behind it.
    assert client.get("/open/chain/policy/1.txt").text == client.get(address).text
    assert client.get(f"/open/chain/policy/{until + 1}.txt").text == served
    assert queries.policy_text_at(Checkpoint.objects.order_by("-size")[0].size) == served


def test_a_retired_key_counts_for_nothing_that_was_signed_after_it_left(
    moved: Any,
    installed: Any,  # noqa: F811  # the fixture
    chain: Path,
    settings: Any,
) -> None:
    """A thief of the old keys cosigns what is signed today: that is no quorum."""
    told(chain, settings, installed)
    keeper = sequencer.Sequencer()
    keeper.run_once(AT)  # which hears from the new ones
    for party in installed:
        party.stop()
    later = an_entry()
    keeper.run_once(AT + timedelta(minutes=1))
    newest = Checkpoint.objects.order_by("-size")[0]
    before = Cosignature.objects.filter(checkpoint__lt=newest.size).order_by("-checkpoint")
    for name in ("residents", "property"):
        line = before.filter(witness=name)[0].line
        Cosignature.objects.create(checkpoint=newest, witness=name, line=line, cosigned_at=AT)
    assert not queries.state_of(later).quorum
    with pytest.raises(NotWitnessedYet):
        queries.proof(later)
    # Printed from the files it is no quorum for today's file either, and is one for the file before: so the newest judges.
    entry = Entry.objects.get(pk=later)
    assert entry.idx is not None
    path = inclusion_proof(entry.idx, newest.size, TileHashes(newest.size, publication.read))
    text = parse_note(bytes(newest.note)).text
    stolen = [
        load_key(chain / f"witness-{name}").cosign(text, at=int(AT.timestamp()))
        for name in ("residents", "property")
    ]
    note = bytes(parse_note(bytes(newest.note)).with_signatures(stolen))
    now, then = Policy.parse(queries.policy_text()), Policy.parse(moved[2])
    paper = paper_proof_of(bytes(entry.data), (), entry.idx, path, note, now)
    assert not verify_paper_proof(paper, now).quorum
    assert verify_paper_proof(paper, then).quorum
    for given in ([now, then], [then, now]):
        assert newest_of_each_log(given) == [now]


def test_one_party_that_moves_is_vouched_for_to_who_has_the_file_before(
    installed: Any,  # noqa: F811  # the fixture
    chain: Path,
    settings: Any,
    client: Any,
) -> None:
    """The two that stayed have cosigned the entry of the change: the reader's own file says so of the new one."""
    an_entry()
    sequencer.run_once(AT)
    old = Policy.parse(queries.policy_text())
    for party in installed:
        party.stop()
    go_home(chain, installed[:1])
    told(chain, settings, installed)
    for n in range(3):
        an_entry()
        sequencer.run_once(AT + timedelta(minutes=n + 1))
    (change,) = Policy.parse(queries.policy_text()).changes
    text = client.get(f"/open/chain/policy-change/{change.index}.txt").text
    proved = verify_paper_proof(from_qr_text(text), old)
    assert (proved.quorum, proved.index) == (True, change.index)
    assert {name for name, _ in proved.seen} == {"property", "community"}
    assert proved.entry is not None
    assert proved.entry.act.terms["retired"] == str(old.witnesses[0].key)
    assert client.get(f"/open/chain/policy-change/{change.index + 1}.txt").status_code == 404


def test_two_that_move_at_once_are_vouched_for_by_nobody(
    moved: Any,
    installed: Any,  # noqa: F811  # the fixture
    chain: Path,
    settings: Any,
    client: Any,
) -> None:
    told(chain, settings, installed)
    an_entry()
    for _ in range(2):
        sequencer.run_once(AT + timedelta(minutes=1))
    first, second = Policy.parse(queries.policy_text()).changes
    assert client.get(f"/open/chain/policy-change/{first.index}.txt").status_code == 404
    # The second has the new residents and the community: enough for who has taken the first change.
    assert client.get(f"/open/chain/policy-change/{second.index}.txt").status_code == 200
