"""Sizes of random and fault tests, in one place: every change, nightly, before a release.

Chosen by LIANFANG_SIZE; the larger ones run by `lianfang faults --size nightly|release`.
"""

from __future__ import annotations

import os
from typing import Final, Literal

Size = Literal["change", "nightly", "release"]
SIZE: Final[Size] = os.environ.get("LIANFANG_SIZE", "change")  # type: ignore[assignment]  # checked below
assert SIZE in ("change", "nightly", "release"), SIZE

_TABLE: Final[dict[str, tuple[int, int, int]]] = {
    # name: (every change, nightly, before a release)
    "machine_examples": (25, 1_000, 20_000),
    "machine_steps": (30, 50, 50),
    "deadline_samples": (1_000, 100_000, 1_578_240),
    "mutations": (10_000, 100_000, 1_000_000),
    "board_sheets": (100, 10_000, 10_000),
    "kill_repeats": (1, 5, 20),
    "duplicate_ids": (20, 500, 20_000),
    "passages": (552 * 4, 552 * 100, 552 * 1_000),
    "line_passages": (552 * 2, 552 * 100, 552 * 100),
    "process_kills": (8, 90, 600),
    "double_submits": (8, 500, 5_000),
    "restores": (20, 20, 200),
    # Of a file that is too large to be cut at every byte.
    "torn_places": (2, 60, 600),
    "syscall_faults": (24, 3_000, 15_000),
    "append_faults": (24, 1_000, 5_000),
    "append_kills": (4, 90, 450),
    "append_cuts": (72, 1_000, 5_000),  # 12 turns of the line times 6 ways: each once
    "publish_cuts": (40, 1_000, 5_000),
    "appends_under_kills": (500, 20_000, 200_000),
    "gate_people": (20, 600, 600),
    "compound_people": (9, 300, 1_240),
    "fuzz_runs": (300, 20_000, 1_000_000),
    "fuzz_examples": (500, 20_000, 200_000),
}


def size(name: str) -> int:
    """How many, at the size in force.

    :raises KeyError: no such test size
    """
    return _TABLE[name][("change", "nightly", "release").index(SIZE)]
