"""Questions about users, organs and offices."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.conf import settings
from django.utils.translation import override

from lianfang.kernel.actor import Actor, Grant, lies_within, outermost
from lianfang.kernel.errors import NotFound
from lianfang.kernel.fields import within_any
from lianfang.kernel.ids import new_id

from .labels import ORGAN_KINDS, ROLES
from .models import Office, OfficeProposal, Organ, User
from .rights import CONFIRMS, ENTERED_BY, GRANTS, OPENS_PERSON_ROWS, Purpose, Right, Role, rights_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    #: An office with its organ, for those who may not name the table.
    HeldOffice = Office

#: Whom jobs act as, and whom an unknown visitor of a public page is. Neither is a row of `User`:
#: a column that records who acted therefore holds the id and no foreign key.
SYSTEM_ID: Final = UUID("00000000-0000-7000-8000-000000000001")
ANYONE_ID: Final = UUID("00000000-0000-7000-8000-000000000002")


def system_actor(
    name: str, at: datetime, areas: Iterable[str], *, purpose: Purpose = Purpose.ADMINISTRATION
) -> Actor:
    """The actor of a job: holds what `Role.SYSTEM` holds over these areas, so it can order nothing.

    :param name: of the job; it is the surface that readings name
    """
    rights = rights_of(Role.SYSTEM)
    return Actor(
        user_id=SYSTEM_ID,
        pseudonym="system",
        organ="system",
        organ_kind="",
        grants=frozenset(Grant(right, area, "system", "") for right in rights for area in areas if area),
        at=at,
        purpose=purpose,
        surface=f"job:{name}",
        request_id=new_id(),
    )


def anyone(
    at: datetime,
    *,
    surface: str,
    purpose: Purpose = Purpose.PUBLIC_INFORMATION,
    request_id: UUID | None = None,
) -> Actor:
    """A visitor who has not logged in: holds no right over anything."""
    return Actor(
        user_id=ANYONE_ID,
        pseudonym="anyone",
        organ="",
        organ_kind="",
        grants=frozenset(),
        at=at,
        purpose=purpose,
        surface=surface,
        request_id=request_id or new_id(),
    )


def offices_held(user_id: UUID, at: datetime) -> list[Office]:
    """The offices the user holds at the instant, with their organs; one query."""
    return list(
        Office.objects.held(at).filter(user_id=user_id).select_related("organ").order_by("starts_at", "pk")
    )


def grants_of(offices: Iterable[Office]) -> frozenset[Grant]:
    """What these offices give."""
    return frozenset(
        Grant(right, office.area, office.organ.code, office.organ.kind)
        for office in offices
        for right in rights_of(Role(office.role))
    )


def person_areas(by: Actor) -> tuple[str, ...]:
    """The areas whose persons' rows the actor's rights open (the second wall, A-1, A-7)."""
    return outermost(grant.area for grant in by.grants if grant.right in OPENS_PERSON_ROWS)


def in_use() -> bool:
    """Whether any office exists; the first-run page is open only before."""
    return Office.objects.exists()


def organ(code: str) -> Organ | None:
    """The organ with this code."""
    return Organ.objects.filter(code=code).first()


def shown_as(organ_code: str, *, by: Actor) -> str:
    """Who acted for an organ, as others may see it (R-3)."""
    found = organ(organ_code)
    return f"{found.name if found else organ_code} · {by.pseudonym}"


def organ_seen(code: str, *, by: Actor) -> Organ:
    """The organ with this code, in the actor's area.

    :raises NotFound: none there
    """
    found = Organ.objects.filter(within_any("area", by.areas(Right.ACCOUNTS_OFFICE_SEE)), code=code).first()
    if found is None:
        raise NotFound()
    return found


def has_communities() -> bool:
    """Whether any community has its body; before, nobody can be appointed there."""
    return Organ.objects.filter(kind=Organ.Kind.COMMUNITY).exists()


def organ_names(codes: Iterable[str]) -> dict[str, str]:
    """What the organs with these codes are called; unknown ones are left out."""
    return dict(Organ.objects.filter(code__in=set(codes)).values_list("code", "name"))


def public_names(code: str) -> tuple[str, str]:
    """What the chain calls an organ: its name, and in English what kind of body it is. Empty where none has the code."""
    found = organ(code)
    if found is not None:
        name, kind = found.name, ORGAN_KINDS[found.kind]
    elif code == "system":
        name, kind = "", ROLES[Role.SYSTEM]
    else:
        return "", ""
    with override(settings.LANGUAGE_CODE):
        name = name or str(kind)
    with override("en"):
        return name, str(kind)


def organs(*, kind: str | None = None, covering: str | None = None) -> list[Organ]:
    """Organs of a kind, and those whose area holds the place."""
    found = Organ.objects.order_by("code")
    if kind is not None:
        found = found.filter(kind=kind)
    if covering is not None:
        found = found.filter(area__contains_area=covering)
    return list(found)


def guard_numbers(area: str, at: datetime, *, limit: int = 500) -> list[str]:
    """The pseudonyms of who holds a guard's office over this place: their numbers at its posts, and no names."""
    held = Office.objects.held(at).filter(role=Role.GUARD, area__contains_area=area, user__is_active=True)
    return sorted(set(held.values_list("user__pseudonym", flat=True)))[:limit]


def grantable_roles(by: Actor) -> list[Role]:
    """The roles the actor's offices may give, in the order of `Role`."""
    held = {Role(office.role) for office in offices_held(by.user_id, by.at)}
    given = {role for granter in held for role in GRANTS.get(granter, frozenset())}
    return [role for role in Role if role in given]


def enterable_kinds(by: Actor) -> list[str]:
    """The kinds of bodies the actor may enter and describe: those whose offices they may give."""
    given = set(grantable_roles(by))
    return [kind for kind, roles in ENTERED_BY.items() if roles & given]


def organs_within(areas: Iterable[str]) -> list[Organ]:
    """Organs whose area lies in one of these."""
    return list(Organ.objects.filter(within_any("area", areas)).order_by("area", "code"))


def offices_listed(by: Actor) -> list[Office]:
    """Offices in the actor's areas that run, will run, or ended in the last 30 days; at most 200."""
    return list(
        Office.objects.within(by.areas(Right.ACCOUNTS_OFFICE_SEE))
        .filter(ends_at__gt=by.at - timedelta(days=30))
        .select_related("user", "organ")
        .order_by("area", "role", "starts_at")[:200]
    )


def proposals_waiting(by: Actor, *, since: datetime) -> list[OfficeProposal]:
    """Offices proposed after the instant in the actor's areas and not confirmed, the oldest first; at most 50."""
    return list(
        OfficeProposal.objects.filter(
            within_any("area", by.areas(Right.ACCOUNTS_OFFICE_SEE)), proposed_at__gt=since
        )
        .exclude(pk__in=Office.objects.values("pk"))
        .select_related("user", "organ", "proposed_by")
        .order_by("proposed_at")[:50]
    )


def confirmable(proposal: OfficeProposal, held: Iterable[Office], *, by: Actor) -> bool:
    """Whether this actor, who holds these offices, may be the second person."""
    return by.user_id not in (proposal.user_id, proposal.proposed_by_id) and any(
        lies_within(proposal.area, office.area)
        and Role(proposal.role) in CONFIRMS.get(Role(office.role), frozenset())
        for office in held
    )


def office_seen(office_id: UUID, *, by: Actor) -> Office:
    """One office in the actor's areas.

    :raises NotFound: none there
    """
    found = (
        Office.objects.within(by.areas(Right.ACCOUNTS_OFFICE_SEE))
        .filter(pk=office_id)
        .select_related("user", "organ")
        .first()
    )
    if found is None:
        raise NotFound()
    return found


def user_id_of(login: str) -> UUID | None:
    """The user who logs in under this name."""
    return User.objects.filter(login=login).values_list("pk", flat=True).first()


def demo_logins() -> list[tuple[str, str]]:
    """Login and role of every officer with a second factor; the demonstration shows them."""
    held = Office.objects.exclude(user__second_factor=None).select_related("user").order_by("starts_at", "pk")
    return [(office.user.login, office.role) for office in held]


def auditors(areas: Iterable[str], at: datetime) -> list[tuple[str, str]]:
    """Login and area of everybody who holds an auditor's office at the instant that touches these areas."""
    wanted = list(areas)
    held = Office.objects.held(at).filter(role=Role.AUDITOR).select_related("user").order_by("user__login")
    return [
        (o.user.login, o.area)
        for o in held
        if any(lies_within(o.area, area) or lies_within(area, o.area) for area in wanted)
    ]


def auditor_over(login: str, area: str, at: datetime) -> UUID | None:
    """The user of that login who holds an auditor's office over the area at the instant."""
    offices = Office.objects.held(at).filter(user__login=login, role=Role.AUDITOR)
    return next((o.user_id for o in offices if lies_within(area, o.area)), None)
