"""Chains that have ended, as everybody may read them: what proved their end, their checkpoints, tiles and trust file.

The rows are in their tables, the files where `restart.finish` put them. A chain is addressed by the first sixteen
characters of its evidence, as its folder is. Entry bundles are handed out no more: witnesses hold them, and every act
stands in the chain that followed.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from lianfang_chain.checkpoint import open_checkpoint
from lianfang_chain.entry import Entry as ChainEntry
from lianfang_chain.note import MalformedNote, VerifierKey
from lianfang_chain.tiles import ENTRIES, TileId, parse_tile_path

from . import in_office, parties, publication
from .errors import NoSuchEntry
from .models import Entry, FormerChain, FormerCheckpoint
from .policy import policy_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from .policy import WitnessKey

#: The term of entry 0 with the evidence itself, where it is not too large.
EVIDENCE_TEXT = "evidence_text"


def folder(evidence: str) -> Path:
    """Where the files of the chain lie that ended with this evidence."""
    return publication.folder().parent / "former" / evidence[:16]


def chains() -> list[FormerChain]:
    """The chains that have ended, the newest first."""
    return list(FormerChain.objects.order_by("-ended_at"))


def content(short: str, path: str) -> tuple[bytes, bool]:
    """One file of a chain that has ended, and whether it is a tile.

    :raises NoSuchEntry: no such chain, or it has no such file
    """
    chain = FormerChain.objects.filter(evidence__startswith=short).first() if len(short) == 16 else None
    if chain is None:
        raise NoSuchEntry
    name, _, rest = path.partition("/")
    if name == "tile":
        return _tile(chain, path), True
    if name == "checkpoint":
        return _note(chain, rest), False
    plain = {"evidence.txt": evidence_of, "policy.txt": _policy, "organs.txt": _organs}.get(path)
    if plain is None:
        raise NoSuchEntry
    return plain(chain), False


def evidence_of(chain: FormerChain) -> bytes:
    """What proved that the chain is at its end: the file put away; if that is gone, what entry 0 says of it.

    :raises NoSuchEntry: neither is there
    """
    found = _bytes(folder(chain.evidence) / "evidence.txt")
    if hashlib.sha256(found).hexdigest() == chain.evidence:
        return found
    for data in Entry.objects.filter(kind="ledger:origin:continued").values_list("data", flat=True):
        terms = ChainEntry.parse(bytes(data)).act.terms
        if terms["evidence"] == chain.evidence and EVIDENCE_TEXT in terms:
            return str(terms[EVIDENCE_TEXT]).encode()
    raise NoSuchEntry


def _policy(chain: FormerChain) -> bytes:
    """Whom to trust for its newest papers: its own key, and the witnesses in office when it ended."""
    witnesses = in_office.witnesses_at(chain.ended_at)
    return policy_text(VerifierKey.parse(chain.vkey), witnesses).encode()


def _organs(chain: FormerChain) -> bytes:
    if not (found := _bytes(folder(chain.evidence) / "chain" / "organs")):
        raise NoSuchEntry
    return found


def _note(chain: FormerChain, size: str) -> bytes:
    rows = FormerCheckpoint.objects.filter(chain=chain).order_by("-size")
    if size:
        rows = rows.filter(size=int(size)) if size.isdecimal() and len(size) < 19 else rows.none()
    found = rows.first()
    if found is None:
        raise NoSuchEntry
    return bytes(found.note)


def _tile(chain: FormerChain, path: str) -> bytes:
    try:
        tile = parse_tile_path(path)
        if tile.level == ENTRIES:
            raise NoSuchEntry
        return reader(chain)(tile)
    except (MalformedNote, FileNotFoundError) as error:
        raise NoSuchEntry from error


def reader(chain: FormerChain) -> Callable[[TileId], bytes]:
    """Reads its tiles."""
    return lambda tile: publication.read(tile, folder(chain.evidence) / "chain")


def by_origin(origin: str) -> FormerChain | None:
    """The chain of this name, if it has ended."""
    return FormerChain.objects.filter(origin=origin).first()


def root_at(origin: str, size: int) -> bytes | None:
    """The root that was signed at a size."""
    found = FormerCheckpoint.objects.filter(chain=origin, size=size).first()
    return bytes(found.root) if found else None


def checkpoint_before(instant: datetime) -> FormerCheckpoint | None:
    """The last checkpoint of a chain that has ended, of those signed before an instant, that a quorum of its time saw."""
    rows = FormerCheckpoint.objects.filter(signed_at__lt=instant).order_by("-signed_at", "-size")
    for row in rows.select_related("chain").iterator(chunk_size=16):
        if _met(row, in_office.witnesses_at(row.signed_at)):
            return row
    return None


def _met(row: FormerCheckpoint, witnesses: tuple[WitnessKey, ...]) -> bool:
    _, opened = open_checkpoint(
        bytes(row.note), VerifierKey.parse(row.chain.vkey), others=tuple(w.key for w in witnesses)
    )
    seen = {w.name for w in witnesses if opened.by(w.key) is not None}
    return bool(seen) and parties.policy(witnesses).met_by(seen)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""
