"""Which partial tiles are still to be had, and from which signed sizes they are written again."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lianfang_chain.tiles import sizes_in_partial_tiles, tiles_at


@given(st.lists(st.integers(min_value=1, max_value=200_000), min_size=1, max_size=40, unique=True))
def test_the_few_sizes_have_every_partial_tile_that_is_kept(signed: Any) -> None:
    last = max(signed)
    stops = sizes_in_partial_tiles(signed, last)
    assert stops == sorted(stops)
    assert last in stops
    kept = {tile for size in signed for tile in tiles_at(size) if tile.is_kept_at(last)}
    assert kept == {tile for size in stops for tile in tiles_at(size) if tile.is_kept_at(last)}


def test_sizes_of_full_tiles_are_passed_over() -> None:
    """10 and 300 lie in bundles that are full at 70,000; the hashes of their level 1 are not: 256 · 273 + 112."""
    assert sizes_in_partial_tiles([10, 300, 65_536 + 300, 69_900, 70_000], 70_000) == [65_836, 69_900, 70_000]
    assert sizes_in_partial_tiles([], 0) == []
