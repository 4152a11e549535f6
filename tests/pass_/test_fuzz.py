"""Every decoder under fuzz: by mutation at every change, guided by coverage at night (tests/pass_/decoders.py)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.pass_ import decoders, fuzz
from tests.sizes import SIZE, size

RUNS = size("fuzz_runs")

pytestmark = pytest.mark.fault


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", decoders.DECODERS)
def test_a_decoder_gives_a_value_or_refuses_and_nothing_else(name: str) -> None:
    if SIZE == "change":
        decoders.by_mutation(name, RUNS)
        return
    assert fuzz.ATHERIS is not None, "at this size Atheris is asked for: run `lianfang faults`"
    command = [sys.executable, "-m", "tests.pass_.fuzz", name, str(RUNS)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-6000:]
