"""A process that dies is started again; all are stopped."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from lianfang.config.supervise import Process, stop_all, wait_until_ready

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.fault
def test_a_killed_process_is_started_again(tmp_path: Path) -> None:
    process = Process(
        "p", [sys.executable, "-c", "import time; time.sleep(60)"], {}, tmp_path / "p.log", pause=0.05
    )
    process.start()
    assert process.handle is not None
    first = process.handle.pid
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while (process.handle.pid == first or process.handle.poll() is not None) and time.monotonic() < deadline:
        process.watch()
        time.sleep(0.02)
    assert process.handle.pid != first
    stop_all([process])
    assert process.handle.poll() is not None


def test_what_does_not_answer_is_named(tmp_path: Path) -> None:
    process = Process(
        "mute", [sys.executable, "-c", "import time; time.sleep(60)"], {}, tmp_path / "m.log",
        health="http://127.0.0.1:9/",
    )  # fmt: skip
    process.start()
    try:
        assert wait_until_ready([process], seconds=0.5) == ["mute"]
    finally:
        stop_all([process])
