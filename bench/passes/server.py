"""The gate front and the publisher in processes of their own, a gate with its devices, and a client of few lines."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

GATES: Final = 552
#: The street in which the people of the benchmark live, and its list.
SHARD: Final = "510402001"


@dataclass
class Device:
    id: UUID
    gate: UUID
    key: Any

    def header(self, at: int) -> str:
        from lianfang_pass import cose

        token = cose.sign1({}, {2: self.id.hex, 3: "LF", 6: at}, key=self.key)
        return "LF-Device " + base64.urlsafe_b64encode(token).rstrip(b"=").decode()


class Server:
    """The gate front in a process of its own, a gate, and devices enrolled at it."""

    def __enter__(self) -> Server:
        from lianfang.credentials import actions as credentials
        from lianfang.gates import jobs
        from lianfang.gates.models import Device as DeviceRow
        from lianfang.gates.models import Gate
        from lianfang.kernel import clock, ids
        from lianfang_pass.keys import PublicKey, private_key_from_seed

        now = clock.now()
        credentials.rotate_keys(now)
        credentials.publish(SHARD, [], now)
        jobs.ensure_partitions(now)
        gate = Gate.objects.create(
            id=ids.new_id(), name="bench", kind="road", area="d510402", shards=[SHARD], phone="0"
        )
        self.devices = []
        for n in range(GATES):
            key = private_key_from_seed(bytes(30) + (n + 1).to_bytes(2, "big"))
            self.devices.append(Device(ids.new_id(), gate.pk, key))
        DeviceRow.objects.bulk_create(
            DeviceRow(id=d.id, gate=gate, point=PublicKey.of(d.key).point(), enrolled_at=now)
            for d in self.devices
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "uvicorn", "bench.passes.serving:app", "--port", str(self.port),
                "--log-level", "critical", "--timeout-graceful-shutdown", "1", "--no-access-log", "--loop", "uvloop", "--http", "httptools",
            ],
            env=_environment(),
        )  # fmt: skip
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(20)

    def cpu(self) -> float:
        """Seconds of CPU the server process has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Connection:
    """HTTP/1.1 with keep-alive, no more than is needed."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def __aenter__(self) -> Connection:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def ask(self, method: str, path: str, authorization: str, body: bytes = b"") -> tuple[int, bytes]:
        """Ask, on a new connection if the server has closed the one that was idle, as it does after 5 s."""
        try:
            return await self._ask(method, path, authorization, body)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.writer.close()
            await self.__aenter__()
            return await self._ask(method, path, authorization, body)

    async def _ask(self, method: str, path: str, authorization: str, body: bytes) -> tuple[int, bytes]:
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self.writer.write(head.encode() + body)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        status = int(answer[9:12])
        length = 0
        for line in answer.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return status, await self.reader.readexactly(length) if length and status != 304 else b""


@contextlib.contextmanager
def publishing() -> Iterator[None]:
    """The publisher at work beside us."""
    working = subprocess.Popen([sys.executable, "-m", "bench.passes.serving"], env=_environment())
    time.sleep(5)
    try:
        yield
    finally:
        working.terminate()
        working.wait(20)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.getcwd()}
