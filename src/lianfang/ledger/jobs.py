"""What the worker does for the chain: a round each second, and every five a look at files and alarms."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from lianfang.kernel import clock

from . import board
from .queries import Alarm
from .sequencer import Sequencer
from .watching import Watch

if TYPE_CHECKING:
    import threading

    from .announcing import Names

_EVERY_SECONDS: Final = 1.0
_TELL_SECONDS: Final = 5.0


def loop(stop: threading.Event, *, names: Names) -> None:
    """Sequence, publish and collect cosignatures each second until told to stop."""
    sequencer, watch, told = Sequencer(names=names), Watch(), 0.0
    damaged: list[Alarm] = []
    try:
        while not stop.is_set():
            began, failed = time.monotonic(), True
            try:
                sequencer.run_once(clock.now())
                failed = False
            finally:  # a round that stops is what the alarms are about
                if began - told >= _TELL_SECONDS:
                    watch.look()
                    damaged = [*damaged, Alarm("damaged", clock.now(), {})][:1] if watch.damaged else []
                    board.write(clock.now(), damaged, failed=failed)
                    told = began
            stop.wait(max(0.05, _EVERY_SECONDS - (time.monotonic() - began)))
    finally:
        sequencer.close()
