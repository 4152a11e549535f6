"""Fuzzing of the decoders by command: `python -m tests.pass_.fuzz NAME [RUNS]` (names: tests/pass_/decoders.py).

Guided by coverage where Atheris is installed, as `lianfang faults` does (requirements-fuzz.lock), else by mutation
alone, which is said.
"""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

#: None where there is no wheel for the platform.
ATHERIS: Final[Any] = import_module("atheris") if find_spec("atheris") else None


def main(name: str, runs: int) -> None:
    """Look at `runs` byte strings; the process ends with an error at the first that is not refused as it should be."""
    if ATHERIS is None:
        from tests.pass_ import decoders

        print("atheris is not installed: mutation alone, without coverage")
        decoders.by_mutation(name, runs)
        return
    with ATHERIS.instrument_imports(include=["lianfang_pass", "lianfang_chain"]):
        from tests.pass_ import decoders
    look, seeds = decoders.DECODERS[name]
    with tempfile.TemporaryDirectory() as corpus:
        for i, seed in enumerate(seeds):
            (Path(corpus) / str(i)).write_bytes(seed)
        words = [
            f"-runs={runs}",
            f"-seed={decoders.SEED}",
            "-max_len=4096",
            "-timeout=5",
            "-print_final_stats=1",
        ]
        ATHERIS.Setup([sys.argv[0], *words, corpus], look)
        ATHERIS.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100_000)
