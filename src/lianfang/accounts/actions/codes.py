"""One-time codes: with which an officer starts and a resident enters."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import IntegrityError, transaction

from lianfang.accounts import factor
from lianfang.accounts.errors import LoginTaken, WrongCode
from lianfang.accounts.models import LoginCode, RecoveryCode, SecondFactor, User
from lianfang.accounts.queries import offices_held
from lianfang.accounts.rights import BY_TWO, Right, Role
from lianfang.kernel import ids
from lianfang.kernel.errors import NotAllowed

from .offices import require_grantable
from .users import UserDraft, check_password, create_user, new_user, user_for_update

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from lianfang.kernel.actor import Actor

PAPER_CODE_LASTS: Final = timedelta(hours=72)
START_CODE_LASTS: Final = timedelta(hours=72)


def hashed(code: str) -> str:
    return factor.code_hash(code, key=settings.SECRET_KEY)


@transaction.atomic
def admit_officer(draft: UserDraft, *, by: Actor) -> tuple[User, str]:
    """Enter a new officer together with the code of their first login.

    :raises NotAllowed: `by` may grant no office anywhere
    :raises LoginTaken: another user logs in under this name
    :raises SameIdOtherContent: the id was used for another user
    """
    user = create_user(draft, by=by)
    return user, start_anew(user.pk, by=by)


@transaction.atomic
def start_anew(user_id: UUID, *, by: Actor) -> str:
    """A code with which an officer chooses a password and sets up the second factor.

    What they had of either ends now: it may be in somebody else's hands. So do offices that take two persons:
    the code is in one person's hands, and would hand out alone what two must give.

    :raises NotAllowed: `by` may not give every office this user holds, or is this user
    """
    user = user_for_update(user_id)
    if not by.areas(Right.ACCOUNTS_OFFICE_GRANT) or user_id == by.user_id:
        raise NotAllowed(right=str(Right.ACCOUNTS_OFFICE_GRANT))
    for office in offices_held(user_id, by.at):
        require_grantable(Role(office.role), office.area, by=by)
        if office.role in BY_TWO:
            office.ends_at, office.ended_by_id, office.end_reason = by.at, by.user_id, "start_anew"
            office.save(update_fields=["ends_at", "ended_by", "end_reason"])
    SecondFactor.objects.filter(user_id=user_id).delete()
    RecoveryCode.objects.filter(user_id=user_id).delete()
    user.set_unusable_password()  # ends every session too
    user.save(update_fields=["password"])
    return _issue_code(
        user_id, LoginCode.Way.START, factor.letters(ids.random_bytes(10)), START_CODE_LASTS, by=by
    )


@transaction.atomic
def start_with_code(code: str, *, password: str, at: datetime) -> User:
    """Use the start code up and set the password.

    :raises WeakPassword: short, common, or only digits; the code stays good
    :raises WrongCode: no such code, used, or too old
    """
    check_password(password)
    user = use_code(code, way=LoginCode.Way.START, at=at)
    if user is None:
        raise WrongCode()
    user.set_password(password)
    user.save(update_fields=["password"])
    return user


@transaction.atomic
def issue_paper_code(person_id: UUID, area: str, *, by: Actor) -> str:
    """A code, printed or shown as QR, with which this resident logs in once; earlier ones end.

    :param area: of the person's home, as the caller has it from `people`
    :raises NotAllowed: `by` holds no office there that hands out codes
    """
    by.require(Right.ACCOUNTS_LOGIN_CODE_ISSUE, over=area)
    user = _resident_user(person_id)
    return _issue_code(
        user.pk, LoginCode.Way.PAPER, factor.letters(ids.random_bytes(10)), PAPER_CODE_LASTS, by=by
    )


def _resident_user(person_id: UUID) -> User:
    if found := User.objects.select_for_update().filter(person_id=person_id).first():
        return found
    # The login name of a resident is never typed: it only has to be nobody else's.
    try:
        return new_user(ids.new_id(), login=f"r-{person_id}", person_id=person_id)
    except (IntegrityError, LoginTaken):
        # Two codes asked for at once: the other request was first.
        return User.objects.select_for_update().get(person_id=person_id)


def _issue_code(user_id: UUID, way: LoginCode.Way, code: str, lasts: timedelta, *, by: Actor) -> str:
    LoginCode.objects.filter(user_id=user_id, way=way, used_at=None).update(used_at=by.at)
    issuer = User.objects.filter(pk=by.user_id).first()
    LoginCode.objects.create(
        user_id=user_id,
        way=way,
        code_hash=hashed(code),
        issued_at=by.at,
        expires_at=by.at + lasts,
        issued_by=issuer,
    )
    return code


@transaction.atomic
def use_code(code: str, *, way: str, at: datetime) -> User | None:
    """The user whose unused paper or start code this is; the code is then used up. None for every other."""
    unused = LoginCode.objects.select_for_update().filter(
        code_hash=hashed(code), way=way, used_at=None, expires_at__gt=at
    )
    if (found := unused.first()) is None:
        return None
    found.used_at = at
    found.save(update_fields=["used_at"])
    return found.user if found.user.is_active else None
