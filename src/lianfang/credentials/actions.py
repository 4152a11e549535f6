"""Acts on passes, slips and status files.

Rights are the caller's: this room knows no area. Every act is one transaction and takes the instant as an argument.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction

from lianfang.kernel import ids
from lianfang.kernel.clock import legal_day, start_of_legal_day
from lianfang.kernel.errors import NotAllowed, SameIdOtherContent
from lianfang.kernel.wake import wake
from lianfang.ledger import actions as ledger
from lianfang.ledger.policy import TERM_OVER, WHOLE_CHAIN
from lianfang_pass import base45, statuslist
from lianfang_pass.keylist import Purpose
from lianfang_pass.keys import PublicKey
from lianfang_pass.numbers import LARGEST, pass_number
from lianfang_pass.statuslist import Change, ListStatus
from lianfang_pass.tokens import CTI_SIZE, Flag, Identity, SlipClaims, SlipKind
from lianfang_pass.tokens import sign_slip as _sign_slip

from . import keys, queries
from .errors import LastsTooLong, NoSuchKey, NoSuchPass, PassAlreadyRevoked, TooManyPhones
from .models import LONGEST_LIFE, Destruction, Digest, IndexStatus, Key, Pass, Shard, Version, WorkGrant

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from lianfang.kernel.actor import Actor

    from .queries import WorkGrantView

MOST_PHONES: Final = 2
_FIRST_SIZE: Final = 65_536
#: A slip stays good this long after the order's end: whoever was freed needs it only until the next sync.
SLIP_REST: Final = timedelta(days=31)
#: Deltas beyond these are never asked for: the gate takes the whole list (docs/gates.md).
_DELTAS_KEPT: Final = statuslist.MOST_DELTAS
#: An entry has at most 4,096 bytes; a list takes about a hundred.
_LISTS_IN_AN_ENTRY: Final = 24
WITHDRAW_KEY: Final = "config:system:operate"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassDraft:
    """A pass to be made. `id` is the client's; `cnf` the X9.62 point of a phone's key."""

    id: UUID
    holder_id: UUID
    kind: str
    shard: str
    door: str
    member_no: int | None
    initials: str
    birth_year: int | None
    zones: tuple[str, ...]
    valid_from: datetime
    valid_until: datetime
    channel: str
    cnf: bytes | None = None
    flags: int = 0


@dataclass(frozen=True, slots=True)
class IssuedPass:
    pass_id: UUID
    pass_no: str
    index: int
    shard: str
    token: bytes

    @property
    def text(self) -> str:
        """What the QR code holds."""
        return base45.to_text(self.token)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkGrantDraft:
    """That a holder's phones may carry a pass for work. `id` is the client's."""

    id: UUID
    holder_id: UUID
    kind: str
    shard: str
    zones: tuple[str, ...]
    valid_until: datetime
    flags: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipFacts:
    """What a slip says. `kind`: R release, L lift, O order; `nbf` only for a lift, the instant of the lift."""

    kind: str
    order_no: str
    door: str
    member_no: int | None
    initials: str
    birth_year: int | None
    start: datetime
    end: datetime
    nbf: datetime | None = None


@dataclass(frozen=True, slots=True)
class StatusChange:
    """What an index is from now on; `until` only for a suspension whose end is known."""

    index: int
    status: ListStatus
    until: datetime | None = None


@transaction.atomic
def issue_pass(draft: PassDraft, *, by: Actor) -> IssuedPass:
    """Make a pass with a random index, so that neighbours cannot be told by their numbers.

    Sending the same draft again returns the pass already made.

    :raises LastsTooLong: more than 31 days
    :raises TooManyPhones: the holder has two phones
    :raises SameIdOtherContent: the id was used for another pass
    """
    shard = _shard(draft.shard, by.at)
    if earlier := Pass.objects.filter(pk=draft.id).first():
        return _same_or_refuse(earlier, draft)
    if draft.valid_until - draft.valid_from > LONGEST_LIFE:
        raise LastsTooLong
    if draft.cnf is not None and len(_phones(draft.holder_id, by.at) - {draft.cnf}) >= MOST_PHONES:
        raise TooManyPhones
    flags = Flag(draft.flags) & ~Flag.PAPER if draft.cnf else Flag(draft.flags) | Flag.PAPER
    row = _insert(
        Pass(
            id=draft.id,
            holder_id=draft.holder_id,
            shard=shard,
            kind=draft.kind,
            door=draft.door,
            member_no=draft.member_no,
            initials=draft.initials,
            birth_year=draft.birth_year,
            zones=list(draft.zones),
            channel=draft.channel,
            flags=int(flags),
            cnf=draft.cnf,
            cti=ids.random_bytes(CTI_SIZE),
            # Tokens count whole seconds: what is stored is what is signed.
            issued_at=by.at.replace(microsecond=0),
            valid_from=draft.valid_from.replace(microsecond=0),
            valid_until=draft.valid_until.replace(microsecond=0),
        ),
        shard,
    )
    wake("passes", row.holder_id)
    return _issued(row)


@transaction.atomic
def revoke_pass(pass_id: UUID, *, reason: str, by: Actor) -> None:
    """Withdraw a pass: lost, replaced, or made in error. At a gate this is no proof, and no order either.

    Said again with the same reason, it changes nothing.

    :raises NoSuchPass: there is none
    :raises PassAlreadyRevoked: it was withdrawn before for another reason, which is kept
    """
    row = Pass.objects.select_for_update().filter(pk=pass_id).first()
    if row is None:
        raise NoSuchPass
    if row.revoked_at is not None:
        if row.revoked_reason != reason:
            raise PassAlreadyRevoked
        return
    row.revoked_at, row.revoked_reason = by.at, reason
    row.settled = False
    row.save(update_fields=["revoked_at", "revoked_reason", "settled"])
    wake("passes", row.holder_id)


@transaction.atomic
def grant_work(draft: WorkGrantDraft, *, by: Actor) -> WorkGrantView:
    """Let the holder's phones carry a pass for work; an earlier grant of the same class ends.

    What phones hold is not touched: whether they keep it until they ask again is the caller's to say.
    Sending the same draft again returns the grant already made.

    :raises SameIdOtherContent: the id was used for another grant
    """
    shard = _shard(draft.shard, by.at)
    if earlier := WorkGrant.objects.filter(pk=draft.id).first():
        asked = (draft.holder_id, draft.kind, draft.shard, draft.zones, draft.valid_until, draft.flags)
        made = queries.granted(earlier)
        if asked != (made.holder_id, made.kind, made.shard, made.zones, made.valid_until, made.flags):
            raise SameIdOtherContent
        return made
    WorkGrant.objects.filter(holder_id=draft.holder_id, kind=draft.kind, withdrawn_at=None).update(
        withdrawn_at=by.at, withdrawn_reason="replaced"
    )
    return queries.granted(
        WorkGrant.objects.create(
            id=draft.id,
            holder_id=draft.holder_id,
            kind=draft.kind,
            shard=shard,
            zones=list(draft.zones),
            flags=draft.flags,
            granted_at=by.at,
            valid_until=draft.valid_until,
        )
    )


@transaction.atomic
def withdraw_work(grant_id: UUID, *, reason: str, by: Actor) -> None:
    """No phone gets this pass for work any more, and none keeps one. Said again, it changes nothing.

    :raises NoSuchPass: there is no such grant
    :raises PassAlreadyRevoked: it was withdrawn before for another reason, which is kept
    """
    row = WorkGrant.objects.select_for_update().filter(pk=grant_id).first()
    if row is None:
        raise NoSuchPass
    if row.withdrawn_at is not None:
        if row.withdrawn_reason != reason:
            raise PassAlreadyRevoked
        return
    row.withdrawn_at, row.withdrawn_reason = by.at, reason
    row.save(update_fields=["withdrawn_at", "withdrawn_reason"])
    revoke_on_phones(row.holder_id, row.kind, reason=reason, by=by)


@transaction.atomic
def revoke_on_phones(holder_id: UUID, kind: str, *, reason: str, by: Actor) -> None:
    """Withdraw the passes of one class on all phones of the holder; those that are over too, or they would be renewed."""
    rows = Pass.objects.filter(holder_id=holder_id, kind=kind, channel="phone", revoked_at=None)
    for pass_id in rows.order_by("id").values_list("pk", flat=True):
        revoke_pass(pass_id, reason=reason, by=by)


@transaction.atomic
def replace_household_pass(household_id: UUID, drafts: Sequence[PassDraft], *, by: Actor) -> list[IssuedPass]:
    """Withdraw a household's passes and give its members personal ones, in one act.

    Nobody of the household meets a suspended pass because of another member's order.
    """
    issued = [issue_pass(draft, by=by) for draft in drafts]
    live = Pass.objects.select_for_update().filter(
        holder_id=household_id, kind="H", revoked_at=None, valid_until__gt=by.at
    )
    for row in live:
        revoke_pass(row.pk, reason="replaced_by_personal_passes", by=by)
    return issued


def sign_slip(facts: SlipFacts, at: datetime) -> str:
    """Sign a slip and return the text of its QR code. Nothing is stored: the order it names is the fact."""
    kind = SlipKind(facts.kind)
    start, end = int(facts.start.timestamp()), int(facts.end.timestamp())
    lifted = int((facts.nbf or at).timestamp())
    not_before = {SlipKind.RELEASE: end, SlipKind.ORDER: start, SlipKind.LIFT: lifted}[kind]
    claims = SlipClaims(
        cti=ids.random_bytes(CTI_SIZE),
        kind=kind,
        issued_at=int(at.timestamp()),
        not_before=not_before,
        expires_at=max(end, lifted) + int(SLIP_REST.total_seconds()),
        order_no=facts.order_no,
        identity=Identity(facts.door, facts.member_no, facts.initials, facts.birth_year),
        start=start,
        end=end,
    )
    return base45.to_text(_sign_slip(claims, key=keys.signing_key(Purpose.SLIP, at)))


@transaction.atomic
def publish(shard: str, changes: Sequence[StatusChange], at: datetime) -> int:
    """Publish the next version of a shard: delta, whole list and until list, signed at one instant.

    No changes is a version too: it says that nothing changed, and keeps the lists of the gates fresh.
    """
    locked = _shard(shard, at)
    wanted = {change.index: change for change in changes}
    if wanted:
        IndexStatus.objects.filter(shard=locked, index__in=list(wanted)).delete()
        IndexStatus.objects.bulk_create(
            IndexStatus(
                shard=locked,
                index=change.index,
                status=change.status,
                until=change.until if change.status is ListStatus.SUSPENDED else None,
            )
            for change in wanted.values()
            if change.status is not ListStatus.VALID
        )
    return _publish(locked, list(wanted.values()), at)


@transaction.atomic
def withdraw_key(thumbprint: bytes, *, by: Actor) -> None:
    """Withdraw a key for ever; what it signed is no longer accepted by gates that hear of it.

    :raises NotAllowed: the actor does not operate the system
    :raises NoSuchKey: there is none
    """
    row = Key.objects.select_for_update().filter(pk=thumbprint).first()
    if row is None:
        raise NoSuchKey
    if not by.areas(WITHDRAW_KEY):
        raise NotAllowed(right=WITHDRAW_KEY)
    if row.withdrawn_at is None:
        row.withdrawn_at = by.at
        row.save(update_fields=["withdrawn_at"])
        keys.rotate(by.at, (Purpose(row.purpose),))
        keys.publish_key_list(by.at)


@transaction.atomic
def open_shard(code: str, at: datetime) -> None:
    """Make the shard and publish it empty, if it is new: a gate may ask for it before any pass names it."""
    _shard(code, at)


@transaction.atomic
def settle(pass_ids: Collection[UUID]) -> None:
    """Note that the published lists say what these rows say (the publisher, after `publish`, in one transaction)."""
    Pass.objects.filter(pk__in=list(pass_ids)).update(settled=True)


@transaction.atomic
def purge_passes(*, by: Actor) -> int:
    """Forget passes, and grants of them, that ended so long ago that no gate uses their row any more; free their indexes.

    Whole legal days go together: the chain says once a day how many rows went, and which day is the first that is kept.
    """
    first_kept = legal_day(by.at - 2 * LONGEST_LIFE)
    before = start_of_legal_day(first_kept)
    old = list(Pass.objects.filter(valid_until__lt=before).values_list("pk", "shard_id", "index"))
    for code in sorted({shard for _, shard, _ in old}):
        locked = _shard(code, by.at)
        indexes = [index for _, shard, index in old if shard == code]
        listed = set(
            IndexStatus.objects.filter(shard=locked, index__in=indexes).values_list("index", flat=True)
        )
        locked.used = max(0, locked.used - len(indexes))
        locked.save(update_fields=["used"])
        if listed:
            publish(code, [StatusChange(index, ListStatus.VALID) for index in sorted(listed)], by.at)
    gone, _ = Pass.objects.filter(pk__in=[key for key, _, _ in old]).delete()
    grants, _ = WorkGrant.objects.filter(valid_until__lt=before).delete()
    if count := gone + grants:
        run = ids.new_id()
        entry = ledger.append(
            kind="credentials:passes:destroyed",
            act_id=run,
            organ=by.organ,
            scope=WHOLE_CHAIN,
            basis=TERM_OVER,
            terms={"count": count, "until": first_kept.isoformat(), "reason": "term"},
            secrets={},
            by=by,
        )
        Destruction.objects.create(id=run, count=count, until=first_kept, destroyed_at=by.at, entry_id=entry)
    return count


def rotate_keys(at: datetime) -> None:
    """Keep a key of each purpose in use and the next one listed a week ahead."""
    keys.rotate(at, tuple(Purpose))


@transaction.atomic
def note_published(*, by: Actor) -> int:
    """Put the hashes of the lists that are published now into the chain, once in an hour; how many lists.

    Whoever kept a list can show afterwards that it was the one everybody had, or that it was not (L-5).
    """
    hour = by.at.replace(minute=0, second=0, microsecond=0)
    # The rows are the locks of the publisher, too: what is hashed is what is published.
    shards = Shard.objects.select_for_update(no_key=True).order_by("code")
    noted = set(Digest.objects.filter(hour=hour).values_list("shard_id", flat=True))
    waiting = [code for code in shards.values_list("code", flat=True) if code not in noted]
    found = [files for code in waiting if (files := queries.files(code)) is not None]
    for first in range(0, len(found), _LISTS_IN_AN_ENTRY):
        some = found[first : first + _LISTS_IN_AN_ENTRY]
        hashes = {files.shard: hashlib.sha256(files.whole).digest() for files in some}
        entry = ledger.append(
            kind="credentials:status:published",
            act_id=ids.new_id(),
            organ=by.organ,
            scope=WHOLE_CHAIN,
            basis=ledger.CHAIN_RULES,
            terms={"hour": hour.isoformat()}
            | {files.shard: f"{files.version} {hashes[files.shard].hex()}" for files in some},
            secrets={},
            by=by,
        )
        Digest.objects.bulk_create(
            Digest(
                shard_id=files.shard,
                hour=hour,
                version=files.version,
                sha256=hashes[files.shard],
                entry_id=entry,
            )
            for files in some
        )
    return len(found)


def _publish(shard: Shard, changes: list[StatusChange], at: datetime) -> int:
    newest = Version.objects.filter(shard=shard).order_by("-version").first()
    if newest is not None:
        # A list never claims to be older than the one before it.
        at = max(at, newest.signed_at)
    instant = int(at.timestamp())
    version = shard.version + 1
    rows = IndexStatus.objects.filter(shard=shard).values_list("index", "status", "until")
    statuses = {index: ListStatus(status) for index, status, _ in rows}
    ends = {
        index: int(until.timestamp()) if until else None
        for index, status, until in rows
        if status == ListStatus.SUSPENDED
    }
    name = queries.uri(shard.code)
    list_key = keys.signing_key(Purpose.STATUSLIST, at)
    Version.objects.create(
        shard=shard,
        version=version,
        signed_at=at,
        whole=statuslist.sign_list(
            statuslist.pack(statuses, shard.size),
            uri=name,
            version=version,
            at=instant,
            key=list_key,
            level=9,
        ),
        until=statuslist.sign_until(ends, uri=name, version=version, at=instant, key=list_key, level=9),
        delta=None
        if shard.version == 0
        else statuslist.sign_delta(
            [Change(c.index, c.status, int(c.until.timestamp()) if c.until else None) for c in changes],
            uri=name,
            from_version=shard.version,
            to_version=version,
            at=instant,
            key=keys.signing_key(Purpose.DELTA, at),
        ),
    )
    Version.objects.filter(shard=shard, version=version - 1).update(whole=None, until=None)
    Version.objects.filter(shard=shard, version__lte=version - _DELTAS_KEPT).delete()
    shard.version = version
    shard.save(update_fields=["version"])
    wake("lists")
    return version


def _shard(code: str, at: datetime) -> Shard:
    """The shard, locked; made and published empty if it is new, so that every list that is named exists."""
    row = Shard.objects.select_for_update().filter(pk=code).first()
    if row is None:
        Shard.objects.bulk_create([Shard(code=code, size=_FIRST_SIZE)], ignore_conflicts=True)
        row = Shard.objects.select_for_update().get(pk=code)
        if row.version == 0:
            _publish(row, [], at)
    return row


def _insert(row: Pass, shard: Shard) -> Pass:
    """Draw number and index until both are free. Half of a shard stays empty, so two draws are enough on average."""
    shard.used += 1
    if shard.used * 2 >= shard.size:
        shard.size *= 2
        # The last index is named so that lists held by gates grow by a delta too.
        _publish(shard, [StatusChange(shard.size - 1, ListStatus.VALID)], row.issued_at)
    shard.save(update_fields=["size", "used"])
    while True:
        row.index = int.from_bytes(ids.random_bytes(8), "big") % shard.size
        row.pass_no = pass_number(int.from_bytes(ids.random_bytes(8), "big") % (LARGEST + 1))
        taken = Pass.objects.filter(shard=shard, index=row.index) | Pass.objects.filter(pass_no=row.pass_no)
        if not taken.exists():
            with transaction.atomic():
                row.save(force_insert=True)
            return row


def _phones(holder_id: UUID, at: datetime) -> set[bytes]:
    """The phones of the holder, by key: one phone has several passes, and each is renewed every few days."""
    rows = Pass.objects.filter(
        holder_id=holder_id, channel="phone", revoked_at=None, valid_until__gt=at
    ).values_list("cnf", flat=True)
    return {bytes(cnf) for cnf in rows if cnf is not None}


def _same_or_refuse(row: Pass, draft: PassDraft) -> IssuedPass:
    same = (
        row.holder_id == draft.holder_id
        and row.kind == draft.kind
        and row.shard_id == draft.shard
        and row.channel == draft.channel
        and (bytes(row.cnf) if row.cnf is not None else None) == draft.cnf
        # How long it lasts is what was asked for; from when, is when the first of the requests came.
        and row.valid_until - row.valid_from
        == draft.valid_until.replace(microsecond=0) - draft.valid_from.replace(microsecond=0)
    )
    if not same:
        raise SameIdOtherContent
    return _issued(row)


def _issued(row: Pass) -> IssuedPass:
    return IssuedPass(row.pk, row.pass_no, row.index, row.shard_id, queries.signed(row))


def phone_point(cose_key: object) -> bytes:
    """The X9.62 point of a phone's COSE_Key, for `PassDraft.cnf`.

    :raises Rejected: not a P-256 key
    """
    return PublicKey.read(cose_key).point()
