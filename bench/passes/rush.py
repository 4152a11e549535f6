"""P16: ten times the plan, and the gates as before."""

from __future__ import annotations

import asyncio
import random  # noqa: TID251 - seeded: the same population on every run
import time
from typing import TYPE_CHECKING, Any, Final

from .bundle import compared
from .reach import Waiting
from .rows import line
from .server import GATES, Connection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .bundle import Bundle, Measured
    from .reach import Orders
    from .server import Server

#: Orders signed before the rush, and as many in it.
_ORDERS: Final = 3
#: 250,000 passages a day (passes.md §4.6), half of them in four hours: 8.7 a second; ten times that.
_PLANNED: Final = 125_000 / (4 * 3600)
_RUSH: Final = 10 * _PLANNED


def rush(server: Server, orders: Orders, bundle: Bundle, *, seconds: int) -> Iterable[dict[str, Any]]:
    """Ten times the plan, arriving by the clock whether the server keeps up or not (P16).

    A gate decides alone, so what is asked of it is that its verdict costs the same during the rush, in the code that it
    runs; what is asked of the server is that an order reaches the gates as before, that nothing accepted is lost and that
    the backlog is gone soon after.
    """
    from lianfang.credentials import queries
    from lianfang_pass.keylist import accept_key_list
    from lianfang_pass.passages import Batch, accept_receipt, encode_batch

    root, listed = queries.root_public(), queries.key_list()
    assert listed is not None
    keys = accept_key_list(listed[1], root=root, thumbprint=root.thumbprint)
    chance = random.Random(16)
    batch_of = 5  # what a gate has after the second and a half it waits
    arrivals = int(_RUSH * seconds / batch_of)
    next_seq = dict.fromkeys((d.id for d in server.devices), 1_000_000)
    before = _stored()
    delays: list[float] = []
    backlog = [0, 0]
    verdicts: list[Measured] = []
    heard: list[list[float]] = []

    async def story() -> float:
        async with Waiting(server, orders, GATES).begun() as gates:
            await watching_of(gates, 0)
            return await rushing(gates)

    async def watching_of(gates: Waiting, after: float) -> None:
        """What the gates see: their verdicts, and then how long an order takes to them."""
        await asyncio.sleep(after)
        verdicts.append(await asyncio.to_thread(bundle.measure, server, 1.0))
        heard.append(await gates.hear_of_orders(_ORDERS))

    async def rushing(gates: Waiting) -> float:
        loop = asyncio.get_running_loop()
        at = int(time.time())
        free: list[Connection] = []
        began = loop.time()

        async def one(n: int) -> None:
            due = began + n * batch_of / _RUSH
            await asyncio.sleep(max(0.0, due - loop.time()))
            device = server.devices[n % GATES]
            rows = tuple(chance.randbytes(114) for _ in range(batch_of))
            batch = Batch(device.id.bytes, next_seq[device.id], rows)
            next_seq[device.id] += batch_of
            backlog[0] += 1
            backlog[1] = max(backlog)
            connection = free.pop() if free else await Connection(server.port).__aenter__()
            path = f"/api/v1/gates/{device.gate}/passages"
            status, answer = await connection.ask("POST", path, device.header(at), encode_batch(batch))
            assert status == 201, status
            assert accept_receipt(answer, keys=keys).covers(batch)
            free.append(connection)
            backlog[0] -= 1
            delays.append(loop.time() - due)

        watch = asyncio.create_task(watching_of(gates, 0.5))
        await asyncio.gather(*(one(n) for n in range(arrivals)))
        ended = loop.time()
        assert watch.done(), "the gates were looked at longer than the rush lasted"
        await watch
        for connection in free:
            await connection.__aexit__()
        return max(0.0, ended - began - seconds)

    late = asyncio.run(story())
    delays.sort()
    accepted, kept = arrivals * batch_of, _stored() - before
    yield line(
        f"rush: {_RUSH:.0f} passages/s for {seconds} s, accepted and stored", kept, accepted, "rows", 1
    )
    yield line("rush: backlog empty after the last arrival", late, 300, "s", 1, most=True)
    yield line(
        "rush: receipt after arrival, 95 of 100", delays[int(len(delays) * 0.95)], 20, "s", 1, most=True
    )
    yield line("rush: most uploads waiting at once", backlog[1], GATES, "uploads", 1, most=True)
    yield from compared("rush: gate bundle, {} pass, during", verdicts[1], verdicts[0], "before")
    yield line(f"rush: order → {GATES} gates, slowest, before", heard[0][-1], 1, "s", 1, most=True)
    yield line(f"rush: order → {GATES} gates, slowest, during", heard[1][-1], 1, "s", 1, most=True)
    yield line(
        "rush: order → gates, middle, during against before",
        heard[1][len(heard[1]) // 2],
        heard[0][len(heard[0]) // 2],
        "s",
    )


def _stored() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM gates_passage")
        return int(cursor.fetchone()[0])
