"""The calls of append to the database fail in turn, or the process is killed at one: an act is stored whole or not at all.

What comes after a lost answer is what a person does: the same act once more, under the same id. It is never stored twice.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from tests.factories.ledger import AT
from tests.ledger.test_syscalls import _until_traced
from tests.sizes import size

from lianfang.kernel import ids
from lianfang.ledger import fsck, sequencer
from lianfang.ledger.models import CaseKey, Disclosures, Entry

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

#: By these libpq speaks to the database. A `recvfrom` that fails after the commit was sent is the lost answer.
CALLS = ("sendto", "recvfrom")
ERRORS = ("ECONNRESET", "EPIPE", "EIO", "ENOMEM")
_ACTS = 6


@pytest.fixture
def acts(chain: Path) -> Iterator[Path]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE test_act (id uuid PRIMARY KEY)")
        try:
            yield chain
        finally:
            cursor.execute("DROP TABLE test_act")


@contextlib.contextmanager
def actor(folder: Path) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-m", "tests.ledger.acting", connection.settings_dict["NAME"], str(folder)]
    with subprocess.Popen(
        words, cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def ask(process: subprocess.Popen[str], wanted: list[str]) -> tuple[int, set[str]] | None:
    """How many tries failed, and which acts it was told are stored; None when it was killed."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{' '.join(wanted)}\n")
    process.stdin.flush()
    words = process.stdout.readline().split()
    return (int(words[1]), set(words[2:])) if words else None


@contextlib.contextmanager
def injected(process: subprocess.Popen[str], what: str, log: Path) -> Iterator[None]:
    log.unlink(missing_ok=True)
    call = what.partition(":")[0]
    tracing = ["strace", "-f", "-qq", "-o", str(log), "-p", str(process.pid), "-e", f"trace={call}",
               "-e", f"inject={what}"]  # fmt: skip
    with subprocess.Popen(tracing) as tracer:
        _until_traced(process.pid)
        try:
            yield
        finally:
            tracer.send_signal(signal.SIGINT)


def stored() -> set[str]:
    """The acts in the database, each whole: a row, one entry, its sealed disclosures and their key; and nothing beside."""
    with (
        connection.cursor() as cursor
    ):  # one statement: a transaction that still commits is in it whole or not at all
        cursor.execute(
            "SELECT a.id, e.id, e.act_id FROM test_act a FULL JOIN ledger_entry e ON e.act_id = a.id"
        )
        rows = cursor.fetchall()
    entries = [entry for _, entry, _ in rows]
    assert all(act is not None and act == named for act, _, named in rows), "half an act"
    assert len({act for act, _, _ in rows}) == len(rows), "an act with two entries"
    assert Disclosures.objects.filter(pk__in=entries).count() == len(rows)
    assert CaseKey.objects.filter(pk__in=entries).count() == len(rows)
    return {str(act) for act, _, _ in rows}


def ends_whole(done: set[str]) -> None:
    assert stored() == done
    assert sequencer.run_once(AT).size == Entry.objects.count()
    assert {str(a) for a in Entry.objects.values_list("act_id", flat=True)} >= done
    assert fsck.check().problems == []


@pytest.mark.timeout(2 * 3_600)
def test_a_call_to_the_database_that_fails_leaves_an_act_whole_or_not_at_all(acts: Path) -> None:
    wanted, felt, failed, turn = size("append_faults"), 0, 0, 0
    done: set[str] = set()
    log = acts / "strace.log"
    with actor(acts) as process:
        while felt < wanted:
            # Not `sendto`: with an error there and the line whole, the client waits for the server (KNOWN, not looked into).
            call, error = "recvfrom", ERRORS[turn % len(ERRORS)]
            new = [str(ids.new_id()) for _ in range(_ACTS)]
            with injected(process, f"{call}:error={error}:when={1 + turn % 7}+{2 + turn % 5}", log):
                answer = ask(process, new)
            assert answer is not None, (call, error, process.poll())
            felt += log.read_text(errors="replace").count("(INJECTED)")
            failed, turn = failed + answer[0], turn + 1
            there = stored()
            assert done | answer[1] <= there, "an acknowledged act is not there"
            assert ask(process, new) == (0, set(new))  # the same once more, and the line is good again
            done |= set(new)
            assert stored() == done
    assert failed, "no fault was felt"
    ends_whole(done)


@pytest.mark.timeout(2 * 3_600)
def test_a_kill_at_a_call_to_the_database_leaves_an_act_whole_or_not_at_all(acts: Path) -> None:
    done: set[str] = set()
    killed = 0
    for turn in range(size("append_kills")):
        new = [str(ids.new_id()) for _ in range(2)]
        with (
            actor(acts) as process,
            injected(
                process,
                f"{CALLS[turn % len(CALLS)]}:signal=KILL:when={1 + turn // 2 % 9}",
                acts / "strace.log",
            ),
        ):
            answer = ask(process, new)
        killed += answer is None
        there = stored()
        assert done | (answer[1] if answer else set()) <= there
        with actor(acts) as again:
            assert ask(again, new) == (0, set(new))
        done |= set(new)
        assert stored() == done
    assert killed, "nobody was killed"
    ends_whole(done)
