"""Acts on passes for somebody's work: on paper or for the phone, cleared, withdrawn (F09).

On paper the card is all. For the phone the desk grants, for at most 31 days, and the phone fetches a pass of three
days under its own key and renews it while the grant lasts (`phones.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db import transaction

from lianfang.accounts.rights import Right
from lianfang.credentials import actions as credentials
from lianfang.credentials import queries as credentials_queries
from lianfang.kernel.errors import NotFound, SameIdOtherContent
from lianfang.people import actions as people
from lianfang.places import queries as places
from lianfang.places.policy import Kind, at_level
from lianfang_pass import tokens
from lianfang_pass.tokens import Flag

from . import passes
from .errors import EndsTooLate, NoWorkPlaces
from .policy import REPLACED

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from lianfang.credentials.actions import IssuedPass, PassDraft
    from lianfang.credentials.queries import PassView, WorkGrantView
    from lianfang.kernel.actor import Actor
    from lianfang.people.queries import PersonRef


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkPassDraft:
    """A pass for the work of a person, class W, S, V or M. `compounds` are paths; `id` is the client's."""

    id: UUID
    person_id: UUID
    kind: str
    compounds: tuple[str, ...]
    valid_until: datetime
    not_cleared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearanceDraft:
    """A worker with the pass, or the grant, `pass_id` is cleared. `id` is the client's, of what takes its place."""

    id: UUID
    person_id: UUID
    pass_id: UUID


@transaction.atomic
def give_work_pass(draft: WorkPassDraft, *, by: Actor) -> IssuedPass:
    """Issue a paper pass for somebody's work: worker, supply, volunteer, medical. An earlier one of the same class is
    withdrawn.

    It holds for compounds, never for the home: at the own door the personal pass counts. Its row stands in the list
    that the gates of those compounds get, wherever the holder lives.
    Sending the same draft again returns the pass already made.

    :raises NotFound: no such person in reach
    :raises NotAllowed: `by` holds no office that issues passes over the home, or over one of the compounds
    :raises NoWorkPlaces: no compound, more than a pass can name, or of several streets
    :raises NotAtHome: the person has no dwelling in a compound
    :raises EndsTooLate: over already, or more than 31 days away
    :raises SameIdOtherContent: the id was used for another pass
    """
    person = people.person_for_update(draft.person_id)
    return _in_place_of_the_last(_asked(draft, person, by=by), by=by)


@transaction.atomic
def grant_work_on_phone(draft: WorkPassDraft, *, by: Actor) -> WorkGrantView:
    """Let somebody's phones carry a pass for work; one of the same class that they carried is withdrawn.

    A phone that has the person's pass fetches it when its page is opened next; another one needs a one-time code first.
    Sending the same draft again returns the grant already made.

    :raises: as `give_work_pass`
    """
    person = people.person_for_update(draft.person_id)
    wanted = _asked(draft, person, by=by)
    if draft.id not in {g.id for g in credentials_queries.work_granted(person.id)}:
        _check_end(wanted, by=by)
        credentials.revoke_on_phones(person.id, draft.kind, reason=REPLACED, by=by)
    return _grant(wanted, by=by)


@transaction.atomic
def clear_worker(draft: ClearanceDraft, *, by: Actor) -> IssuedPass:
    """A worker is cleared: a pass without the mark takes the place of the marked one, for the same compounds and days.

    Sending the same draft again returns the pass already made.

    :raises NotFound: no such person in reach, or no such marked pass
    :raises NotAllowed: `by` holds no office that issues passes over the home
    :raises EndsTooLate: the marked pass is over
    :raises SameIdOtherContent: the id was used for another pass
    """
    person = _may_clear(draft, by=by)
    held = {p.id: p for p in credentials_queries.passes_of([person.id])}
    marked = held.get(draft.pass_id)
    if marked is None or marked.cnf is not None or not is_marked(marked):
        raise NotFound
    if draft.id not in held and marked.revoked_at is not None:
        raise NotFound
    return _in_place_of_the_last(_without_mark(draft, marked, person, by=by), by=by)


@transaction.atomic
def clear_worker_on_phone(draft: ClearanceDraft, *, by: Actor) -> WorkGrantView:
    """The same for what phones carry. The marked pass stays good until the phone has fetched the one without mark:
    it says less, and nobody stands at a gate with neither.

    :raises: as `clear_worker`
    """
    person = _may_clear(draft, by=by)
    granted = {g.id: g for g in credentials_queries.work_granted(person.id)}
    marked = granted.get(draft.pass_id)
    if marked is None or not is_marked(marked):
        raise NotFound
    wanted = _without_mark(draft, marked, person, by=by)
    if draft.id not in granted:
        if marked.withdrawn_at is not None:
            raise NotFound
        _check_end(wanted, by=by)
    return _grant(wanted, by=by)


@transaction.atomic
def withdraw_work_on_phone(grant_id: UUID, *, person_id: UUID, reason: str, by: Actor) -> None:
    """The work is over, or the grant was an error: no phone of the person carries this pass any more.

    :raises NotFound: not granted to this person
    :raises NotAllowed: `by` holds no office that withdraws passes over the home
    """
    person = people.person_for_update(person_id)
    by.require(Right.CREDENTIALS_PASS_REVOKE, over=person.area)
    if grant_id not in {g.id for g in credentials_queries.work_granted(person.id)}:
        raise NotFound
    credentials.withdraw_work(grant_id, reason=reason, by=by)


def is_marked(held: PassView | WorkGrantView) -> bool:
    """Whether a worker's pass says that the holder is not yet cleared: nobody is let in at the work by it alone."""
    return held.kind == "W" and bool(Flag(held.flags) & Flag.NOT_CLEARED)


def in_force(person_id: UUID, *, at: datetime) -> list[WorkGrantView]:
    """What the person's phones may carry for work now."""
    return [
        g
        for g in credentials_queries.work_granted(person_id)
        if g.withdrawn_at is None and g.granted_at <= at < g.valid_until
    ]


def _asked(draft: WorkPassDraft, person: PersonRef, *, by: Actor) -> PassDraft:
    for area in (person.area, *draft.compounds):
        by.require(Right.CREDENTIALS_PASS_ISSUE, over=area)
    streets = {at_level(area, Kind.STREET) for area in draft.compounds}
    if not 0 < len(draft.compounds) <= tokens.MOST_ZONES or len(streets) > 1:
        raise NoWorkPlaces
    street = streets.pop()
    if street is None or any(at_level(area, Kind.COMPOUND) != area for area in draft.compounds):
        raise NoWorkPlaces
    return replace(
        passes.facts(draft.id, person, person.id, draft.kind, by=by),
        shard=places.place(street).code,
        zones=tuple(area.rpartition(".")[2] for area in sorted(draft.compounds)),
        valid_until=draft.valid_until,
        flags=int(Flag.NOT_CLEARED) if draft.not_cleared else 0,
    )


def _may_clear(draft: ClearanceDraft, *, by: Actor) -> PersonRef:
    person = people.person_for_update(draft.person_id)
    by.require(Right.CREDENTIALS_PASS_ISSUE, over=person.area)
    return person


def _without_mark(
    draft: ClearanceDraft, marked: PassView | WorkGrantView, person: PersonRef, *, by: Actor
) -> PassDraft:
    return replace(
        passes.facts(draft.id, person, person.id, marked.kind, by=by),
        shard=marked.shard,
        zones=marked.zones,
        valid_until=marked.valid_until,
    )


def _check_end(wanted: PassDraft, *, by: Actor) -> None:
    if not by.at < wanted.valid_until <= by.at + passes.PAPER_LIVES:
        raise EndsTooLate


def _grant(wanted: PassDraft, *, by: Actor) -> WorkGrantView:
    return credentials.grant_work(
        credentials.WorkGrantDraft(
            id=wanted.id,
            holder_id=wanted.holder_id,
            kind=wanted.kind,
            shard=wanted.shard,
            zones=wanted.zones,
            valid_until=wanted.valid_until,
            flags=wanted.flags,
        ),
        by=by,
    )


def _in_place_of_the_last(wanted: PassDraft, *, by: Actor) -> IssuedPass:
    """Issue a paper pass with an end of its own, and withdraw those of its class that the holder has on paper."""
    held = {p.id: p for p in credentials_queries.passes_of([wanted.holder_id])}
    if (earlier := held.get(wanted.id)) is not None:
        # When it began is when the first of the requests came; what was asked for is the rest.
        asked = (wanted.kind, wanted.zones, wanted.valid_until, bool(wanted.flags))
        if asked != (earlier.kind, earlier.zones, earlier.valid_until, is_marked(earlier)):
            raise SameIdOtherContent
        return credentials.IssuedPass(
            earlier.id, earlier.pass_no, earlier.index, earlier.shard, credentials_queries.token(earlier.id)
        )
    _check_end(wanted, by=by)
    for other in passes.live(wanted.holder_id, wanted.kind, channel="printed", by=by):
        credentials.revoke_pass(other.id, reason=REPLACED, by=by)
    return credentials.issue_pass(wanted, by=by)
