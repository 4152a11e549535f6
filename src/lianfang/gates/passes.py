"""Acts on passes for the own home: give one on paper, withdraw one (F09, passes.md §5).

`credentials` signs; what belongs together, who lives behind which door and whether an order is in force, is
known here. Phones: `phones.py`; passes for work: `work_passes.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction

from lianfang.accounts.rights import Right
from lianfang.credentials import actions as credentials
from lianfang.credentials import queries as credentials_queries
from lianfang.credentials.errors import PassAlreadyRevoked
from lianfang.kernel.errors import NotFound
from lianfang.orders import queries as orders
from lianfang.people import actions as people
from lianfang.people import queries as people_queries
from lianfang.places import queries as places
from lianfang.places.policy import Kind, at_level

from .errors import NotAtHome, UnderOrder
from .policy import REPLACED

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang.credentials.actions import IssuedPass
    from lianfang.credentials.queries import PassView
    from lianfang.kernel.actor import Actor
    from lianfang.people.queries import PersonRef

#: passes.md §5.1: paper 31 days, a phone's pass 3 days, renewed while fewer than 2 are left.
PAPER_LIVES: Final = timedelta(days=31)
PHONE_LIVES: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPassDraft:
    """A paper pass for a person, or for the whole household of the person. `id` is the client's."""

    id: UUID
    person_id: UUID
    for_household: bool = False


@transaction.atomic
def give_paper_pass(draft: PaperPassDraft, *, by: Actor) -> IssuedPass:
    """Issue a paper pass; an earlier one of the same kind for the same holder is withdrawn.

    Sending the same draft again returns the pass already made.

    :raises NotFound: no such person in reach
    :raises NotAllowed: `by` holds no office that issues passes over the home
    :raises NotAtHome: the person has no dwelling in a compound
    :raises UnderOrder: a household pass was asked for while a member is under an order; personal ones are given then
    """
    person = people.person_for_update(draft.person_id)
    by.require(Right.CREDENTIALS_PASS_ISSUE, over=person.area)
    holder, kind = draft.person_id, "P"
    if draft.for_household and person.household_id is not None:
        holder, kind = person.household_id, "H"
        members = people_queries.members_of(person.household_id)
        if any(orders.restrictions(members, by.at).values()):
            raise UnderOrder
    if draft.id not in {p.id for p in credentials_queries.passes_of([holder])}:
        # A repeat that comes late withdraws nothing that was given since.
        for earlier in live(holder, kind, channel="printed", by=by):
            credentials.revoke_pass(earlier.id, reason=REPLACED, by=by)
    return credentials.issue_pass(facts(draft.id, person, holder, kind, by=by), by=by)


@transaction.atomic
def withdraw_pass(pass_id: UUID, *, person_id: UUID, reason: str, by: Actor) -> None:
    """Withdraw a pass that was lost or given in error. At the gate that is no proof, and no order either.

    A pass on a phone stands for that phone: whatever it carries is withdrawn, also what it renewed since the desk's
    page was shown. What the holder may carry for work stays granted, for the next phone.

    :raises NotFound: the pass is not of this person or household
    :raises NotAllowed: `by` holds no office that withdraws passes over the home
    :raises PassAlreadyRevoked: it was withdrawn before for another reason
    """
    person = people.person_for_update(person_id)
    by.require(Right.CREDENTIALS_PASS_REVOKE, over=person.area)
    found = of_person(person)
    wanted = next((p for p in found if p.id == pass_id), None)
    if wanted is None:
        raise NotFound
    if wanted.cnf is None:
        credentials.revoke_pass(pass_id, reason=reason, by=by)
        return
    on_it = [p for p in found if p.cnf == wanted.cnf]
    # One that is over counts too: the phone could renew it.
    carried = [p for p in on_it if p.revoked_at is None]
    if not carried and not any(p.revoked_reason == reason for p in on_it):
        raise PassAlreadyRevoked
    for each in carried:
        credentials.revoke_pass(each.id, reason=reason, by=by)


def of_person(person: PersonRef) -> list[PassView]:
    """The passes of the person and of the household, the newest first."""
    holders = [person.id, *([person.household_id] if person.household_id else [])]
    found = credentials_queries.passes_of(holders)
    return sorted(found, key=lambda p: p.issued_at, reverse=True)


def facts(
    pass_id: UUID, person: PersonRef, holder: UUID, kind: str, *, by: Actor, cnf: bytes | None = None
) -> credentials.PassDraft:
    """A pass for the own home, from now on; `cnf` is the point of a phone's key.

    :raises NotAtHome: the person has no dwelling in a compound
    """
    compound = at_level(person.area, Kind.COMPOUND)
    street = at_level(person.area, Kind.STREET)
    printed = people_queries.pass_facts([person.id]).get(person.id)
    if compound is None or street is None or printed is None:
        raise NotAtHome
    household = kind == "H"
    return credentials.PassDraft(
        id=pass_id,
        holder_id=holder,
        kind=kind,
        shard=places.place(street).code,
        door=printed.door,
        member_no=None if household else printed.member_no or None,
        initials=printed.initials,
        birth_year=None if household else printed.birth_year or None,
        zones=(compound.rpartition(".")[2],),
        valid_from=by.at,
        valid_until=by.at + (PHONE_LIVES if cnf else PAPER_LIVES),
        channel="phone" if cnf else "printed",
        cnf=cnf,
    )


def live(holder: UUID, kind: str, *, channel: str, by: Actor) -> list[PassView]:
    """The passes of that class that the holder has on paper (`printed`), or on phones (`phone`)."""
    return [
        p
        for p in credentials_queries.passes_of([holder])
        if p.kind == kind and p.channel == channel and p.revoked_at is None and p.valid_until > by.at
    ]
