"""The line to the database is cut at every turn of append and of the sequencer: a clear stop, and the next round goes on."""

from __future__ import annotations

import json
import random  # noqa: TID251 - seeded
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Count, Max, Min
from tests.factories.ledger import AT
from tests.ledger.cut_line import WAYS, CutLine
from tests.sizes import size

from lianfang.ledger import fsck, sequencer
from lianfang.ledger.models import Checkpoint, Entry

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

_EACH = 50


@pytest.mark.timeout(2 * 3_600)  # by command it cuts thousands of times
def test_a_line_that_is_cut_loses_nothing_and_publishes_nothing_untrue(chain: Path) -> None:
    usual, here = connection.settings_dict, Path(__file__).parents[2]
    with CutLine(f"{usual['HOST']}/.s.PGSQL.{usual['PORT'] or 5432}") as line:
        by = json.dumps({"HOST": "127.0.0.1", "PORT": str(line.port)})
        words = [sys.executable, "-m", "tests.ledger.faulted", usual["NAME"], str(chain), by]
        with subprocess.Popen(
            words, cwd=here, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"

            def go(rounds: int) -> tuple[int, int, set[UUID]]:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(f"{rounds}\n")
                process.stdin.flush()
                _, failed, largest, acknowledged = process.stdout.readline().rstrip("\n").split(" ")
                return int(failed), int(largest), {UUID(a) for a in acknowledged.split(",") if a}

            _, largest, acknowledged = go(2)
            before = line.turns
            acknowledged |= go(1)[2]
            # Of one append and one round: the three of the append, then the others, in no order so that few are spread.
            places = [(turn, way) for turn in range(1, 1 + line.turns - before) for way in WAYS]
            generator = random.Random(7)
            generator.shuffle(places)
            places.sort(key=lambda place: place[0] > 3)
            for n in range(size("publish_cuts")):
                happened = line.happened.total()
                # The second falls into what follows: the new connection, or the next round.
                line.cut(places[n % len(places)], generator.choice(places))
                failed, seen, new = go(2)
                line.cut()
                acknowledged |= go(1)[2]  # on a line that is good again
                assert failed or line.happened.total() - happened < 2
                acknowledged |= new
                largest = max(largest, seen)
                _is_whole(new, largest)
                if n % _EACH == 0:  # it reads everything
                    assert fsck.check().problems == []
            process.stdin.close()
    assert {way for _, way in line.happened} == set(WAYS)
    assert {at_commit for at_commit, _ in line.happened} == {True, False}
    assert fsck.check().problems == []
    assert acknowledged <= set(Entry.objects.values_list("pk", flat=True))


def _is_whole(acknowledged: set[UUID], seen: int) -> None:
    while (done := sequencer.run_once(AT)).busy:
        pass  # the server has not yet noticed who is gone, and holds the lock
    assert done.size >= seen
    assert Entry.objects.filter(pk__in=acknowledged).count() == len(acknowledged)
    # No place is taken twice (the schema), so these say that none is left out either.
    rows = Entry.objects.aggregate(count=Count("pk"), first=Min("idx"), last=Max("idx"))
    assert rows == {"count": done.size, "first": 0, "last": done.size - 1}
    assert Checkpoint.objects.filter(size=done.size).count() == 1
