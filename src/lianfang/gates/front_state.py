"""What the gate front keeps in memory, and the one background task that keeps it fresh.

Everything here can be lost at any moment: the facts are in the database.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import logging
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, ParamSpec, TypeVar
from uuid import UUID

import psycopg
from django.db import connection as django_connection
from psycopg_pool import AsyncConnectionPool

from lianfang.credentials import queries as credentials
from lianfang.kernel import clock
from lianfang_chain import cbor
from lianfang_pass import cose
from lianfang_pass.claims import AUD, IAT, ISSUER, SUB, Claims
from lianfang_pass.errors import Rejected
from lianfang_pass.keylist import Purpose
from lianfang_pass.keys import PublicKey
from lianfang_pass.passages import sign_time, sign_withdrawal
from lianfang_pass.statuslist import MOST_DELTAS

from . import actions, own_store, storage
from .errors import CodeNotValid, CodeUsedByAnother, NotAKey
from .models import Device, RuleFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography.hazmat.primitives.asymmetric import ec

    Pool = AsyncConnectionPool[psycopg.AsyncConnection[tuple[object, ...]]]

log = logging.getLogger("lianfang.gates.front")
P = ParamSpec("P")
R = TypeVar("R")

#: Without a signal the front asks the database this often.
EVERY: Final = 1.0
#: Devices are read anew this often, and at once on a signal or when an unknown one asks.
DEVICES_EVERY: Final = 30.0
CONTACTS_EVERY: Final = 5.0
#: An authorisation is accepted this far from the server's time: the device corrects its clock by LF-Time.
TOKEN_WINDOW: Final = 300
_TOKENS_KEPT: Final = 20_000
_DEVICE_HEADERS: Final = frozenset({cose.ALG})
_MOST_CONNECTIONS: Final = 8


class ClockIsOff(Exception):
    """The token is good, but its instant is not now."""


@dataclass(frozen=True, slots=True)
class Known:
    """A device as far as a request needs it."""

    id: UUID
    gate: UUID
    key: PublicKey
    area: str
    zones: tuple[str, ...]
    shards: tuple[str, ...]
    withdrawn: bool


class Rules(NamedTuple):
    """The newest rule set, and the same without the ages of evidence where it says any (`RuleFile.plain`)."""

    version: int
    data: bytes
    plain: bytes | None


@dataclass(frozen=True, slots=True)
class Heard:
    """What a device's last questions told: when, the newest list if it holds that, and its last row's number."""

    at: datetime
    newest: int | None = None
    last: int = 0


@dataclass(frozen=True, slots=True)
class ShardFiles:
    version: int
    whole: bytes
    until: bytes
    deltas: tuple[tuple[int, bytes], ...]  # (the version it leads to, the file), oldest first
    _answers: dict[int, bytes] = field(default_factory=dict, compare=False)

    def steps_from(self, held: int) -> bytes | None:
        """The deltas that lead from `held` to now, as they are sent; None if the chain does not reach back so
        far. Put together once: hundreds of gates hold the same version and get the same bytes.
        """
        if held not in self._answers:
            steps = [data for to, data in self.deltas if to > held]
            if held >= self.version or len(steps) != self.version - held or len(steps) > MOST_DELTAS:
                return None
            self._answers[held] = cbor.encode(steps)
        return self._answers[held]


@dataclass
class State:
    """One per process. Started by the first request, on the loop that serves it."""

    shards: dict[str, ShardFiles] = field(default_factory=dict)
    key_list: tuple[int, bytes] | None = None
    rules: Rules | None = None
    receipt_key: ec.EllipticCurvePrivateKey | None = None
    _devices: dict[UUID, Known] = field(default_factory=dict)
    _tokens: OrderedDict[str, tuple[UUID, int]] = field(default_factory=OrderedDict)
    _contacts: dict[UUID, Heard] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _loaded: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None
    _pool: Pool | None = None
    _thread: ThreadPoolExecutor | None = None
    _stamp: tuple[int, bytes] | None = None

    async def start(self) -> None:
        if self._task is None or self._task.done():
            self._changed, self._loaded = asyncio.Event(), asyncio.Event()
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="gate-front")
            self._pool = AsyncConnectionPool(
                kwargs=storage.parameters(), min_size=1, max_size=_MOST_CONNECTIONS, open=False
            )
            self._task = asyncio.create_task(self._keep_fresh())
            await self._pool.open()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            # A database that no longer answers must not keep the process from ending.
            await asyncio.wait({self._task}, timeout=3)
        if self._thread is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(3):
                    await self.in_database(_write_contacts, dict(self._contacts))
                    await asyncio.get_running_loop().run_in_executor(self._thread, _close)
            self._thread.shutdown(wait=False, cancel_futures=True)
        if self._pool is not None:
            await self._pool.close(timeout=3)
        self.__init__()  # type: ignore[misc]  # as new, for a server that starts again in this process

    def connection(self) -> contextlib.AbstractAsyncContextManager[Any]:
        assert self._pool is not None
        return self._pool.connection(timeout=10)

    async def ready(self) -> None:
        """Wait until the database was read once; a server that just started answers a little later instead."""
        if not self._loaded.is_set():
            await asyncio.wait_for(self._loaded.wait(), 10)

    async def in_database(self, ask: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run something of Django's in the one thread that holds a connection for it."""

        def run() -> R:
            try:
                return ask(*args, **kwargs)
            except Exception:
                # The connection may be broken; the next question opens another.
                django_connection.close()
                raise

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    # --- devices -----------------------------------------------------------------------------------------

    async def device(self, token: str, now: datetime) -> Known | None:
        """The device that signed this token; None if there is none.

        :raises ClockIsOff: signed by it, but not within 300 s of now
        """
        instant = int(now.timestamp())
        seen = self._tokens.get(token)
        if seen is not None:
            self._tokens.move_to_end(token)
            if abs(seen[1] - instant) > TOKEN_WINDOW:
                raise ClockIsOff
            return self._devices.get(seen[0])
        try:
            read = cose.read1(_from_b64url(token), protected_keys=_DEVICE_HEADERS, max_bytes=500)
            claims = Claims(cbor.decode(read.payload))
            device_id = UUID(hex=claims.text(SUB, least=32, most=32))
            signed_at = claims.number(IAT)
            if claims.text(AUD) != ISSUER:
                return None
            claims.done()
        except (Rejected, cbor.NotCanonical, ValueError):
            return None
        if device_id not in self._devices:
            self._devices.update(await self.in_database(_devices, device_id))
        known = self._devices.get(device_id)
        if known is None or not read.verified_by(known.key):
            return None
        if abs(signed_at - instant) > TOKEN_WINDOW:
            raise ClockIsOff
        self._tokens[token] = (device_id, signed_at)
        while len(self._tokens) > _TOKENS_KEPT:
            self._tokens.popitem(last=False)
        return known

    def heard_of(self, device: UUID, at: datetime, *, newest: int | None = None, last: int = 0) -> None:
        """Remember that a device was here, that it holds the newest list, and the highest number of a row that it
        has written; written down within seconds.
        """
        before = self._contacts.get(device, Heard(at))
        self._contacts[device] = Heard(
            at, newest if newest is not None else before.newest, max(last, before.last)
        )

    # --- freshness ----------------------------------------------------------------------------------------

    def time_header(self, now: datetime) -> bytes | None:
        """The signed time, made once a second."""
        instant = int(now.timestamp())
        if self.receipt_key is None:
            return None
        if self._stamp is None or self._stamp[0] != instant:
            signed = sign_time(instant, key=self.receipt_key)
            self._stamp = (instant, base64.urlsafe_b64encode(signed).rstrip(b"="))
        return self._stamp[1]

    def withdrawal(self, device: UUID, now: datetime) -> bytes | None:
        """That this device is withdrawn, signed; None while there is no key."""
        if self.receipt_key is None:
            return None
        return sign_withdrawal(device.bytes, at=int(now.timestamp()), key=self.receipt_key)

    async def newer(self, shard: str, held: int, wait: float) -> ShardFiles:
        """The shard's files as soon as they are newer than `held`, or as they are after `wait` seconds."""
        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        while self.shards[shard].version <= held and (left := until - loop.time()) > 0:
            changed = self._changed
            # No task of its own for each of thousands of waiting gates, as `wait_for` would make.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await changed.wait()
        return self.shards[shard]

    async def _keep_fresh(self) -> None:
        """Read what changed, on each signal and each second; begin again after any fault."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(**storage.parameters()) as listening:
                    for topic in ("lists", "gates"):
                        await listening.execute(f"LISTEN lf_{topic}")
                    await self._follow(listening)
            except (asyncio.CancelledError, GeneratorExit):
                raise
            except Exception:
                log.exception("the gate front could not read the database and tries again")
                await asyncio.sleep(1)

    async def _follow(self, listening: psycopg.AsyncConnection[Any]) -> None:
        loop = asyncio.get_running_loop()
        devices_at = contacts_at = float("-inf")
        while True:
            now = loop.time()
            if now - devices_at >= DEVICES_EVERY:
                devices_at = now
                self._devices = await self.in_database(_devices)
            await self._read()
            if now - contacts_at >= CONTACTS_EVERY and self._contacts:
                contacts_at = now
                written, self._contacts = self._contacts, {}
                await self.in_database(_write_contacts, written)
            async for signal in listening.notifies(timeout=EVERY, stop_after=1):
                if signal.channel == "lf_gates":
                    devices_at = float("-inf")

    async def _read(self) -> None:
        fresh = await self.in_database(
            _read, {code: f.version for code, f in self.shards.items()}, self.key_list
        )
        self.key_list, self.rules, self.receipt_key = fresh.key_list, fresh.rules, fresh.receipt_key
        for code, files in fresh.shards.items():
            before = self.shards.get(code)
            chain = before.deltas if before is not None else ()
            self.shards[code] = ShardFiles(
                files.version, files.whole, files.until, (*chain, *files.deltas)[-MOST_DELTAS:]
            )
        self._loaded.set()
        if fresh.shards:
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()


@dataclass(frozen=True, slots=True)
class _Fresh:
    key_list: tuple[int, bytes] | None
    rules: Rules | None
    receipt_key: ec.EllipticCurvePrivateKey | None
    shards: Mapping[str, ShardFiles]


def _read(held: Mapping[str, int], key_list: tuple[int, bytes] | None) -> _Fresh:
    """What changed in the database since `held`."""
    shards = {}
    for code, version in credentials.versions().items():
        if held.get(code) == version:
            continue
        files = credentials.files(code)
        if files is None:
            continue
        deltas = credentials.deltas_since(code, held.get(code, 0), limit=MOST_DELTAS + 1)
        steps = tuple((to, data) for to, data in deltas if to <= files.version)
        shards[code] = ShardFiles(files.version, files.whole, files.until, steps[-MOST_DELTAS:])
    rules = RuleFile.objects.order_by("-version").values_list("version", "data", "plain").first()
    at = clock.now()
    return _Fresh(
        credentials.key_list(),
        Rules(rules[0], bytes(rules[1]), bytes(rules[2]) if rules[2] is not None else None)
        if rules
        else None,
        credentials.signing_key(Purpose.RECEIPT, at),
        shards,
    )


def _devices(only: UUID | None = None) -> dict[UUID, Known]:
    rows = Device.objects.select_related("gate")
    if only is not None:
        rows = rows.filter(pk=only)
    return {
        row.pk: Known(
            row.pk,
            row.gate_id,
            PublicKey.from_point(bytes(row.point)),
            row.gate.area,
            tuple(row.gate.zones),
            tuple(row.gate.shards),
            row.withdrawn_at is not None,
        )
        for row in rows
    }


_CONTACTS: Final = """
INSERT INTO gates_contact (device_id, last_at, list_version, list_at, last_seq, highest_seq, stored)
SELECT c.device, c.last_at, coalesce(c.newest, 0), CASE WHEN c.newest IS NOT NULL THEN c.last_at END, c.last_seq, 0, 0
FROM unnest(%s::uuid[], %s::timestamptz[], %s::bigint[], %s::bigint[]) AS c(device, last_at, newest, last_seq)
JOIN gates_device d ON d.id = c.device ORDER BY c.device
ON CONFLICT (device_id) DO UPDATE SET
  last_at = greatest(gates_contact.last_at, excluded.last_at),
  last_seq = greatest(gates_contact.last_seq, excluded.last_seq),
  list_version = CASE WHEN excluded.list_at IS NULL THEN gates_contact.list_version ELSE excluded.list_version END,
  list_at = coalesce(excluded.list_at, gates_contact.list_at)
"""


def _write_contacts(contacts: Mapping[UUID, Heard]) -> None:
    """All contacts of the last seconds in one statement: one per device would cost more than serving them."""
    with django_connection.cursor() as cursor:
        cursor.execute(
            _CONTACTS,
            [
                list(contacts),
                [heard.at for heard in contacts.values()],
                [heard.newest for heard in contacts.values()],
                [heard.last for heard in contacts.values()],
            ],
        )


def enrol(code: bytes, cose_key: object, at: datetime) -> tuple[int, Mapping[int, cbor.Value]]:
    """Enrol a device; the answer's status and body."""
    try:
        done = actions.enrol_device(code, cose_key, at=at)
    except CodeUsedByAnother as refused:
        return 409, {1: "code", 2: refused.code}
    except (CodeNotValid, NotAKey) as refused:
        return 403, {1: "code", 2: refused.code}
    listed = credentials.key_list()
    return 201, {
        2: done.device_id.bytes,
        3: done.gate.pk.bytes,
        7: credentials.root_public().cose(),
        8: listed[1] if listed else b"",
        **own_store.post(done.gate.pk, at),
    }


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


def _close() -> None:
    """Close the connection of the thread that runs this."""
    django_connection.close()


def _from_b64url(text: str) -> bytes:
    if len(text) > 700 or not text.isascii():
        raise ValueError("not a token")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
