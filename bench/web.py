"""The gate's own code, built as the gate is built, against bare WebCrypto (P8), in the wheel's Node."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from lianfang.config.islands import WEB, ensure_built, node_executable

if TYPE_CHECKING:
    from collections.abc import Iterable


def cases(size: str) -> Iterable[dict[str, Any]]:
    """Checks per second of one thread; the limit is one bare verification for paper, two for a phone."""
    ensure_built()
    seconds = "2" if size == "small" else "10"
    answer = subprocess.run(
        [str(node_executable()), str(WEB / "bench" / "verify.mjs"), seconds],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(answer.stdout[answer.stdout.index("{") :])
    bare = float(found["bare_verify_per_s"])
    for what, limit in (("paper", bare), ("phone", bare / 2), ("new_phone", bare / 2)):
        ours = float(found[f"{what}_checks_per_s"])
        yield {
            "name": f"P8 gate bundle, {what.replace('_', ' ')} pass",
            "ours": ours,
            "limit": limit,
            "ratio": limit / ours,
            "unit": "checks/s (ratio: times the bare verification)",
        }
