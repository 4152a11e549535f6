"""P7: passages stored through HTTP with receipts, against COPY."""

from __future__ import annotations

import asyncio
import random  # noqa: TID251 - seeded: the same population on every run
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final

from .rows import line
from .server import GATES, Connection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .server import Device, Server

_BATCH: Final = 100
_CLIENTS: Final = 8
#: Ours and COPY take turns of so many batches.
_TURN: Final = 100


def uploads(server: Server, *, batches: int) -> Iterable[dict[str, Any]]:
    """Rows stored through HTTP, each batch with a verified receipt, against COPY in equal batches."""
    import psycopg

    from lianfang.credentials import queries
    from lianfang.gates.storage import parameters
    from lianfang_pass.keylist import accept_key_list
    from lianfang_pass.passages import Batch, accept_receipt, encode_batch

    root, listed = queries.root_public(), queries.key_list()
    assert listed is not None
    keys = accept_key_list(listed[1], root=root, thumbprint=root.thumbprint)
    chance = random.Random(7)
    # Sealed rows are noise to the server: 65 bytes of a point, 33 of a passage, 16 of a tag.
    work = []
    for n in range(batches):
        device = server.devices[n % GATES]
        rows = tuple(chance.randbytes(114) for _ in range(_BATCH))
        work.append((device, Batch(device.id.bytes, 1 + _BATCH * (n // GATES), rows)))
    bodies = {batch: encode_batch(batch) for _, batch in work}
    at = int(time.time())
    headers = {device.id: device.header(at) for device in server.devices}
    answers: list[tuple[bytes, Batch]] = []

    async def send(connection: Connection, queue: list[tuple[Device, Batch]]) -> None:
        while queue:
            device, batch = queue.pop()
            path = f"/api/v1/gates/{device.gate}/passages"
            status, answer = await connection.ask("POST", path, headers[device.id], bodies[batch])
            assert status == 201, (status, answer)
            answers.append((answer, batch))

    ours, copied, cpu = 0.0, 0.0, 0.0

    async def turns() -> None:
        """Ours and COPY in turns, so that a machine that is busy for a moment slows both; all connections stay open."""
        nonlocal ours, copied, cpu
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(Connection(server.port)) for _ in range(_CLIENTS)]
            writers = [
                await stack.enter_async_context(await psycopg.AsyncConnection.connect(**parameters()))
                for _ in range(_CLIENTS)
            ]
            for begin in range(0, batches, _TURN):
                turn = work[begin : begin + _TURN]
                before, began = server.cpu(), time.perf_counter()
                queue = list(reversed(turn))
                await asyncio.gather(*(send(client, queue) for client in clients))
                turned = time.perf_counter()
                queue = list(reversed(turn))
                await asyncio.gather(*(_copy(writer, queue) for writer in writers))
                if begin:  # what is done once, connecting and preparing, is done in the first turn
                    ours += turned - began
                    copied += time.perf_counter() - turned
                    cpu += server.cpu() - before

    with psycopg.connect(**parameters()) as one:
        one.execute(
            "CREATE TABLE bench_copy (device uuid, seq bigint, gate uuid, received_at timestamptz, sealed bytea)"
        )
    asyncio.run(turns())
    assert all(accept_receipt(answer, keys=keys).covers(batch) for answer, batch in answers)
    sent = (batches - _TURN) * _BATCH
    row = line(
        "P7 passages by HTTP with receipts, batches of 100",
        sent / ours,
        sent / copied,
        "rows/s (limit: COPY)",
        0.5,
    )
    yield {**row, "cpu_ms": cpu / sent * 1000}
    yield line("    against the worst minute known of a province", sent / ours, 23_300, "rows/s", 1)


async def _copy(connection: Any, queue: list[tuple[Device, Any]]) -> None:
    from lianfang.kernel import clock

    at = clock.now()
    while queue:
        device, batch = queue.pop()
        async with (
            connection.transaction(),
            connection.cursor() as cursor,
            cursor.copy("COPY bench_copy FROM STDIN (FORMAT binary)") as copy,
        ):
            copy.set_types(["uuid", "int8", "uuid", "timestamptz", "bytea"])
            for n, row in enumerate(batch.rows):
                await copy.write_row((device.id, batch.from_seq + n, device.gate, at, row))
