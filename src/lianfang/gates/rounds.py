"""Paper passes for everybody of a compound in one act, and all of them withdrawn by another (F09).

A district begins with 400,000 cards, and every month has a new one for each. One entry of the chain tells how many.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Right
from lianfang.credentials import actions as credentials
from lianfang.credentials import bulk
from lianfang.credentials import queries as credentials_queries
from lianfang.kernel import ids
from lianfang.kernel.errors import SameIdOtherContent
from lianfang.kernel.fields import within_any
from lianfang.ledger import actions as ledger
from lianfang.orders import queries as orders
from lianfang.people import queries as people
from lianfang.places import queries as places
from lianfang.places.policy import Kind, at_level

from .errors import NobodyWithoutPass, NoCompounds, NoSuchRound
from .models import PassRound, PassRoundEnd
from .passes import PAPER_LIVES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from lianfang.credentials.queries import PassView
    from lianfang.kernel.actor import Actor
    from lianfang.people.queries import PassFacts

#: Whose card ends within these days gets the next one now; the old one stays good until its end, so nobody is without.
RENEWED_BEFORE: Final = timedelta(days=7)
_LOCK: Final = 0x6C66_7064  # "lfpd": one round at a time, or a person gets two cards
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundDraft:
    """Cards for everybody in a compound who has none. `id` is the client's."""

    id: UUID
    area: str
    basis: str


def without_pass(area: str, *, by: Actor) -> Iterator[tuple[UUID, PassFacts]]:
    """Who lives in the compound, behind a known door, and has no personal paper pass that lasts another week."""
    after: UUID | None = None
    while found := people.persons_within(area, after=after, limit=_AT_ONCE):
        after = found[-1]
        held = {
            p.holder_id
            for p in credentials_queries.passes_of(found)
            if p.kind == "P" and p.channel != "phone" and p.revoked_at is None
            if p.valid_until > by.at + RENEWED_BEFORE
        }
        facts = people.pass_facts([pk for pk in found if pk not in held])
        yield from ((pk, facts[pk]) for pk in found if pk in facts and facts[pk].door)


def count(area: str, *, by: Actor) -> tuple[int, int]:
    """How many live in the compound, and how many of them would get a card now."""
    return people.count_within(area), sum(1 for _ in without_pass(area, by=by))


def passes_of(given: PassRound) -> list[PassView]:
    """The passes of a round in the order in which somebody walks from door to door: 2-1-0101 before 10-1-0101."""
    found = credentials_queries.issued_together(
        zone=given.area.rpartition(".")[2], issued_at=given.issued_at, valid_until=given.valid_until
    )
    return sorted(
        found, key=lambda p: ([int(n) for n in re.findall(r"\d+", p.door)], p.door, p.member_no or 0)
    )


@dataclass(frozen=True, slots=True)
class RoundView:
    """Cards given to a compound in one act, and how they were withdrawn, if they were."""

    given: PassRound
    end: PassRoundEnd | None


def newest(*, by: Actor) -> dict[str, PassRound]:
    """The newest round of each compound where the actor issues passes."""
    rows = PassRound.objects.filter(within_any("area", by.areas(Right.CREDENTIALS_PASS_ISSUE)))
    return {row.area: row for row in rows.order_by("area", "-issued_at").distinct("area")}


def rounds_of(area: str, *, limit: int = 24) -> list[RoundView]:
    """The rounds of a compound, the newest first; whoever asks may issue passes there."""
    rows = PassRound.objects.filter(area=area).select_related("end").order_by("-issued_at")[:limit]
    return [RoundView(row, getattr(row, "end", None)) for row in rows]


def round_of(round_id: UUID, *, by: Actor, right: Right, lock: bool = False) -> PassRound:
    """:raises NoSuchRound: there is none where the actor holds the right"""
    rows = PassRound.objects.select_for_update() if lock else PassRound.objects.all()
    row = rows.filter(pk=round_id).first()
    if row is None or not by.may(right, over=row.area):
        raise NoSuchRound
    return row


@transaction.atomic
def give_passes(draft: RoundDraft, *, by: Actor) -> PassRound:
    """Issue a personal paper pass, 31 days long, to everybody of a compound who has none. A repeat gives the same round.

    Who is under an order gets a card too: the list says that it is suspended, and until when.

    :raises NotAllowed: `by` holds no office that issues passes over the compound
    :raises NoCompounds: the place is no compound
    :raises NobodyWithoutPass: everybody has one
    :raises SameIdOtherContent: the id was used for another round
    """
    by.require(Right.CREDENTIALS_PASS_ISSUE, over=draft.area)
    street = at_level(draft.area, Kind.STREET)
    if at_level(draft.area, Kind.COMPOUND) != draft.area or street is None:
        raise NoCompounds
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    if earlier := PassRound.objects.filter(pk=draft.id).first():
        if (earlier.area, earlier.basis) != (draft.area, draft.basis):
            raise SameIdOtherContent
        return earlier
    zone, shard = draft.area.rpartition(".")[2], places.place(street).code
    until = by.at + PAPER_LIVES
    drafts = {
        pk: credentials.PassDraft(
            id=ids.new_id(),
            holder_id=pk,
            kind="P",
            shard=shard,
            door=facts.door,
            member_no=facts.member_no or None,
            initials=facts.initials,
            birth_year=facts.birth_year or None,
            zones=(zone,),
            valid_from=by.at,
            valid_until=until,
            channel="printed",
        )
        for pk, facts in without_pass(draft.area, by=by)
    }
    if not drafts:
        raise NobodyWithoutPass
    suspended = {pk for pk, found in orders.restrictions(list(drafts), by.at).items() if found}
    issued = bulk.issue_passes(drafts.values(), suspended=suspended, by=by)
    entry = ledger.append(
        kind="gates:passes:given",
        act_id=draft.id,
        organ=by.organ,
        scope=people.public_scope(draft.area),
        basis=draft.basis,
        terms={"classes": "P", "count": issued, "until": until.isoformat(timespec="seconds")},
        secrets={},
        by=by,
    )
    return PassRound.objects.create(
        id=draft.id,
        area=draft.area,
        basis=draft.basis,
        count=issued,
        # As it stands in the passes, so that the round finds its own.
        issued_at=by.at.replace(microsecond=0),
        valid_until=until.replace(microsecond=0),
        issued_by=by.user_id,
        issued_as=accounts.shown_as(by.organ, by=by),
        entry_id=entry,
    )


@transaction.atomic
def withdraw_passes(round_id: UUID, *, reason: str, by: Actor) -> PassRoundEnd:
    """Withdraw what is left of a round: cards stolen from the printer, a wrong stack. No proof at the gate, and no order.

    :raises NoSuchRound: there is none where `by` withdraws passes
    """
    found = round_of(round_id, by=by, right=Right.CREDENTIALS_PASS_REVOKE, lock=True)
    if earlier := PassRoundEnd.objects.filter(round=found).first():
        return earlier
    withdrawn = bulk.revoke_passes([p.id for p in passes_of(found)], reason=reason, by=by)
    entry = ledger.append(
        kind="gates:passes:withdrawn",
        act_id=found.pk,
        organ=by.organ,
        scope=people.public_scope(found.area),
        basis=found.basis,
        terms={"classes": "P", "count": withdrawn},
        secrets={"reason": reason},
        by=by,
        prior=found.entry_id,
    )
    return PassRoundEnd.objects.create(
        round=found,
        count=withdrawn,
        reason=reason,
        ended_at=by.at,
        ended_by=by.user_id,
        ended_as=accounts.shown_as(by.organ, by=by),
        entry_id=entry,
    )
