"""A real line: the server in a process of its own, and a TCP proxy before it on which connections go wrong."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random  # noqa: TID251 - seeded by who opens the line
import socket
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What becomes of a connection, and how often of a hundred.
FAULTS: Final = {
    "refused": 10,  # cut before anything was sent
    "cut": 10,  # in the middle of the request
    "half open": 2,  # half a request, then nothing, and nobody says so
    "drip": 5,  # a sixteenth of the request at a time
    "answer lost": 14,
    "answer cut": 6,
    "double": 10,  # the same request twice at once
    "portal": 10,
    "good": 33,
}
PORTAL: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 7\r\n\r\n<html/>"
#: Seconds until a half-open connection is given up on the way, as a router forgets one.
FORGOTTEN: Final = 0.4


@contextlib.contextmanager
def served() -> Iterator[int]:
    """The application as it is served, on the database of this test. Yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "tests.gates.line_server:application", "--port", str(port),
         "--no-access-log", "--log-level", "error", "--timeout-graceful-shutdown", "1"],
        env={**os.environ, "LINE_DATABASE": str(connection.settings_dict["NAME"]), "LIANFANG_POOL": "12"},
    )  # fmt: skip
    try:
        for _ in range(600):
            assert process.poll() is None, "the server ended"
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        else:
            raise TimeoutError("the server does not listen")
        yield port
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


class Line:
    """A proxy to `port`. Each connection carries one request and one answer."""

    def __init__(self, port: int, chance: random.Random) -> None:
        self._to, self._chance = port, chance
        self.happened: Counter[str] = Counter()
        self.port = 0

    async def __aenter__(self) -> Line:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        [fault] = self._chance.choices(list(FAULTS), list(FAULTS.values()))
        self.happened[fault] += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self._through(fault, reader, writer)
        writer.close()

    async def _through(self, fault: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if fault == "refused":
            writer.transport.abort()
            return
        request = await whole(reader)
        half = len(request) // 2
        if fault == "portal":
            writer.write(PORTAL)
        elif fault == "cut":
            await self._ask(request[:half], hang_up=True)
            writer.transport.abort()
        elif fault == "half open":
            await self._ask(request[:half], patience=FORGOTTEN)
        elif fault == "double":
            first, second = await asyncio.gather(self._ask(request), self._ask(request))
            writer.write(self._chance.choice([first, second]))
        else:
            answer = await self._ask(request, steps=16 if fault == "drip" else 1)
            if fault == "answer lost":
                writer.transport.abort()
                return
            writer.write(answer[: len(answer) // 2] if fault == "answer cut" else answer)
        await writer.drain()

    async def _ask(
        self, request: bytes, *, steps: int = 1, hang_up: bool = False, patience: float | None = None
    ) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._to)
        try:
            step = len(request) // steps + 1
            for at in range(0, len(request), step):
                writer.write(request[at : at + step])
                await writer.drain()
                if steps > 1:
                    await asyncio.sleep(0.002)
            if hang_up:
                return b""
            return await whole(reader, patience)
        except TimeoutError:
            return b""
        finally:
            writer.close()


async def whole(reader: asyncio.StreamReader, patience: float | None = None) -> bytes:
    """One request or answer: its head, and as many bytes as the head says.

    :raises TimeoutError: nothing whole came within the patience
    """
    async with asyncio.timeout(patience):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        return head + await reader.readexactly(length)
