"""A process that dies is started again; all are stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lianfang.config.supervise import Process, stop_all, wait_until_ready


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


def _runs(pid: int) -> bool:
    """Whether it does anything still; what nobody waited for stays as a zombie."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] not in "ZX"


def test_a_killed_supervisor_takes_its_processes_along(tmp_path: Path) -> None:
    """Else what is left would hold the port against the next start."""
    program = (
        "import sys, time; from pathlib import Path; from lianfang.config.supervise import Process\n"
        "p = Process('sleep', ['sleep', '60'], {}, Path(sys.argv[1])); p.start()\n"
        "print(p.handle.pid, flush=True); time.sleep(60)"
    )
    words = [sys.executable, "-c", program, str(tmp_path / "log")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        assert _runs(child)
        supervisor.kill()
    for _ in range(100):
        if not _runs(child):
            return
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    pytest.fail("it lives on")
