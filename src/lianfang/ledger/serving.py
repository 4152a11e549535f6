"""Which entries of a bundle a reader may have: witnesses those of their places, everybody else none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lianfang_chain.entry import Entry
from lianfang_chain.reading import reader_of
from lianfang_chain.tiles import bundle_of, entries_of

from . import keys, parties
from .policy import WHOLE_CHAIN

if TYPE_CHECKING:
    from datetime import datetime

    from .policy import WitnessKey


def witness_of(authorization: str, at: datetime) -> WitnessKey | None:
    """The witness whose reading token this header carries."""
    scheme, _, token = authorization.partition(" ")
    if scheme != "Bearer":
        return None
    known = parties.witnesses()
    key = reader_of(token, [w.key for w in known], keys.origin(), at=int(at.timestamp()))
    return next((w for w in known if w.key == key), None)


def bundle_for(witness: WitnessKey, bundle: bytes, *, width: int) -> bytes:
    """The bundle with the entries of other places emptied; their hashes are in the tile all the same."""
    if "" in witness.places:
        return bundle
    return bundle_of(e if _may_read(witness, e) else b"" for e in entries_of(bundle, width=width))


def _may_read(witness: WitnessKey, data: bytes) -> bool:
    scope = Entry.parse(data).act.scope
    return scope == WHOLE_CHAIN or any(scope == p or scope.startswith(f"{p}.") for p in witness.places)
