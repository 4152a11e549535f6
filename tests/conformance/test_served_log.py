"""Software that is not ours reads, where everybody reads it, the log that this system wrote out of its own table.

Go's `sumdb`, `tlog-scales` and `pymerkle`, at the sizes around which tiles, bundles and levels begin and end.
"""

import contextlib
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from pymerkle import InmemoryTree, verify_inclusion
from pymerkle import verify_consistency as their_consistency
from pymerkle.proof import MerkleProof
from tests.conformance.conftest import Pages, Sumdb, own_proofs, places
from tests.conformance.system_log import SystemLog
from tlog_scales.backend import HttpBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tiles import leaf_hash as their_leaf_hash
from tlog_scales.tlog import ConsistencyProof, InclusionProof

from lianfang.ledger import keys, publication
from lianfang_chain.tiles import ENTRIES, FULL, TileId, bundle_of, entries_of
from lianfang_chain.tree import leaf_hash, verify_consistency
from lianfang_chain.tree import verify_inclusion as ours_verifies

pytestmark = pytest.mark.conformance
SIZES = (0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000)
#: Files of the last size of which one byte is changed.
CHANGED = ("tile/entries/001", "tile/0/128", "tile/2/000.p/1", "checkpoint")


def test_at_every_size_three_programs_read_check_and_agree(
    log: SystemLog, pages: Pages, sumdb: Sumdb
) -> None:
    merkle = InmemoryTree(algorithm="sha256")
    old = 0
    for size in SIZES:
        log.grow_to(size)
        read_by_sumdb(sumdb, log, old, size)
        read_by_tlog_scales(pages, log, old, size, merkle)
        if size:
            compared_with_pymerkle(merkle, log, old, size)
        old = size
    for what in (*map(one_byte_changed, CHANGED), another_entry_with_its_hash(300)):
        with instead(what):
            done = sumdb.run(log.witness)
        assert (done.returncode, done.stdout) == (1, ""), what.keys()
        assert "404" not in done.stderr, done.stderr  # it was read, and it is wrong


def read_by_sumdb(sumdb: Sumdb, log: SystemLog, old: int, size: int) -> None:
    """The signed checkpoint, every entry, their proofs and ours, and consistency with the size before."""
    done = sumdb.run(log.witness, old=old, root=log.roots.get(old, bytes(32)), own=own_proofs(log, size))
    assert (done.returncode, done.stdout) == (0, f"{size} entries\n"), done.stderr


def read_by_tlog_scales(pages: Pages, log: SystemLog, old: int, size: int, merkle: Any) -> None:
    """Signatures of log and witness, root, proofs both ways; what it reads of the new entries goes into the tree of pymerkle."""
    backend = HttpBackend(pages.address)
    backend.session.headers["Authorization"] = f"Bearer {pages.token(log.witness)}"
    reader = TilesReader(backend)
    checkpoint = reader.get_checkpoint()
    signers = [keys.log_key(), log.witness.key]
    assert len(checkpoint.signatures) == len(signers)
    for key in (Vkey.from_string(str(signer)) for signer in signers):
        checkpoint.verify(key)
        with pytest.raises(InvalidSignature):
            replace(checkpoint, size=size + 1).verify(key)
    root = log.roots[size]
    assert (checkpoint.size, checkpoint.root_hash, reader.calculate_root_hash()) == (size, root, root)
    for index in range(old, size):
        merkle.append_entry(reader.get_entry(index))
    for index in places(size):
        leaf = their_leaf_hash(reader.get_entry(index))
        proof = reader.get_inclusion_proof(index, size).node_hashes
        ours_verifies(leaf, index, size, proof, root)
        InclusionProof(index, size, log.path(index, size)).check(leaf, root)
    if old:
        proof = reader.get_consistency_proof(old, size).node_hashes
        verify_consistency(old, size, log.roots[old], root, proof)
        served = backend.get("consistency", str(old), str(size)) or b""
        first, *ours = served.partition(b"\n\n")[0].split(b"\n")
        assert first == f"old {old}".encode()
        ConsistencyProof(old, size, [b64decode(line) for line in ours]).check(log.roots[old], root)
    backend.session.close()


def compared_with_pymerkle(merkle: Any, log: SystemLog, old: int, size: int) -> None:
    """The root of the entries that were served, and proofs both ways; of consistency it reads no form but its own."""
    root = log.roots[size]
    assert (merkle.get_size(), merkle.get_state()) == (size, root)
    for index in places(size):
        theirs = merkle.prove_inclusion(index + 1, size).serialize()  # it counts from one
        leaf, *proof = map(bytes.fromhex, theirs["path"])  # and puts the leaf first
        ours_verifies(leaf, index, size, proof, root)
        path = [leaf.hex(), *(h.hex() for h in log.path(index, size))]
        verify_inclusion(merkle.get_leaf(index + 1), root, MerkleProof.deserialize({**theirs, "path": path}))
    if old:
        their_consistency(log.roots[old], root, merkle.prove_consistency(old, size))


def one_byte_changed(path: str) -> dict[str, bytes]:
    whole = (publication.folder() / path).read_bytes()
    return {path: whole[:20] + bytes([whole[20] ^ 1]) + whole[21:]}


def another_entry_with_its_hash(index: int) -> dict[str, bytes]:
    """Bundle and tile agree with each other; only what stands above them does not."""
    number, place = divmod(index, FULL)
    bundle, tile = TileId(ENTRIES, number), TileId(0, number)
    entries = entries_of(publication.read(bundle), width=FULL)
    entries[place] = entries[place][:-1] + bytes([entries[place][-1] ^ 1])
    hashes = publication.read(tile)
    changed = hashes[: place * 32] + leaf_hash(entries[place]) + hashes[place * 32 + 32 :]
    return {bundle.path: bundle_of(entries), tile.path: changed}


@contextlib.contextmanager
def instead(files: dict[str, bytes]) -> Iterator[None]:
    """These are served instead of what was published."""
    whole = {path: (publication.folder() / path).read_bytes() for path in files}
    _write(files)
    yield
    _write(whole)


def _write(files: dict[str, bytes]) -> None:
    for path, data in files.items():
        (publication.folder() / path).write_bytes(data)
