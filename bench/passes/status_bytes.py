"""P12: how many bytes a list, its ends and a delta have."""

from __future__ import annotations

import random  # noqa: TID251 - seeded: the same population on every run
import time
import zlib
from typing import TYPE_CHECKING, Any

from .rows import line
from .server import SHARD

if TYPE_CHECKING:
    from collections.abc import Iterable


def status_bytes() -> Iterable[dict[str, Any]]:
    """Signed files of 400,000 passes against the compressed bits alone, and deltas against 4 B a change + 300."""
    from lianfang_pass import statuslist
    from lianfang_pass.keys import private_key_from_seed
    from lianfang_pass.statuslist import Change, ListStatus

    chance = random.Random(12)
    key, at, uri, passes = private_key_from_seed(bytes([2]) * 32), 1_580_875_200, f"lf:s/{SHARD}", 400_000
    for share in (0.005, 0.05):
        chosen = chance.sample(range(passes), int(passes * share))
        bits = statuslist.pack(dict.fromkeys(chosen, ListStatus.SUSPENDED), passes)
        raw = len(zlib.compress(bits, 9))
        began = time.process_time()
        whole = statuslist.sign_list(bits, uri=uri, version=1, at=at, key=key, level=9)
        spent = (time.process_time() - began) * 1000
        yield {
            **line(f"P12 list, 400,000 passes, {share:.1%}", len(whole), raw, "B", 1.15, most=True),
            "cpu_ms": spent,
        }
        ends = {index: at + 86_400 * chance.randrange(1, 15) for index in chosen}
        until = statuslist.sign_until(ends, uri=uri, version=1, at=at, key=key, level=9)
        yield line(
            f"    until list, {share:.1%}",
            len(until),
            2 * len(chosen) + 200,
            "B (limit: 2 B a row)",
            2,
            most=True,
        )
    for changes in (10, 200, 2000):
        rows = [
            Change(i, ListStatus.SUSPENDED, at + 86_400 * 14)
            for i in sorted(chance.sample(range(passes), changes))
        ]
        data = statuslist.sign_delta(rows, uri=uri, from_version=1, to_version=2, at=at, key=key)
        yield line(
            f"P12 delta, {changes} suspensions with ends", len(data), 4 * changes + 300, "B", 1.0, most=True
        )
