"""Questions about posts: how they stand, what they counted, what is missing. Nothing of a person but the id of a
pass, and that only to who must look into a passage (tickets).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Exists, F, OuterRef, Q, Subquery, Sum

from lianfang.accounts.rights import Right
from lianfang.kernel.clock import legal_day
from lianfang.kernel.fields import within_any
from lianfang_pass.evidence import AGES, Ages

from .errors import NoSuchAct, NoSuchDevice, NoSuchGate
from .models import (
    AgesAct,
    Backlog,
    CarriedFile,
    Conflict,
    Contact,
    Device,
    Gate,
    GateAct,
    GateActLift,
    GateActSignature,
    HourCount,
    OverrideCount,
    Signal,
    Ticket,
)
from .policy import (
    ALARMS,
    KEPT_FOR,
    ActStage,
    Lack,
    Silence,
    Unstored,
    act_stage,
    is_dead,
    lacks,
    silence,
    unsent_estimate,
    unstored,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from lianfang.kernel.actor import Actor

#: What is usual at a post is read from this many hours back.
_MOST_ALARMS: Final = 200
USUAL_OVER: Final = timedelta(hours=24)
VERDICTS: Final = ("ALLOW", "ALLOW_REG", "CALL", "DENY")


@dataclass(frozen=True, slots=True)
class PostView:
    """A post as command sees it."""

    gate_id: UUID
    name: str
    kind: str
    area: str
    phone: str
    silence: Silence
    lacks: tuple[Lack, ...]
    last_at: datetime | None
    list_at: datetime | None
    unsent: int
    verdicts: dict[str, int]
    overrides: int
    missing: int
    conflicts: int
    devices: int


@dataclass(frozen=True, slots=True)
class DeviceView:
    id: UUID
    enrolled_at: datetime
    withdrawn_at: datetime | None
    withdrawn_reason: str
    last_at: datetime | None
    stored: int
    missing: int
    unsent: int
    missing_explained: str
    conflicts: int


@dataclass(frozen=True, slots=True)
class HourView:
    hour: datetime
    verdicts: dict[str, int]
    overrides: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmView:
    """A call for help, a fork of the chain that a gate saw, or what could not be read and may be one."""

    id: int
    gate_id: UUID
    name: str
    phone: str
    kind: str
    facts: Mapping[str, str | int]
    at: datetime | None
    received_at: datetime
    answered_at: datetime | None
    answered_as: str
    may_answer: bool


@dataclass(frozen=True, slots=True)
class TicketView:
    """A passage of which the post had not heard yet what the server knew. Whose pass it was is only an id here."""

    id: int
    cause: str
    pass_id: UUID
    passed_at: datetime
    inward: bool
    since: datetime
    list_age: timedelta | None
    closed_at: datetime | None
    closed_as: str
    word: str


@dataclass(frozen=True, slots=True)
class ActView:
    """A quota or perimeter act, and where it stands at the actor's instant."""

    act: GateAct
    stage: ActStage
    signature: GateActSignature | None
    lift: GateActLift | None
    may_sign: bool
    may_lift: bool


@dataclass(frozen=True, slots=True)
class HandoverView:
    at: datetime
    from_guard: str
    to_guard: str
    unsent: int
    counts: dict[str, int]
    issues: int | None  # what was not said is None
    masks: int | None
    thermometer: bool | None  # whether it works


def gate(gate_id: UUID, *, by: Actor, right: Right = Right.GATES_POST_SEE, closed_too: bool = False) -> Gate:
    """:raises NoSuchGate: there is none over which the actor holds the right, or it is closed"""
    row = Gate.objects.filter(pk=gate_id).first()
    if row is None or not by.may(right, over=row.area) or (row.closed_at is not None and not closed_too):
        raise NoSuchGate
    return row


def closed_posts(*, by: Actor) -> list[tuple[UUID, str, datetime]]:
    """Posts closed while their passages are still kept, the last first: what is missing of theirs is explained there."""
    rows = Gate.objects.filter(
        within_any("area", by.areas(Right.GATES_POST_SEE)), closed_at__gte=by.at - KEPT_FOR
    )
    found = rows.order_by("-closed_at")[:_MOST_ALARMS]
    return [(row.pk, row.name, row.closed_at) for row in found if row.closed_at]


def devices_in_use(gate_id: UUID) -> int:
    return Device.objects.filter(gate_id=gate_id, withdrawn_at=None).count()


def posts(*, by: Actor) -> list[PostView]:
    """All posts of the actor's areas, the most silent first. Four queries, whatever their number."""
    gates = list(
        Gate.objects.filter(within_any("area", by.areas(Right.GATES_POST_SEE)), closed_at=None).annotate(
            thermometer=_last_said("thermometer"), masks=_last_said("masks")
        )
    )
    ids = [row.pk for row in gates]
    devices: dict[UUID, list[Device]] = defaultdict(list)
    for device in Device.objects.filter(gate_id__in=ids, withdrawn_at=None):
        devices[device.gate_id].append(device)
    contacts: dict[UUID, list[Contact]] = defaultdict(list)
    for contact in Contact.objects.filter(device__gate_id__in=ids).select_related("device"):
        contacts[contact.device.gate_id].append(contact)
    conflicts = Counter(
        Conflict.objects.filter(device__gate_id__in=ids, explained="").values_list(
            "device__gate_id", flat=True
        )
    )
    counted: dict[UUID, list[HourCount]] = defaultdict(list)
    for count in HourCount.objects.filter(gate_id__in=ids, hour__gte=by.at - USUAL_OVER):
        counted[count.gate_id].append(count)
    views = [
        _post(row, devices[row.pk], contacts[row.pk], counted[row.pk], conflicts[row.pk], by.at)
        for row in gates
    ]
    order = {Silence.RED: 0, Silence.AMBER: 1, Silence.NEVER: 2, Silence.FRESH: 3}
    return sorted(views, key=lambda v: (order[v.silence], not v.lacks, v.last_at or by.at, v.name))


def _last_said(fact: str) -> Subquery:
    """What the last handover of a post that spoke of this said; None where none did."""
    spoke = Signal.objects.filter(gate_id=OuterRef("pk"), kind="handover", facts__has_key=fact)
    return Subquery(spoke.order_by("-received_at", "-seq").values(f"facts__{fact}")[:1])


def _post(
    row: Gate,
    devices: Sequence[Device],
    contacts: Sequence[Contact],
    counted: Sequence[HourCount],
    conflicts: int,
    at: datetime,
) -> PostView:
    heard = [c for c in contacts if c.device.withdrawn_at is None]
    last_at = max((c.last_at for c in heard), default=None)
    verdicts = dict.fromkeys(VERDICTS, 0)
    hours: Counter[datetime] = Counter()
    for count in counted:
        verdicts[count.verdict] = verdicts.get(count.verdict, 0) + count.passages
        hours[count.hour] += count.passages
    quiet = silence(last_at, at)
    left = [(c.device, unstored_of(c.device, c, at)) for c in contacts]
    # What the devices said they had not sent yet, and what a silent post has probably written since.
    unsent = sum(u.unsent for _, u in left)
    if last_at and quiet is not Silence.FRESH:
        unsent += unsent_estimate(hours.values(), at - last_at)
    return PostView(
        gate_id=row.pk,
        name=row.name,
        kind=row.kind,
        area=row.area,
        phone=row.phone,
        silence=quiet,
        lacks=lacks(thermometer=getattr(row, "thermometer", None), masks=getattr(row, "masks", None)),
        last_at=last_at,
        list_at=max((c.list_at for c in heard if c.list_at), default=None),
        unsent=unsent,
        verdicts=verdicts,
        overrides=sum(count.overrides for count in counted),
        missing=sum(max(0, u.missing - device.explained_count) for device, u in left),
        conflicts=conflicts,
        devices=len(devices),
    )


def alarms(*, by: Actor) -> list[AlarmView]:
    """Calls from the posts the actor sees: those nobody has answered, and those of the last day."""
    rows = (
        Signal.objects.filter(within_any("gate__area", by.areas(Right.GATES_POST_SEE)), kind__in=ALARMS)
        .filter(Q(answered_at=None) | Q(received_at__gte=by.at - USUAL_OVER))
        .select_related("gate")
        .order_by(F("answered_at").desc(nulls_first=True), "received_at")
    )
    return [
        AlarmView(
            id=row.pk,
            gate_id=row.gate_id,
            name=row.gate.name,
            phone=row.gate.phone,
            kind=row.kind,
            facts=row.facts,
            at=row.at,
            received_at=row.received_at,
            answered_at=row.answered_at,
            answered_as=row.answered_as,
            may_answer=row.answered_at is None and by.may(Right.GATES_HELP_ANSWER, over=row.gate.area),
        )
        for row in rows[:_MOST_ALARMS]
    ]


def unanswered(*, by: Actor) -> list[datetime]:
    """When each call reached us that waits for the actor's answer, the oldest first."""
    rows = Signal.objects.filter(
        within_any("gate__area", by.areas(Right.GATES_HELP_ANSWER)), kind__in=ALARMS, answered_at=None
    )
    return list(rows.order_by("received_at").values_list("received_at", flat=True)[:_MOST_ALARMS])


def open_tickets(*, by: Actor) -> list[tuple[UUID, str, str]]:
    """The posts, by id and name, and the causes of the tickets that wait for the actor, the oldest first; one of each ticket."""
    rows = Ticket.objects.filter(
        within_any("gate__area", by.areas(Right.GATES_DEVICE_ENROL)),
        closed_at=None,
        opened_at__gte=by.at - KEPT_FOR,
    )
    return list(rows.order_by("opened_at", "id").values_list("gate_id", "gate__name", "cause")[:_MOST_ALARMS])


def tickets_of(gate: Gate, *, by: Actor, limit: int = 30) -> list[TicketView]:
    """The tickets of one post for whoever may close them: those that are open, the oldest first, then the others."""
    if not by.may(Right.GATES_DEVICE_ENROL, over=gate.area):
        return []
    rows = Ticket.objects.filter(gate=gate, opened_at__gte=by.at - KEPT_FOR).order_by(
        F("closed_at").desc(nulls_first=True), "passed_at"
    )
    return [
        TicketView(
            id=row.pk,
            cause=row.cause,
            pass_id=row.pass_id,
            passed_at=row.passed_at,
            inward=row.inward,
            since=row.since,
            list_age=row.passed_at - row.list_at if row.list_at else None,
            closed_at=row.closed_at,
            closed_as=row.closed_as,
            word=row.word,
        )
        for row in rows[:limit]
    ]


def acts(*, by: Actor, limit: int = 100) -> list[ActView]:
    """Quota and perimeter acts of the actor's areas: first what is or may come in force, then the past."""
    rows = (
        GateAct.objects.filter(within_any("area", by.areas(Right.GATES_POST_SEE)))
        .select_related("signature", "lift")
        .order_by("-ends_at", "no")[:limit]
    )
    order = {ActStage.PROPOSED: 0, ActStage.IN_FORCE: 1, ActStage.TO_COME: 2}
    return sorted((_act(row, by) for row in rows), key=lambda a: order.get(a.stage, 3))


def act(act_id: UUID, *, by: Actor) -> ActView:
    """:raises NoSuchAct: there is none in the actor's areas"""
    row = GateAct.objects.select_related("signature", "lift").filter(pk=act_id).first()
    if row is None or not by.may(Right.GATES_POST_SEE, over=row.area):
        raise NoSuchAct
    return _act(row, by)


def ages_acts(*, limit: int = 20) -> list[AgesAct]:
    """What was signed about the ages of evidence, the one in force first."""
    return list(AgesAct.objects.order_by("-no")[:limit])


def ages_in_force() -> Ages:
    """How old evidence may be, by the newest act; a day and three days without one."""
    newest = AgesAct.objects.order_by("-no").first()
    return Ages(newest.day_hours, newest.old_hours) if newest else AGES


def acts_to_sign(*, by: Actor) -> list[datetime]:
    """The ends of the proposals that wait for the actor's signature."""
    rows = GateAct.objects.filter(
        within_any("area", by.areas(Right.GATES_ACT_SIGN)), signature=None, ends_at__gt=by.at
    ).exclude(proposed_by=by.user_id)
    return list(rows.order_by("ends_at").values_list("ends_at", flat=True)[:_MOST_ALARMS])


def acts_at(zones: Iterable[str], *, by: Actor) -> list[ActView]:
    """The acts in force at a post that guards these compounds."""
    rows = GateAct.objects.filter(
        ~Q(signature=None), lift=None, ends_at__gt=by.at, starts_at__lte=by.at, zones__overlap=list(zones)
    ).select_related("signature", "lift")
    return [_act(row, by) for row in rows.order_by("starts_at")]


def _act(row: GateAct, by: Actor) -> ActView:
    signature: GateActSignature | None = getattr(row, "signature", None)
    lift: GateActLift | None = getattr(row, "lift", None)
    stage = act_stage(
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        signed_at=signature.signed_at if signature else None,
        lifted_at=lift.lifted_at if lift else None,
        at=by.at,
    )
    signs = by.may(Right.GATES_ACT_SIGN, over=row.area)
    return ActView(
        act=row,
        stage=stage,
        signature=signature,
        lift=lift,
        may_sign=signs and stage is ActStage.PROPOSED and row.proposed_by != by.user_id,
        may_lift=signs and stage in (ActStage.IN_FORCE, ActStage.TO_COME),
    )


def carried_file(file_id: UUID, *, by: Actor) -> CarriedFile:
    """:raises NoSuchDevice: there is none, or a device in it is of no gate whose backlog the actor enters"""
    row = CarriedFile.objects.filter(pk=file_id).first()
    areas = Gate.objects.filter(pk__in=[line["gate"] for line in row.found]) if row else ()
    if row is None or not all(by.may(Right.GATES_BACKLOG_ENTER, over=gate.area) for gate in areas):
        raise NoSuchDevice
    return row


def carried_files_of(gate_id: UUID, *, limit: int = 20) -> list[tuple[CarriedFile, int]]:
    """Files brought with rows of this post, newest first, and how many rows of it were new."""
    rows = CarriedFile.objects.filter(found__contains=[{"gate": str(gate_id)}]).order_by("-brought_at")[
        :limit
    ]
    return [(row, sum(line["new"] for line in row.found if line["gate"] == str(gate_id))) for row in rows]


def handovers_of(gate_id: UUID, *, limit: int = 20) -> list[HandoverView]:
    """The handovers of one post, newest first; a number used twice shows both."""
    rows = Signal.objects.filter(gate_id=gate_id, kind="handover").order_by("-received_at", "-seq")[:limit]
    found = []
    for row in rows:
        facts = dict(row.facts)
        names = (str(facts.pop("from", "")), str(facts.pop("to", "")))
        unsent = int(facts.pop("unsent", 0))
        issues, masks, works = (facts.pop(name, None) for name in ("issues", "masks", "thermometer"))
        thermometer = None if works is None else works != 0
        found.append(
            HandoverView(row.at or row.received_at, *names, unsent, facts, issues, masks, thermometer)
        )
    return found


def admitted_to(gate_id: UUID, *, limit: int = 20) -> list[Signal]:
    """Guards who were on no list of the post and were admitted by somebody, newest first."""
    return list(
        Signal.objects.filter(gate_id=gate_id, kind="admitted").order_by("-received_at", "-seq")[:limit]
    )


def unstored_of(device: Device, contact: Contact | None, at: datetime) -> Unstored:
    """What a device has written and we have not, as far as it has told."""
    if contact is None:
        return Unstored(0, 0)
    return unstored(
        written=contact.last_seq,
        highest=contact.highest_seq,
        stored=contact.stored,
        dead=is_dead(withdrawn_at=device.withdrawn_at, last_at=contact.last_at, at=at),
    )


def devices_of(gate_id: UUID, *, at: datetime) -> list[DeviceView]:
    """The devices of one post, those in use first."""
    rows = (
        Device.objects.filter(gate_id=gate_id)
        .select_related("contact")
        .order_by(F("withdrawn_at").desc(nulls_first=True), "-enrolled_at")
    )
    conflicts = Counter(
        Conflict.objects.filter(device__gate_id=gate_id, explained="").values_list("device_id", flat=True)
    )
    return [_device(row, getattr(row, "contact", None), conflicts[row.pk], at) for row in rows]


def _device(row: Device, contact: Contact | None, conflicts: int, at: datetime) -> DeviceView:
    left = unstored_of(row, contact, at)
    return DeviceView(
        id=row.pk,
        enrolled_at=row.enrolled_at,
        withdrawn_at=row.withdrawn_at,
        withdrawn_reason=row.withdrawn_reason,
        last_at=contact.last_at if contact else None,
        stored=contact.stored if contact else 0,
        missing=left.missing,
        unsent=left.unsent,
        missing_explained=row.missing_explained,
        conflicts=conflicts,
    )


def hours_of(gate_id: UUID, *, since: datetime) -> list[HourView]:
    """The hours of one post, newest first."""
    found: dict[datetime, list[HourCount]] = defaultdict(list)
    for count in HourCount.objects.filter(gate_id=gate_id, hour__gte=since).order_by("-hour"):
        found[count.hour].append(count)
    return [
        HourView(
            hour,
            {v: sum(c.passages for c in counts if c.verdict == v) for v in VERDICTS},
            sum(c.overrides for c in counts),
        )
        for hour, counts in found.items()
    ]


def overrides_of(gate: Gate, *, by: Actor, limit: int = 100) -> list[OverrideCount]:
    """How often each guard of a post decided otherwise, and why, the last day first; for whoever answers for its guards."""
    if not by.may(Right.GATES_DEVICE_ENROL, over=gate.area):
        return []
    rows = OverrideCount.objects.filter(gate=gate, day__gte=legal_day(by.at - KEPT_FOR))
    return list(rows.order_by("-day", "-passages", "guard", "verdict", "word")[:limit])


def backlog_of(gate_id: UUID, *, at: datetime, limit: int = 30) -> list[Backlog]:
    """The lines last typed in for a post; none whose term is over, whether or not it was purged."""
    rows = Backlog.objects.filter(gate_id=gate_id, passed_at__gte=at - KEPT_FOR).annotate(
        corrected=Exists(Backlog.objects.filter(corrects=OuterRef("pk")))
    )
    return list(rows.select_related("corrects").order_by("-entered_at", "-id")[:limit])


def passages_counted(gate_ids: Iterable[UUID], *, since: datetime) -> int:
    """How many passages these posts counted since an hour."""
    rows = HourCount.objects.filter(gate_id__in=list(gate_ids), hour__gte=since)
    return int(rows.aggregate(n=Sum("passages"))["n"] or 0)
