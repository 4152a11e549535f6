"""500 papers in one file: how long, against a minute."""

from __future__ import annotations

import statistics
import time
from typing import Final

from lianfang.messaging import specimens, typeset

PAPERS: Final = 500
LIMIT_SECONDS: Final = 60.0


def cases(size: str) -> list[dict[str, object]]:
    """Every size prints 500: that is the number promised."""
    return [papers()]


def papers() -> dict[str, object]:
    """Set 500 isolation notices (two copies each, 2,000 pages) with two codes each, names all different.

    Everything is measured that a click on “print” costs: codes, the look at every character, pages. Each run
    has other names and numbers, so that nothing is found ready from the run before.
    """
    typeset.bundle([specimens.pass_card()], at=specimens.AT)  # fonts are opened once per process
    walls, cpus = [], []
    for run in range(3):
        notices = [
            specimens.isolation_notice(run * PAPERS + n, name=f"示例{chr(0x4E00 + run * PAPERS + n)}")
            for n in range(PAPERS)
        ]
        wall, cpu = time.perf_counter(), time.process_time()
        made = typeset.bundle(notices, at=specimens.AT)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
        if not made.startswith(b"%PDF"):
            raise RuntimeError("no document came out")
    ours = statistics.median(walls)
    return {
        "name": "papers: 500 isolation notices in one PDF",
        "ours": round(ours, 2),
        "limit": LIMIT_SECONDS,
        "ratio": round(ours / LIMIT_SECONDS, 3),
        "unit": "s",
        "cpu_ms": round(statistics.median(cpus) * 1000 / PAPERS, 1),
    }
