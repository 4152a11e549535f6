"""Users, organs and offices for tests: `an_officer` for acts, `client_for` for pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.test import Client

from lianfang.accounts import queries
from lianfang.accounts.models import Office, Organ, User
from lianfang.accounts.rights import ORGAN_KIND_OF, Purpose, Role
from lianfang.accounts.web import VERIFIED_AT
from lianfang.kernel import clock, ids
from lianfang.kernel.actor import Actor, Grant

if TYPE_CHECKING:
    from uuid import UUID

DISTRICT: Final = "d510402"
STREET: Final = "d510402.s510402001"
COMMUNITY: Final = "d510402.s510402001.c510402001003"
#: An instant inside the story: 10 February 2020, 09:00 in Panzhihua.
AT: Final = datetime(2020, 2, 10, 1, 0, tzinfo=UTC)

_LEVEL_OF: Final = {"d": "district", "s": "street", "c": "community"}


def an_organ(kind: str, area: str = DISTRICT, *, code: str | None = None) -> Organ:
    """An organ of this kind over the area; the same one every time."""
    code = code or f"{kind}-{area.rpartition('.')[2]}"
    organ, _ = Organ.objects.get_or_create(
        code=code,
        defaults={
            "name": f"{kind} {area.rsplit('.', 1)[-1]}",
            "kind": kind,
            "level": _LEVEL_OF.get(area.rsplit(".", 1)[-1][0], "community"),
            "area": area,
        },
    )
    return organ


def a_user(*, login: str | None = None, person_id: UUID | None = None, name: str = "") -> User:
    """A user without offices and without a password."""
    key = ids.new_id()
    user = User(
        id=key,
        login=login or f"u-{key.hex[-12:]}",
        pseudonym=f"P{key.hex[-8:]}",
        person_id=person_id,
        name=name,
    )
    user.set_unusable_password()
    user.save(force_insert=True)
    return user


def an_office(
    role: Role | str,
    area: str = DISTRICT,
    *,
    user: User | None = None,
    organ: Organ | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Office:
    """An office as the table holds it, past the act that grants it. Begins a day before now."""
    role = Role(role)
    starts_at = starts_at or clock.now() - timedelta(days=1)
    office = Office(
        user=user or a_user(),
        role=role,
        organ=organ or an_organ(ORGAN_KIND_OF.get(role, "department"), area),
        area=area,
        starts_at=starts_at,
        ends_at=ends_at or starts_at + timedelta(days=30),
        granted_at=starts_at,
    )
    office.save(force_insert=True)
    return office


def an_officer(
    role: Role | str,
    area: str = DISTRICT,
    *,
    at: datetime = AT,
    organ: Organ | None = None,
    purpose: Purpose = Purpose.ISOLATION,
    user: User | None = None,
    verified: bool = True,
) -> Actor:
    """Somebody who holds this role over the area, as an act sees them at `at`; stored with user and office.

    :param verified: whether the second factor was given this minute
    """
    office = an_office(role, area, user=user, organ=organ, starts_at=at - timedelta(days=1))
    return Actor(
        user_id=office.user.pk,
        pseudonym=office.user.pseudonym,
        organ=office.organ.code,
        organ_kind=office.organ.kind,
        grants=queries.grants_of([office]),
        at=at,
        purpose=purpose,
        surface="test",
        request_id=ids.new_id(),
        verified_at=at if verified else None,
    )


def a_resident(person_id: UUID, *, at: datetime = AT, purpose: Purpose = Purpose.OWN_DATA) -> Actor:
    """The person themselves, logged in on a phone."""
    user = User.objects.filter(person_id=person_id).first() or a_user(person_id=person_id)
    return Actor(
        user_id=user.pk,
        pseudonym=user.pseudonym,
        organ="",
        organ_kind="",
        grants=frozenset[Grant](),
        at=at,
        purpose=purpose,
        surface="test",
        request_id=ids.new_id(),
        person_id=person_id,
    )


def log_in(user: User, *, verified: bool = True) -> Client:
    """A browser in which this user is logged in, second factor given just now."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    if verified:
        session = client.session
        session[VERIFIED_AT] = clock.now().isoformat()
        session.save()
    return client


def client_for(role: Role | str, area: str = DISTRICT, *, verified: bool = True) -> Client:
    """A browser in which an officer of this role over this area is logged in."""
    return log_in(an_office(role, area).user, verified=verified)


def client_of(person_id: UUID) -> Client:
    """A browser in which this resident is logged in."""
    return log_in(a_user(person_id=person_id))
