"""Starts, watches and stops the processes of one installation.

A process that ends is started again, a second later, then two, at most thirty. So is the embedded database; it
runs in its own session and outlives a killed supervisor, and the next start finds it and uses it. All others end with
their supervisor, or they would hold the ports of the next.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

LONGEST_PAUSE: Final = 30.0
#: A process that has run this long is taken as well, and its next restart is quick again.
_SETTLED_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 15.0
_PR_SET_PDEATHSIG: Final = 1


@dataclass
class Process:
    """One supervised process.

    :ivar health: address that answers when it is ready, or None when running is enough
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    health: str | None = None
    handle: subprocess.Popen[bytes] | None = None
    pause: float = 1.0
    started: float = 0.0
    due: float = field(default=0.0)

    def start(self) -> None:
        """Start it; its output goes to its log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.handle = subprocess.Popen(
                list(self.command),
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=_end_with_us,  # safe: the supervisor has one thread
            )
        self.started = time.monotonic()

    def watch(self) -> None:
        """Start it again if it has ended and its pause is over."""
        if self.handle is None or self.handle.poll() is None:
            return
        at = time.monotonic()
        if not self.due:
            if at - self.started > _SETTLED_SECONDS:
                self.pause = 1.0
            say(
                f"{self.name} ended ({self.handle.returncode}); it starts again in {self.pause:.0f} s. Log: {self.log}"
            )
            self.due = at + self.pause
            self.pause = min(self.pause * 2, LONGEST_PAUSE)
        elif at >= self.due:
            self.due = 0.0
            self.start()

    def ready(self) -> bool:
        """Whether it answers."""
        if self.handle is None or self.handle.poll() is not None:
            return False
        if self.health is None:
            return True
        return answers(self.health)


def _end_with_us() -> None:
    """In the child: be told to end when the supervisor is gone, however it went (prctl(2); Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def answers(address: str) -> bool:
    """Whether something answers at the address with less than a server error.

    The certificate is not looked at: this asks our own process on our own machine whether it is up.
    """
    import ssl

    unverified = ssl._create_unverified_context()  # noqa: S323 - see above
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=unverified)
    )
    try:
        with opener.open(address, timeout=2) as response:
            return bool(response.status < 500)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def open_port(address: str, port: int) -> None:
    """Open the port for a moment, as a server of ours would.

    :raises OSError: it is taken, or not ours to open
    """
    with socket.socket() as probe:
        # What an ended process leaves is no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, port))


def say(text: str) -> None:
    """One line of progress."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def wait_until_ready(processes: Sequence[Process], *, seconds: float) -> list[str]:
    """Wait for all to answer; returns the names of those that did not in time."""
    deadline = time.monotonic() + seconds
    waiting = list(processes)
    while waiting and time.monotonic() < deadline:
        waiting = [p for p in waiting if not p.ready()]
        for process in waiting:
            process.watch()
        time.sleep(0.1)
    return [p.name for p in waiting]


def run(processes: Sequence[Process], tend: Callable[[], None] = lambda: None) -> None:
    """Watch until SIGINT or SIGTERM, then stop all of them.

    :param tend: what else is looked after, called each time round
    """
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, stop)
    while not stopping:
        for process in processes:
            process.watch()
        tend()
        time.sleep(0.2)
    stop_all(processes)


def stop_all(processes: Sequence[Process]) -> None:
    """Ask each to stop, then wait; what does not end in time is killed."""
    for process in processes:
        if process.handle is not None:
            with contextlib.suppress(ProcessLookupError):
                process.handle.terminate()
    deadline = time.monotonic() + _STOP_SECONDS
    for process in processes:
        if process.handle is None:
            continue
        try:
            process.handle.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.handle.kill()
            process.handle.wait()
