"""What the worker does for the chain: a round each second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from lianfang.kernel import clock

from . import board
from .sequencer import Sequencer

if TYPE_CHECKING:
    import threading

_EVERY_SECONDS: Final = 1.0
_TELL_SECONDS: Final = 5.0


def loop(stop: threading.Event) -> None:
    """Sequence, publish and collect cosignatures each second until told to stop."""
    sequencer, told = Sequencer(), 0.0
    try:
        while not stop.is_set():
            began = time.monotonic()
            try:
                sequencer.run_once(clock.now())
            finally:  # a round that stops is what the alarms are about
                if began - told >= _TELL_SECONDS:
                    board.write(clock.now())
                    told = began
            stop.wait(max(0.05, _EVERY_SECONDS - (time.monotonic() - began)))
    finally:
        sequencer.close()
