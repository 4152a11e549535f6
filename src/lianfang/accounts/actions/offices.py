"""Offices: given, proposed and confirmed by two, ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction

from lianfang.accounts.errors import (
    AnotherMustConfirm,
    OfficeAlreadyOver,
    OfficeOutsideOrgan,
    OfficesMustBeApart,
    PeriodIsNone,
    ProposalLapsed,
    TakesTwoPersons,
    WrongOrgan,
)
from lianfang.accounts.models import Office, OfficeProposal, Organ
from lianfang.accounts.queries import offices_held
from lianfang.accounts.rights import BY_TWO, CONFIRMS, GRANTS, Right, Role
from lianfang.kernel.actor import lies_within
from lianfang.kernel.errors import NotAllowed, NotFound, SameIdOtherContent
from lianfang.kernel.wake import wake

from .users import user_for_update

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from lianfang.kernel.actor import Actor

#: Offices end by default after this (trust.md §6); a year is the longest.
OFFICE_LASTS: Final = timedelta(days=30)
OFFICE_LASTS_AT_MOST: Final = timedelta(days=366)
#: A proposed office that nobody confirmed within this is nothing.
PROPOSAL_LASTS: Final = timedelta(hours=24)
_REFUSED_BY_SCHEMA: Final = {
    "separated_offices_are_in_different_hands": OfficesMustBeApart,
    "organ_kind_has_this_office": WrongOrgan,
    "office_lies_in_its_organ": OfficeOutsideOrgan,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeDraft:
    """An office to be given. Without an end it lasts 30 days."""

    office_id: UUID
    user_id: UUID
    role: Role
    organ: str
    area: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@transaction.atomic
def grant_office(draft: OfficeDraft, *, by: Actor) -> Office:
    """Give a user one role over one area for a time.

    Sending the same draft again returns the office already given.

    :raises TakesTwoPersons: the role carries a power that one person alone gives nobody
    :raises NotFound: no such user or organ
    :raises NotAllowed: `by` holds no office there that gives this one, or would give it to themselves
    :raises WrongOrgan: the organ's kind has no such office
    :raises OfficeOutsideOrgan: the area does not lie in the organ's
    :raises PeriodIsNone: it would end before it begins, or last longer than a year
    :raises OfficesMustBeApart: the user holds the other side in that time
    :raises SameIdOtherContent: the id was used for another office
    """
    # Locking the user makes two granters' offices for them queue here; the schema refuses the rest.
    user = user_for_update(draft.user_id)
    require_grantable(draft.role, draft.area, by=by)
    if user.pk == by.user_id:
        raise NotAllowed(right=str(Right.ACCOUNTS_OFFICE_GRANT))
    if draft.role in BY_TWO:
        raise TakesTwoPersons()
    starts_at = draft.starts_at or by.at
    ends_at = draft.ends_at or starts_at + OFFICE_LASTS
    if earlier := Office.objects.filter(pk=draft.office_id).first():
        if (earlier.user_id, earlier.role, earlier.area) != (draft.user_id, draft.role, draft.area):
            raise SameIdOtherContent()
        return earlier
    _require_period(starts_at, ends_at, at=by.at)
    organ = _organ(draft.organ)
    return put_office(
        Office(
            id=draft.office_id,
            user=user,
            role=draft.role,
            organ=organ,
            area=draft.area,
            starts_at=starts_at,
            ends_at=ends_at,
            granted_at=by.at,
            granted_by_id=by.user_id,
        )
    )


def _require_period(starts_at: datetime, ends_at: datetime, *, at: datetime) -> None:
    if not timedelta() < ends_at - starts_at <= OFFICE_LASTS_AT_MOST or ends_at <= at:
        raise PeriodIsNone()


def _organ(code: str) -> Organ:
    organ = Organ.objects.filter(code=code).first()
    if organ is None:
        raise NotFound()
    return organ


@transaction.atomic
def propose_office(draft: OfficeDraft, *, by: Actor) -> OfficeProposal:
    """Write down an office that takes two; it gives nothing until somebody else confirms it.

    Sending the same draft again returns the proposal already made.

    :raises NotFound: no such user or organ
    :raises NotAllowed: `by` holds no office there that gives this one, or would give it to themselves
    :raises WrongOrgan: the organ's kind has no such office
    :raises OfficeOutsideOrgan: the area does not lie in the organ's
    :raises PeriodIsNone: it would end before it begins, or last longer than a year
    :raises OfficesMustBeApart: the user holds the other side in that time
    :raises SameIdOtherContent: the id was used for another office
    """
    user = user_for_update(draft.user_id)
    require_grantable(draft.role, draft.area, by=by)
    if user.pk == by.user_id:
        raise NotAllowed(right=str(Right.ACCOUNTS_OFFICE_GRANT))
    if earlier := OfficeProposal.objects.filter(pk=draft.office_id).first():
        if (earlier.user_id, earlier.role, earlier.area) != (draft.user_id, draft.role, draft.area):
            raise SameIdOtherContent()
        return earlier
    proposal = OfficeProposal(
        id=draft.office_id,
        user=user,
        role=draft.role,
        organ=_organ(draft.organ),
        area=draft.area,
        starts_at=draft.starts_at,
        ends_at=draft.ends_at,
        proposed_at=by.at,
        proposed_by_id=by.user_id,
    )
    _try_office(proposal, by=by)
    proposal.save(force_insert=True)
    return proposal


def _try_office(proposal: OfficeProposal, *, by: Actor) -> None:
    """Refuse now what the schema would refuse at the confirmation: put the office, and take it back."""
    undo = transaction.savepoint()
    try:
        # Anybody else stands in for who will confirm: the proposal is no place to learn who could.
        put_office(_office_of(proposal, at=by.at, confirmed_by=None), told=False)
    finally:
        transaction.savepoint_rollback(undo)


def _office_of(proposal: OfficeProposal, *, at: datetime, confirmed_by: UUID | None) -> Office:
    # An office never begins before its confirmation.
    starts_at = max(proposal.starts_at or at, at)
    ends_at = proposal.ends_at or starts_at + OFFICE_LASTS
    _require_period(starts_at, ends_at, at=at)
    return Office(
        id=proposal.pk,
        user_id=proposal.user_id,
        role=proposal.role,
        organ_id=proposal.organ_id,
        area=proposal.area,
        starts_at=starts_at,
        ends_at=ends_at,
        granted_at=at,
        # Without the second person the trial stands as the first officers of a system do.
        granted_by_id=proposal.proposed_by_id if confirmed_by else None,
        confirmed_by_id=confirmed_by,
    )


@transaction.atomic
def confirm_office(proposal_id: UUID, *, by: Actor) -> Office:
    """Let a proposed office begin, as the second person. Confirming again returns the office.

    :raises NotFound: nothing of this id was proposed in the actor's areas
    :raises NotAllowed: `by` holds no office there that confirms this one
    :raises AnotherMustConfirm: `by` proposed it, or would hold it
    :raises ProposalLapsed: a day has passed, or who proposed it could not give it any more
    :raises OfficesMustBeApart: the user holds the other side in that time
    """
    proposal = OfficeProposal.objects.select_for_update().filter(pk=proposal_id).first()
    if proposal is None or not by.may(Right.ACCOUNTS_OFFICE_CONFIRM, over=proposal.area):
        raise NotFound()
    role = Role(proposal.role)
    if not holds_over(by.user_id, proposal.area, CONFIRMS, role, at=by.at):
        raise NotAllowed(right=str(Right.ACCOUNTS_OFFICE_CONFIRM), role=str(role))
    if by.user_id in (proposal.proposed_by_id, proposal.user_id):
        raise AnotherMustConfirm()
    user_for_update(proposal.user_id)
    if done := Office.objects.filter(pk=proposal_id).first():
        return done
    still = holds_over(proposal.proposed_by_id, proposal.area, GRANTS, role, at=by.at)
    if by.at >= proposal.proposed_at + PROPOSAL_LASTS or not still:
        raise ProposalLapsed()
    return put_office(_office_of(proposal, at=by.at, confirmed_by=by.user_id))


def put_office(office: Office, *, told: bool = True) -> Office:
    try:
        with transaction.atomic():
            office.save(force_insert=True)
    except IntegrityError as error:
        for constraint, refusal in _REFUSED_BY_SCHEMA.items():
            if constraint in str(error):
                raise refusal() from error
        raise
    if told:
        wake("offices", office.user_id)
    return office


def require_grantable(role: Role, area: str, *, by: Actor) -> None:
    by.require(Right.ACCOUNTS_OFFICE_GRANT, over=area)
    if not holds_over(by.user_id, area, GRANTS, role, at=by.at):
        raise NotAllowed(right=str(Right.ACCOUNTS_OFFICE_GRANT), role=str(role))


def holds_over(
    user_id: UUID, area: str, table: Mapping[Role, frozenset[Role]], role: Role, *, at: datetime
) -> bool:
    """Whether an office of the user over the area has this role in its row of the table."""
    return any(
        lies_within(area, office.area) and role in table.get(Role(office.role), frozenset())
        for office in offices_held(user_id, at)
    )


@transaction.atomic
def revoke_office(office_id: UUID, *, reason: str, by: Actor) -> Office:
    """End an office now. What its holder asks from the next request on is refused (A-5).

    The holder may give it back; otherwise it takes whoever could give it. Ending it again for the same reason
    changes nothing.

    :raises NotFound: no such office
    :raises NotAllowed: neither the holder nor entitled to give it
    :raises OfficeAlreadyOver: it has ended
    """
    office = Office.objects.select_for_update().filter(pk=office_id).first()
    if office is None:
        raise NotFound()
    if office.user_id != by.user_id:
        require_grantable(Role(office.role), office.area, by=by)
    if (office.ended_by_id, office.end_reason) == (by.user_id, reason):
        return office
    if office.ended_by_id is not None or office.ends_at <= by.at:
        raise OfficeAlreadyOver()
    # One that has not begun ends where it begins: an empty period.
    office.ends_at = max(office.starts_at, by.at)
    office.ended_by_id = by.user_id
    office.end_reason = reason
    office.save(update_fields=["ends_at", "ended_by", "end_reason"])
    wake("offices", office.user_id)
    return office


@transaction.atomic
def shut_out(user_id: UUID, *, by: Actor) -> None:
    """Let a user log in no more and end what sessions they have; their offices stay on record.

    :raises NotAllowed: `by` may not end every office they hold
    """
    user = user_for_update(user_id)
    for office in offices_held(user_id, by.at):
        require_grantable(Role(office.role), office.area, by=by)
    if not by.areas(Right.ACCOUNTS_OFFICE_GRANT):
        raise NotAllowed(right=str(Right.ACCOUNTS_OFFICE_GRANT))
    user.is_active = False
    user.save(update_fields=["is_active"])
    wake("offices", user_id)
