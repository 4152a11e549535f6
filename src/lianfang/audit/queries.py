"""What a grant is about, as the chain has it; no person is read here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lianfang.kernel.clock import start_of_legal_day
from lianfang.kernel.row_security import scope
from lianfang.ledger import queries as ledger
from lianfang.orders import proofs
from lianfang_chain.sample import draw

from .models import Drawn, Grant, Sample
from .policy import ONE_DAY, late_hours

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from lianfang.kernel.actor import Actor
    from lianfang.ledger.queries import EntryRow

ORDERED: Final = "orders:isolation:issued"


@dataclass(frozen=True, slots=True)
class Case:
    """One order under audit, without its person: the place of its entry is its name."""

    entry_id: UUID
    index: int | None
    over_at: datetime
    end: str  # running, lifted before its end, or ended by itself
    noticed_at: datetime | None
    late_hours: int


@dataclass(frozen=True, slots=True)
class Draw:
    """A sample with all that repeats it. Without a seed nothing is drawn yet.

    :ivar log: the chain of which `request_index` and `seed_size` are places
    """

    sample: Sample
    log: str
    request_index: int | None
    seed: bytes
    seed_size: int
    population: tuple[EntryRow, ...]
    drawn: tuple[EntryRow, ...]


def grants_of(by: Actor) -> list[Grant]:
    """The auditor's own grants, the newest first."""
    return list(Grant.objects.filter(auditor=by.user_id).order_by("-given_at"))


def entries_of(grant: Grant) -> list[EntryRow]:
    """The entries a grant is about, those that have their place, in its order."""
    if grant.order_no:
        with scope(areas=[grant.area]):
            ids = proofs.entries_by_number(grant.order_no)
        return ledger.rows_of([*ids, *ledger.erasures_of(ids)])
    assert grant.from_on is not None
    assert grant.until_on is not None
    return ledger.rows_between(
        start_of_legal_day(grant.from_on),
        start_of_legal_day(grant.until_on + ONE_DAY),
        area=grant.area,
    )


def draw_of(grant: Grant) -> Draw | None:
    """The grant's sample: the orders of the period that stood before the request, by the first witnessed root after it.

    Once it was drawn it is what was written down then, whatever became of that chain or of its witnesses.
    """
    sample = Sample.objects.filter(grant=grant).first()
    if sample is None:
        return None
    if done := Drawn.objects.filter(sample=sample).first():
        population = tuple(ledger.rows_of(done.population))
        chosen = set(done.entries)
        drawn = tuple(r for r in population if r.id in chosen)
        return Draw(sample, done.log, done.request_index, bytes(done.seed), done.seed_size, population, drawn)
    return _drawn_now(grant, sample)


def _drawn_now(grant: Grant, sample: Sample) -> Draw:
    (request,) = ledger.rows_of([sample.entry_id]) or (None,)
    seed = ledger.first_witnessed_root(sample.entry_id)
    if request is None or seed is None:
        return Draw(sample, "", request.index if request else None, b"", 0, (), ())
    population = tuple(r for r in entries_of(grant) if r.kind == ORDERED and r.index < request.index)
    chosen = set(draw(seed.root, [r.leaf for r in population], sample.count))
    return Draw(
        sample,
        seed.origin,
        request.index,
        seed.root,
        seed.size,
        population,
        tuple(r for r in population if r.leaf in chosen),
    )


def cases_of(grant: Grant, at: datetime) -> list[Case]:
    """The orders whose identities may be opened: the grant's own, or those drawn."""
    if grant.order_no:
        rows: Sequence[EntryRow] = [r for r in entries_of(grant) if r.kind == ORDERED]
    else:
        found = draw_of(grant)
        rows = found.drawn if found else ()
    with scope(areas=[grant.area]):
        facts = proofs.facts_of([r.id for r in rows])
    return [
        Case(
            r.id,
            r.index,
            f.over_at,
            "running" if at < f.over_at else "lifted" if f.lifted else "ended",
            f.noticed_at,
            late_hours(f.over_at, f.noticed_at, at),
        )
        for r in rows
        if (f := facts.get(r.id)) is not None
    ]
