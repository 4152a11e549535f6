"""The vectors shared with the verifier page: every good one is taken, every bad one refused."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from lianfang_chain.cbor import NotCanonical, decode, encode
from lianfang_chain.checkpoint import open_checkpoint
from lianfang_chain.entry import Entry
from lianfang_chain.note import MalformedNote, NotSigned, VerifierKey, bytes_of_base64, open_note
from lianfang_chain.organs import Organs, SignedBy
from lianfang_chain.policy import MalformedPolicy, Policy
from lianfang_chain.proof import (
    from_qr_text,
    to_qr_text,
    verify_paper_proof,
    verify_sheet_text,
    verify_tlog_proof,
)
from lianfang_chain.tree import NotProved, verify_consistency, verify_inclusion
from lianfang_chain.words import shown

FOLDER = Path(__file__).parents[2] / "vectors" / "chain"
REFUSED = (MalformedNote, NotSigned, NotProved, NotCanonical)


def load(name: Any) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def hashes(items: Any) -> Any:
    return [bytes.fromhex(h) for h in items]


def test_the_files_are_what_the_code_writes_today(tmp_path: Path) -> None:
    module = runpy.run_path(str(FOLDER / "make.py"))
    module["main"].__globals__["HERE"] = tmp_path
    module["main"]()
    written = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert written == {file.name: file.read_bytes() for file in FOLDER.glob("*.json")}


def test_cbor() -> None:
    vectors = load("cbor.json")
    for item in vectors["good"]:
        assert encode(decode(bytes.fromhex(item))).hex() == item
    for item in vectors["bad"]:
        with pytest.raises(NotCanonical):
            decode(bytes.fromhex(item))


def test_notes() -> None:
    vectors = load("notes.json")
    known = [VerifierKey.parse(vkey) for vkey in vectors["known"]]
    for case in vectors["good"]:
        opened = open_note(case["note"].encode(), known)
        assert [v.key.name for v in opened.verified] == case["verified"]
        assert bytes(opened.note) == case["note"].encode()
        if "times" in case:
            assert [v.at for v in opened.verified] == case["times"]
    for case in vectors["bad"]:
        with pytest.raises((MalformedNote, NotSigned)):
            open_note(case["note"].encode(), known)
    for vkey in vectors["bad_vkeys"]:
        with pytest.raises(MalformedNote):
            VerifierKey.parse(vkey)


def test_base64_has_one_spelling() -> None:
    assert bytes_of_base64("YWI=") == b"ab"
    for other in ("YWJ=", "YWI", "YWI==", "YWI=\n", " YWI=", "YW I=", "YWI=YWI=", "YW-_", "ＹWI="):
        with pytest.raises(MalformedNote):
            bytes_of_base64(other)


def test_checkpoints() -> None:
    vectors = load("checkpoints.json")
    log = VerifierKey.parse(vectors["log"])
    for case in vectors["good"]:
        checkpoint, _ = open_checkpoint(case["note"].encode(), log)
        assert (checkpoint.size, checkpoint.root.hex()) == (case["size"], case["root"])
    for case in vectors["bad"]:
        with pytest.raises((MalformedNote, NotSigned)):
            open_checkpoint(case["note"].encode(), log)


def test_inclusion_and_consistency() -> None:
    for case in load("inclusion.json")["good"]:
        leaf, root, path = bytes.fromhex(case["leaf_hash"]), bytes.fromhex(case["root"]), hashes(case["path"])
        verify_inclusion(leaf, case["index"], case["size"], path, root)
    for case in load("consistency.json")["good"]:
        old_root, new_root = hashes([case["old_root"], case["new_root"]])
        verify_consistency(case["old"], case["new"], old_root, new_root, hashes(case["path"]))


def test_entries() -> None:
    vectors = load("entries.json")
    organ = VerifierKey.parse(vectors["organ"])
    for case in vectors["entries"]:
        entry = Entry.parse(bytes.fromhex(case["bytes"]))
        entry.verify(organ)
        assert entry.view() == case["view"]
        assert entry.leaf.hex() == case["leaf_hash"]


def test_paper_proofs() -> None:
    vectors = load("paper.json")
    policy, strict = Policy.parse(vectors["policy"]), Policy.parse(vectors["strict_policy"])
    organs = Organs.open(vectors["organs"].encode(), policy)
    for case in vectors["good"]:
        data = bytes.fromhex(case["proof"])
        assert to_qr_text(data) == case["qr"]
        assert from_qr_text(case["qr"]) == data
        proved = verify_paper_proof(data, policy)
        assert proved.entry is not None
        assert organs.signer_of(proved.entry, proved.index) == SignedBy(organs.organs[0])
        assert proved.entry.view() == case["entry"]
        assert {d.field: d.value for d in proved.disclosed} == case["disclosed"]
        assert [list(item) for item in proved.seen] == case["seen"]
        assert proved.quorum is case["quorum"]
        assert verify_paper_proof(data, strict).quorum is case["strict_quorum"]
        other = verify_tlog_proof(case["tlog_proof"].encode(), proved.entry.leaf, policy)
        assert (other.checkpoint, other.seen) == (proved.checkpoint, proved.seen)
    for case in vectors["bad"]:
        with pytest.raises(REFUSED):
            verify_paper_proof(bytes.fromhex(case["proof"]), policy)
    for text in vectors["bad_qr"]:
        with pytest.raises(NotCanonical):
            from_qr_text(text)


def test_lists_of_organs() -> None:
    vectors = load("paper.json")
    policy = Policy.parse(vectors["policy"])
    organs = Organs.open(vectors["organs"].encode(), policy)
    assert [[o.code, o.index, o.name, o.name_en] for o in organs.organs] == vectors["organs_listed"]
    assert {bool(o.name) for o in organs.organs} == {bool(o.name_en) for o in organs.organs} == {True, False}
    shorter = Organs.open(vectors["shorter_organs"].encode(), policy)
    assert organs.continues(shorter)
    assert not shorter.continues(organs)
    for case in vectors["bad_organs"]:
        with pytest.raises((MalformedNote, NotSigned)):
            Organs.open(case["list"].encode(), policy)
    assert organs.signer_of(Entry.parse(bytes.fromhex(vectors["unknown_signer"])), 9) is None
    for case in vectors["wrong_signers"]:
        with pytest.raises(NotSigned):
            organs.signer_of(Entry.parse(bytes.fromhex(case["entry"])), 9)


def test_a_key_that_was_replaced_vouches_for_nothing_behind_the_announcement_of_the_next() -> None:
    vectors = load("paper.json")
    organs = Organs.open(vectors["succession"]["organs"].encode(), Policy.parse(vectors["policy"]))
    entry = Entry.parse(bytes.fromhex(vectors["succession"]["entry"]))
    for index, replaced in [
        *vectors["succession"]["cases"],
        (None, 4),
    ]:  # without a place it comes behind all
        signed = organs.signer_of(entry, index)
        assert signed is not None
        assert signed.organ == organs.organs[0]
        assert (signed.replaced and signed.replaced.index) == replaced, index


def test_groups_stand_within_each_other_no_deeper_than_is_read() -> None:
    nested = load("paper.json")["nested"]
    assert Policy.parse(nested["deepest"]).met_by({"residents"})
    for text in (nested["too_deep"], nested_thousands(nested["deepest"])):
        with pytest.raises(MalformedPolicy, match="too deep"):
            Policy.parse(text)


def nested_thousands(text: str) -> str:
    """As many as fit into a trust file; going down them is more than Python does."""
    head, _, _ = text.partition("group")
    groups = "".join(f"group {n} 1 {n - 1 if n else 'residents'}\n" for n in range(3_000))
    assert len(head + groups) < 65_000
    return f"{head}{groups}quorum 2999\n"


def test_what_others_wrote_is_shown_on_one_line() -> None:
    for text, on_one_line in load("paper.json")["shown"]:
        assert shown(text) == on_one_line
        assert shown(on_one_line) == on_one_line


def test_checkpoints_on_sheets() -> None:
    vectors = load("paper.json")
    policy = Policy.parse(vectors["policy"])
    for case in vectors["sheets"]:
        checkpoint = verify_sheet_text(case["text"], policy)
        assert (checkpoint.size, checkpoint.root.hex()) == (case["size"], case["root"])
    for text in vectors["bad_sheets"]:
        with pytest.raises((NotCanonical, NotSigned)):
            verify_sheet_text(text, policy)


def test_trust_files_of_witnesses_that_moved() -> None:
    moved = load("moved.json")
    *earlier, last = map(Policy.parse, moved["policies"])
    for policy, change in zip(earlier, last.changes, strict=True):
        before = last.at(change.index)
        assert (before.witnesses, before.groups, before.quorum, before.changes) == (
            policy.witnesses,
            policy.groups,
            policy.quorum,
            policy.changes,
        )
    for case in moved["bad_policies"]:
        with pytest.raises(MalformedPolicy):
            Policy.parse(case["policy"])
