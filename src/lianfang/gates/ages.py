"""The act that says how old evidence may be at a gate; it holds until a later one takes its place.

Without one it is a day and three days. The set is every gate's, so who signs must command the whole district. It frees and
restricts nobody by itself: evidence that is too old turns "let pass" into "let pass and register", and behind a
closed perimeter into "call the community" (docs/gates.md, "Evidence").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Right
from lianfang.kernel.errors import NotAllowed, SameIdOtherContent
from lianfang.ledger import actions as ledger
from lianfang.people import queries as people
from lianfang.places import queries as places

from . import rule_acts
from .errors import AgesAsBefore, AgesOutOfBounds
from .models import AgesAct
from .policy import ages_fit
from .queries import ages_in_force

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang.kernel.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class AgesDraft:
    """From how many hours on evidence is no longer of the day, and from how many on it is old."""

    id: UUID
    day_hours: int
    old_hours: int
    basis: str


@transaction.atomic
def set_ages(draft: AgesDraft, *, by: Actor) -> AgesAct:
    """Sign new ages in the place of those in force, and publish them to the gates at once.

    :raises NotAllowed: the actor does not sign for the whole district
    :raises SameIdOtherContent: the id was used for other ages
    :raises AgesOutOfBounds: `policy.ages_fit` says no
    :raises AgesAsBefore: these are in force already
    """
    rule_acts.one_publisher()
    area = signed_over(by)
    said = {"day_hours": draft.day_hours, "old_hours": draft.old_hours, "basis": draft.basis}
    if earlier := AgesAct.objects.filter(pk=draft.id).first():
        if any(getattr(earlier, column) != value for column, value in said.items()):
            raise SameIdOtherContent
        return earlier
    if not ages_fit(draft.day_hours, draft.old_hours):
        raise AgesOutOfBounds
    if ages_in_force() == (draft.day_hours, draft.old_hours):
        raise AgesAsBefore
    before = AgesAct.objects.order_by("-no").first()
    no = before.no + 1 if before else 1
    entry = ledger.append(
        kind="gates:ages:set",
        act_id=draft.id,
        organ=rule_acts.organ_signing(area, by=by),
        scope=people.public_scope(area),
        basis=draft.basis,
        terms={"no": no, "day_hours": draft.day_hours, "old_hours": draft.old_hours},
        secrets={},
        by=by,
        prior=before.entry_id if before else None,
    )
    act = AgesAct.objects.create(
        id=draft.id,
        no=no,
        signed_at=by.at,
        signed_by=by.user_id,
        signed_as=accounts.shown_as(by.organ, by=by),
        entry_id=entry,
        **said,
    )
    rule_acts.publish(by.at)
    return act


def may_set(by: Actor) -> bool:
    """Whether the actor signs for the whole district."""
    found = places.districts()
    return bool(found) and all(by.may(Right.GATES_ACT_SIGN, over=area) for area in found)


def signed_over(by: Actor) -> str:
    """The district whose gates the actor signs for.

    :raises NotAllowed: there is none, or one over which the actor does not sign: one set of rules is for all gates
    """
    if not may_set(by):
        raise NotAllowed(right=str(Right.GATES_ACT_SIGN))
    return places.districts()[0]
