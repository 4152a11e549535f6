"""Questions about keys, passes and status files. Nothing here is about a person: holders are opaque ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db.models import Exists, Max, OuterRef, Q

from lianfang_pass.claims import ISSUER
from lianfang_pass.keylist import Purpose
from lianfang_pass.keys import PublicKey
from lianfang_pass.statuslist import ListStatus
from lianfang_pass.tokens import Flag, Identity, PassClass, sign_pass
from lianfang_pass.tokens import Pass as PassClaims

from . import keys
from .errors import NoSuchKey, NoSuchPass
from .models import LONGEST_LIFE, IndexStatus, Key, KeyFile, Pass, Shard, Version, WorkGrant

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime
    from uuid import UUID

    from cryptography.hazmat.primitives.asymmetric import ec

_PASSES_AT_ONCE: Final = 2_000

__all__ = [
    "ISSUER",
    "Files",
    "PassView",
    "WorkGrantView",
    "compound_store",
    "deltas_since",
    "files",
    "holder_of",
    "issued_together",
    "key_list",
    "pass_by_number",
    "passes_by_id",
    "passes_of",
    "published_at",
    "root_public",
    "seal_keys",
    "token",
    "tokens",
    "uri",
    "listed_passes_of",
    "private_key",
    "stale_shards",
    "statuses",
    "stopped_passes",
    "unsettled",
    "versions",
    "work_granted",
]


@dataclass(frozen=True, slots=True)
class PassView:
    """A pass as other rooms see it."""

    id: UUID
    holder_id: UUID
    pass_no: str
    shard: str
    index: int
    kind: str
    door: str
    member_no: int | None
    initials: str
    birth_year: int | None
    zones: tuple[str, ...]
    channel: str
    flags: int
    cti: bytes
    issued_at: datetime
    valid_from: datetime
    valid_until: datetime
    revoked_at: datetime | None
    revoked_reason: str
    cnf: bytes | None


@dataclass(frozen=True, slots=True)
class WorkGrantView:
    """What a holder's phones may carry for work, as other rooms see it."""

    id: UUID
    holder_id: UUID
    kind: str
    shard: str
    zones: tuple[str, ...]
    flags: int
    granted_at: datetime
    valid_until: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Files:
    """The newest published version of a shard."""

    shard: str
    version: int
    signed_at: datetime
    whole: bytes
    until: bytes


def uri(shard: str) -> str:
    """The name of a shard's list in passes. Not an address: a device asks its own server for it."""
    return f"lf:s/{shard}"


def root_public() -> PublicKey:
    return keys.root_public()


def view(row: Pass) -> PassView:
    return PassView(
        id=row.id,
        holder_id=row.holder_id,
        pass_no=row.pass_no,
        shard=row.shard_id,
        index=row.index,
        kind=row.kind,
        door=row.door,
        member_no=row.member_no,
        initials=row.initials,
        birth_year=row.birth_year,
        zones=tuple(row.zones),
        channel=row.channel,
        flags=row.flags,
        cti=bytes(row.cti),
        issued_at=row.issued_at,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        revoked_at=row.revoked_at,
        revoked_reason=row.revoked_reason,
        cnf=bytes(row.cnf) if row.cnf is not None else None,
    )


def granted(row: WorkGrant) -> WorkGrantView:
    return WorkGrantView(
        id=row.id,
        holder_id=row.holder_id,
        kind=row.kind,
        shard=row.shard_id,
        zones=tuple(row.zones),
        flags=row.flags,
        granted_at=row.granted_at,
        valid_until=row.valid_until,
        withdrawn_at=row.withdrawn_at,
    )


def work_granted(holder_id: UUID) -> list[WorkGrantView]:
    """What this holder's phones may or might carry for work, the newest first: in force, over and withdrawn."""
    rows = WorkGrant.objects.filter(holder_id=holder_id).order_by("-granted_at", "-id")
    return [granted(row) for row in rows]


def passes_of(holder_ids: Iterable[UUID]) -> list[PassView]:
    """All passes of these holders, the newest first: valid, over and revoked."""
    rows = Pass.objects.filter(holder_id__in=list(holder_ids)).order_by("-issued_at", "-id")
    return [view(row) for row in rows]


def unsettled(limit: int = 2000) -> list[PassView]:
    """Passes that were made or revoked and of which the published lists do not speak yet."""
    return [view(row) for row in Pass.objects.filter(settled=False).order_by("id")[:limit]]


def listed_passes_of(holder_ids: Iterable[UUID], at: datetime) -> list[PassView]:
    """The passes of these holders whose rows gates may still use."""
    rows = Pass.objects.filter(holder_id__in=list(holder_ids), valid_until__gt=at - LONGEST_LIFE)
    return [view(row) for row in rows]


def statuses(passes: Iterable[PassView]) -> dict[UUID, tuple[ListStatus, datetime | None]]:
    """What the newest lists say of these passes."""
    wanted = {(p.shard, p.index): p.id for p in passes}
    rows = IndexStatus.objects.filter(
        shard_id__in={shard for shard, _ in wanted}, index__in=[index for _, index in wanted]
    ).values_list("shard_id", "index", "status", "until")
    found = {
        wanted[shard, index]: (ListStatus(status), until)
        for shard, index, status, until in rows
        if (shard, index) in wanted
    }
    return {key: found.get(key, (ListStatus.VALID, None)) for key in wanted.values()}


def stale_shards(before: datetime) -> list[str]:
    """Shards whose newest version was signed before an instant."""
    newest = Version.objects.values("shard_id").annotate(newest=Max("signed_at")).filter(newest__lt=before)
    return sorted(row["shard_id"] for row in newest)


def passes_by_id(pass_ids: Iterable[UUID]) -> dict[UUID, PassView]:
    """These passes; one that was purged is left out."""
    return {row.pk: view(row) for row in Pass.objects.filter(pk__in=list(pass_ids))}


def stopped_passes(ctis: Iterable[bytes]) -> list[PassView]:
    """Of the passes with these numbers on their tokens those that are revoked, or suspended by the newest lists."""
    suspended = IndexStatus.objects.filter(
        shard=OuterRef("shard"), index=OuterRef("index"), status=ListStatus.SUSPENDED.value
    )
    wanted = sorted(set(ctis))
    found: list[PassView] = []
    for first in range(0, len(wanted), _PASSES_AT_ONCE):
        rows = Pass.objects.filter(cti__in=wanted[first : first + _PASSES_AT_ONCE])
        found += [view(row) for row in rows.filter(Q(revoked_at__isnull=False) | Exists(suspended))]
    return found


def published_at(shards: Collection[str], versions: Collection[int]) -> dict[tuple[str, int], datetime]:
    """When these versions of these shards were signed; one of which no step is kept is left out."""
    rows = Version.objects.filter(shard_id__in=list(shards), version__in=list(versions))
    return {
        (row.shard_id, row.version): row.signed_at for row in rows.only("shard_id", "version", "signed_at")
    }


def holder_of(cti: bytes) -> UUID | None:
    """For whom the pass of this identifier was made."""
    return Pass.objects.filter(cti=cti).values_list("holder_id", flat=True).first()


def pass_by_number(pass_no: str) -> PassView:
    """:raises NoSuchPass: no pass has this number"""
    row = Pass.objects.filter(pass_no=pass_no).first()
    if row is None:
        raise NoSuchPass
    return view(row)


def token(pass_id: UUID) -> bytes:
    """The signed token of a pass: the same bytes each time, until the key it was signed with is withdrawn.

    :raises NoSuchPass: there is none
    """
    row = Pass.objects.filter(pk=pass_id).first()
    if row is None:
        raise NoSuchPass
    return signed(row)


def signed(row: Pass) -> bytes:
    issued = int(row.issued_at.timestamp())
    begins = int(row.valid_from.timestamp())
    claims = PassClaims(
        cti=bytes(row.cti),
        issued_at=issued,
        not_before=begins if begins > issued else None,
        expires_at=int(row.valid_until.timestamp()),
        list_uri=uri(row.shard_id),
        index=row.index,
        kind=PassClass(row.kind),
        identity=Identity(row.door, row.member_no, row.initials, row.birth_year),
        zones=tuple(row.zones),
        flags=Flag(row.flags),
        holder_key=PublicKey.from_point(bytes(row.cnf)) if row.cnf is not None else None,
    )
    return sign_pass(claims, key=keys.signing_key(Purpose.PASS, row.issued_at))


def issued_together(*, zone: str, issued_at: datetime, valid_until: datetime) -> list[PassView]:
    """Personal paper passes of a compound that one act made."""
    rows = Pass.objects.filter(valid_until=valid_until, issued_at=issued_at, zones=[zone], kind="P").exclude(
        channel="phone"
    )
    return [view(row) for row in rows.order_by("pass_no")]


def tokens(pass_ids: Iterable[UUID]) -> dict[UUID, bytes]:
    """The signed tokens of many passes."""
    return {row.id: signed(row) for row in Pass.objects.filter(pk__in=list(pass_ids))}


def compound_store(zones: Collection[str], at: datetime) -> list[PassView]:
    """Passes for home of these compounds: in their term, or that ended or were withdrawn in the last 31 days.

    What a phone renewed is left out: nobody types the number of a phone's pass.
    """
    since = at - LONGEST_LIFE
    rows = Pass.objects.filter(zones__overlap=list(zones), kind__in=["H", "P"], valid_until__gt=since).filter(
        Q(revoked_at=None) | (Q(revoked_at__gt=since) & ~Q(channel="phone"))
    )
    return [view(row) for row in rows.order_by("pass_no")]


def key_list() -> tuple[int, bytes] | None:
    """Version and bytes of the newest signed key list; None before any key was made."""
    row = KeyFile.objects.order_by("-version").first()
    return (row.version, bytes(row.data)) if row else None


def seal_keys() -> list[bytes]:
    """Thumbprints of all keys that rows may have been sealed to, the newest first."""
    rows = Key.objects.filter(purpose=Purpose.SEAL.value).order_by("-not_before")
    return [bytes(row.thumbprint) for row in rows]


def private_key(thumbprint: bytes) -> ec.EllipticCurvePrivateKey:
    """A private key by its thumbprint: opens what was sealed to it.

    :raises NoSuchKey: no file of that key
    """
    try:
        return keys.private_key(thumbprint)
    except FileNotFoundError:
        raise NoSuchKey from None


def signing_key(purpose: Purpose, at: datetime) -> ec.EllipticCurvePrivateKey:
    """The key to sign receipts, times and rule sets with (gates)."""
    return keys.signing_key(purpose, at)


def versions() -> dict[str, int]:
    """The newest version of each shard."""
    return dict(Shard.objects.values_list("code", "version"))


def files(shard: str) -> Files | None:
    """The newest files of a shard; None if it was never published."""
    row = Version.objects.filter(shard_id=shard, whole__isnull=False).order_by("-version").first()
    if row is None or row.whole is None or row.until is None:
        return None
    return Files(shard, row.version, row.signed_at, bytes(row.whole), bytes(row.until))


def deltas_since(shard: str, version: int, *, limit: int) -> list[tuple[int, bytes]]:
    """The steps that lead on from a version, oldest first; a gap shows as a first step that is not the next."""
    rows = Version.objects.filter(shard_id=shard, version__gt=version).order_by("version")[:limit]
    return [(row.version, bytes(row.delta)) for row in rows if row.delta is not None]
