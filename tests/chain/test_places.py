"""Places that a witness takes up later count for what comes then; how it gets the rest: docs/witness.zh.md, 七."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tests.chain.logs import LOG, WITNESS, SmallLog
from tests.chain.test_vectors import load

from lianfang_chain.witness.__main__ import _options, create_key, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lianfang_chain.witness.judge import Witness

#: One place of the log; entries of another form stand for all that lies elsewhere.
PLACE = "d510402"


@contextlib.contextmanager
def started(folder: Path, log: SmallLog, *words: str) -> Iterator[Witness]:
    """The program in that folder, as its configuration has it; the log is read from memory."""
    where = ["--folder", str(folder), "--log-vkey", str(LOG.key), "--log-url", "http://127.0.0.1:9"]
    with serve(_options([*where, "--port", "0", *words])) as server, contextlib.closing(server.witness.store):
        server.witness.read = log.read
        yield server.witness


def cosigns(witness: Witness, log: SmallLog, old: int) -> list[int]:
    """It takes the newest checkpoint; of which entries it keeps the text."""
    assert witness.add_checkpoint(log.submission(old)).status == 200
    return [index for index, _ in witness.store.own_entries()]


def test_more_places_count_for_new_entries_and_an_empty_folder_brings_the_older_ones(tmp_path: Path) -> None:
    entries = [bytes.fromhex(e["bytes"]) for e in load("entries.json")["entries"]]
    log = SmallLog().add(entries[0], b"elsewhere", entries[1])
    folder, kept = tmp_path / "witness", tmp_path / "witness-old"
    key = create_key(folder, WITNESS.key.name).key
    with started(folder, log, "--place", PLACE) as witness:
        assert cosigns(witness, log, 0) == [0, 2]

    log.add(b"elsewhere too", entries[2])
    with started(folder, log) as witness:  # no place: all of them
        assert cosigns(witness, log, 3) == [0, 2, 3, 4]

    folder.rename(kept)
    folder.mkdir()
    (folder / "witness.key").write_bytes((kept / "witness.key").read_bytes())
    _, size, fingerprint, *_ = (kept / "held").read_text().splitlines()
    with started(folder, log) as witness:
        assert witness.signer.key == key
        assert cosigns(witness, log, 0) == [0, 1, 2, 3, 4]
        _, again, same, *_ = (folder / "held").read_text().splitlines()
        assert (again, same) == (size, fingerprint)  # what the guide lets people compare


def test_a_party_that_joins_in_the_middle_holds_the_chain_from_its_beginning(tmp_path: Path) -> None:
    """Fewer places: the hashes of all, the text of the own ones."""
    entries = [bytes.fromhex(e["bytes"]) for e in load("entries.json")["entries"]]
    log = SmallLog().grow(1).grow(254).grow(45).add(*entries)
    create_key(tmp_path / "late", f"{WITNESS.key.name}-2")
    with started(tmp_path / "late", log, "--place", PLACE) as witness:
        assert cosigns(witness, log, 0) == list(range(300, 308))
        for size in (1, 255, 300):  # a checkpoint from before it joined is compared like any other
            assert witness.store.root_at(size) == log.roots[size]
