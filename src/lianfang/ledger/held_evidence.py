"""What witnesses can show against this log, kept in the data folder: signed by the log itself, so anybody can check it.

    <data>/alarms/fork-<witness>.txt    evidence of a fork, as the witness handed it out
    <data>/alarms/more-<witness>.note   a checkpoint of the log that this database did not have, cosigned by the witness

Every reading verifies it again under the log's present key. So after a restart, which gives the log another key, what
was held against the chain before is said no more; nothing is deleted.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from lianfang_chain.checkpoint import Checkpoint as TreeHead
from lianfang_chain.checkpoint import open_checkpoint
from lianfang_chain.evidence import ForkEvidence
from lianfang_chain.note import MalformedNote, NotSigned, VerifierKey
from lianfang_chain.tiles import TileHashes
from lianfang_chain.tree import NotProved, root_of
from lianfang_chain.witness.store import write_whole

from . import keys, publication
from .models import Checkpoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def _folder() -> Path:
    return Path(settings.LIANFANG_DATA) / "alarms"


def keep_fork(witness: str, text: str, at: datetime) -> None:
    """Keep what proves a fork, the first of each witness; it is on the disk when this returns."""
    if fork_of(witness) is None:
        _keep(f"fork-{witness}.txt", text.encode(), at)


def keep_more(witness: str, note: bytes, at: datetime) -> None:
    """Keep the checkpoint that a witness holds and this database does not; on the disk when this returns."""
    _keep(f"more-{witness}.note", note, at)


def _keep(name: str, data: bytes, at: datetime) -> None:
    _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(_folder() / name, data)
    os.utime(_folder() / name, (at.timestamp(),) * 2)


def fork_of(witness: str) -> str | None:
    """The evidence of a witness that verifies now."""
    try:
        data = (_folder() / f"fork-{witness}.txt").read_bytes()
    except OSError:
        return None
    return data.decode() if _proves(data, keys.log_key()) else None


@lru_cache(maxsize=8)
def _proves(data: bytes, log: VerifierKey) -> bool:
    try:
        ForkEvidence.parse(data.decode()).verify(log)
    except (UnicodeDecodeError, MalformedNote, NotSigned, NotProved):
        return False
    return True


def forks() -> Mapping[str, datetime]:
    """Which witnesses' evidence proves a fork of this chain, and since when it is here."""
    found = {}
    for file in sorted(_folder().glob("fork-*.txt")):
        witness = file.stem.removeprefix("fork-")
        if fork_of(witness) is not None:
            found[witness] = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    return found


def more() -> Iterator[tuple[str, TreeHead]]:
    """What witnesses showed that is not in this database yet."""
    for file in sorted(_folder().glob("more-*.note")):
        try:
            head, _ = open_checkpoint(file.read_bytes(), keys.log_key())
        except (OSError, MalformedNote, NotSigned):
            continue
        if not is_ours(head):
            yield file.stem.removeprefix("more-"), head


def is_ours(head: TreeHead) -> bool:
    """Whether a checkpoint of this log is one that the tree of this database had, or could have had."""
    last = Checkpoint.objects.order_by("-size").first()
    size = last.size if last else 0
    return head.size <= size and root_of(head.size, TileHashes(size, publication.read)) == head.root
