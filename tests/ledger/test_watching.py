"""Bytes that changed on the disk are noticed within the hour, and stand above the desks until they are mended."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from tests.factories.ledger import AT, an_entry

from lianfang.ledger import board, fsck, jobs, publication, sequencer, watching
from lianfang.ledger.announcing import unnamed
from lianfang.ledger.models import Checkpoint, Entry
from lianfang_chain.tiles import ENTRIES, FULL, TileId, TileWriter, bundle_of, entries_of, tiles_at
from lianfang_chain.tree import leaf_hash

pytestmark = pytest.mark.django_db
SIZE = 600


@pytest.fixture
def files(chain: Path) -> list[Path]:
    """Each file of a chain of 600 entries: two full tiles, the one above them, the right edge."""
    for _ in range(SIZE - 1):  # and the announcement
        an_entry(secrets={})
    sequencer.run_once(AT)
    assert Entry.objects.count() == SIZE
    found = sorted(f for f in (publication.folder() / "tile").rglob("*") if f.is_file())
    assert len(found) == 7
    return found


def once_round(watch: watching.Watch) -> set[int]:
    for _ in range(SIZE // FULL + 1):
        watch.look()
    return set(watch.damaged)


def test_each_file_that_changed_or_is_gone_is_noticed_and_no_more_when_it_is_mended(
    files: list[Path],
) -> None:
    watch = watching.Watch()
    assert once_round(watch) == set()
    for file in files:
        whole = file.read_bytes()
        for at in (2, len(whole) // 2, len(whole) - 1):
            file.write_bytes(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :])
            assert once_round(watch), (file, at)
            assert not fsck.check(rebuild=True).problems
            assert file.read_bytes() == whole
            assert once_round(watch) == set()
        file.unlink()
        assert once_round(watch), file
        file.write_bytes(whole)
        assert once_round(watch) == set()


def test_files_that_fit_each_other_and_not_what_was_signed_are_noticed(files: list[Path]) -> None:
    first = SIZE - SIZE % FULL
    bundle, tile = (
        publication.folder() / TileId(level, first // FULL, SIZE - first).path for level in (ENTRIES, 0)
    )
    entries = entries_of(bundle.read_bytes(), width=SIZE - first)
    changed = [*entries[:-1], entries[0]]
    bundle.write_bytes(bundle_of(changed))
    tile.write_bytes(b"".join(map(leaf_hash, changed)))
    assert once_round(watching.Watch()) == {-1}


def test_a_tile_two_levels_up_is_looked_at_too(chain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """65,536 leaves, of which only the last tiles are read."""
    writer, written = TileWriter(), dict[TileId, bytes]()
    for number in range(FULL * FULL + FULL):
        writer.append(b"x%d" % number, leaf_hash(b"x%d" % number))
        written |= dict(writer.take_full())
    written |= dict(writer.partial())
    size = writer.size
    monkeypatch.setattr(publication, "read", lambda tile: written[tile])
    assert {t.level for t in tiles_at(size)} == {0, 1, 2} - {0}
    for number in (0, FULL - 1, FULL):
        assert watching._bundle_fits(number, size)
    for tile, seen_by in (
        (TileId(2, 0, 1), {FULL - 1}),
        (TileId(1, 1, 1), {FULL}),
        (TileId(1, 0), {FULL - 1}),
    ):
        whole = written[tile]
        written[tile] = whole[:1] + bytes((whole[1] ^ 1,)) + whole[2:]
        # The first hash of the full tile at level 1 is bundle 0's, too.
        seen = {number for number in (0, FULL - 1, FULL) if not watching._bundle_fits(number, size)}
        assert seen == seen_by | ({0} if tile == TileId(1, 0) else set())
        written[tile] = whole


def test_a_long_chain_is_gone_round_within_the_hour(chain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 1,000,000 entries, by the number of bundles in a look: it is called each five seconds."""
    looked: list[int] = []

    def fits(number: int, *_: Any) -> bool:
        looked.append(number)
        return True

    monkeypatch.setattr(watching, "_bundle_fits", fits)
    monkeypatch.setattr(watching, "_edge_fits", lambda size, root: fits(-1))
    an_entry()
    sequencer.run_once(AT)
    Checkpoint.objects.create(size=1_000_000, root=bytes(32), note=b"", signed_at=AT)
    watch = watching.Watch()
    for _ in range(3_600 // 5):
        watch.look()
    assert set(looked) == {-1, *range(1_000_000 // FULL)}


def test_the_worker_raises_an_alarm_that_stands_until_it_is_mended(
    files: list[Path], client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(jobs, "_TELL_SECONDS", 0.0)

    def rounds(count: int) -> list[str]:
        class Stop(threading.Event):
            left = count

            def is_set(self) -> bool:
                self.left -= 1
                return self.left < 0

        jobs.loop(Stop(), names=unnamed)
        return [alarm.code for alarm in board.shown()]

    assert rounds(4) == []
    whole = files[0].read_bytes()
    files[0].write_bytes(whole[:-1] + bytes((whole[-1] ^ 1,)))
    assert rounds(4) == ["damaged"]
    page = client.get("/open/chain/").content.decode()
    assert "公开的文件损坏" in page
    files[0].write_bytes(whole)
    assert rounds(4) == []
    assert "公开的文件损坏" not in client.get("/open/chain/").content.decode()
