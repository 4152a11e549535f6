"""Users: entered without a password, found and locked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from lianfang.accounts import factor
from lianfang.accounts.errors import LoginTaken, WeakPassword
from lianfang.accounts.models import User
from lianfang.accounts.rights import Right
from lianfang.kernel import ids
from lianfang.kernel.errors import NotAllowed, NotFound, SameIdOtherContent

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang.kernel.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDraft:
    """A user to be entered, without password: the first code lets them choose one."""

    user_id: UUID
    login: str
    name: str


@transaction.atomic
def create_user(draft: UserDraft, *, by: Actor) -> User:
    """Enter somebody who may later hold an office. They can do nothing before.

    :raises NotAllowed: `by` may grant no office anywhere
    :raises LoginTaken: another user logs in under this name
    :raises SameIdOtherContent: the id was used for another user
    """
    if not by.areas(Right.ACCOUNTS_OFFICE_GRANT):
        raise NotAllowed(right=str(Right.ACCOUNTS_OFFICE_GRANT))
    if earlier := User.objects.filter(pk=draft.user_id).first():
        return same_or_refuse(earlier, draft)
    try:
        return new_user(draft.user_id, login=draft.login, name=draft.name)
    except (IntegrityError, LoginTaken):
        # Sent twice at once: the other request was first.
        if earlier := User.objects.filter(pk=draft.user_id).first():
            return same_or_refuse(earlier, draft)
        raise


def same_or_refuse(user: User, draft: UserDraft) -> User:
    if (user.login, user.name) != (draft.login, draft.name):
        raise SameIdOtherContent()
    return user


def new_user(user_id: UUID, *, login: str, name: str = "", person_id: UUID | None = None) -> User:
    user = User(
        id=user_id, login=login, name=name, person_id=person_id, pseudonym=factor.letters(ids.random_bytes(6))
    )
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        if "login" in str(error):
            raise LoginTaken() from error
        raise
    return user


def check_password(password: str, user: User | None = None) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword() from error


def user_for_update(user_id: UUID) -> User:
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise NotFound()
    return user
