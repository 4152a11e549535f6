"""One line of the table."""

from __future__ import annotations

from typing import Any


def line(
    name: str, ours: float, limit: float, unit: str, goal: float | None = None, *, most: bool = False
) -> dict[str, Any]:
    """One line. `goal` is the ratio to reach, or with `most` not to exceed; without one it is printed only."""
    ratio = ours / limit
    return {
        "name": name,
        "ours": ours,
        "limit": limit,
        "ratio": ratio,
        "goal": goal,
        "unit": unit,
        "cpu_ms": None,
        "reached": goal is None or (ratio <= goal if most else ratio >= goal),
    }
