"""Changed notes, proofs, tiles, tokens and policies: accepted 0. Random places, fixed seed, size by LIANFANG_SIZE."""

import contextlib
import functools
import random  # noqa: TID251 - seeded generators only
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.chain.logs import AT, LOG, ORIGIN, WITNESS, SmallLog
from tests.chain.test_vectors import load
from tests.sizes import size

from lianfang_chain.cbor import NotCanonical, encode
from lianfang_chain.checkpoint import Checkpoint, open_checkpoint
from lianfang_chain.disclosure import Disclosure, commit
from lianfang_chain.entry import Entry
from lianfang_chain.note import MalformedNote, NotSigned, VerifierKey, parse_note
from lianfang_chain.policy import MalformedPolicy, Policy
from lianfang_chain.proof import TlogProof, verify_paper_proof, verify_tlog_proof
from lianfang_chain.reading import reader_of, reading_token
from lianfang_chain.submission import AddCheckpoint
from lianfang_chain.tiles import (
    ENTRIES,
    TileHashes,
    TileId,
    TileWriter,
    bundle_of,
    entries_of,
    parse_tile_path,
    tiles_at,
)
from lianfang_chain.tree import (
    Edge,
    LeafList,
    NotProved,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

POLICY = Policy.parse(load("paper.json")["policy"])
REFUSED = (MalformedNote, NotSigned, NotProved, NotCanonical)


def changed(data: Any, generator: Any) -> Any:
    """One of: a bit, a byte, a cut, a repeat, a swap; never the same bytes."""
    while True:
        raw = bytearray(data)
        at = generator.randrange(len(raw))
        match generator.randrange(5):
            case 0:
                raw[at] ^= 1 << generator.randrange(8)
            case 1:
                raw[at] = generator.randrange(256)
            case 2:
                del raw[at : at + generator.randrange(1, 40)]
            case 3:
                raw[at:at] = raw[at : at + generator.randrange(1, 40)]
            case _:
                other = generator.randrange(len(raw))
                raw[at], raw[other] = raw[other], raw[at]
        if bytes(raw) != data:
            return bytes(raw)


def share(parts: Any) -> Any:
    return range(max(1, size("mutations") // parts))


def test_no_changed_paper_proof_is_accepted() -> None:
    vectors, generator = load("paper.json"), random.Random(1)
    policy = Policy.parse(vectors["policy"])
    proofs = [bytes.fromhex(case["proof"]) for case in vectors["good"]]
    accepted = 0
    for n in share(3):
        try:
            verify_paper_proof(changed(proofs[n % len(proofs)], generator), policy)
        except REFUSED:
            continue
        accepted += 1
    assert accepted == 0


def test_no_changed_proof_file_proves_anything_else() -> None:
    vectors, generator = load("paper.json"), random.Random(2)
    policy = Policy.parse(vectors["policy"])
    case = vectors["good"][0]
    leaf, whole = bytes.fromhex(case["leaf_hash"]), case["tlog_proof"].encode()
    right = verify_tlog_proof(whole, leaf, policy)
    for _ in share(6):
        data = changed(whole, generator)
        try:
            proved = verify_tlog_proof(data, leaf, policy)
        except REFUSED:
            continue
        # What can be lost is a cosigner's line that no longer names a known key; what is said stays true.
        assert (proved.checkpoint, proved.index) == (right.checkpoint, right.index)
        assert set(proved.seen) <= set(right.seen)
        assert TlogProof.parse(data).path == TlogProof.parse(whole).path


def test_no_changed_checkpoint_says_anything_else() -> None:
    generator = random.Random(3)
    checkpoint = Checkpoint(ORIGIN, 700, b"r" * 32)
    note = parse_note(f"{checkpoint.text}\n{LOG.sign(checkpoint.text).line}".encode())
    whole = bytes(note.with_signatures([WITNESS.cosign(checkpoint.text, at=AT)]))
    for _ in share(6):
        try:
            read, opened = open_checkpoint(changed(whole, generator), LOG.key, others=(WITNESS.key,))
        except REFUSED:
            continue
        assert read == checkpoint
        assert all(v.at in (None, AT) for v in opened.verified)


@pytest.mark.parametrize("more", ["\n", "x\n", "\nx\n", "x"])
def test_a_checkpoint_has_three_lines_and_never_more(more: Any) -> None:
    with pytest.raises(MalformedNote):
        Checkpoint.parse(Checkpoint(ORIGIN, 700, b"r" * 32).text + more)


def test_no_changed_entry_is_read_as_signed() -> None:
    vectors, generator = load("entries.json"), random.Random(4)
    organ = VerifierKey.parse(vectors["organ"])
    whole = bytes.fromhex(vectors["entries"][0]["bytes"])
    for _ in share(6):
        try:
            Entry.parse(changed(whole, generator)).verify(organ)
        except REFUSED:
            continue
        pytest.fail("a changed entry was accepted")


def test_no_changed_tile_gives_the_same_root_or_proof() -> None:
    generator = random.Random(5)
    log = SmallLog().grow(700)
    root, names = log.roots[700], [t for t in log.files if t.level != ENTRIES and t in set(whole_tiles(700))]
    for _ in range(min(300, size("mutations") // 30)):
        tile = generator.choice(names)
        data = changed(log.files[tile], generator)
        tiles = TileHashes(700, functools.partial(with_one_changed, log, tile, data))
        first = tile.index * 256 ** (tile.level + 1)
        try:
            edge = Edge()
            for leaf in tiles.leaves(0, 700):
                edge.append(leaf)
            if tile.level == 0:
                assert edge.root() != root
            index = min(first, 699)
            verify_inclusion(
                leaf_hash(f"e {index}".encode()), index, 700, inclusion_proof(index, 700, tiles), root
            )
        except NotProved:
            continue
        # The path of the first leaf may not touch the changed hash; then it is simply right.


def with_one_changed(log: SmallLog, tile: TileId, data: bytes, wanted: TileId) -> bytes:
    return data if wanted == tile else log.read(wanted)


def whole_tiles(count: Any) -> Iterator[Any]:
    yield from tiles_at(count)
    for level in range(3):
        for index in range(count >> (8 * level + 8)):
            yield TileId(level, index)


def test_every_changed_hash_of_a_path_is_noticed() -> None:
    leaves = [leaf_hash(bytes([n])) for n in range(70)]
    tree = LeafList(leaves)
    for count in (1, 2, 3, 5, 8, 64, 65, 70):
        root = root_of(count, tree)
        for index in range(count):
            path = inclusion_proof(index, count, tree)
            verify_inclusion(leaves[index], index, count, path, root)
            wrong = [[*path[:i], b"x" * 32, *path[i + 1 :]] for i in range(len(path))]
            wrong += [[*path, b"x" * 32], path[:-1]] if path else [[b"x" * 32]]
            for proof in wrong:
                with pytest.raises(NotProved):
                    verify_inclusion(leaves[index], index, count, proof, root)
            for other in (index - 1, index + 1, count):
                with pytest.raises(NotProved):
                    verify_inclusion(leaves[index], other, count, path, root)
        for old in range(count + 1):
            proof = consistency_proof(old, count, tree)
            verify_consistency(old, count, root_of(old, tree), root, proof)
            for i in range(len(proof)):
                with pytest.raises(NotProved):
                    verify_consistency(
                        old, count, root_of(old, tree), root, [*proof[:i], b"x" * 32, *proof[i + 1 :]]
                    )
            if 0 < old < count:
                with pytest.raises(NotProved):
                    verify_consistency(old, count, b"x" * 32, root, proof)
                with pytest.raises(NotProved):
                    verify_consistency(old, count, root_of(old, tree), b"x" * 32, proof)


@given(st.integers(0, 2_000), st.integers(0, 2_000), st.data())
@settings(max_examples=60)
def test_growing_by_any_steps_gives_the_same_tiles_and_a_resumed_writer_too(
    first: Any, second: Any, data: Any
) -> None:
    total = first + second
    once, steps = TileWriter(), TileWriter()
    for n in range(total):
        once.append(b"%d" % n, leaf_hash(b"%d" % n))
    files = dict(once.take())
    for n in range(first):
        steps.append(b"%d" % n, leaf_hash(b"%d" % n))
    kept = dict(steps.take())
    resumed = TileWriter.resume(first, kept.__getitem__)
    assert resumed.root() == steps.root()
    for n in range(first, total):
        resumed.append(b"%d" % n, leaf_hash(b"%d" % n))
    kept.update(resumed.take())
    assert {tile: kept[tile] for tile in files} == files
    assert resumed.root() == once.root()


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_refusal(data: Any) -> None:
    policy = POLICY
    for parse in (
        parse_note,
        TlogProof.parse,
        AddCheckpoint.parse,
        Entry.parse,
        Disclosure.parse,
        lambda d: verify_paper_proof(d, policy),
        lambda d: entries_of(d, width=3),
        lambda d: parse_tile_path(d.decode("latin-1")),
        lambda d: VerifierKey.parse(d.decode("latin-1")),
    ):
        with contextlib.suppress(*REFUSED):
            parse(data)
    with contextlib.suppress(MalformedPolicy):
        Policy.parse(data.decode("latin-1"))
    assert reader_of(data.decode("latin-1"), [WITNESS.key], ORIGIN, at=AT) is None


def test_bundles_and_tile_paths_come_back_as_they_were() -> None:
    entries = [b"", b"a", b"b" * 65_535]
    assert entries_of(bundle_of(entries), width=3) == entries
    with pytest.raises(ValueError):
        bundle_of([b"c" * 65_536])
    for tile, path in [
        (TileId(0, 1_234_067), "tile/0/x001/x234/067"),
        (TileId(3, 5, 7), "tile/3/005.p/7"),
        (TileId(ENTRIES, 273, 112), "tile/entries/273.p/112"),
    ]:
        assert (tile.path, parse_tile_path(path)) == (path, tile)
    for wrong in (
        "tile/0/5",
        "tile/0/x000/005",
        "tile/0/005.p/0",
        "tile/0/005.p/256",
        "tile/0/005.p/01",
        "tile/00/005",
    ):
        with pytest.raises(MalformedNote):
            parse_tile_path(wrong)


def test_sizes_of_the_specification_have_its_tiles() -> None:
    assert {t.path for t in tiles_at(256)} == {"tile/1/000.p/1"}
    assert {t.path for t in tiles_at(70_000)} == {
        "tile/entries/273.p/112",
        "tile/0/273.p/112",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    }


def test_a_reading_token_is_its_makers_for_its_time_and_origin_only() -> None:
    token = reading_token(WITNESS, ORIGIN, at=AT)
    assert reader_of(token, [LOG.key, WITNESS.key], ORIGIN, at=AT + 599) == WITNESS.key
    for arguments in (([LOG.key], ORIGIN, AT), ([WITNESS.key], "x", AT), ([WITNESS.key], ORIGIN, AT + 601)):
        known, origin, at = arguments
        assert reader_of(token, known, origin, at=at) is None


def test_commitments_are_sorted_padded_and_bound_to_field_and_value() -> None:
    counter = iter(range(100))
    made = commit({"b": 1, "a": "x"}, lambda n: bytes([next(counter)]) * n)
    assert len(made.hashes) == 4
    assert list(made.hashes) == sorted(made.hashes)
    a, b = made.disclosures.values()
    assert [made.hashes[position] for position in made.disclosures] == [a.commitment, b.commitment]
    assert (a.field, b.field) == ("a", "b")
    assert Disclosure(a.salt, "b", a.value).commitment != a.commitment
    assert Disclosure(a.salt, a.field, "y").commitment != a.commitment
    with pytest.raises(NotCanonical):
        Disclosure.parse(encode([a.salt[:15], "a", "x"]))
    with pytest.raises(NotCanonical):
        Disclosure.parse(encode([a.salt, "a", True]))


class TestPolicy:
    def policy(self, *lines: Any) -> Any:
        vectors = load("paper.json")["policy"].splitlines()
        keys = [line for line in vectors if line.startswith(("log", "witness"))]
        return Policy.parse("\n".join([*keys, *lines]) + "\n")

    def test_groups_nest_and_count(self) -> None:
        policy = self.policy(
            "group offices any property community", "group strict all residents offices", "quorum strict"
        )
        for seen, met in [
            ({"residents", "property"}, True),
            ({"residents", "community"}, True),
            ({"property", "community"}, False),
            ({"residents"}, False),
            (set(), False),
        ]:
            assert policy.met_by(seen) is met

    @pytest.mark.parametrize(
        "lines",
        [
            (),
            ("quorum nobody",),
            ("quorum none", "quorum none"),
            ("group g 0 residents", "quorum g"),
            ("group g 3 residents property", "quorum g"),
            ("group g 1 residents residents", "quorum g"),
            ("group g 1 residents", "group h 1 residents", "quorum h"),
            ("group g 1 later", "group later 1 residents", "quorum g"),
            ("group residents 1 property", "quorum residents"),
            ("group none 1 property", "quorum none"),
            ("group g 1", "quorum g"),
            ("nonsense", "quorum none"),
            (f"witness again {WITNESS.key}", f"witness twice {WITNESS.key}", "quorum none"),
            (f"witness w {LOG.key}", "quorum none"),
            (f"log {WITNESS.key}", "quorum none"),
        ],
    )
    def test_what_does_not_say_clearly_whom_to_trust_is_refused(self, lines: Any) -> None:
        with pytest.raises(MalformedPolicy):
            self.policy(*lines)
