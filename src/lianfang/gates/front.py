"""The gates' hot path as a raw ASGI application: lists by long poll, passages with receipts (docs/gates.md).

No session, no template, no request cycle of Django. What many gates ask for lies in memory; the database is
asked by one background task, and by each upload on a pool of its own. A waiting gate holds no thread and no
connection.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs
from uuid import UUID

from lianfang.kernel import clock
from lianfang.kernel.points import point
from lianfang_chain import cbor
from lianfang_pass.errors import Rejected
from lianfang_pass.passages import MAX_BATCH, decode_batch, sign_receipt

from . import actions, front_state, own_store, storage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping
    from datetime import datetime

    from lianfang_pass.passages import Batch

    from .front_state import Known

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

log = logging.getLogger("lianfang.gates.front")

LONGEST_WAIT: Final = 25.0
#: The number of a row, in one spelling. Fifteen digits: TypeScript counts exactly so far.
_SEQ: Final = re.compile(r"0|[1-9][0-9]{0,14}")
CBOR: Final = b"application/cbor"
CWT: Final = b"application/cwt"
#: Sentences for the few people who read these answers; the gate app has its own words.
_SENTENCES: Final[Mapping[str, str]] = {
    "not_found": "没有这个地址 / no such thing here",
    "device": "设备未登记或已停用 / this device is not enrolled",
    "time": "设备时间不对，请按 LF-Time 校准 / correct the clock by LF-Time",
    "form": "格式不对 / not in the form of docs/gates.md",
    "large": "一次发送过多 / too much at once",
    "other_content": "同一序号已有不同内容 / this number was used for other content",
    "busy": "服务忙，请稍后再试 / not now, try again",
    "version": "请取整份名单 / take the whole list",
}

state = front_state.State()


class Answer(Exception):
    """An answer that ends the request from wherever it is found out."""

    def __init__(self, status: int, body: bytes = b"", kind: bytes = CBOR, **headers: str) -> None:
        super().__init__(status)
        self.status, self.body, self.kind, self.headers = status, body, kind, headers


def refusal(status: int, code: str, *more: cbor.Value) -> Answer:
    body: dict[int, cbor.Value] = {1: code, 2: _SENTENCES[code]}
    if more:
        body[3] = more[0]
    return Answer(status, cbor.encode(body))


async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """The ASGI entry: the server's start and stop, and every request under the gates' paths."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    if scope["type"] != "http":
        return
    try:
        await state.start()
        await state.ready()
        answer = await _route(scope, receive)
    except Answer as found:
        answer = found
    except asyncio.CancelledError:
        # The server stops. A waiting gate is told so in order, and asks again after 0-10 s.
        answer = refusal(503, "busy")
    except Exception:
        log.exception("a request to %s failed", scope.get("path"))
        answer = refusal(503, "busy")
    await _send(answer, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await state.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _send(answer: Answer, send: Send) -> None:
    headers = [
        (b"content-type", answer.kind),
        (b"content-length", str(len(answer.body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if (stamp := state.time_header(clock.now())) is not None:
        headers.append((b"lf-time", stamp))
    headers += [(name.replace("_", "-").encode(), value.encode()) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _route(scope: MutableMapping[str, Any], receive: Receive) -> Answer:
    parts = scope["path"].strip("/").split("/")
    match (scope["method"], *parts):
        case ("GET", "keys"):
            return await _keys(scope)
        case ("GET", "s", shard):
            return await _whole(scope, shard, until=False)
        case ("GET", "s", shard, "u"):
            return await _whole(scope, shard, until=True)
        case ("GET", "s", shard, "d"):
            return await _deltas(scope, shard)
        case ("POST", "api", "v1", "gates", "enrol"):
            return await _enrol(receive)
        case ("GET", "api", "v1", "gates", gate, "compound"):
            return await _compound(scope, gate)
        case ("GET", "api", "v1", "gates", gate, "post"):
            return await _post(scope, gate)
        case ("GET", "api", "v1", "gates", gate, "rules"):
            return await _rules(scope, gate)
        case ("POST", "api", "v1", "gates", gate, "passages"):
            return await _passages(scope, receive, gate)
        case ("POST", "api", "v1", "gates", gate, "signals"):
            return await _signals(scope, receive, gate)
        case _:
            return refusal(404, "not_found")


# --- who asks ---------------------------------------------------------------------------------------------


def _header(scope: MutableMapping[str, Any], name: bytes) -> str:
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return ""


async def _device(scope: MutableMapping[str, Any], *, also_withdrawn: bool = False) -> Known:
    """The device that asks.

    :raises Answer: 401 - not enrolled, withdrawn, or its clock must be corrected first
    """
    header = _header(scope, b"authorization")
    if not header.startswith("LF-Device "):
        raise refusal(401, "device")
    try:
        known = await state.device(header.removeprefix("LF-Device "), clock.now())
    except front_state.ClockIsOff:
        raise refusal(401, "time") from None
    if known is None:
        raise refusal(401, "device")
    if known.withdrawn and not also_withdrawn:
        # Signed, as the device deletes on this word what it holds of its compound (T40).
        said = state.withdrawal(known.id, clock.now())
        raise refusal(401, "device", *([said] if said else []))
    return known


def _own_gate(known: Known, gate: str) -> None:
    try:
        same = UUID(gate) == known.gate
    except ValueError:
        same = False
    if not same:
        raise refusal(404, "not_found")


# --- lists ------------------------------------------------------------------------------------------------


def _tagged(scope: MutableMapping[str, Any], version: object, body: bytes, kind: bytes) -> Answer:
    tag = f'"{version}"'
    if _header(scope, b"if-none-match") == tag:
        return Answer(304, etag=tag)
    return Answer(200, body, kind, etag=tag)


async def _keys(scope: MutableMapping[str, Any]) -> Answer:
    if state.key_list is None:
        raise refusal(503, "busy")
    version, data = state.key_list
    return _tagged(scope, version, data, CWT)


async def _shard(scope: MutableMapping[str, Any], shard: str) -> tuple[Known, front_state.ShardFiles]:
    known = await _device(scope)
    found = state.shards.get(shard)
    if shard not in known.shards or found is None:
        raise refusal(404, "not_found")
    return known, found


async def _whole(scope: MutableMapping[str, Any], shard: str, *, until: bool) -> Answer:
    known, files = await _shard(scope, shard)
    state.heard_of(known.id, clock.now())
    return _tagged(scope, files.version, files.until if until else files.whole, CWT)


async def _deltas(scope: MutableMapping[str, Any], shard: str) -> Answer:
    """The steps from the version the gate holds; waits for the next one if it holds the newest."""
    known, files = await _shard(scope, shard)
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    last = asked.get("last", ["0"])  # a client of before says none
    if len(last) != 1 or not _SEQ.fullmatch(last[0]):
        raise refusal(400, "form")
    try:
        held = int(asked.get("v", [""])[0])
        wait = min(float(asked.get("wait", ["0"])[0]), LONGEST_WAIT)
    except ValueError:
        raise refusal(400, "form") from None
    state.heard_of(known.id, clock.now(), newest=held if held == files.version else None, last=int(last[0]))
    # A gate may be ahead for a moment: another process of ours told it first.
    if held >= files.version and wait > 0:
        files = await state.newer(shard, held, wait)
    if held >= files.version:
        return Answer(304)
    steps = files.steps_from(held)
    if steps is None:
        raise refusal(410, "version")
    return Answer(200, steps)


# --- enrolment, store, rules ---------------------------------------------------------------------------------


async def _enrol(receive: Receive) -> Answer:
    body = await _body(receive)
    try:
        asked = cbor.decode(body, max_bytes=1000)
    except cbor.NotCanonical:
        raise refusal(400, "form") from None
    if not isinstance(asked, dict) or set(asked) != {1, 2, 3} or asked[1] != 1:
        raise refusal(400, "form")
    code = asked[2]
    if not isinstance(code, bytes):
        raise refusal(400, "form")
    status, answer = await state.in_database(front_state.enrol, code, asked[3], clock.now())
    return Answer(status, cbor.encode(answer))


async def _compound(scope: MutableMapping[str, Any], gate: str) -> Answer:
    known = await _device(scope)
    _own_gate(known, gate)
    return _digested(
        scope, cbor.encode(await state.in_database(own_store.content, known.zones, known.area, clock.now()))
    )


async def _post(scope: MutableMapping[str, Any], gate: str) -> Answer:
    """What the device's own post is called and gets now: as in the answer to its enrolment."""
    known = await _device(scope)
    _own_gate(known, gate)
    return _digested(scope, cbor.encode(await state.in_database(own_store.post, known.gate, clock.now())))


def _digested(scope: MutableMapping[str, Any], body: bytes) -> Answer:
    tag = f'"{front_state.digest(body)}"'
    if _header(scope, b"if-none-match") == tag:
        return Answer(304, etag=tag)
    return Answer(200, body, etag=tag)


async def _rules(scope: MutableMapping[str, Any], gate: str) -> Answer:
    """The rule set; without the ages of evidence for a client that does not say it reads them: it would refuse the set,
    and an act that was lifted would stay in force there.
    """
    _own_gate(await _device(scope), gate)
    if state.rules is None:
        raise refusal(404, "not_found")
    version, data, plain = state.rules
    if plain is None or parse_qs(scope.get("query_string", b"").decode("latin-1")).get("ages") == ["1"]:
        return _tagged(scope, version, data, CWT)
    return _tagged(scope, f"{version}-plain", plain, CWT)


# --- passages ---------------------------------------------------------------------------------------------


async def _passages(scope: MutableMapping[str, Any], receive: Receive, gate: str) -> Answer:
    """Store, then say so."""
    known, batch = await _batch(scope, receive, gate)
    at = clock.now()
    async with state.connection() as connection:
        stored = await storage.store(connection, batch, device=known.id, gate=known.gate, at=at)
    point("gates.front.after_store")
    if stored.other:
        log.warning(json.dumps({"other_content": str(known.id), "seqs": stored.other[:20]}))
        raise refusal(409, "other_content", stored.other)
    return _receipt(batch, at)


async def _signals(scope: MutableMapping[str, Any], receive: Receive, gate: str) -> Answer:
    """Calls for help and handovers: the same way, in an order of their own."""
    known, batch = await _batch(scope, receive, gate)
    at = clock.now()
    await state.in_database(actions.take_signals, batch, device=known.id, gate=known.gate, at=at)
    return _receipt(batch, at)


async def _batch(scope: MutableMapping[str, Any], receive: Receive, gate: str) -> tuple[Known, Batch]:
    """What a device of this gate sends. Taken from withdrawn devices too (G-7).

    :raises Answer: 401, 404, 413; 400 - not in the form, or of another device
    """
    known = await _device(scope, also_withdrawn=True)
    _own_gate(known, gate)
    body = await _body(receive)
    try:
        batch = decode_batch(body)
    except Rejected:
        raise refusal(400, "form") from None
    if batch.device != known.id.bytes:
        raise refusal(400, "form")
    return known, batch


def _receipt(batch: Batch, at: datetime) -> Answer:
    key = state.receipt_key
    if key is None:
        raise refusal(503, "busy")
    return Answer(201, sign_receipt(batch, at=int(at.timestamp()), key=key), CWT)


async def _body(receive: Receive) -> bytes:
    """The whole body.

    :raises Answer: 413 - more than a batch can be; 400 - cut off
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise refusal(400, "form")
        body += message.get("body", b"")
        if len(body) > MAX_BATCH:
            raise refusal(413, "large")
        if not message.get("more_body"):
            return bytes(body)
