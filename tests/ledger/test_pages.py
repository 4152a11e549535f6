"""What everybody may read of the chain, and what only witnesses may."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from tests.factories.ledger import AT, an_entry
from tests.ledger.test_alarms import a_forks_evidence

from lianfang.kernel import clock, ids
from lianfang.ledger import held_evidence, keys, queries, sequencer
from lianfang.ledger import parties as configured
from lianfang_chain.checkpoint import open_checkpoint
from lianfang_chain.entry import Entry
from lianfang_chain.organs import Organs, SignedBy
from lianfang_chain.policy import Policy
from lianfang_chain.proof import from_qr_text, verify_paper_proof
from lianfang_chain.reading import reading_token
from lianfang_chain.tiles import entries_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry_id(parties: Any) -> Any:
    entry_id = an_entry()
    an_entry(scope="d510402.s510402005.c009")
    sequencer.run_once(AT)
    return entry_id


def get(client: Any, path: Any, **headers: Any) -> Any:
    with clock.fixed(AT):
        return client.get(f"/open/chain/{path}", **headers)


def test_checkpoint_and_hash_tiles_are_for_everybody(client: Any, entry_id: Any) -> None:
    answer = get(client, "checkpoint")
    head, _ = open_checkpoint(answer.content, keys.log_signer().key)
    assert (head.size, answer["Content-Type"]) == (3, "text/plain; charset=utf-8")
    tile = get(client, "tile/0/000.p/3")
    assert (tile.status_code, len(tile.content)) == (200, 96)
    assert "immutable" in tile["Cache-Control"]
    for wrong in (
        "tile/0/000",
        "tile/0/000.p/4",
        "tile/0/001",
        "tile/0/../../checkpoint",
        "tile/64/000",
        "tile/0/0",
    ):
        assert get(client, wrong).status_code == 404, wrong


def test_entries_are_for_witnesses_with_a_fresh_token_of_their_own(
    client: Any, entry_id: Any, parties: Any, settings: Any
) -> None:
    bundle = "tile/entries/000.p/3"
    assert get(client, bundle).status_code == 403
    signer = parties[0].signer
    for wrong in (
        "",
        "x",
        reading_token(signer, "another.example/log", at=int(AT.timestamp())),
        reading_token(signer, keys.origin(), at=int((AT - timedelta(minutes=11)).timestamp())),
        reading_token(signer, keys.origin(), at=int((AT + timedelta(minutes=11)).timestamp())),
        reading_token(keys.log_signer(), keys.origin(), at=int(AT.timestamp())),
    ):
        assert get(client, bundle, HTTP_AUTHORIZATION=f"Bearer {wrong}").status_code == 403
    token = reading_token(signer, keys.origin(), at=int(AT.timestamp()))
    whole = get(client, bundle, HTTP_AUTHORIZATION=f"Bearer {token}")
    assert whole.status_code == 200
    assert all(entries_of(whole.content, width=3))

    settings.LIANFANG_WITNESSES[0]["places"] = "d510402.s510402002"
    own = entries_of(get(client, bundle, HTTP_AUTHORIZATION=f"Bearer {token}").content, width=3)
    assert [bool(e) for e in own] == [True, False, True]  # own place, another's, the chain's own
    settings.LIANFANG_WITNESSES[0]["places"] = (
        "d510402.s510402002.c00"  # no place, though c001 begins like it
    )
    own = entries_of(get(client, bundle, HTTP_AUTHORIZATION=f"Bearer {token}").content, width=3)
    assert [bool(e) for e in own] == [False, False, True]


def test_the_trust_files_are_policies(client: Any, entry_id: Any) -> None:
    for name in ("policy.txt", "strict-policy.txt"):
        policy = Policy.parse(get(client, name).content.decode())
        assert policy.log_of(keys.origin()) == keys.log_signer().key
    assert policy.met_by({"residents", "property"})
    assert not policy.met_by({"community", "property"})


def test_the_organs_keys_are_listed_under_the_signature_of_the_log(
    client: Any, entry_id: Any, parties: Any
) -> None:
    listed = Organs.open(get(client, "organs.txt").content, configured.policy())
    assert [(o.code, o.key, o.index) for o in listed.organs] == [("cdc", keys.organ_signer("cdc").key, 2)]
    entry = Entry.parse(queries.entry_bytes(entry_id))
    assert listed.signer_of(entry, 0) == SignedBy(listed.organs[0])
    an_entry(organ="street-2")
    sequencer.run_once(AT)  # gives the act and the announcement their places, and lists the key
    later = Organs.open(get(client, "organs.txt").content, configured.policy())
    assert [o.code for o in later.organs] == ["cdc", "street-2"]
    assert later.continues(listed)
    with clock.fixed(AT):
        assert client.get("/open/verify/organs.txt").content == get(client, "organs.txt").content


def test_the_page_says_in_plain_words_what_is_proved_and_what_not(client: Any, entry_id: Any) -> None:
    page = get(client, "").content.decode()
    assert "不能证明" in page
    assert "已核对 3 条" in page
    client.cookies["django_language"] = "en"
    assert "does not prove" in get(client, "").content.decode()


def test_an_entry_shows_how_far_it_has_come_and_offers_its_proof(
    client: Any, entry_id: Any, parties: Any
) -> None:
    assert "已见证" in get(client, f"entry/{entry_id}/").content.decode()
    assert get(client, f"entry/{entry_id}/proof.tlog-proof").content.startswith(b"c2sp.org/tlog-proof@v1\n")
    text = get(client, f"entry/{entry_id}/proof.txt").content.decode()
    assert verify_paper_proof(from_qr_text(text), configured.policy()).quorum
    assert get(client, f"entry/{ids.new_id()}/").status_code == 404

    assert "<dd>cdc</dd>" in get(client, f"entry/{entry_id}/").content.decode()  # announced without a name
    named = an_entry(organ="street-2")
    assert "<dd>street-2</dd>" in get(client, f"entry/{named}/").content.decode()
    sequencer.run_once(AT, names=lambda _: ("二街办事处", "Second Street Office"))
    assert "<dd>二街办事处 (street-2)</dd>" in get(client, f"entry/{named}/").content.decode()
    client.cookies["django_language"] = "en"
    assert "<dd>Second Street Office (street-2)</dd>" in get(client, f"entry/{named}/").content.decode()
    del client.cookies["django_language"]
    later = an_entry()
    assert "已入账，尚未见证" in get(client, f"entry/{later}/").content.decode()
    answer = get(client, f"entry/{later}/proof.txt")
    assert (answer.status_code, "已入账，尚未见证" in answer.content.decode()) == (409, True)


def test_a_fork_that_a_witness_proves_is_an_alarm_on_the_page(
    client: Any, entry_id: Any, parties: Any
) -> None:
    held_evidence.keep_fork("property", a_forks_evidence(), AT)
    page = get(client, "").content.decode()
    assert "警报：记录对不上" in page
    assert queries.alarms(AT)[0].code == "fork"


def test_no_page_holds_a_personal_datum(client: Any, parties: Any) -> None:
    marker = hashlib.sha256(b"marker").hexdigest()[:20]
    entry_id = an_entry(secrets={"person": marker, "door": marker})
    sequencer.run_once(AT)
    for path in ("", "checkpoint", "policy.txt", f"entry/{entry_id}/", f"entry/{entry_id}/proof.txt"):
        assert marker not in get(client, path).content.decode()
