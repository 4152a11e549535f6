"""What all signed acts share: the organ a right is held for, a fresh second factor, slips, passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from lianfang.accounts import queries as accounts
from lianfang.credentials import actions as credentials
from lianfang.kernel.actor import lies_within
from lianfang.kernel.errors import NotAllowed, SameIdOtherContent
from lianfang.orders import policy
from lianfang.orders.errors import FactorNotFresh, OrganNotCompetent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.db.models import Model

    from lianfang.accounts.models import Organ
    from lianfang.accounts.rights import Right
    from lianfang.kernel.actor import Actor
    from lianfang.people.queries import PassFacts

_Row = TypeVar("_Row", bound="Model")


def organ_for(right: Right, *, over: str, by: Actor) -> Organ:
    """The organ in whose name `by` uses a right over an area.

    :raises NotAllowed: no office held carries it there
    :raises OrganNotCompetent: the office names an organ that does not exist
    """
    grant = next((g for g in sorted(by.grants, key=lambda g: g.organ) if _carries(g, right, over)), None)
    if grant is None:
        raise NotAllowed(right=str(right))
    organ = accounts.organ(grant.organ)
    if organ is None:
        raise OrganNotCompetent
    return organ


def _carries(grant: Any, right: Right, over: str) -> bool:
    return grant.right == right and lies_within(over, grant.area)


def require_fresh_factor(by: Actor) -> None:
    """A signature asks for the second factor again (T23).

    :raises FactorNotFresh: given more than five minutes ago, or never
    """
    if by.verified_at is None or by.at - by.verified_at > policy.FACTOR_FRESH_FOR:
        raise FactorNotFresh


def signature(organ: Organ | None, *, by: Actor) -> dict[str, Any]:
    """The columns that say who signed, for whom and when."""
    return {
        "signed_by": by.user_id,
        "pseudonym": by.pseudonym,
        "organ": by.organ if organ is None else organ.code,
        "organ_kind": by.organ_kind if organ is None else organ.kind,
        "signed_at": by.at,
    }


def same_or_refuse(row: _Row, said: Mapping[str, Any]) -> _Row:
    """The row made earlier under the client's id, if it says the same.

    :raises SameIdOtherContent: it says something else
    """
    if any(getattr(row, column) != value for column, value in said.items()):
        raise SameIdOtherContent
    return row


def slip(
    kind: str,
    facts: PassFacts,
    *,
    order_no: str,
    starts_at: datetime,
    ends_at: datetime,
    nbf: datetime,
    at: datetime,
) -> str:
    """A signed slip about an order: O says until when, R frees at the end, L frees at once (passes.md §4.3)."""
    return credentials.sign_slip(
        credentials.SlipFacts(
            kind=kind,
            order_no=order_no,
            door=facts.door,
            member_no=facts.member_no or None,
            initials=facts.initials,
            birth_year=facts.birth_year or None,
            start=starts_at,
            end=ends_at,
            nbf=nbf,
        ),
        at=at,
    )
