"""A cohabitant without an order keeps a pass: the household's pass gives way to personal ones (F09)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lianfang.credentials import actions as credentials
from lianfang.credentials import queries as credentials_queries
from lianfang.kernel.ids import new_id
from lianfang.people import queries as people

if TYPE_CHECKING:
    from lianfang.kernel.actor import Actor
    from lianfang.people.queries import PersonRef


def replace_household_passes(person: PersonRef, *, by: Actor) -> None:
    """In the act of an order: withdraw the household's passes and give every member a personal one.

    The pass of who is under the order is suspended by the order alone, and lives again when it ends.
    """
    if person.household_id is None:
        return
    live = [
        p
        for p in credentials_queries.passes_of([person.household_id])
        if p.kind == "H" and p.revoked_at is None and p.valid_until > by.at
    ]
    if not live:
        return
    members = people.members_of(person.household_id)
    have_own = {
        p.holder_id
        for p in credentials_queries.passes_of(members)
        if p.kind == "P" and p.revoked_at is None and p.valid_until > by.at
    }
    facts = people.pass_facts(members)
    # The newest household pass gives zones, end and channel; a phone's key belongs to no other pass.
    model = live[0]
    credentials.replace_household_pass(
        person.household_id,
        [
            credentials.PassDraft(
                id=new_id(),
                holder_id=member,
                kind="P",
                shard=model.shard,
                door=facts[member].door,
                member_no=facts[member].member_no or None,
                initials=facts[member].initials,
                birth_year=facts[member].birth_year or None,
                zones=model.zones,
                valid_from=by.at,
                valid_until=model.valid_until,
                channel="printed" if model.channel == "phone" else model.channel,
            )
            for member in members
            if member not in have_own and member in facts
        ],
        by=by,
    )
