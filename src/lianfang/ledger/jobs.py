"""What the worker does for the chain: a round each second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from lianfang.kernel import clock

from .sequencer import Sequencer

if TYPE_CHECKING:
    import threading

_EVERY_SECONDS: Final = 1.0


def loop(stop: threading.Event) -> None:
    """Sequence, publish and collect cosignatures each second until told to stop."""
    sequencer = Sequencer()
    try:
        while not stop.is_set():
            began = time.monotonic()
            sequencer.run_once(clock.now())
            stop.wait(max(0.05, _EVERY_SECONDS - (time.monotonic() - began)))
    finally:
        sequencer.close()
