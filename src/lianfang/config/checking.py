"""`lianfang check`: format, lint, types, borders, templates, the machine interface; exactly what the pipeline runs."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from .cli import source_root
from .supervise import say

_HERE: Final = Path(sys.executable).parent
_CHECKS: Final[list[tuple[str, list[str]]]] = [
    ("format", [f"{_HERE}/ruff", "format", "--check", "--quiet", "."]),
    ("lint", [f"{_HERE}/ruff", "check", "--quiet", "."]),
    ("types", [f"{_HERE}/mypy", "src", "tests", "bench"]),
    ("borders", [f"{_HERE}/lint-imports"]),
    ("templates", [f"{_HERE}/djlint", "src", "--lint", "--quiet"]),
    (
        "description of the machine interface",
        [sys.executable, "-m", "lianfang.config.cli", "openapi", "--check"],
    ),
    ("types of islands", [sys.executable, "-m", "lianfang.config.islands", "--types"]),
]


def run() -> int:
    """Run every check, also after one has failed; returns how many failed."""
    failed = []
    for name, command in _CHECKS:
        began = time.monotonic()
        result = subprocess.run(command, cwd=source_root(), capture_output=True, text=True, check=False)
        say(f"{'ok    ' if result.returncode == 0 else 'FAILED'} {name} ({time.monotonic() - began:.1f} s)")
        if result.returncode:
            failed.append(name)
            say((result.stdout + result.stderr).strip()[-6000:])
    return len(failed)
