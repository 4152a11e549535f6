"""Acts on tickets: a gate let somebody pass and had not heard yet what the server knew (domain.md S2), or let somebody
out at the end of an order of which nobody had signed the notice.

Nobody is blamed: the guard and the device did what the list at hand said. The community looks into it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from django.db import transaction

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Right
from lianfang.credentials import queries as passes
from lianfang.kernel import row_security
from lianfang.orders import queries as orders
from lianfang.people import queries as people
from lianfang_pass.verdict import Verdict

from .errors import NoSuchTicket
from .models import Gate, Ticket
from .policy import LIFE_EXIT, REPLACED, TERM_ENDED, unheard

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from lianfang.credentials.queries import PassView
    from lianfang.kernel.actor import Actor
    from lianfang.orders.queries import Restriction
    from lianfang_pass.passages import Passage

T = TypeVar("T")
_PERSONS_AT_ONCE: Final = 500
_WEIGHT: Final = {"order": 0, "revoked": 1, "unserved": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class LetThrough:
    """A passage that a gate let through by its own verdict, as its row says it, and when the row was received."""

    device: UUID
    gate: UUID
    seq: int
    passed_at: datetime
    received_at: datetime
    inward: bool
    list_version: int
    cti: bytes
    term_ended: bool = False


def let_through(
    passage: Passage, *, device: UUID, gate: UUID, passed_at: datetime, received_at: datetime
) -> LetThrough | None:
    """What an opened row says, if the gate itself let a pass through: no guard decided, and no life exit.

    Who was found by number or door is never let through by the gate itself (`NUMBER_ONLY`), so there is a pass.
    """
    if passage.verdict is not Verdict.ALLOW or passage.override is not None or passage.reason == LIFE_EXIT:
        return None
    if passage.cti is None:
        return None
    return LetThrough(
        device=device,
        gate=gate,
        seq=passage.seq,
        passed_at=passed_at,
        received_at=received_at,
        inward=passage.inward,
        list_version=passage.list_version,
        cti=passage.cti,
        term_ended=passage.reason == TERM_ENDED,
    )


@transaction.atomic
def open_tickets(rows: Sequence[LetThrough]) -> int:
    """Open a ticket for each of these that the server knew better before it happened, and for each that was let out at
    the end of an order without a release notice (passes.md §4.2: the authority's incident); how many there were.

    Once for a device and number, however often it is called. The same number of queries for few rows and for many,
    but for one more per 2,000 passes shown and eight more per 500 persons whose pass is stopped.

    # KNOWN: an order that is over when the row is received opens none for what a gate had not heard; nothing of it is left
    # to look into. Two days after its end the lists forget it (`TIDIED_AFTER`), and a row that comes later opens none for
    # the notice either: the page of release papers still lists the order.
    """
    stopped = {p.cti: p for p in passes.stopped_passes(row.cti for row in rows)}
    rows = [row for row in rows if row.cti in stopped]
    if not rows:
        return 0
    holders, last = {p.holder_id for p in stopped.values()}, max(row.received_at for row in rows)
    restricted = _of_orders(holders, partial(orders.restrictions, at=last))
    freed = {stopped[row.cti].holder_id for row in rows if row.term_ended}
    unserved = _of_orders(freed, partial(orders.ended_without_notice, at=last))
    lists = _Lists(rows, stopped.values())
    found = []
    for row in rows:
        printed = stopped[row.cti]
        list_at = lists.signed_at(row, printed)
        facts = [
            (fact_at, cause)
            for fact_at, cause in _facts(printed, restricted.get(printed.holder_id, ()), row.passed_at)
            if unheard(fact_at=fact_at, list_at=list_at, passed_at=row.passed_at)
        ]
        if row.term_ended:
            ends = unserved.get(printed.holder_id, ())
            facts += [(end, "unserved") for end in ends if end < row.passed_at]
        if not facts:
            continue
        # An order weighs more than a pass that is no longer good, and that more than a paper.
        since, cause = min(facts, key=lambda f: (_WEIGHT[f[1]], f[0]))
        found.append(
            Ticket(
                device_id=row.device,
                gate_id=row.gate,
                seq=row.seq,
                cause=cause,
                pass_id=printed.id,
                passed_at=row.passed_at,
                inward=row.inward,
                since=since,
                list_at=list_at,
                opened_at=row.received_at,
            )
        )
    Ticket.objects.bulk_create(found, ignore_conflicts=True)
    return len(found)


@transaction.atomic
def close_ticket(ticket_id: int, *, gate_id: UUID, word: str, by: Actor) -> Ticket:
    """Say in a word what came of it. The first word stays; a second changes nothing.

    :raises NoSuchTicket: there is none at this post, or the actor explains no gaps there
    """
    ticket = (
        Ticket.objects.select_for_update(of=("self",))
        .select_related("gate")
        .filter(pk=ticket_id, gate_id=gate_id)
        .first()
    )
    if ticket is None or not by.may(Right.GATES_DEVICE_ENROL, over=ticket.gate.area):
        raise NoSuchTicket
    if ticket.closed_at is None:
        ticket.closed_at, ticket.closed_by = by.at, by.user_id
        ticket.closed_as, ticket.word = accounts.shown_as(by.organ, by=by), word
        ticket.save(update_fields=["closed_at", "closed_by", "closed_as", "word"])
    return ticket


def _of_orders(
    holders: Collection[UUID], ask: Callable[[list[UUID]], dict[UUID, list[T]]]
) -> dict[UUID, list[T]]:
    """What the orders of these holders say; on a household there is none."""
    wanted = sorted(holders)
    found: dict[UUID, list[T]] = {}
    for first in range(0, len(wanted), _PERSONS_AT_ONCE):
        some = wanted[first : first + _PERSONS_AT_ONCE]
        # The rows of orders are scoped to persons; a job names those it asks for, and no area.
        with row_security.scope(areas=(), persons=people.same_person(some)):
            found |= ask(some)
    return found


def _facts(
    printed: PassView, restrictions: Iterable[Restriction], passed_at: datetime
) -> Iterable[tuple[datetime, str]]:
    """What was known against this pass, and from when on."""
    renewed = printed.channel == "phone" and printed.revoked_reason == REPLACED
    if printed.revoked_at is not None and not renewed:
        yield printed.revoked_at, "revoked"
    for order in restrictions:
        if passed_at < order.ends_at:
            yield max(order.signed_at, order.starts_at), "order"


class _Lists:
    """When the lists were signed that gates held."""

    def __init__(self, rows: Collection[LetThrough], stopped: Iterable[PassView]) -> None:
        self._shards = {gate.pk: gate.shards for gate in Gate.objects.filter(pk__in={r.gate for r in rows})}
        shards = {shard for held in self._shards.values() for shard in held} | {p.shard for p in stopped}
        self._signed_at = passes.published_at(shards, {row.list_version for row in rows})

    def signed_at(self, row: LetThrough, printed: PassView) -> datetime | None:
        """A row names the highest version of the gate's lists: the list that reached it first is the one."""
        for shards in (self._shards[row.gate], [printed.shard]):
            known = [self._signed_at.get((shard, row.list_version)) for shard in shards]
            if signed := [at for at in known if at is not None]:
                return min(signed)
        return None
