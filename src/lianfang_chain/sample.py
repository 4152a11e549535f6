"""A random sample that nobody could choose: drawn by hash from a root that was published after the population stood.

The rule fits in one sentence, so anybody can repeat it with nothing but SHA-256: the score of a leaf is SHA-256 of
"lianfang-sample/v1", LF, the seed (the 32-byte root) and the leaf hash; the sample is the `count` smallest scores.

KNOWN: whoever runs the log chooses when a root is published and could try several; to steer a draw they would have to
add entries that all three parties see.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

__all__ = ["draw", "score"]

_PREFIX: Final = b"lianfang-sample/v1\n"


def score(seed: bytes, leaf: bytes) -> bytes:
    return hashlib.sha256(_PREFIX + seed + leaf).digest()


def draw(seed: bytes, leaves: Sequence[bytes], count: int) -> list[bytes]:
    """The leaf hashes drawn, by score; all of them where there are no more. Their order beforehand does not matter."""
    return sorted(leaves, key=lambda leaf: score(seed, leaf))[:count]
