"""The chain's alarms where every page can see them without a question to the database: one small file.

The worker writes it every few seconds (`jobs.loop`); pages read it. When it has grown old, nobody sequences, and that
is an alarm itself. Nothing waits for any of this; what frees has long been in force.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from lianfang_chain.witness.store import write_whole

from .policy import ALARM_AFTER_SECONDS
from .queries import Alarm, alarms

if TYPE_CHECKING:
    from collections.abc import Sequence


def _file() -> Path:
    return Path(settings.LIANFANG_DATA) / "run" / "chain-alarms.json"


def write(at: datetime) -> None:
    """Write down what is wrong at this instant."""
    found = [[alarm.code, int(alarm.since.timestamp())] for alarm in alarms(at)]
    _file().parent.mkdir(parents=True, exist_ok=True)
    write_whole(_file(), json.dumps(found).encode())


def shown() -> Sequence[Alarm]:
    """What was wrong a few seconds ago, the worst first; nothing before the worker's first round."""
    try:
        written = _file().stat().st_mtime
        found = [
            Alarm(code, datetime.fromtimestamp(since, UTC), {})
            for code, since in json.loads(_file().read_bytes())
        ]
    except FileNotFoundError:
        return ()
    if time.time() - written > ALARM_AFTER_SECONDS:
        found.append(Alarm("not_sequenced", datetime.fromtimestamp(written, UTC), {}))
    return found
