"""The network as it is: spells without any up to three days, cuts before and in the middle, lost answers, doubles,
shuffles, a captive portal, half-open connections, bodies that drip.

The device knows one rule: a row goes only under a receipt that covers it. The server knows one: a key is one
row. Together every passage is stored exactly once (G-1), whatever happens in between.
"""

from __future__ import annotations

import asyncio
import random  # noqa: TID251 - seeded below
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from lianfang.gates.models import Conflict, Contact
from lianfang.kernel import clock
from lianfang_pass.errors import Rejected
from tests.sizes import SIZE, size

from .asgi import Answer, FakeDevice, Trouble
from .test_front import NOW, a_gate, enrolled, run, stored

if TYPE_CHECKING:
    from lianfang_pass.passages import Batch

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_passages"),
    pytest.mark.fault,
]

SEED = 552
DEVICES = 552
#: The longest time without a network.
SPELL = timedelta(hours=72)
PASSAGES = size("passages") // DEVICES
PORTAL = Answer(200, {"content-type": "text/html"}, b"<html>Welcome to the free network</html>")


async def lossy(device: FakeDevice, batch: Batch, chance: random.Random) -> Answer | None:
    """Send a batch through a bad network. None: no answer came, whatever the server did."""
    dice = chance.random()
    if dice < 0.10:
        return None  # cut before anything was sent
    if dice < 0.20:
        await device.upload(batch, trouble=Trouble.CUT)
        return None
    if dice < 0.23:
        with suppress(TimeoutError):
            await device.upload(batch, trouble=Trouble.HALF_OPEN)
        return None
    if dice < 0.26:
        return await device.upload(batch, trouble=Trouble.SLOW)
    if dice < 0.40:
        await device.upload(batch)
        return None  # stored, and the answer lost
    if dice < 0.50:
        first, second = await asyncio.gather(device.upload(batch), device.upload(batch))
        return chance.choice([first, second])  # doubled
    if dice < 0.60:
        return PORTAL
    if dice < 0.65:
        answer = await device.upload(batch)
        return Answer(answer.status, answer.headers, answer.body[: len(answer.body) // 2])  # cut off
    return await device.upload(batch)


async def live(device: FakeDevice, chance: random.Random) -> int:
    """Write passages, send them as the network allows, forget what is receipted. Return how often it was tried."""
    queue = {seq: device.row(seq) for seq in range(1, PASSAGES + 1)}
    tries, away = 0, timedelta()
    while queue:
        tries += 1
        assert tries < 100 * PASSAGES, "the queue never empties"
        if chance.random() < 0.2:  # without a network, up to three days in all; others are elsewhere in time
            away += chance.random() * (SPELL - away)
        # Shuffles: the device may begin anywhere in what it still holds.
        begin = chance.choice(sorted(queue))
        seqs = [begin]
        while seqs[-1] + 1 in queue and len(seqs) < chance.randrange(1, 9 if SIZE == "change" else 60):
            seqs.append(seqs[-1] + 1)
        batch = device.batch(begin, [queue[seq] for seq in seqs])
        with clock.fixed(NOW + away):
            answer = await lossy(device, batch, chance)
        if answer is None or answer.status != 201:
            continue
        try:
            receipt = device.receipt(answer)
        except Rejected:
            continue
        if receipt.covers(batch):
            for seq in seqs:
                del queue[seq]
    return tries


@pytest.mark.timeout({"change": 300, "nightly": 3600, "release": 8 * 3600}[SIZE])
def test_every_passage_is_stored_exactly_once_through_a_bad_network() -> None:
    gate = a_gate()
    enrol = [enrolled(gate, bytes(30) + (n + 1).to_bytes(2, "big")) for n in range(DEVICES)]

    async def story() -> list[FakeDevice]:
        devices = [await one() for one in enrol]
        tries = await asyncio.gather(*(live(d, random.Random(f"{SEED} {n}")) for n, d in enumerate(devices)))
        assert sum(tries) > DEVICES * PASSAGES // 60
        return devices

    devices = run(story)
    wanted = sorted((d.id, seq) for d in devices for seq in range(1, PASSAGES + 1) if d.id is not None)
    assert sorted(stored()) == wanted, f"seed {SEED}"
    assert not Conflict.objects.exists()
    assert all(c.highest_seq == c.stored == PASSAGES for c in Contact.objects.all())


def test_a_captive_portal_never_makes_a_device_forget() -> None:
    enrol = enrolled(a_gate())

    async def story() -> None:
        device = await enrol()
        with pytest.raises(Rejected):
            device.receipt(PORTAL)

    run(story)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM gates_passage")
        assert cursor.fetchone() == (0,)
