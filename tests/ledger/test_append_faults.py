"""The calls of append to the database fail in turn, or the process is killed at one: an act is stored whole or not at all.

What comes after a lost answer is what a person does: the same act once more, under the same id. It is never stored twice.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection
from tests.factories.ledger import AT
from tests.ledger.cut_line import WAYS, CutLine
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
def actor(folder: Path, **by: Any) -> Iterator[subprocess.Popen[str]]:
    name = connection.settings_dict["NAME"]
    words = [sys.executable, "-m", "tests.ledger.acting", name, str(folder), json.dumps(by)]
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
    """How many failed, and which acts it was told are stored; None when it was killed."""
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


#: One statement: a transaction that still commits is in it whole or not at all.
_STORED = """
SELECT a.id, e.act_id, d.entry_id IS NOT NULL AND k.entry_id IS NOT NULL
FROM (SELECT id FROM test_act WHERE id >= %(first)s) a
FULL JOIN (SELECT id, act_id FROM ledger_entry WHERE act_id >= %(first)s) e ON e.act_id = a.id
LEFT JOIN ledger_disclosures d ON d.entry_id = e.id
LEFT JOIN ledger_casekey k ON k.entry_id = e.id
"""


def stored(first: str = str(UUID(int=0))) -> set[str]:
    """The acts in the database from this one on, each whole: a row, one entry, its disclosures and their key; none beside."""
    with connection.cursor() as cursor:
        cursor.execute(_STORED, {"first": first})
        rows = cursor.fetchall()
    assert all(act is not None and act == named and sealed for act, named, sealed in rows), "half an act"
    assert len({act for act, _, _ in rows}) == len(rows), "an act with two entries"
    return {str(act) for act, _, _ in rows}


def ends_whole(done: set[str]) -> None:
    assert stored() == done
    assert Disclosures.objects.count() == CaseKey.objects.count() == len(done)
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
            call, error = "recvfrom", ERRORS[turn % len(ERRORS)]
            new = [str(ids.new_id()) for _ in range(_ACTS)]
            with injected(process, f"{call}:error={error}:when={1 + turn % 7}+{2 + turn % 5}", log):
                answer = ask(process, new)
            assert answer is not None, (call, error, process.poll())
            felt += log.read_text(errors="replace").count("(INJECTED)")
            failed, turn = failed + answer[0], turn + 1
            assert answer[1] <= stored(new[0]), "an acknowledged act is not there"
            assert ask(process, new) == (0, set(new))  # the same once more, and the line is good again
            assert stored(new[0]) == set(new)
            done |= set(new)
    assert failed, "no fault was felt"
    ends_whole(done)


def test_a_sending_that_fails_while_the_line_is_whole_ends_with_the_patience_of_the_server(
    acts: Path,
) -> None:
    """libpq waits for what the server says about it, and the server for the statement that it never got.

    So it was seen to wait for ever. A real line that answers a sending with ECONNRESET is cut, and reading from it fails at
    once (the next test); a whole one fails so only where the kernel has no memory left.
    """
    options = {**settings.DATABASES["default"]["OPTIONS"]}
    assert options["options"] == "-c idle_in_transaction_session_timeout=5min"  # which no test can wait for
    options["options"] = "-c idle_in_transaction_session_timeout=500ms"
    done: set[str] = set()
    with actor(acts, OPTIONS=options) as process:
        for error in ("ENOBUFS", "ECONNRESET"):
            # KNOWN: the first, BEGIN, still waits for ever: there is no transaction yet whose patience could end.
            for sending in (2, 3, 4):
                new = {str(ids.new_id())}
                with injected(process, f"sendto:error={error}:when={sending}", acts / "strace.log"):
                    answer = ask(process, [*new])
                assert answer is not None
                assert "(INJECTED)" in (acts / "strace.log").read_text(errors="replace")
                assert answer[1] <= stored(*new)
                # On a slow machine a statement may come too late for so little patience; then once more.
                while ask(process, [*new]) != (0, new):
                    pass
                assert stored(*new) == new
                done |= new
    ends_whole(done)


@pytest.mark.timeout(3_600)
def test_a_line_to_the_database_that_is_cut_anywhere_leaves_an_act_whole_or_not_at_all(
    acts: Path,
) -> None:
    usual = connection.settings_dict
    done: set[str] = set()
    socket = f"{usual['HOST']}/.s.PGSQL.{usual['PORT'] or 5432}"
    with CutLine(socket) as line, actor(acts, HOST="127.0.0.1", PORT=str(line.port)) as process:

        def whole(new: list[str]) -> None:
            told = ask(process, new)
            if told and told[0]:  # what was cut behind the last answer fails here
                told = ask(process, new)
            assert told == (0, set(new))
            assert stored(new[0]) == set(new)
            done.update(new)

        def three() -> list[str]:
            return [str(ids.new_id()) for _ in range(3)]

        whole(three())  # prepares the statement, so it takes more turns than later ones
        before = line.turns
        whole(three())
        turns = line.turns - before
        for n in range(size("append_cuts")):
            new, committed, open_ends = three(), line.committed, line.happened[True, "behind"]
            # The second falls into what follows: the new connection, or the next act on it.
            line.cut((1 + n % turns, WAYS[n // turns % len(WAYS)]), (1 + n % 11, WAYS[n % len(WAYS)]))
            answer = ask(process, new)
            line.cut()
            assert answer is not None, process.poll()
            there = stored(new[0])
            assert answer[1] <= there, "an acknowledged act is not there"
            if line.happened[True, "behind"] == open_ends:  # else the server may still be at a commit
                assert len(there) == line.committed - committed
            whole(new)
    assert set(line.happened) == {(at_commit, way) for at_commit in (True, False) for way in WAYS}
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
        assert (answer[1] if answer else set()) <= stored(new[0])
        with actor(acts) as again:
            assert ask(again, new) == (0, set(new))
        assert stored(new[0]) == set(new)
        done |= set(new)
    assert killed, "nobody was killed"
    ends_whole(done)
