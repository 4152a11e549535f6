"""P8: verdicts of the gate's code, built as the gate is built, in a Node process that asks the server meanwhile."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lianfang.config.islands import WEB, ensure_built, node_executable

from .rows import line
from .server import SHARD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .server import Server


@dataclass(frozen=True, slots=True)
class Measured:
    """Verdicts and bare verifications for each second of CPU, and what became of the questions that the same process
    put to the server.
    """

    bare: float
    paper: float
    phone: float
    answered: int
    failed: int

    def cost(self, what: str) -> float:
        """A verdict in bare verifications of the same moment, which a busy neighbour makes slower alike."""
        found: float = getattr(self, what)
        return self.bare / found


class Bundle:
    """The process. It is asked for one measure at a time."""

    def __enter__(self) -> Bundle:
        ensure_built()
        self._process = subprocess.Popen(
            [str(node_executable()), str(WEB / "bench" / "steady.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._read() == {"ready": True}
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def measure(self, server: Server, seconds: float) -> Measured:
        """Verdicts for some seconds, with questions for the list ten times a second beside them."""
        assert self._process.stdin is not None
        asked = {
            "seconds": seconds,
            "url": f"http://127.0.0.1:{server.port}/s/{SHARD}/d?v=999999&wait=0&last=0",
            "authorization": server.devices[0].header(int(time.time())),
        }
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return Measured(**self._read())

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


def with_the_server_stopped(
    bundle: Bundle, server: Server, answering: Measured, seconds: float
) -> Iterable[dict[str, Any]]:
    """A gate decides alone: the same verdicts with the server gone as with it answering."""
    stopped = bundle.measure(server, seconds)
    assert answering.answered, "the server that answers did not answer"
    assert not answering.failed, "the server that answers did not always answer"
    assert stopped.failed, "the server that is stopped was not asked"
    assert not stopped.answered, "the server that is stopped answers"
    yield from compared("P8 gate bundle, {} pass, server stopped", stopped, answering, "server answering")


def compared(name: str, one: Measured, other: Measured, of_other: str) -> Iterable[dict[str, Any]]:
    """What a verdict costs in two measures: it may cost a twentieth more in the first."""
    for what in ("paper", "phone"):
        yield line(
            name.format(what),
            one.cost(what),
            other.cost(what),
            f"bare verifications a check, {getattr(one, what):,.0f} checks/s CPU (limit: {of_other},"
            f" {getattr(other, what):,.0f})",
            1.05,
            most=True,
        )
