"""The private keys of this room: one file per key, mode 0600, in the data folder; never in the database.

A key signs for 30 days and is accepted for 38 more: the 31 days a pass can live, and a week. The next key is
listed a week before it signs, so a gate that syncs once a week never meets a key it does not know.
"""

from __future__ import annotations

import contextlib
import os
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.db import connection, transaction

from lianfang.kernel import ids
from lianfang_pass.keylist import ListedKey, sign_key_list
from lianfang_pass.keys import PublicKey, private_key_from_seed

from .models import Key, KeyFile

if TYPE_CHECKING:
    from datetime import datetime

    from lianfang_pass.keylist import Purpose

SIGNS_FOR: Final = timedelta(days=30)
ACCEPTED_FOR: Final = timedelta(days=38)
LISTED_AHEAD: Final = timedelta(days=7)
#: A key list lives 30 days; it is signed anew each day, so that a gate that syncs has nearly all of them left.
SIGNED_ANEW: Final = timedelta(days=1)
_LOCK: Final = 0x6C66_6B65  # "lfke": one maker of keys at a time


def root_key() -> ec.EllipticCurvePrivateKey:
    """The key that signs the key list. Its thumbprint is what every device is enrolled with."""
    return _read(str(_folder() / "root.key"), make=True)


def root_public() -> PublicKey:
    return PublicKey.of(root_key())


def signing_key(purpose: Purpose, at: datetime) -> ec.EllipticCurvePrivateKey:
    """The key to sign with at this instant: of those that may, the one that began last. Made if there is none."""
    found = _current(purpose, at)
    if found is None:
        with transaction.atomic():
            _lock()
            found = _current(purpose, at) or _make(purpose, at)
            publish_key_list(at)
    return _private(found)


def private_key(thumbprint: bytes) -> ec.EllipticCurvePrivateKey:
    """The private key of this thumbprint, also when it no longer signs (to open what was sealed to it)."""
    return _read(str(_file(thumbprint)), make=False)


@transaction.atomic
def rotate(at: datetime, purposes: tuple[Purpose, ...]) -> None:
    """Make the next key of each purpose a week before it is needed, and sign the list anew each day."""
    _lock()
    made = False
    for purpose in purposes:
        last = Key.objects.filter(purpose=purpose, withdrawn_at=None).order_by("-signs_until").first()
        if last is None:
            _make(purpose, at)
            made = True
        elif last.signs_until <= at + LISTED_AHEAD:
            _make(purpose, max(last.signs_until, at))
            made = True
    newest = KeyFile.objects.order_by("-version").first()
    if made or newest is None or newest.signed_at <= at - SIGNED_ANEW:
        publish_key_list(at)


def publish_key_list(at: datetime) -> None:
    """Sign all keys that are or were in use as the next version of the list. The caller holds the lock."""
    listed = [
        ListedKey(
            key=PublicKey.from_point(bytes(key.point)),
            purpose=key.purpose,
            not_before=int(key.not_before.timestamp()),
            expires_at=int(key.expires_at.timestamp()),
            withdrawn_at=int(key.withdrawn_at.timestamp()) if key.withdrawn_at else None,
        )
        for key in Key.objects.order_by("not_before", "purpose", "thumbprint")
        if key.expires_at > at or key.withdrawn_at
    ]
    newest = KeyFile.objects.order_by("-version").first()
    version = newest.version + 1 if newest else 1
    # The instant of a list never goes back, whatever the order in which past and present keys are asked for.
    signed_at = max(at, newest.signed_at) if newest else at
    data = sign_key_list(listed, version=version, at=int(signed_at.timestamp()), root=root_key())
    KeyFile.objects.create(version=version, signed_at=signed_at, data=data)
    KeyFile.objects.filter(version__lt=version - 20).delete()


def _current(purpose: Purpose, at: datetime) -> Key | None:
    return (
        Key.objects.filter(purpose=purpose, not_before__lte=at, signs_until__gt=at, withdrawn_at=None)
        .order_by("-not_before")
        .first()
    )


def _make(purpose: Purpose, at: datetime) -> Key:
    private = _new()
    public = PublicKey.of(private)
    _write(_file(public.thumbprint), private)
    begins = at.replace(microsecond=0)
    return Key.objects.create(
        thumbprint=public.thumbprint,
        purpose=purpose.value,
        point=public.point(),
        not_before=begins,
        signs_until=begins + SIGNS_FOR,
        expires_at=begins + SIGNS_FOR + ACCEPTED_FOR,
    )


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _private(key: Key) -> ec.EllipticCurvePrivateKey:
    return _read(str(_file(bytes(key.thumbprint))), make=False)


def _folder() -> Path:
    return Path(settings.LIANFANG_DATA) / "keys" / "credentials"


def _file(thumbprint: bytes) -> Path:
    return _folder() / f"{thumbprint.hex()}.key"


def _new() -> ec.EllipticCurvePrivateKey:
    while True:
        with contextlib.suppress(ValueError):  # 0, or beyond the order of the curve: one in 2^32
            return private_key_from_seed(ids.random_bytes(32))


@lru_cache(maxsize=256)
def _read(file: str, *, make: bool) -> ec.EllipticCurvePrivateKey:
    path = Path(file)
    if make and not path.exists():
        _write(path, _new())
    return private_key_from_seed(bytes.fromhex(path.read_text().strip()))


def _write(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Durable when this returns; if somebody else was faster, theirs stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{ids.new_id()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as target:
        target.write(key.private_numbers().private_value.to_bytes(32, "big").hex() + "\n")
        target.flush()
        os.fsync(target.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
