"""Asking for an order, refusing to give one, and standing behind one as the second body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from lianfang.accounts.rights import Right
from lianfang.concerns import queries as concerns
from lianfang.kernel.errors import NotFound
from lianfang.kernel.wake import wake
from lianfang.orders import policy
from lianfang.orders.errors import AnchorInTheFuture, NoSuchEvidence, NoSuchReason, ProposalIsOver, SameBody
from lianfang.orders.models import IsolationProposal, ProposalRefusal, SecondSignature
from lianfang.people import actions as people
from lianfang.people import queries as people_queries
from lianfang.rules import queries as rules

from .signing import organ_for, require_fresh_factor, same_or_refuse, signature

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from lianfang.kernel.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalDraft:
    """What a community or street asks the health organ for."""

    id: UUID
    person_id: UUID
    reason: str
    anchor_at: datetime
    evidence_id: UUID
    home_is_suitable: bool
    note: str = ""


@transaction.atomic
def propose_isolation(draft: ProposalDraft, *, by: Actor) -> IsolationProposal:
    """Ask the health organ to order one person to isolate. It restricts nobody.

    :raises NotFound: no such person
    :raises NotAllowed: `by` proposes nothing for the person's home
    :raises NoSuchReason: not a reason of the catalogue
    :raises NoSuchEvidence: the concern named is about somebody else, for another reason, dismissed or lapsed
    :raises AnchorInTheFuture: days are counted from something that has happened
    :raises SameIdOtherContent: the id was used for another proposal
    """
    person = people.person_for_update(draft.person_id)
    organ = organ_for(Right.ORDERS_ISOLATION_PROPOSE, over=person.area, by=by)
    said = {
        "person_id": person.id,
        "reason": draft.reason,
        "anchor_at": draft.anchor_at,
        "evidence_id": draft.evidence_id,
        "home_is_suitable": draft.home_is_suitable,
        "note": draft.note,
    }
    if earlier := IsolationProposal.objects.filter(pk=draft.id).first():
        return same_or_refuse(earlier, said)
    if draft.anchor_at > by.at:
        raise AnchorInTheFuture
    if rules.reason_in_force(draft.reason, by.legal_day, area=person.area) is None:
        raise NoSuchReason
    known = concerns.evidence(draft.evidence_id, persons=people_queries.same_person([person.id]), at=by.at)
    if known is None or known.category != draft.reason:
        raise NoSuchEvidence
    proposal = IsolationProposal.objects.create(
        id=draft.id, area=person.area, evidence_kind="concern", **said, **signature(organ, by=by)
    )
    wake("proposals", proposal.pk)
    return proposal


@transaction.atomic
def refuse_proposal(proposal_id: UUID, *, reason: str, by: Actor) -> ProposalRefusal:
    """Say that no order follows, and why.

    :raises NotFound: no such proposal
    :raises NotAllowed: `by` issues no orders there
    :raises ProposalIsOver: an order followed, or it was refused for another reason
    """
    proposal = _locked(proposal_id)
    organ = organ_for(Right.ORDERS_ISOLATION_ISSUE, over=proposal.area, by=by)
    if earlier := ProposalRefusal.objects.filter(proposal=proposal).first():
        if earlier.reason == reason:
            return earlier
        raise ProposalIsOver
    if proposal.orders.exists():
        raise ProposalIsOver
    return ProposalRefusal.objects.create(proposal=proposal, reason=reason, **signature(organ, by=by))


@transaction.atomic
def second_sign(proposal_id: UUID, *, by: Actor) -> SecondSignature:
    """Stand behind the order that follows from a proposal, as another body. It alone orders nothing.

    :raises NotFound: no such proposal
    :raises NotAllowed: `by` holds no second signature there
    :raises FactorNotFresh: the second factor is older than five minutes
    :raises SameBody: `by` belongs to the body that proposed
    :raises ProposalIsOver: refused, followed, or older than 24 hours
    """
    proposal = _locked(proposal_id)
    organ = organ_for(Right.ORDERS_ISOLATION_SECOND_SIGN, over=proposal.area, by=by)
    require_fresh_factor(by)
    if earlier := proposal.second_signatures.filter(
        signed_by=by.user_id, signed_at__gt=by.at - policy.SECOND_SIGNATURE_HOLDS
    ).first():
        return earlier
    if organ.code == proposal.organ or by.user_id == proposal.signed_by:
        raise SameBody
    if is_over(proposal, at=by.at):
        raise ProposalIsOver
    return SecondSignature.objects.create(proposal=proposal, **signature(organ, by=by))


def is_over(proposal: IsolationProposal, *, at: datetime) -> bool:
    """Whether nothing more can follow from a proposal."""
    return (
        proposal.orders.exists()
        or ProposalRefusal.objects.filter(proposal=proposal).exists()
        or at >= proposal.signed_at + policy.PROPOSAL_WAITS
    )


def _locked(proposal_id: UUID) -> IsolationProposal:
    # Not the proposal's row but the person's is locked: rows that are only inserted are never updated.
    proposal = IsolationProposal.objects.filter(pk=proposal_id).first()
    if proposal is None:
        raise NotFound
    people.person_for_update(proposal.person_id)
    return proposal
