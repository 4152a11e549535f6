"""The first officers of an empty system, and the logins of a demonstration."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction

from lianfang.accounts import factor
from lianfang.accounts.errors import SystemInUse
from lianfang.accounts.models import Office, SecondFactor, User
from lianfang.accounts.queries import in_use
from lianfang.accounts.rights import Role
from lianfang.kernel import clock, ids
from lianfang.kernel.errors import NotAllowed, NotFound

from .offices import OFFICE_LASTS, OFFICE_LASTS_AT_MOST, put_office
from .organs import OrganDraft, put_organ
from .second_factor import set_second_factor
from .users import check_password, new_user

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

#: The demonstration's story begins before today.
DEMO_OFFICE_BEGAN: Final = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstOfficer:
    """One of the first officers of a new system, with the password they chose."""

    login: str
    name: str
    password: str
    role: Role
    organ: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOfficer:
    """A login of the demonstration; without a role it is a resident's."""

    login: str
    name: str
    password: str
    role: Role | None = None
    organ: str = ""
    area: str = ""
    person_id: UUID | None = None


@transaction.atomic
def found_system(
    officers: Sequence[FirstOfficer], organs: Sequence[OrganDraft], *, at: datetime
) -> list[User]:
    """Enter the organs and the first officers of a system that has none, over their organs' areas.

    :raises SystemInUse: an office exists; from then on offices are given by officers
    :raises WeakPassword: one of the passwords is weak
    """
    # Two first runs at once: the table lock lets one of them see the other's offices.
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE accounts_office IN EXCLUSIVE MODE")
    if in_use():
        raise SystemInUse()
    entered = {draft.code: put_organ(draft) for draft in organs}
    users = []
    for officer in officers:
        check_password(officer.password)
        user = new_user(ids.new_id(), login=officer.login, name=officer.name)
        user.set_password(officer.password)
        user.save(update_fields=["password"])
        organ = entered[officer.organ]
        put_office(
            Office(
                id=ids.new_id(),
                user=user,
                role=officer.role,
                organ=organ,
                area=organ.area,
                starts_at=at,
                ends_at=at + OFFICE_LASTS,
                granted_at=at,
                granted_by=None,
            )
        )
        users.append(user)
    return users


@transaction.atomic
def start_demo_logins(
    officers: Sequence[DemoOfficer], organs: Sequence[OrganDraft], *, at: datetime
) -> dict[str, UUID]:
    """Enter the officers of a demonstration, with known passwords and code generators; login → user.

    Repeating it changes nothing.

    :raises NotAllowed: this is no demonstration
    """
    if not settings.DEMO:
        raise NotAllowed()
    entered = {draft.code: put_organ(draft) for draft in organs}
    # Slow by design, and in a demonstration the passwords are one and known: each is hashed once.
    hashed = {password: make_password(password) for password in {o.password for o in officers}}
    users: dict[str, UUID] = {}
    for officer in officers:
        user = User.objects.filter(login=officer.login).first()
        if user is None:
            user = new_user(ids.new_id(), login=officer.login, name=officer.name, person_id=officer.person_id)
            user.password = hashed[officer.password]
            user.save(update_fields=["password"])
            if officer.role is not None:
                set_second_factor(user.pk, ids.random_bytes(20), at=at)
                put_office(
                    Office(
                        id=ids.new_id(),
                        user=user,
                        role=officer.role,
                        organ=entered[officer.organ],
                        area=officer.area or entered[officer.organ].area,
                        starts_at=at - DEMO_OFFICE_BEGAN,
                        ends_at=at - DEMO_OFFICE_BEGAN + OFFICE_LASTS_AT_MOST,
                        granted_at=at,
                        granted_by=None,
                    )
                )
        users[officer.login] = user.pk
    return users


def demo_code(login: str) -> str:
    """The next code of a demonstration user's generator that was not used yet.

    :raises NotAllowed: this is no demonstration
    :raises NotFound: nobody with a code generator logs in under this name
    """
    if not settings.DEMO:
        raise NotAllowed()
    own = SecondFactor.objects.filter(user__login=login).first()
    if own is None:
        raise NotFound()
    secret = factor.unseal(bytes(own.sealed_secret), key=settings.SECRET_KEY, owner=own.user_id.bytes)
    return factor.code_at(secret, max(factor.step_of(clock.now()), own.last_step + 1))


def first_run_token(data: Path) -> str | None:
    """The token that opens the first-run page, made at the first call; None once an office exists."""
    file = data / "keys" / "web" / "first-run.token"
    if in_use():
        file.unlink(missing_ok=True)
        return None
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as target:
            target.write(factor.letters(ids.random_bytes(26)))
    return file.read_text()
