"""The uploads of 552 devices over TCP: a server process, and between them a line that fails in every way it can.

What `test_faults` plays in process, here with sockets. The long spells without a network stay there, where a clock can be
held; the large sizes too. The seed gives the mix of faults, not their order, which the system's own timing makes. Nothing waits for a certain time here: a request that fails is sent again.
"""

from __future__ import annotations

import asyncio
import random  # noqa: TID251 - seeded below

import pytest
from django.db import connection

from lianfang.gates.models import Conflict, Contact
from lianfang_pass.errors import Rejected
from lianfang_pass.passages import encode_batch
from tests.sizes import size

from .asgi import Answer, FakeDevice
from .line import FAULTS, Line, served, whole
from .test_front import a_gate, enrolled, run, stored

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_passages"),
    pytest.mark.fault,
]
SEED = 5526
DEVICES = 552
PASSAGES = size("line_passages") // DEVICES
#: A device that hears nothing for so long hangs up and tries again; long enough for a busy machine.
PATIENCE = 20.0
#: So many devices speak at once.
AT_ONCE = 16


async def upload(device: FakeDevice, begin: int, rows: list[bytes], port: int) -> Answer | None:
    """Send a batch over the line. None: no whole answer came."""
    body = encode_batch(device.batch(begin, rows))
    head = f"POST /api/v1/gates/{device.gate}/passages HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in device.headers().items())
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
            answer = await whole(reader, PATIENCE)
        finally:
            writer.close()
    except (OSError, asyncio.IncompleteReadError, TimeoutError):
        return None
    front, _, rest = answer.partition(b"\r\n\r\n")
    return Answer(int(front[9:12]), {}, rest)


async def live(device: FakeDevice, chance: random.Random, port: int) -> None:
    """Send what is left, from anywhere in it, until everything is receipted."""
    queue = {seq: device.row(seq) for seq in range(1, PASSAGES + 1)}
    tries = 0
    while queue:
        tries += 1
        assert tries < 200 * PASSAGES, "the queue never empties"
        begin = chance.choice(sorted(queue))
        seqs = [begin]
        while seqs[-1] + 1 in queue and len(seqs) < chance.randrange(1, 9):
            seqs.append(seqs[-1] + 1)
        rows = [queue[seq] for seq in seqs]
        answer = await upload(device, begin, rows, port)
        if answer is None or answer.status not in (200, 201):
            continue
        try:
            receipt = device.receipt(answer)
        except Rejected:
            continue  # the portal's
        if receipt.covers(device.batch(begin, rows)):
            for seq in seqs:
                del queue[seq]


@pytest.mark.timeout(3600)
def test_every_passage_is_stored_exactly_once_over_a_line_that_fails() -> None:
    gate = a_gate()
    enrol = [enrolled(gate, bytes(29) + b"l" + (n + 1).to_bytes(2, "big")) for n in range(DEVICES)]
    print("seed", SEED)

    async def story(port: int) -> list[FakeDevice]:
        devices = [await one() for one in enrol]
        turn = asyncio.Semaphore(AT_ONCE)

        async def one(n: int) -> None:
            async with turn:
                await live(devices[n], random.Random(f"{SEED} {n}"), line.port)

        async with Line(port, random.Random(SEED)) as line:
            await asyncio.gather(*(one(n) for n in range(DEVICES)))
        assert line.happened.keys() == FAULTS.keys(), line.happened
        return devices

    with served() as port:
        devices = run(lambda: story(port))
    wanted = sorted((d.id, seq) for d in devices for seq in range(1, PASSAGES + 1) if d.id is not None)
    assert sorted(stored()) == wanted, f"seed {SEED}"
    assert not Conflict.objects.exists()
    heard = list(Contact.objects.values_list("highest_seq", "stored"))
    assert heard == [(PASSAGES, PASSAGES)] * DEVICES
    # What the comparison is worth: the same passage stored once more is seen.
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO gates_passage SELECT * FROM gates_passage LIMIT 1")
    assert sorted(stored()) != wanted
