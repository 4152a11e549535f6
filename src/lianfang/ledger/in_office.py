"""Which witnesses were in office when a checkpoint was signed: the chain says it, for each change is an entry.

A key that retired, because its party took its witness home or because it was stolen, goes on counting for the
checkpoints that do not hold the entry of its change yet, and for no other. So what a quorum has seen stays seen, and
who has a stolen key can add nothing to what is signed today.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lianfang.kernel.clock import legal_day
from lianfang_chain.entry import Entry as ChainEntry
from lianfang_chain.policy import Change

from . import parties
from .models import Checkpoint, Entry, Tree
from .policy import before_change

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from .policy import WitnessKey


@dataclass(frozen=True, slots=True)
class Term:
    """The witnesses of the checkpoints with at most `until` entries, and more than those of the term before."""

    until: int
    witnesses: tuple[WitnessKey, ...]

    def met_by(self, seen: AbstractSet[str]) -> bool:
        return bool(seen) and parties.policy(self.witnesses).met_by(seen)


def earlier() -> list[Term]:
    """The terms before today's, the oldest first; those in which no checkpoint was signed are left out."""
    now = parties.known()
    if not any(witness.retired for witness in now):
        return []
    changes = [(at_most, said) for at_most, _, said in _changes()]
    found: list[Term] = []
    for at_most, (vkey, retired) in reversed(changes):
        now = before_change(now, vkey=vkey, retired=retired)
        found.insert(0, Term(at_most, now))
    least = 0
    signed = []
    for term in found:
        if Checkpoint.objects.filter(size__gt=least, size__lte=term.until).exists():
            signed.append(term)
        least = term.until
    return signed


def changes() -> list[Change]:
    """Who took whose place with which entry, as the trust file says it; what has no place in the chain yet is left out."""
    by_key = {str(witness.key): witness.name for witness in parties.known()}
    found: dict[str, Change] = {}
    for index, at, (vkey, retired) in _changes(waiting=False):
        if vkey in by_key and retired in by_key:
            found.pop(vkey, None)  # a command that was cut off had said it before
            found[vkey] = Change(index, legal_day(at).isoformat(), by_key[vkey], by_key[retired])
    return list(found.values())


def term_of(size: int, terms: Sequence[Term]) -> Term | None:
    """The earlier term of a checkpoint; None if it is today's."""
    return next((term for term in terms if size <= term.until), None)


def witnesses_at(instant: datetime) -> tuple[WitnessKey, ...]:
    """Who was in office at an instant; of a chain that has ended, the places of its entries are not known any more."""
    now = parties.known()
    for _, at, (vkey, retired) in reversed(_changes()):
        if at > instant:
            now = before_change(now, vkey=vkey, retired=retired)
    return now


def _changes(*, waiting: bool = True) -> list[tuple[int, datetime, tuple[str, str]]]:
    """Each change: the largest tree without it, when it was recorded, the new key and the old one; in order."""
    rows = Entry.objects.filter(kind="ledger:policy:changed").order_by("pk")
    if not waiting:
        rows = rows.exclude(idx=None)
    found = []
    for index, at, data in rows.values_list("idx", "appended_at", "data"):
        terms = ChainEntry.parse(bytes(data)).act.terms
        at_most = index if index is not None else _size()  # it gets its place behind all that have one
        found.append((at_most, at, (str(terms["vkey"]), str(terms["retired"]))))
    return sorted(found, key=lambda change: change[0])


def _size() -> int:
    tree = Tree.objects.filter(pk=1).first()
    return tree.size if tree else 0
