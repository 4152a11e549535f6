"""Each system call of append and publish fails in turn, from outside: a clear stop, and the next round goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Count, Max, Min
from tests.factories.ledger import AT
from tests.sizes import size

from lianfang.ledger import fsck, sequencer
from lianfang.ledger.models import Checkpoint, Entry

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

#: What publication asks of the kernel. The line to the database is cut in test_line_under_publication.
CALLS = ("openat", "write", "fsync", "rename", "mkdir", "unlink", "close", "read")
ERRORS = ("EIO", "ENOSPC")
_ROUNDS = 6
_EACH = 50


@pytest.mark.timeout(6 * 3_600)  # by command it injects thousands
def test_a_system_call_that_fails_loses_nothing_and_publishes_nothing_untrue(chain: Path) -> None:
    wanted, injected, failed, turn = size("syscall_faults"), 0, 0, 0
    here = Path(__file__).parents[2]
    words = [sys.executable, "-m", "tests.ledger.faulted", connection.settings_dict["NAME"], str(chain), "{}"]
    with subprocess.Popen(
        words, cwd=here, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        asked, said = process.stdin, process.stdout
        assert asked is not None
        assert said is not None
        assert said.readline() == "ready\n"

        def go(rounds: int, asked: IO[str] = asked, said: IO[str] = said) -> list[str]:
            asked.write(f"{rounds}\n")
            asked.flush()
            return said.readline().split(" ")

        acknowledged = go(2)[3].strip().split(",")
        while injected < wanted:
            call, error = CALLS[turn % len(CALLS)], ERRORS[turn // len(CALLS) % len(ERRORS)]
            first, step = 1 + turn // 3 % 7, 3 + turn % 11
            log = chain / "strace.log"
            log.unlink(missing_ok=True)
            tracing = ["strace", "-f", "-qq", "-o", str(log), "-p", str(process.pid), "-e", f"trace={call}",
                       "-e", f"inject={call}:error={error}:when={first}+{step}"]  # fmt: skip
            with subprocess.Popen(tracing) as tracer:
                _until_traced(process.pid)
                answer = go(_ROUNDS)
                tracer.send_signal(signal.SIGINT)
            injected += log.read_text(errors="replace").count("(INJECTED)")
            assert answer[0] == "done", (call, error, process.poll())
            new = [entry for entry in answer[3].strip().split(",") if entry]
            failed, turn = int(answer[1]), turn + 1
            acknowledged += new
            _is_whole(new, int(answer[2]))
            if turn < _EACH or turn % _EACH == 0:  # it reads everything: by command, each fiftieth time
                assert fsck.check().problems == []
        asked.close()
    assert fsck.check().problems == []
    assert {UUID(a) for a in acknowledged} <= set(Entry.objects.values_list("pk", flat=True))
    assert failed, "no fault was felt"


def _until_traced(pid: int) -> None:
    deadline = time.monotonic() + 10
    while "TracerPid:\t0\n" in Path(f"/proc/{pid}/status").read_text() and time.monotonic() < deadline:
        time.sleep(0.01)


def _is_whole(acknowledged: list[str], seen: int) -> None:
    done = sequencer.run_once(AT)
    assert done.size >= seen
    assert Entry.objects.filter(pk__in=acknowledged).count() == len(acknowledged)
    # No place is taken twice (the schema), so these say that none is left out either.
    rows = Entry.objects.aggregate(count=Count("pk"), first=Min("idx"), last=Max("idx"))
    assert rows == {"count": done.size, "first": 0, "last": done.size - 1}
    assert Checkpoint.objects.filter(size=done.size).count() == 1
