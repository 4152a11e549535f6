"""Acts on users, offices, second factors and one-time codes: the only code of this room that writes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from lianfang.kernel import clock, ids
from lianfang.kernel.actor import lies_within
from lianfang.kernel.errors import NotAllowed, NotFound, SameIdOtherContent
from lianfang.kernel.wake import wake

from . import factor
from .errors import (
    AnotherMustConfirm,
    LoginTaken,
    OfficeAlreadyOver,
    OfficeOutsideOrgan,
    OfficesMustBeApart,
    PeriodIsNone,
    ProposalLapsed,
    SystemInUse,
    TakesTwoPersons,
    WeakPassword,
    WrongCode,
    WrongOrgan,
)
from .models import LoginCode, Office, OfficeProposal, Organ, RecoveryCode, SecondFactor, User
from .queries import in_use, offices_held
from .rights import BY_TWO, CONFIRMS, GRANTS, Right, Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

    from lianfang.kernel.actor import Actor

#: Offices end by default after this (trust.md §6); a year is the longest.
OFFICE_LASTS: Final = timedelta(days=30)
OFFICE_LASTS_AT_MOST: Final = timedelta(days=366)
#: A proposed office that nobody confirmed within this is nothing.
PROPOSAL_LASTS: Final = timedelta(hours=24)
PAPER_CODE_LASTS: Final = timedelta(hours=72)
START_CODE_LASTS: Final = timedelta(hours=72)
RECOVERY_CODES: Final = 10
#: The demonstration's story begins before today.
DEMO_OFFICE_BEGAN: Final = timedelta(days=60)
FACTOR_FAILURES: Final = 5
FACTOR_BLOCKED: Final = timedelta(minutes=15)


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


# -- organs and users ---------------------------------------------------------------------------


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
        return _same_or_refuse(earlier, draft)
    try:
        return _new_user(draft.user_id, login=draft.login, name=draft.name)
    except (IntegrityError, LoginTaken):
        # Sent twice at once: the other request was first.
        if earlier := User.objects.filter(pk=draft.user_id).first():
            return _same_or_refuse(earlier, draft)
        raise


def _same_or_refuse(user: User, draft: UserDraft) -> User:
    if (user.login, user.name) != (draft.login, draft.name):
        raise SameIdOtherContent()
    return user


def _new_user(user_id: UUID, *, login: str, name: str = "", person_id: UUID | None = None) -> User:
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


def _check_password(password: str, user: User | None = None) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword() from error


def _user_for_update(user_id: UUID) -> User:
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise NotFound()
    return user


@transaction.atomic
def shut_out(user_id: UUID, *, by: Actor) -> None:
    """Let a user log in no more and end what sessions they have; their offices stay on record.

    :raises NotAllowed: `by` may not end every office they hold
    """
    user = _user_for_update(user_id)
    for office in offices_held(user_id, by.at):
        _require_grantable(Role(office.role), office.area, by=by)
    if not by.areas(Right.ACCOUNTS_OFFICE_GRANT):
        raise NotAllowed(right=str(Right.ACCOUNTS_OFFICE_GRANT))
    user.is_active = False
    user.save(update_fields=["is_active"])
    wake("offices", user_id)


# -- offices ------------------------------------------------------------------------------------


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
    user = _user_for_update(draft.user_id)
    _require_grantable(draft.role, draft.area, by=by)
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
    return _put_office(
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
    user = _user_for_update(draft.user_id)
    _require_grantable(draft.role, draft.area, by=by)
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
        _put_office(_office_of(proposal, at=by.at, confirmed_by=None), told=False)
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
    if not _holds_over(by.user_id, proposal.area, CONFIRMS, role, at=by.at):
        raise NotAllowed(right=str(Right.ACCOUNTS_OFFICE_CONFIRM), role=str(role))
    if by.user_id in (proposal.proposed_by_id, proposal.user_id):
        raise AnotherMustConfirm()
    _user_for_update(proposal.user_id)
    if done := Office.objects.filter(pk=proposal_id).first():
        return done
    still = _holds_over(proposal.proposed_by_id, proposal.area, GRANTS, role, at=by.at)
    if by.at >= proposal.proposed_at + PROPOSAL_LASTS or not still:
        raise ProposalLapsed()
    return _put_office(_office_of(proposal, at=by.at, confirmed_by=by.user_id))


_REFUSED_BY_SCHEMA: Final = {
    "separated_offices_are_in_different_hands": OfficesMustBeApart,
    "organ_kind_has_this_office": WrongOrgan,
    "office_lies_in_its_organ": OfficeOutsideOrgan,
}


def _put_office(office: Office, *, told: bool = True) -> Office:
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


def _require_grantable(role: Role, area: str, *, by: Actor) -> None:
    by.require(Right.ACCOUNTS_OFFICE_GRANT, over=area)
    if not _holds_over(by.user_id, area, GRANTS, role, at=by.at):
        raise NotAllowed(right=str(Right.ACCOUNTS_OFFICE_GRANT), role=str(role))


def _holds_over(
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
        _require_grantable(Role(office.role), office.area, by=by)
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
        _check_password(officer.password)
        user = _new_user(ids.new_id(), login=officer.login, name=officer.name)
        user.set_password(officer.password)
        user.save(update_fields=["password"])
        organ = entered[officer.organ]
        _put_office(
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
            user = _new_user(
                ids.new_id(), login=officer.login, name=officer.name, person_id=officer.person_id
            )
            user.password = hashed[officer.password]
            user.save(update_fields=["password"])
            if officer.role is not None:
                set_second_factor(user.pk, ids.random_bytes(20), at=at)
                _put_office(
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


# -- second factor ------------------------------------------------------------------------------


@transaction.atomic
def begin_second_factor(user_id: UUID) -> bytes:
    """The secret for the user's code generator; it counts only once confirmed. Asking again shows the same.

    :raises NotAllowed: the user has a confirmed one; it must be taken away by somebody else first
    """
    user = _user_for_update(user_id)
    existing = SecondFactor.objects.filter(user=user).first()
    if existing is not None and existing.confirmed_at is not None:
        raise NotAllowed()
    if existing is not None:
        return factor.unseal(bytes(existing.sealed_secret), key=settings.SECRET_KEY, owner=user_id.bytes)
    secret = ids.random_bytes(20)
    SecondFactor.objects.create(user=user, sealed_secret=_seal(user_id, secret))
    return secret


def set_second_factor(user_id: UUID, secret: bytes, *, at: datetime) -> None:
    """Put a known secret as confirmed: for the demonstration district, whose codes are shown on a page."""
    SecondFactor.objects.update_or_create(
        user_id=user_id,
        defaults={"sealed_secret": _seal(user_id, secret), "confirmed_at": at, "last_step": 0, "failures": 0},
    )


def _seal(user_id: UUID, secret: bytes) -> bytes:
    return factor.seal(secret, key=settings.SECRET_KEY, owner=user_id.bytes, nonce=ids.random_bytes(12))


@transaction.atomic
def confirm_second_factor(user_id: UUID, *, at: datetime) -> list[str]:
    """Let the code generator count, after its first code fitted; returns the recovery codes, shown this once."""
    SecondFactor.objects.filter(user_id=user_id).update(confirmed_at=at)
    RecoveryCode.objects.filter(user_id=user_id).delete()
    codes = [factor.letters(ids.random_bytes(10)) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user_id=user_id, code_hash=_hash(code)) for code in codes)
    return codes


@transaction.atomic
def second_factor_fits(user_id: UUID, code: str, *, at: datetime) -> bool:
    """Whether this is the user's code now, or an unused recovery code; it is then used up.

    Returns False rather than refuses, so that the count of wrong codes outlives the request.
    """
    own = SecondFactor.objects.select_for_update().filter(user_id=user_id).first()
    if own is None or (own.blocked_until is not None and at < own.blocked_until):
        return False
    secret = factor.unseal(bytes(own.sealed_secret), key=settings.SECRET_KEY, owner=user_id.bytes)
    step = factor.matching_step(secret, factor.typed(code), at=at, after=own.last_step)
    if step is not None:
        own.last_step, own.failures, own.blocked_until = step, 0, None
        own.save(update_fields=["last_step", "failures", "blocked_until"])
        return True
    if own.confirmed_at is not None and _use_recovery_code(user_id, code, at=at):
        return True
    own.failures += 1
    if own.failures >= FACTOR_FAILURES:
        own.failures, own.blocked_until = 0, at + FACTOR_BLOCKED
    own.save(update_fields=["failures", "blocked_until"])
    return False


def _use_recovery_code(user_id: UUID, code: str, *, at: datetime) -> bool:
    unused = RecoveryCode.objects.filter(user_id=user_id, code_hash=_hash(code), used_at=None)
    return unused.update(used_at=at) == 1


# -- one-time codes -----------------------------------------------------------------------------


def _hash(code: str) -> str:
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
    user = _user_for_update(user_id)
    if not by.areas(Right.ACCOUNTS_OFFICE_GRANT) or user_id == by.user_id:
        raise NotAllowed(right=str(Right.ACCOUNTS_OFFICE_GRANT))
    for office in offices_held(user_id, by.at):
        _require_grantable(Role(office.role), office.area, by=by)
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
    _check_password(password)
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
        return _new_user(ids.new_id(), login=f"r-{person_id}", person_id=person_id)
    except (IntegrityError, LoginTaken):
        # Two codes asked for at once: the other request was first.
        return User.objects.select_for_update().get(person_id=person_id)


def _issue_code(user_id: UUID, way: LoginCode.Way, code: str, lasts: timedelta, *, by: Actor) -> str:
    LoginCode.objects.filter(user_id=user_id, way=way, used_at=None).update(used_at=by.at)
    issuer = User.objects.filter(pk=by.user_id).first()
    LoginCode.objects.create(
        user_id=user_id,
        way=way,
        code_hash=_hash(code),
        issued_at=by.at,
        expires_at=by.at + lasts,
        issued_by=issuer,
    )
    return code


@transaction.atomic
def use_code(code: str, *, way: str, at: datetime) -> User | None:
    """The user whose unused paper or start code this is; the code is then used up. None for every other."""
    unused = LoginCode.objects.select_for_update().filter(
        code_hash=_hash(code), way=way, used_at=None, expires_at__gt=at
    )
    if (found := unused.first()) is None:
        return None
    found.used_at = at
    found.save(update_fields=["used_at"])
    return found.user if found.user.is_active else None
