"""A gate device of few lines, and a client that speaks ASGI to the front without a network."""

from __future__ import annotations

import asyncio
import base64
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from lianfang.gates import front
from lianfang.gates.api import OPERATIONS
from lianfang.kernel import clock
from lianfang_chain import cbor
from lianfang_pass import cose
from lianfang_pass.keylist import KeyList, accept_key_list
from lianfang_pass.keys import PublicKey, private_key_from_seed
from lianfang_pass.passages import (
    Batch,
    Passage,
    Receipt,
    accept_receipt,
    accept_time,
    encode_batch,
    seal_passage,
)
from lianfang_pass.signals import Signal, SignalKind, seal_signal
from lianfang_pass.statuslist import ShardState, accept_delta, accept_list
from lianfang_pass.verdict import Verdict


class Trouble(Enum):
    """What becomes of a request on its way."""

    CUT = "the client goes away in the middle of the body"
    HALF_OPEN = "the rest of the body never comes, and nobody says so"
    SLOW = "the body drips in, a sixteenth at a time"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def value(self) -> Any:
        return cbor.decode(self.body, max_bytes=10**7)


async def request(
    method: str,
    path: str,
    *,
    query: str = "",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    trouble: Trouble | None = None,
) -> Answer:
    """One request to the front.

    :raises TimeoutError: HALF_OPEN, after a fifth of a second in which nothing came
    """
    step = max(1, len(body) // (16 if trouble is Trouble.SLOW else 2))
    parts: list[dict[str, Any]] = [
        {"type": "http.request", "body": body[at : at + step], "more_body": at + step < len(body)}
        for at in range(0, max(1, len(body)), step)
    ]
    if trouble is Trouble.CUT:
        parts[1:] = [{"type": "http.disconnect"}]
    if trouble is Trouble.HALF_OPEN:
        parts[1:] = []
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if parts:
            if trouble is Trouble.SLOW:
                await asyncio.sleep(0.001)
            return parts.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(dict(message))

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
    }
    served = front.app(scope, receive, send)
    await (asyncio.wait_for(served, 0.2) if trouble is Trouble.HALF_OPEN else served)
    start = sent[0]
    answer = Answer(
        start["status"],
        {k.decode(): v.decode() for k, v in start["headers"]},
        b"".join(m.get("body", b"") for m in sent[1:]),
    )
    _as_described(method, path, answer)
    return answer


def _as_described(method: str, path: str, answer: Answer) -> None:
    """Every answer that a test of the front sees is one the description promises."""
    for operation in OPERATIONS:
        pattern = re.sub(r"\{\w+\}", "[^/]+", operation.path)
        if operation.method == method.lower() and operation.path and re.fullmatch(pattern, path):
            assert answer.status in operation.answers, (
                f"{operation.name} does not say it may answer {answer.status}"
            )
            said = operation.answers[answer.status]
            assert isinstance(said, str) or said.media == answer.headers["content-type"], (
                operation.name,
                said,
            )


@dataclass
class FakeDevice:
    """Does what the gate app does, in few lines, for one shard."""

    seed: bytes
    id: UUID | None = None
    gate: UUID | None = None
    keys: KeyList | None = None
    root: PublicKey | None = None
    uris: list[str] = field(default_factory=list)
    held: ShardState | None = None
    offset: int = 0

    @property
    def key(self) -> Any:
        return private_key_from_seed(self.seed)

    async def enrol(self, code: bytes, thumbprint: bytes) -> Answer:
        body = cbor.encode({1: 1, 2: code, 3: PublicKey.of(self.key).cose()})
        answer = await request("POST", "/api/v1/gates/enrol", body=body)
        if answer.status == 201:
            said = answer.value()
            self.id, self.gate = UUID(bytes=said[2]), UUID(bytes=said[3])
            self.uris = said[6]
            self.root = PublicKey.read(said[7])
            self.keys = accept_key_list(said[8], root=self.root, thumbprint=thumbprint)
        return answer

    def headers(self, at: datetime | None = None) -> dict[str, str]:
        now = int((at or clock.now()).timestamp()) + self.offset
        assert self.id is not None
        token = cose.sign1({}, {2: self.id.hex, 3: "LF", 6: now}, key=self.key)
        return {"Authorization": "LF-Device " + base64.urlsafe_b64encode(token).rstrip(b"=").decode()}

    async def get(self, path: str, *, query: str = "", at: datetime | None = None) -> Answer:
        return await request("GET", path, query=query, headers=self.headers(at))

    async def sync(self, *, wait: float = 0) -> ShardState:
        """Take the newest list, by deltas where the server offers them."""
        assert self.keys is not None
        uri = self.uris[0]
        path = f"/s/{uri.removeprefix('lf:s/')}"
        if self.held is not None:
            answer = await self.get(path + "/d", query=f"v={self.held.version}&wait={wait}")
            if answer.status == 304:
                return self.held
            if answer.status == 200:
                for step in answer.value():
                    self.held = accept_delta(step, keys=self.keys, held=self.held)
                return self.held
            assert answer.status == 410
        whole, until = await self.get(path), await self.get(path + "/u")
        assert (whole.status, until.status) == (200, 200)
        self.held = accept_list(whole.body, until.body, uri=uri, keys=self.keys)
        return self.held

    def row(self, seq: int, **changes: Any) -> bytes:
        """A sealed passage."""
        assert self.id is not None
        assert self.gate is not None
        assert self.keys is not None
        values: dict[str, Any] = {
            "seq": seq, "gate": self.gate.bytes, "at": 1_580_875_200 + seq, "inward": bool(seq % 2),
            "verdict": Verdict.ALLOW, "reason": "OK", "list_version": 1, "proof": "paper", "cti": b"12345678",
        }  # fmt: skip
        to = self.keys.sealing_key(int(clock.now().timestamp()))
        assert to is not None
        once = private_key_from_seed(self.seed[:24] + seq.to_bytes(8, "big"))
        return seal_passage(Passage(**{**values, **changes}), device=self.id.bytes, to=to, ephemeral=once)

    def batch(self, from_seq: int, rows: list[bytes]) -> Batch:
        assert self.id is not None
        return Batch(self.id.bytes, from_seq, tuple(rows))

    async def upload(self, batch: Batch, *, trouble: Trouble | None = None) -> Answer:
        return await request(
            "POST",
            f"/api/v1/gates/{self.gate}/passages",
            headers=self.headers(),
            body=encode_batch(batch),
            trouble=trouble,
        )

    def signal(self, seq: int, kind: SignalKind = SignalKind.HELP, **facts: Any) -> bytes:
        """A sealed signal."""
        assert self.id is not None
        assert self.gate is not None
        assert self.keys is not None
        given = facts or {"guard": "G7"}
        to = self.keys.sealing_key(int(clock.now().timestamp()))
        assert to is not None
        once = private_key_from_seed(self.seed[:23] + b"s" + seq.to_bytes(8, "big"))
        said = Signal(seq, self.gate.bytes, int(clock.now().timestamp()), kind, given)
        return seal_signal(said, device=self.id.bytes, to=to, ephemeral=once)

    async def tell(self, batch: Batch, *, trouble: Trouble | None = None) -> Answer:
        return await request(
            "POST",
            f"/api/v1/gates/{self.gate}/signals",
            headers=self.headers(),
            body=encode_batch(batch),
            trouble=trouble,
        )

    def receipt(self, answer: Answer) -> Receipt:
        assert self.keys is not None
        return accept_receipt(answer.body, keys=self.keys)

    def server_time(self, answer: Answer) -> int:
        assert self.keys is not None
        text = answer.headers["lf-time"]
        return accept_time(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), keys=self.keys)
