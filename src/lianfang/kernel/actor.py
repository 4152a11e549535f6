"""Who acts: the one value through which an act learns the person, the office and the instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .clock import legal_day
from .errors import NotAllowed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime
    from uuid import UUID


def lies_within(area: str, of: str) -> bool:
    """Whether `area` is `of` or below it. An empty area is no area: it holds nothing, lies in nothing."""
    return bool(of) and bool(area) and (area == of or area.startswith(of + "."))


@dataclass(frozen=True, slots=True)
class Grant:
    """One right over one area, as held at the actor's instant.

    `organ` and its kind are those of the office that carries the right.
    """

    right: str
    area: str
    organ: str = ""
    organ_kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A user in the offices held at `at`, doing one thing for one purpose.

    :ivar user_id: who; recorded, never shown to others
    :ivar pseudonym: what others see beside the office (R-3)
    :ivar organ: code of the organ acted for; `organ_kind` its kind (health, command, community …)
    :ivar at: the instant of the request; acts read no clock
    :ivar purpose: a member of `accounts.rights.Purpose`; every reading of a person records it
    :ivar surface: the named page, API operation or job
    :ivar person_id: the own person record of a resident's user
    :ivar verified_at: when the second factor was last given
    """

    user_id: UUID
    pseudonym: str
    organ: str
    organ_kind: str
    grants: frozenset[Grant]
    at: datetime
    purpose: str
    surface: str
    request_id: UUID
    person_id: UUID | None = None
    verified_at: datetime | None = None

    def may(self, right: str, *, over: str) -> bool:
        """Whether an office held now carries `right` over the area `over`."""
        return any(g.right == right and lies_within(over, g.area) for g in self.grants)

    def require(self, right: str, *, over: str) -> None:
        """:raises NotAllowed: no office held now carries `right` over the area `over`"""
        if not self.may(right, over=over):
            raise NotAllowed(right=str(right))

    def areas(self, right: str) -> tuple[str, ...]:
        """The areas over which `right` is held, without those that lie in another of them."""
        return outermost(g.area for g in self.grants if g.right == right)

    @property
    def legal_day(self) -> date:
        """The legal day of the request."""
        return legal_day(self.at)


def outermost(areas: Iterable[str]) -> tuple[str, ...]:
    """The areas that lie in no other of them, sorted; empty ones are dropped."""
    kept: list[str] = []
    for area in sorted({a for a in areas if a}):
        if not any(lies_within(area, k) for k in kept):
            kept.append(area)
    return tuple(kept)
