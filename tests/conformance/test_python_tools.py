"""tlog-scales and pymerkle, which this project did not write, agree with our roots, proofs and signatures.

What they say of a log that is served is in `test_served_log`.
"""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from pymerkle import InmemoryTree, verify_inclusion
from tests.chain.logs import AT, LOG, ORIGIN, WITNESS
from tlog_scales.signing import PlainEd25519Signer, Vkey
from tlog_scales.tiles import leaf_hash as their_leaf_hash
from tlog_scales.tlog import Checkpoint as TheirCheckpoint
from tlog_scales.tlog import InclusionProof, InclusionProofInvalid
from tlog_scales.writer import TilesWriter

from lianfang_chain.checkpoint import Checkpoint, open_checkpoint
from lianfang_chain.note import VerifierKey, parse_note
from lianfang_chain.tiles import TileHashes
from lianfang_chain.tree import (
    LeafList,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
)
from lianfang_chain.tree import verify_inclusion as ours_verifies
from lianfang_chain.verify import main

pytestmark = pytest.mark.conformance


def test_tlog_scales_verifies_our_cosignatures_and_refuses_changed_ones() -> None:
    checkpoint = Checkpoint(ORIGIN, 7, b"r" * 32)
    note = parse_note(f"{checkpoint.text}\n{LOG.sign(checkpoint.text).line}".encode())
    note = note.with_signatures([WITNESS.cosign(checkpoint.text, at=AT)])
    theirs = TheirCheckpoint.from_text(bytes(note).decode())
    for key in (LOG.key, WITNESS.key):
        theirs.verify(Vkey.from_string(str(key)))
        written: Any = Vkey.from_string(str(key))
        assert written.serialize() == str(key)
    other = TheirCheckpoint(ORIGIN, 8, b"r" * 32, theirs.signatures)
    for key in (LOG.key, WITNESS.key):
        with pytest.raises(InvalidSignature):
            other.verify(Vkey.from_string(str(key)))


def test_a_paper_is_unpacked_for_software_that_is_not_ours(tmp_path: Path) -> None:
    """From the text of the code on a paper to their verdict: both signatures, and the path from the entry's leaf."""
    vectors = json.loads(
        (Path(__file__).parents[2] / "vectors" / "chain" / "paper.json").read_text(encoding="utf-8")
    )
    policy = vectors["policy"]
    (tmp_path / "policy.txt").write_text(policy, encoding="utf-8")
    for case in vectors["good"]:
        (tmp_path / "qr.txt").write_text(case["qr"], encoding="utf-8")
        files = ["--policy", str(tmp_path / "policy.txt"), "--unpack", str(tmp_path / "out")]
        assert main([*files, str(tmp_path / "qr.txt")]) == (0 if case["quorum"] else 3)
        entry = (tmp_path / "out" / "entry.cbor").read_bytes()
        proof = (tmp_path / "out" / "proof.tlog-proof").read_text(encoding="utf-8")
        head, _, note = proof.partition("\n\n")
        _first, index, *path = head.split("\n")
        theirs = TheirCheckpoint.from_text(note)
        lines = [line.split() for line in policy.splitlines()]
        keys = [
            Vkey.from_string(words[-1 if words[0] == "witness" else 1])
            for words in lines
            if words[:1] in (["log"], ["witness"])
        ]
        signed = [key for key in keys if any(key.match(line) for line in theirs.signatures)]
        assert len(signed) == len(theirs.signatures) == 1 + len(case["seen"])
        for key in signed:
            theirs.verify(key)
        inclusion = InclusionProof(
            int(index.removeprefix("index ")), theirs.size, [b64decode(h) for h in path]
        )
        inclusion.check(their_leaf_hash(entry), theirs.root_hash)
        with pytest.raises(InclusionProofInvalid):
            inclusion.check(their_leaf_hash(entry + b" "), theirs.root_hash)


def test_we_read_what_tlog_scales_writes(tmp_path: Path) -> None:
    signer = PlainEd25519Signer("their.example/log", b"k" * 32)
    theirs: Any = signer.vkey
    folder = tmp_path / "theirs"
    writer = TilesWriter.create(folder, "their.example/log")
    added = 0
    for size in (1, 256, 300, 600):
        for number in range(added, size):
            writer.add_leaf(f"their {number}".encode())
        added = size
        writer.commit([signer])
        key = VerifierKey.parse(theirs.serialize())
        head, _ = open_checkpoint((folder / "checkpoint").read_bytes(), key)
        assert head.size == size
        tiles = TileHashes(size, lambda tile: (folder / tile.path).read_bytes())
        assert root_of(size, tiles) == head.root
        proof = inclusion_proof(size - 1, size, tiles)
        ours_verifies(leaf_hash(f"their {size - 1}".encode()), size - 1, size, proof, head.root)


def test_pymerkle_agrees_on_roots_and_proofs() -> None:
    entries = [f"entry {n}".encode() for n in range(300)]
    theirs = InmemoryTree(algorithm="sha256")
    ours = LeafList([leaf_hash(e) for e in entries])
    for size, entry in enumerate(entries, start=1):
        theirs.append_entry(entry)
        if size in (1, 2, 3, 7, 8, 64, 255, 256, 257, 300):
            assert theirs.get_state(size) == root_of(size, ours)
            for index in {0, size // 2, size - 1}:
                # pymerkle counts from one and puts the leaf first into its path
                path = theirs.prove_inclusion(index + 1, size).serialize()["path"]
                hashes = [bytes.fromhex(h) for h in path]
                assert hashes[0] == ours.node(0, index)
                ours_verifies(hashes[0], index, size, hashes[1:], root_of(size, ours))
    proof = theirs.prove_inclusion(7, 300)
    verify_inclusion(theirs.get_leaf(7), root_of(300, ours), proof)
    for old in (1, 2, 64, 255, 256, 299):
        verify_consistency(
            old, 300, theirs.get_state(old), theirs.get_state(300), consistency_proof(old, 300, ours)
        )
