"""Acts: setting up gates, enrolling and withdrawing devices, signals, explaining, the paper backlog."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction

from lianfang.accounts import queries as accounts
from lianfang.accounts.rights import Right
from lianfang.credentials import actions as credentials_actions
from lianfang.credentials import queries as credentials
from lianfang.kernel import ids
from lianfang.kernel.errors import SameIdOtherContent
from lianfang.kernel.wake import wake
from lianfang_pass.errors import Rejected
from lianfang_pass.exported import decode_export, encode_answer, runs_without
from lianfang_pass.keylist import Purpose
from lianfang_pass.keys import PublicKey
from lianfang_pass.numbers import read_pass_number
from lianfang_pass.passages import Batch, sign_receipt
from lianfang_pass.signals import open_signal

from . import queries, storage
from .errors import (
    CodeNotValid,
    CodeUsedByAnother,
    LineIsCorrected,
    NoSuchDevice,
    NoSuchGate,
    NoSuchLine,
    NoSuchSignal,
    NotAKey,
    NotAnExport,
    NumberUnknown,
)
from .models import Backlog, CarriedFile, Conflict, Contact, Device, EnrolmentCode, Gate, Signal
from .opening import opened
from .policy import ALARMS, lists_of

if TYPE_CHECKING:
    from lianfang.kernel.actor import Actor

CODE_SIZE: Final = 16
CODE_LIVES: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDraft:
    """A checkpoint. `zones`: compounds it guards, by the last label of their path; `shards`: the code of its own street.

    Where no compound is guarded it gets the lists of all streets besides (`policy.lists_of`).
    """

    id: UUID
    name: str
    kind: str
    area: str
    shards: tuple[str, ...]
    phone: str
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the QR code at the desk holds."""

    code: bytes
    gate_id: UUID
    thumbprint: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a device learns in answer to its code."""

    device_id: UUID
    gate: Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class BacklogDraft:
    """One line of a paper register. One of number, door and word must be there."""

    id: UUID
    gate_id: UUID
    passed_at: datetime
    inward: bool
    verdict: str
    pass_no: str = ""
    door: str = ""
    birth_year: int | None = None
    word: str = ""
    temperature: int | None = None
    corrects: UUID | None = None


@transaction.atomic
def set_up_gate(draft: GateDraft, *, by: Actor) -> Gate:
    """Make a checkpoint, or correct it: the same id again takes the new name, phone, zones and lists, and its devices
    learn of it with their slow files (`own_store.post`).

    :raises NotAllowed: the actor enrols no devices over this area
    :raises NoSuchGate: it is closed
    """
    by.require(Right.GATES_DEVICE_ENROL, over=draft.area)
    shards = lists_of(draft.kind, draft.shards, credentials.versions())
    gate, made = Gate.objects.select_for_update().get_or_create(
        pk=draft.id,
        defaults={
            "name": draft.name,
            "kind": draft.kind,
            "area": draft.area,
            "zones": list(draft.zones),
            "shards": shards,
            "phone": draft.phone,
        },
    )
    if not made:
        by.require(Right.GATES_DEVICE_ENROL, over=gate.area)
        if gate.closed_at is not None:
            raise NoSuchGate
        gate.name, gate.kind, gate.area = draft.name, draft.kind, draft.area
        gate.zones, gate.shards, gate.phone = list(draft.zones), shards, draft.phone
        gate.save()
    for shard in draft.shards:
        credentials_actions.open_shard(shard, by.at)
    wake("gates", gate.pk)
    return gate


@transaction.atomic
def close_gate(gate_id: UUID, *, reason: str, by: Actor) -> Gate:
    """Close a checkpoint for good: its devices are withdrawn, open codes die. What they still hold is taken (G-7).

    A second time changes nothing.

    :raises NoSuchGate: there is none in the actor's area
    """
    gate = Gate.objects.select_for_update().filter(pk=gate_id).first()
    if gate is None or not by.may(Right.GATES_DEVICE_ENROL, over=gate.area):
        raise NoSuchGate
    if gate.closed_at is not None:
        return gate
    gate.closed_at, gate.closed_reason = by.at, reason
    gate.closed_as = accounts.shown_as(by.organ, by=by)
    gate.save(update_fields=["closed_at", "closed_as", "closed_reason"])
    Device.objects.filter(gate=gate, withdrawn_at=None).update(withdrawn_at=by.at, withdrawn_reason=reason)
    wake("gates", gate.pk)
    return gate


@transaction.atomic
def open_enrolment(gate_id: UUID, *, by: Actor) -> Enrolment:
    """Make a one-time code for one device. The code itself is not kept.

    :raises NoSuchGate: there is none in the actor's area
    """
    gate = queries.gate(gate_id, by=by, right=Right.GATES_DEVICE_ENROL)
    code = ids.random_bytes(CODE_SIZE)
    EnrolmentCode.objects.create(
        code_hash=_hash(code),
        gate=gate,
        made_at=by.at,
        made_by=by.user_id,
        expires_at=by.at + CODE_LIVES,
    )
    return Enrolment(code, gate.pk, credentials.root_public().thumbprint, by.at + CODE_LIVES)


@transaction.atomic
def enrol_device(code: bytes, cose_key: object, *, at: datetime) -> Enrolled:
    """Enrol the device that shows the code. The same code with the same key gives the same device again.

    :raises CodeNotValid: unknown, older than 15 minutes, or of a post that was closed meanwhile
    :raises CodeUsedByAnother: another key was enrolled with it
    :raises NotAKey: not a P-256 key
    """
    try:
        point = PublicKey.read(cose_key).point()
    except Rejected:
        raise NotAKey from None
    row = (
        EnrolmentCode.objects.select_for_update(of=("self",))
        .select_related("gate", "device")
        .filter(code_hash=_hash(code))
        .first()
    )
    if row is None or not row.made_at <= at < row.expires_at or row.gate.closed_at is not None:
        raise CodeNotValid
    if row.device is not None:
        if bytes(row.device.point) != point:
            raise CodeUsedByAnother
        return Enrolled(row.device.pk, row.gate)
    if Device.objects.filter(point=point).exists():
        raise NotAKey
    device = Device.objects.create(id=ids.new_id(), gate=row.gate, point=point, enrolled_at=at)
    row.device = device
    row.save(update_fields=["device"])
    wake("gates", device.pk)
    return Enrolled(device.pk, row.gate)


@transaction.atomic
def withdraw_device(device_id: UUID, *, reason: str, by: Actor) -> None:
    """Withdraw a device: lost, replaced. It gets no more lists; records it still holds are taken (G-7).

    :raises NoSuchDevice: there is none in the actor's area
    """
    device = (
        Device.objects.select_for_update(of=("self",)).select_related("gate").filter(pk=device_id).first()
    )
    if device is None or not by.may(Right.GATES_DEVICE_ENROL, over=device.gate.area):
        raise NoSuchDevice
    if device.withdrawn_at is None:
        device.withdrawn_at, device.withdrawn_reason = by.at, reason
        device.save(update_fields=["withdrawn_at", "withdrawn_reason"])
        wake("gates", device.pk)


@transaction.atomic
def explain_missing(device_id: UUID, *, why: str, by: Actor) -> None:
    """Say why records of a device are missing (broken, lost): they stay missing and are no longer open (G-2).

    This speaks for those that are missing now. What goes missing later is open again.

    :raises NoSuchDevice: there is none in the actor's area
    """
    device = (
        Device.objects.select_for_update(of=("self",)).select_related("gate").filter(pk=device_id).first()
    )
    if device is None or not by.may(Right.GATES_DEVICE_ENROL, over=device.gate.area):
        raise NoSuchDevice
    contact = Contact.objects.filter(device=device).first()
    device.missing_explained = why
    device.explained_count = queries.unstored_of(device, contact, by.at).missing
    device.save(update_fields=["missing_explained", "explained_count"])
    Conflict.objects.filter(device=device, explained="").update(explained=why)


@transaction.atomic
def take_signals(batch: Batch, *, device: UUID, gate: UUID, at: datetime) -> int:
    """Keep what a gate told; return how many were new. Durable when the transaction ends, and only then receipted.

    The same bytes again change nothing. What cannot be opened is kept and shown as such: it may be a call.
    """
    rows = [
        (batch.from_seq + n, hashlib.sha256(sealed).digest(), sealed) for n, sealed in enumerate(batch.rows)
    ]
    known = {
        (seq, bytes(row_hash))
        for seq, row_hash in Signal.objects.filter(
            device_id=device, seq__range=(batch.from_seq, batch.to_seq)
        ).values_list("seq", "row_hash")
    }
    fresh = []
    for seq, row_hash, sealed in rows:
        if (seq, row_hash) in known:
            continue
        said = opened(open_signal, batch.device, seq, sealed)
        fresh.append(
            Signal(
                device_id=device,
                gate_id=gate,
                seq=seq,
                row_hash=row_hash,
                sealed=sealed,
                received_at=at,
                kind=said.kind.value if said else "unopened",
                at=datetime.fromtimestamp(said.at, UTC) if said else None,
                facts=dict(said.facts) if said else {},
            )
        )
    # Two requests with the same rows at once: the second finds them in its way and adds nothing.
    Signal.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh)


def bring_file(data: bytes, *, by: Actor) -> CarriedFile:
    """Store what a device without network wrote to a file, the way an upload is stored, and keep the receipts.

    The same file again gives the same answer; a longer file of the same device adds what is new.

    :raises NotAnExport: not whole, or not written by a gate's device
    :raises NoSuchDevice: a device in it is of no gate whose backlog the actor enters; nothing is stored then
    """
    try:
        batches = decode_export(data)
    except Rejected:
        raise NotAnExport from None
    devices = {
        row.pk: row
        for row in Device.objects.select_related("gate").filter(
            pk__in={UUID(bytes=batch.device) for batch in batches}
        )
    }
    for batch in batches:
        device = devices.get(UUID(bytes=batch.device))
        if device is None or not by.may(Right.GATES_BACKLOG_ENTER, over=device.gate.area):
            raise NoSuchDevice
    file_hash = hashlib.sha256(data).digest()
    if earlier := CarriedFile.objects.filter(file_hash=file_hash).first():
        return earlier
    gates = {pk: device.gate_id for pk, device in devices.items()}
    stored = storage.store_all(batches, gates=gates, at=by.at)
    key, at = credentials.signing_key(Purpose.RECEIPT, by.at), int(by.at.timestamp())
    receipts: list[bytes] = []
    other: dict[bytes, list[int]] = {}
    found: dict[UUID, Counter[str]] = defaultdict(Counter)
    for batch, result in zip(batches, stored, strict=True):
        receipts += [sign_receipt(run, at=at, key=key) for run in runs_without(batch, result.other)]
        if result.other:
            other.setdefault(batch.device, []).extend(result.other)
        found[UUID(bytes=batch.device)].update(
            rows=len(batch.rows), new=result.fresh, other=len(result.other)
        )
    row, _ = CarriedFile.objects.get_or_create(
        file_hash=file_hash,
        defaults={
            "id": ids.new_id(),
            "brought_at": by.at,
            "brought_by": by.user_id,
            "brought_as": accounts.shown_as(by.organ, by=by),
            "found": [{"device": str(pk), "gate": str(gates[pk]), **counts} for pk, counts in found.items()],
            "answer": encode_answer(receipts, other),
        },
    )
    return row


@transaction.atomic
def answer_signal(signal_id: int, *, by: Actor) -> Signal:
    """Say that somebody has taken a call up: who and when. The first answer stays; a second changes nothing.

    :raises NoSuchSignal: there is none in the actor's area that asks for an answer
    """
    signal = (
        Signal.objects.select_for_update(of=("self",))
        .select_related("gate")
        .filter(pk=signal_id, kind__in=ALARMS)
        .first()
    )
    if signal is None or not by.may(Right.GATES_HELP_ANSWER, over=signal.gate.area):
        raise NoSuchSignal
    if signal.answered_at is None:
        signal.answered_at, signal.answered_by = by.at, by.user_id
        signal.answered_as = accounts.shown_as(by.organ, by=by)
        signal.save(update_fields=["answered_at", "answered_by", "answered_as"])
    return signal


@transaction.atomic
def enter_backlog(draft: BacklogDraft, *, by: Actor) -> Backlog:
    """Enter one line of a paper register, or in the place of one that was typed in wrongly: that stays, and is named by
    the new one (F10). Sending the same line again changes nothing.

    :raises NoSuchGate: there is none in the actor's area
    :raises NoSuchLine: the line to be corrected is not of this post, or was forgotten
    :raises LineIsCorrected: another line stands in its place already; correct that one
    :raises NumberUnknown: the number's check digits are wrong
    :raises SameIdOtherContent: the id was used for another line
    """
    # Paper of the last days of a post that was closed meanwhile is entered too.
    gate = queries.gate(draft.gate_id, by=by, right=Right.GATES_BACKLOG_ENTER, closed_too=True)
    pass_no = draft.pass_no
    if pass_no:
        try:
            pass_no = read_pass_number(pass_no)
        except Rejected:
            raise NumberUnknown from None
    wanted = {
        "gate_id": gate.pk,
        "passed_at": draft.passed_at,
        "inward": draft.inward,
        "verdict": draft.verdict,
        "pass_no": pass_no,
        "door": draft.door,
        "birth_year": draft.birth_year,
        "word": draft.word,
        "temperature": draft.temperature,
        "corrects_id": draft.corrects,
    }
    # The same line sent twice at once queues here, and the second finds the first.
    Gate.objects.select_for_update().get(pk=gate.pk)
    if earlier := Backlog.objects.filter(pk=draft.id).first():
        if any(getattr(earlier, name) != value for name, value in wanted.items()):
            raise SameIdOtherContent
        return earlier
    if draft.corrects is not None:
        if not Backlog.objects.filter(pk=draft.corrects, gate=gate).exists():
            raise NoSuchLine
        if Backlog.objects.filter(corrects=draft.corrects).exists():
            raise LineIsCorrected
    return Backlog.objects.create(id=draft.id, entered_at=by.at, entered_by=by.user_id, **wanted)


def _hash(code: bytes) -> bytes:
    return hashlib.sha256(b"lf-enrol/1" + code).digest()
