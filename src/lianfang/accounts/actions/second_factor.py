"""The second factor: set up, confirmed, asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction

from lianfang.accounts import factor
from lianfang.accounts.models import RecoveryCode, SecondFactor
from lianfang.kernel import ids
from lianfang.kernel.errors import NotAllowed

from .codes import hashed
from .users import user_for_update

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

RECOVERY_CODES: Final = 10
FACTOR_FAILURES: Final = 5
FACTOR_BLOCKED: Final = timedelta(minutes=15)


@transaction.atomic
def begin_second_factor(user_id: UUID) -> bytes:
    """The secret for the user's code generator; it counts only once confirmed. Asking again shows the same.

    :raises NotAllowed: the user has a confirmed one; it must be taken away by somebody else first
    """
    user = user_for_update(user_id)
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
    RecoveryCode.objects.bulk_create(RecoveryCode(user_id=user_id, code_hash=hashed(code)) for code in codes)
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
    unused = RecoveryCode.objects.filter(user_id=user_id, code_hash=hashed(code), used_at=None)
    return unused.update(used_at=at) == 1
