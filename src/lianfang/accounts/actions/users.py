"""Organs and users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from lianfang.accounts import factor
from lianfang.accounts.errors import LoginTaken, WeakPassword
from lianfang.accounts.models import Organ, User
from lianfang.accounts.rights import Right
from lianfang.kernel import ids
from lianfang.kernel.errors import NotAllowed, NotFound, SameIdOtherContent

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang.kernel.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganDraft:
    """A body to be entered. `parent` is the code of the organ above."""

    code: str
    name: str
    kind: str
    level: str
    area: str
    parent: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDraft:
    """A user to be entered, without password: the first code lets them choose one."""

    user_id: UUID
    login: str
    name: str


@transaction.atomic
def enter_organ(draft: OrganDraft, *, by: Actor) -> Organ:
    """Enter a body; entering it again returns it.

    :raises NotAllowed: `by` may grant no office over its area
    :raises SameIdOtherContent: the code stands for another body
    """
    by.require(Right.ACCOUNTS_OFFICE_GRANT, over=draft.area)
    return put_organ(draft)


def put_organ(draft: OrganDraft) -> Organ:
    """The organ with this content, made if missing. For the start of a system and its demonstration.

    :raises SameIdOtherContent: the code stands for another body
    """
    parent = Organ.objects.filter(code=draft.parent).first() if draft.parent else None
    organ, _ = Organ.objects.get_or_create(
        code=draft.code,
        defaults={
            "name": draft.name,
            "kind": draft.kind,
            "level": draft.level,
            "area": draft.area,
            "parent": parent,
            "phone": draft.phone,
        },
    )
    if (organ.kind, organ.level, organ.area) != (draft.kind, draft.level, draft.area):
        raise SameIdOtherContent(organ=draft.code)
    return organ


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
