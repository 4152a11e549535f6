"""What came after: entries that name an entry as their prior, and those that name these.

A paper says what was so when it was printed. Whoever has it may ask whether a lift, a decision or another text came since.
Only who holds the entry's bytes can ask: everybody can read the leaf hashes, and what each act was followed by is nobody
else's business.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lianfang_chain.entry import Entry as ChainEntry

from .errors import NoSuchEntry
from .models import Entry, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

#: More than the acts of any case; digests, of which each names the one before for ever, are left out.
_MOST: Final = 32
_DIGESTS: Final = ("accounts:read_log:batch",)
_NAMING: Final = """
    substring(data FROM octet_length(data) - 144 FOR 3) = '\\x0a5820'::bytea
    AND substring(data FROM octet_length(data) - 141 FOR 32) = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Later:
    """An entry that came after; `index` is None while it has no place in the chain yet."""

    id: UUID
    index: int | None
    kind: str
    issued_at: int


def held_by(leaf: bytes, fingerprint: bytes) -> UUID:
    """The entry of this leaf hash, for who has its bytes: `fingerprint` is their SHA-256.

    :raises NoSuchEntry: none has that leaf hash, or the fingerprint is another's
    """
    found = Entry.objects.filter(leaf_hash=leaf).values_list("pk", "data").first()
    if found is None or hashlib.sha256(bytes(found[1])).digest() != fingerprint:
        raise NoSuchEntry
    return found[0]


def later_than(entry_id: UUID) -> list[Later]:
    """The entries that name it, and those that name these, in the order in which they were recorded.

    :raises NoSuchEntry: no such entry
    """
    leaf = Entry.objects.filter(pk=entry_id).values_list("leaf_hash", flat=True).first()
    if leaf is None:
        raise NoSuchEntry
    found: list[Later] = []
    named = [bytes(leaf)]
    while named and len(found) < _MOST:
        after = list(_naming(named))
        found += [later for later, _ in after]
        named = [own for _, own in after]
    return sorted(found, key=lambda one: one.id)[:_MOST]


def size() -> int:
    """Up to how many entries was looked through."""
    tree = Tree.objects.filter(pk=1).first()
    return tree.size if tree else 0


def _naming(leaves: list[bytes]) -> Iterator[tuple[Later, bytes]]:
    rows = Entry.objects.extra(where=[_NAMING], params=[leaves]).exclude(kind__in=_DIGESTS).order_by("pk")
    for row in rows[:_MOST]:
        act = ChainEntry.parse(bytes(row.data)).act
        if act.prior in leaves:
            yield Later(row.pk, row.idx, act.kind, act.issued_at), bytes(row.leaf_hash)
