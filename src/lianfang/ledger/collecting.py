"""Ask the witnesses for their cosignatures, each at its own pace, and never wait long for one.

The threads here do HTTP and hashing; they do not touch the database. What they bring back is written by the
sequencer.
"""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.conf import settings

from lianfang_chain.client import Behind, Cosigned, Unreachable, add_checkpoint, held_by
from lianfang_chain.note import NotSigned
from lianfang_chain.tiles import TileHashes
from lianfang_chain.tree import consistency_proof, root_of

from . import publication
from .models import WitnessState

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence

    from lianfang_chain.note import Signature, VerifierKey

    from .policy import WitnessKey

Answer = WitnessState.Answer
_TRIES: Final = 3
_TIMEOUT: Final = 5.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What one witness said about the checkpoint of `size`.

    `held` is what it holds now, None when that is not known; `signature` is there when it cosigned.
    """

    witness: str
    size: int
    answer: str
    detail: str = ""
    held: int | None = None
    signature: Signature | None = None
    at: int | None = None


def consult(
    witness: WitnessKey,
    log: VerifierKey,
    note: bytes,
    size: int,
    held: int | None,
    tls: ssl.SSLContext | None,
) -> Heard:
    """Bring one witness from what it holds to the checkpoint; any trouble is an answer, never an exception."""
    try:
        return _consult(witness, log, note, size, held, tls)
    except Unreachable as error:
        return Heard(witness.name, size, Answer.SILENT, str(error), held)
    except NotSigned as error:
        return Heard(witness.name, size, Answer.REFUSED, str(error), held)


def _consult(
    witness: WitnessKey,
    log: VerifierKey,
    note: bytes,
    size: int,
    held: int | None,
    tls: ssl.SSLContext | None,
) -> Heard:
    tree = TileHashes(size, publication.read)
    if held is None:
        ahead, held = _asked(witness, log, size, tree, tls)
        if ahead is not None:
            return ahead
    for _ in range(_TRIES):
        answer = add_checkpoint(
            witness.url,
            witness.key,
            old=held,
            proof=consistency_proof(held, size, tree),
            note=note,
            timeout=_TIMEOUT,
            tls=tls,
        )
        match answer:
            case Cosigned(signature, at):
                return Heard(witness.name, size, Answer.COSIGNED, "", size, signature, at)
            case Behind(now) if now > size:
                return Heard(witness.name, size, Answer.AHEAD, f"holds {now}", now)
            case Behind(now):
                held = now
            case _:
                return Heard(witness.name, size, Answer.REFUSED, f"{answer.status} {answer.why}", held)
    return Heard(witness.name, size, Answer.BEHIND, "moves while we ask", held)


def compare(witness: WitnessKey, log: VerifierKey, size: int, tls: ssl.SSLContext | None) -> Heard:
    """Ask what it holds, before anything is signed."""
    try:
        ahead, held = _asked(witness, log, size, TileHashes(size, publication.read), tls)
    except Unreachable as error:
        return Heard(witness.name, size, Answer.SILENT, str(error))
    except NotSigned as error:
        return Heard(witness.name, size, Answer.REFUSED, str(error))
    return ahead or Heard(witness.name, size, Answer.BEHIND, "", held)


def _asked(
    witness: WitnessKey, log: VerifierKey, size: int, tree: TileHashes, tls: ssl.SSLContext | None
) -> tuple[Heard | None, int]:
    """What it holds, before anything is signed or sent: more than we have, or something else, is our trouble."""
    checkpoint = held_by(witness.url, log, witness.key, timeout=_TIMEOUT, tls=tls)
    if checkpoint is None:
        return None, 0
    if checkpoint.size > size:
        return Heard(witness.name, size, Answer.AHEAD, f"holds {checkpoint.size}", checkpoint.size), 0
    if checkpoint.size and root_of(checkpoint.size, tree) != checkpoint.root:
        detail = f"holds another history at {checkpoint.size}"
        return Heard(witness.name, size, Answer.AHEAD, detail, checkpoint.size), 0
    return None, checkpoint.size


class Collector:
    """One question at a time for each witness; slow ones are asked again when they have answered."""

    def __init__(self, *, patience: float = 2.0, tls: ssl.SSLContext | None = None) -> None:
        self._patience, self._tls = patience, tls or _tls()
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="witness")
        self._asked: dict[str, Future[Heard]] = {}
        self._held: dict[str, int] = {}
        self._next: dict[str, float] = {}

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def compare(self, witnesses: Sequence[WitnessKey], log: VerifierKey, size: int) -> list[Heard]:
        """What each holds; those that do not answer are reported as silent."""
        futures = [self._pool.submit(compare, w, log, size, self._tls) for w in witnesses]
        heard = [future.result() for future in futures]
        self._held = {h.witness: h.held for h in heard if h.held is not None}
        return heard

    def collect(
        self,
        witnesses: Sequence[WitnessKey],
        log: VerifierKey,
        note: bytes,
        size: int,
        enough: Callable[[set[str]], bool],
    ) -> list[Heard]:
        """Ask those that are free; return what was heard until there is enough, or patience is over."""
        deadline = time.monotonic() + self._patience
        for w in witnesses:
            if w.name not in self._asked and time.monotonic() >= self._next.get(w.name, 0.0):
                held = self._held.get(w.name)
                self._asked[w.name] = self._pool.submit(consult, w, log, note, size, held, self._tls)
        heard: list[Heard] = []
        while self._asked and (left := deadline - time.monotonic()) > 0:
            done, _ = wait(self._asked.values(), timeout=left, return_when=FIRST_COMPLETED)
            for future in done:
                heard.append(self._take(future))
            if enough({h.witness for h in heard if h.signature and h.size == size}):
                # The others usually answer within the same moment; they are taken along when they have.
                wait(self._asked.values(), timeout=min(0.05, left))
                heard += [self._take(f) for f in list(self._asked.values()) if f.done()]
                break
        return heard

    def _take(self, future: Future[Heard]) -> Heard:
        heard = future.result()
        self._asked = {name: f for name, f in self._asked.items() if f is not future}
        if heard.held is not None:
            self._held[heard.witness] = heard.held
        if heard.answer == Answer.SILENT:
            self._held.pop(heard.witness, None)  # ask what it holds when it comes back
        pause = 5.0 if heard.answer in (Answer.SILENT, Answer.REFUSED) else 0.0
        self._next[heard.witness] = time.monotonic() + pause
        return heard


def _tls() -> ssl.SSLContext | None:
    """Trust the installation's own authority for witnesses on this machine, if it made one."""
    import ssl
    from pathlib import Path

    authority = Path(settings.LIANFANG_DATA) / "keys" / "tls" / "authority.crt"
    return ssl.create_default_context(cafile=str(authority)) if authority.exists() else None
