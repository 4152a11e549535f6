"""From the signature of an isolation order to the last of the gates that wait."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .rows import line
from .server import GATES, SHARD, Connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from lianfang.kernel.actor import Actor
    from lianfang.orders.actions import IsolationDraft

    from .server import Device, Server


class Orders:
    """Orders ready to be signed, each of somebody with a paper pass."""

    def prepare(self, server: Server, count: int) -> None:
        """People with a home and a pass, what is known of each, and the whole list that names none of them yet."""
        from tests.factories.orders import ROOT, a_draft, an_incident, officer
        from tests.factories.people import a_dwelling, a_person

        from lianfang.accounts.rights import Role
        from lianfang.credentials import queries
        from lianfang.gates import jobs, passes, publisher
        from lianfang.kernel import clock, ids
        from lianfang.kernel.row_security import scope
        from lianfang_pass import statuslist
        from lianfang_pass.keylist import accept_key_list

        now = clock.now()
        an_incident(
            at=now, shift_days=(clock.legal_day(now) - clock.legal_day(now).replace(2020, 2, 10)).days
        )
        self._ready: deque[tuple[IsolationDraft, Actor, int]] = deque()
        anchor = now - timedelta(hours=3)
        for n in range(count):
            person = a_person("测试", area=a_dwelling(f"{n + 1}-1-0101"), numbered=False)
            with scope(areas=[ROOT]):
                card = passes.PaperPassDraft(id=ids.new_id(), person_id=person)
                issued = passes.give_paper_pass(card, by=officer(Role.COMMUNITY, at=now))
                assert issued.shard == SHARD, issued.shard
                draft = a_draft(person, anchor_at=anchor)
            # An officer signs few alone in a day: each order has its own.
            self._ready.append((draft, officer(Role.CDC, at=now), issued.index))
        publisher.run_once(now)
        jobs.keep(now)  # what was uploaded before is counted before anything is timed
        root, listed, files = queries.root_public(), queries.key_list(), queries.files(SHARD)
        assert listed is not None
        assert files is not None
        self.keys = accept_key_list(listed[1], root=root, thumbprint=root.thumbprint)
        self.start = statuslist.accept_list(files.whole, files.until, uri=queries.uri(SHARD), keys=self.keys)

    def next_index(self) -> int:
        """The row of the next order's holder."""
        return self._ready[0][2]

    def sign(self) -> None:
        """The act itself, in its own transaction: lock, right, rules, chain entry, slips, owed notice, signal."""
        from django.db import connection
        from tests.factories.orders import ROOT

        from lianfang.kernel import clock
        from lianfang.kernel.row_security import scope
        from lianfang.orders import actions

        draft, by, _ = self._ready.popleft()
        try:
            with scope(areas=[ROOT]):
                actions.issue_isolation(draft, by=replace(by, at=clock.now()))
        finally:
            connection.close()


class Waiting:
    """Gates that hold a list and wait for the next change, each on a connection of its own.

    Each of the 552 gates verifies the delta itself; of thousands simulated in this one process, those that get
    the same bytes share one verification, as each would make it on a machine of its own.
    """

    def __init__(self, server: Server, orders: Orders, count: int) -> None:
        self._server, self._orders, self._count = server, orders, count
        self._gates: list[asyncio.Task[None]] = []
        self._reached = asyncio.Event()
        self._wanted: int | None = None
        self._took: list[float] = []
        self._verified: dict[tuple[int, bytes], Any] = {}

    @contextlib.asynccontextmanager
    async def begun(self) -> AsyncIterator[Waiting]:
        at = int(time.time())
        for n in range(self._count):
            device = self._server.devices[n % GATES]
            self._gates.append(asyncio.create_task(self._gate(device, device.header(at))))
            if n % 200 == 199:
                # Not all in one instant: so they come in earnest, 0-10 s after a cut.
                await asyncio.sleep(0.1)
        await asyncio.sleep(3 + self._count / 1000)
        try:
            yield self
        finally:
            for task in self._gates:
                task.cancel()
            await asyncio.gather(*self._gates, return_exceptions=True)

    async def hear_of_orders(self, count: int) -> list[float]:
        """Sign so many orders one after another; after how many seconds each gate had applied each, sorted."""
        self._took = []
        for _ in range(count):
            before, self._wanted = len(self._took), self._orders.next_index()
            self._reached.clear()
            self._begun = time.perf_counter()
            await asyncio.to_thread(self._orders.sign)
            arrived = asyncio.create_task(self._reached.wait())
            await asyncio.wait([arrived, *self._gates], timeout=60, return_when=asyncio.FIRST_COMPLETED)
            for task in self._gates:
                if task.done():
                    task.result()
            assert self._reached.is_set(), f"only {len(self._took) - before} gates of {self._count} heard"
            await asyncio.sleep(0.5)
        return sorted(self._took)

    async def _gate(self, device: Device, header: str) -> None:
        from lianfang_pass.statuslist import ListStatus

        held, heard_of = self._orders.start, None
        async with Connection(self._server.port) as connection:
            while True:
                path = f"/s/{SHARD}/d?v={held.version}&wait=25&last=0"
                status, body = await connection.ask("GET", path, header)
                assert status in (200, 304), status
                if status != 200:
                    continue
                held = self._applied(held, body)
                row = held.row(self._wanted) if self._wanted not in (None, heard_of) else None
                if row is not None and row.status is ListStatus.SUSPENDED:
                    heard_of = self._wanted
                    self._took.append(time.perf_counter() - self._begun)
                    if len(self._took) % self._count == 0:
                        self._reached.set()

    def _applied(self, held: Any, body: bytes) -> Any:
        if self._count <= GATES:
            return _stepped(held, body, self._orders.keys)
        if (held.version, body) not in self._verified:
            self._verified[held.version, body] = _stepped(held, body, self._orders.keys)
        return self._verified[held.version, body]


def to_every_gate(server: Server, orders: Orders, *, waiting: int, changes: int) -> Iterable[dict[str, Any]]:
    """The order is signed → the verified delta is applied at each of the waiting gates."""

    async def story() -> list[float]:
        async with Waiting(server, orders, waiting).begun() as gates:
            return await gates.hear_of_orders(changes)

    cpu = server.cpu()
    took = asyncio.run(story())
    cpu = server.cpu() - cpu
    name = f"order signed → applied at {waiting:,} waiting gates"
    yield {**line(f"{name}, slowest", took[-1], 1, "s", 1, most=True), "cpu_ms": cpu / len(took) * 1000}
    yield line(f"{name}, middle", took[len(took) // 2], 1, "s", 1, most=True)


def _stepped(held: Any, body: bytes, keys: Any) -> Any:
    from lianfang_chain import cbor
    from lianfang_pass import statuslist

    steps = cbor.decode(body, max_bytes=10**6)
    assert isinstance(steps, list)
    for step in steps:
        assert isinstance(step, bytes)
        held = statuslist.accept_delta(step, keys=keys, held=held)
    return held
