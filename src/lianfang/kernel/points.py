"""Named fault points: places at which a test kills the process. Off unless LIANFANG_FAULT names one."""

from __future__ import annotations

import os
import signal

_wanted, _, _nth = os.environ.get("LIANFANG_FAULT", "").partition(":")
_left = int(_nth or "1")


def point(name: str) -> None:
    """Kill this process (SIGKILL) at the n-th passage of `name` when LIANFANG_FAULT is `name:n`."""
    global _left
    if name == _wanted:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
