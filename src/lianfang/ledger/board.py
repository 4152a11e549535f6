"""The chain's alarms where every page can see them without a question to the database: one small file.

The worker writes it every few seconds (`jobs.loop`); pages read it. When it has grown old, nobody sequences, and that
is an alarm itself. Nothing waits for any of this; what frees has long been in force.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from lianfang_chain.witness.store import write_whole

from .policy import ALARM_AFTER_SECONDS
from .queries import Alarm, alarms, worst_first

if TYPE_CHECKING:
    from collections.abc import Sequence


def _file() -> Path:
    return Path(settings.LIANFANG_DATA) / "run" / "chain-alarms.json"


def write(at: datetime, more: Sequence[Alarm] = (), *, failed: bool = False) -> None:
    """Write down what is wrong at this instant; `more` is what only the worker knows.

    :param failed: the round of this instant stopped with a fault; when all have for a minute, that is an alarm
    """
    failing_since = (_read().get("failing_since") or int(at.timestamp())) if failed else None
    if failing_since is not None and at.timestamp() - failing_since > ALARM_AFTER_SECONDS:
        more = (*more, Alarm("rounds_fail", datetime.fromtimestamp(failing_since, UTC), {}))
    known = worst_first((*alarms(at), *more))
    found = [[alarm.code, int(alarm.since.timestamp()), alarm.facts] for alarm in known]
    _file().parent.mkdir(parents=True, exist_ok=True)
    write_whole(_file(), json.dumps({"alarms": found, "failing_since": failing_since}).encode())


def shown() -> Sequence[Alarm]:
    """What was wrong a few seconds ago, the worst first; nothing before the worker's first round.

    A file that is not whole says nothing of the worker's rounds, which is the same alarm as none in a minute.
    """
    try:
        written = _file().stat().st_mtime
    except FileNotFoundError:
        return ()
    try:
        found = [
            Alarm(code, datetime.fromtimestamp(since, UTC), {**facts})
            for code, since, facts in _read()["alarms"]
        ]
        silent = time.time() - written > ALARM_AFTER_SECONDS
    except (KeyError, TypeError, ValueError, OverflowError):
        found, silent = [], True
    if silent:
        found.append(Alarm("not_sequenced", datetime.fromtimestamp(written, UTC), {}))
    return found


def of_the_worker() -> list[Alarm]:
    """Of these, what the database does not know."""
    return [alarm for alarm in shown() if alarm.code in ("rounds_fail", "not_sequenced")]


def _read() -> dict[str, Any]:
    """The file; nothing where there is none, or none that is whole, until the worker writes the next."""
    try:
        content = json.loads(_file().read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
