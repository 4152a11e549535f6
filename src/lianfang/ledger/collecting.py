"""Ask the witnesses for their cosignatures, each at its own pace, and never wait long for one.

The threads here do HTTP and hashing; they do not touch the database. What they bring back is written by the
sequencer.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.conf import settings

from lianfang_chain.client import (
    Behind,
    ClockOff,
    Cosigned,
    NotCosigned,
    Unreachable,
    add_checkpoint,
    fork_evidence_of,
    held_note,
)
from lianfang_chain.note import NotSigned
from lianfang_chain.tiles import TileHashes
from lianfang_chain.tree import consistency_proof, root_of

from . import publication
from .models import WitnessState

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from lianfang_chain.checkpoint import Checkpoint
    from lianfang_chain.note import Signature, VerifierKey

    from .policy import WitnessKey

log_ = logging.getLogger("lianfang.witnesses")

Answer = WitnessState.Answer
Trouble = WitnessState.Trouble
_TRIES: Final = 3
_TIMEOUT: Final = 5.0
#: Before the first signature all are asked at once; who has not answered by then counts as silent.
_FIRST_LOOK: Final = 2 * _TIMEOUT


@dataclass(frozen=True, slots=True)
class Heard:
    """What one witness said about the checkpoint of `size`.

    `held` is what it holds now, None when that is not known; `signature` is there when it cosigned. What it says
    counts for little, what it shows counts: `shown` is a checkpoint that log and witness signed and that our tree does
    not have, `evidence` proves a fork.
    """

    witness: str
    size: int
    answer: str
    detail: str = ""
    held: int | None = None
    signature: Signature | None = None
    at: int | None = None
    trouble: str = ""
    shown: tuple[Checkpoint, bytes] | None = None
    evidence: str | None = None


def consult(
    witness: WitnessKey,
    log: VerifierKey,
    note: bytes,
    size: int,
    held: int | None,
    tls: ssl.SSLContext | None,
    now: int,
) -> Heard:
    """Bring one witness from what it holds to the checkpoint; any trouble is an answer, never an exception."""
    try:
        return _consult(witness, log, note, size, held, tls, now)
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
    now: int,
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
            now=now,
            timeout=_TIMEOUT,
            tls=tls,
        )
        match answer:
            case Cosigned(signature, at):
                return Heard(witness.name, size, Answer.COSIGNED, "", size, signature, at)
            case Behind(theirs) if theirs > size:
                return _says_more(witness, log, size, theirs, tls)
            case Behind(theirs):
                held = theirs
            case ClockOff(seconds):
                # It has stored the checkpoint, and says when by a clock that is not ours.
                detail = f"its clock is {abs(seconds)} s {'ahead' if seconds > 0 else 'behind'}"
                return Heard(witness.name, size, Answer.REFUSED, detail, size, trouble=Trouble.CLOCK)
            case NotCosigned(status, why):
                return _refused(witness, log, size, status, why, held, tls)
    return Heard(witness.name, size, Answer.BEHIND, "moves while we ask", held)


def _says_more(
    witness: WitnessKey, log: VerifierKey, size: int, theirs: int, tls: ssl.SSLContext | None
) -> Heard:
    """It says that it holds more than we signed. Anybody on the line can say so, and a district must not stand still for
    a number: only the log's own signature over more, cosigned by the witness, shows that this database is older."""
    try:
        shown = held_note(witness.url, log, witness.key, timeout=_TIMEOUT, tls=tls)
    except (Unreachable, NotSigned):
        shown = None
    if shown is None or shown[0].size <= size:
        detail = f"says that it holds {theirs}, and shows no signed checkpoint of it"
        return Heard(witness.name, size, Answer.REFUSED, detail, trouble=Trouble.SAYS_MORE)
    return Heard(witness.name, size, Answer.AHEAD, f"holds {shown[0].size}", shown[0].size, shown=shown)


def _refused(
    witness: WitnessKey,
    log: VerifierKey,
    size: int,
    status: int,
    why: str,
    held: int | None,
    tls: ssl.SSLContext | None,
) -> Heard:
    """It does not cosign. Where it says that the log told two stories, it is asked for what proves that."""
    detail = f"{status} {why}"
    if status != 422:
        return Heard(witness.name, size, Answer.REFUSED, detail, held)
    try:
        evidence = fork_evidence_of(witness.url, log, timeout=_TIMEOUT, tls=tls)
    except Unreachable:
        evidence = None
    trouble = Trouble.SAYS_FORK if evidence or why.startswith("fork") else ""
    return Heard(witness.name, size, Answer.REFUSED, detail, held, trouble=trouble, evidence=evidence)


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
    shown = held_note(witness.url, log, witness.key, timeout=_TIMEOUT, tls=tls)
    if shown is None:
        return None, 0
    theirs = shown[0]
    if theirs.size > size:
        return Heard(witness.name, size, Answer.AHEAD, f"holds {theirs.size}", theirs.size, shown=shown), 0
    if theirs.size and root_of(theirs.size, tree) != theirs.root:
        detail = f"holds another history at {theirs.size}"
        return Heard(witness.name, size, Answer.AHEAD, detail, theirs.size, shown=shown), 0
    return None, theirs.size


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
        """What each holds; those that do not answer, or not in time, are reported as silent."""
        asked = {w.name: self._pool.submit(compare, w, log, size, self._tls) for w in witnesses}
        wait(asked.values(), timeout=_FIRST_LOOK)
        heard = [_said(name, size, future) for name, future in asked.items()]
        self._held = {h.witness: h.held for h in heard if h.held is not None}
        return heard

    def collect(
        self,
        witnesses: Sequence[WitnessKey],
        log: VerifierKey,
        note: bytes,
        size: int,
        enough: Callable[[set[str]], bool],
        at: datetime,
    ) -> list[Heard]:
        """Ask those that are free; return what was heard until there is enough, or patience is over.

        :param at: our clock, against which theirs are held
        """
        now = int(at.timestamp())
        deadline = time.monotonic() + self._patience
        for w in witnesses:
            if w.name not in self._asked and time.monotonic() >= self._next.get(w.name, 0.0):
                held = self._held.get(w.name)
                self._asked[w.name] = self._pool.submit(consult, w, log, note, size, held, self._tls, now)
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
        name = next(name for name, f in self._asked.items() if f is future)
        del self._asked[name]
        heard = _said(name, 0, future)
        if heard.held is not None:
            self._held[name] = heard.held
        if heard.held is None or heard.answer == Answer.SILENT:
            self._held.pop(name, None)  # ask what it holds when it comes back
        pause = 5.0 if heard.answer in (Answer.SILENT, Answer.REFUSED) else 0.0
        self._next[name] = time.monotonic() + pause
        return heard


def _said(name: str, size: int, future: Future[Heard]) -> Heard:
    """What one witness said. A fault of ours in reading it is logged and is this witness's silence: the others are heard."""
    if not future.done():
        return Heard(name, size, Answer.SILENT, "no answer yet")
    try:
        return future.result()
    except Exception as error:
        log_.exception("asking %s", name)
        return Heard(name, size, Answer.SILENT, f"fault in asking it: {type(error).__name__}")


def _tls() -> ssl.SSLContext | None:
    """Trust the installation's own authority for witnesses on this machine, if it made one."""
    import ssl
    from pathlib import Path

    authority = Path(settings.LIANFANG_DATA) / "keys" / "tls" / "authority.crt"
    return ssl.create_default_context(cafile=str(authority)) if authority.exists() else None
