"""Tables of gates and of what their devices sent.

Passages lie in `gates_passage`, partitioned by the day of receipt, and `gates_passage_key`, which is not
partitioned and lets no number of a device be stored twice: a row for each batch, with its range of numbers. Both are
made by migration and written by the front.
"""

from __future__ import annotations

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length

from lianfang.kernel.fields import AreaField

from .policy import CAUSES, DAY_HOURS, OLD_HOURS

models.BinaryField.register_lookup(Length)


class Gate(models.Model):
    """A checkpoint. `zones` are the compounds it guards, as passes name them; `shards` the lists it gets."""

    id = models.UUIDField(primary_key=True)
    name = models.TextField()
    kind = models.TextField()
    area = AreaField()
    zones = ArrayField(models.TextField(), default=list)
    shards = ArrayField(models.TextField())
    phone = models.TextField()
    closed_at = models.DateTimeField(null=True)
    closed_as = models.TextField(default="", db_default="")  # office and pseudonym, as others may see them
    closed_reason = models.TextField(default="", db_default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="gate_kind_is_known", condition=Q(kind__in=["compound", "road", "site", "venue"])
            ),
            models.CheckConstraint(
                name="gate_of_a_compound_guards_one", condition=~Q(kind="compound") | ~Q(zones=[])
            ),
            models.CheckConstraint(name="gate_has_a_list", condition=~Q(shards=[])),
            models.CheckConstraint(
                name="gate_is_closed_by_somebody_for_a_reason",
                condition=Q(closed_at__isnull=True, closed_as="", closed_reason="")
                | (Q(closed_at__isnull=False) & ~Q(closed_as="") & ~Q(closed_reason="")),
            ),
        ]


class Device(models.Model):
    """An enrolled device. What it sends while enrolled is taken even after it is withdrawn (G-7)."""

    id = models.UUIDField(primary_key=True)
    gate = models.ForeignKey(Gate, models.PROTECT, related_name="devices")
    point = models.BinaryField(unique=True)
    enrolled_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_reason = models.TextField(default="")
    missing_explained = models.TextField(default="")
    explained_count = models.BigIntegerField(default=0, db_default=0)  # how many were missing then

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="device_is_withdrawn_for_a_reason",
                condition=Q(withdrawn_at__isnull=True, withdrawn_reason="")
                | (Q(withdrawn_at__isnull=False) & ~Q(withdrawn_reason="")),
            ),
            models.CheckConstraint(name="device_key_is_a_point", condition=Q(point__length=65)),
        ]


class EnrolmentCode(models.Model):
    """A one-time code shown as a QR code at the desk. Only its hash is kept."""

    code_hash = models.BinaryField(primary_key=True)
    gate = models.ForeignKey(Gate, models.PROTECT)
    made_at = models.DateTimeField()
    made_by = models.UUIDField()
    expires_at = models.DateTimeField()
    device = models.OneToOneField(Device, models.PROTECT, null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="code_expires_after_it_is_made", condition=Q(expires_at__gt=F("made_at"))
            ),
        ]


class Contact(models.Model):
    """When a device was last heard of, with which list, what it has written by its own word, and what it has sent.
    Written by the front.
    """

    device = models.OneToOneField(Device, models.CASCADE, primary_key=True)
    last_at = models.DateTimeField()
    list_version = models.BigIntegerField(default=0)
    list_at = models.DateTimeField(null=True)
    last_seq = models.BigIntegerField(default=0, db_default=0)  # written, by the device's own word
    highest_seq = models.BigIntegerField(default=0)  # stored
    stored = models.BigIntegerField(default=0)


class Conflict(models.Model):
    """A row that came under a key already used for other bytes. Both are kept, and command is told (G-4)."""

    device = models.ForeignKey(Device, models.PROTECT)
    seq = models.BigIntegerField()
    row_hash = models.BinaryField()
    sealed = models.BinaryField()
    received_at = models.DateTimeField()
    explained = models.TextField(default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="conflict_is_kept_once", fields=["device", "seq", "row_hash"]),
        ]


class CarriedFile(models.Model):
    """A file of unsent rows that somebody brought to the desk, and what was found in it. Not signed by the
    device, so who brought it stands here for good.
    """

    id = models.UUIDField(primary_key=True)
    file_hash = models.BinaryField(unique=True)
    brought_at = models.DateTimeField()
    brought_by = models.UUIDField()
    brought_as = models.TextField()  # office and pseudonym, as others may see them
    found = models.JSONField()  # per device: gate, rows, new, again, other content
    answer = models.BinaryField()  # the receipts, as the device reads them


class Signal(models.Model):
    """What a gate told besides passages: a call for help, a handover. Stays as received (trigger); a call is
    answered once, by somebody. Other bytes under a used number are kept beside: no call is refused.
    """

    device = models.ForeignKey(Device, models.PROTECT)
    gate = models.ForeignKey(Gate, models.PROTECT)
    seq = models.BigIntegerField()
    row_hash = models.BinaryField()
    sealed = models.BinaryField()
    received_at = models.DateTimeField()
    kind = models.TextField()
    at = models.DateTimeField(null=True)  # by the device's clock
    facts = models.JSONField(default=dict)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.UUIDField(null=True)
    answered_as = models.TextField(default="")  # office and pseudonym, as others may see them

    class Meta:
        constraints = [
            models.UniqueConstraint(name="signal_is_kept_once", fields=["device", "seq", "row_hash"]),
            models.CheckConstraint(name="signal_is_numbered_from_one", condition=Q(seq__gte=1)),
            models.CheckConstraint(
                name="signal_kind_is_known",
                condition=Q(kind__in=["help", "handover", "list_old", "fork", "admitted", "unopened"]),
            ),
            models.CheckConstraint(
                name="signal_is_answered_by_somebody",
                condition=Q(answered_at__isnull=True, answered_by__isnull=True, answered_as="")
                | (Q(answered_at__gte=F("received_at"), answered_by__isnull=False) & ~Q(answered_as="")),
            ),
        ]
        indexes = [
            models.Index(fields=["gate", "-received_at"], name="signals_of_a_gate"),
        ]


class Ticket(models.Model):
    """A passage that a gate let through as its list had not heard yet what the server knew: the pass was withdrawn,
    or an order in force. For the community to look into. Stays as found (trigger), is closed once, with a word, and
    is forgotten with the passage.
    """

    device = models.ForeignKey(Device, models.PROTECT)
    gate = models.ForeignKey(Gate, models.PROTECT)
    seq = models.BigIntegerField()
    cause = models.TextField()
    pass_id = models.UUIDField()
    passed_at = models.DateTimeField()  # by the device's clock
    inward = models.BooleanField()
    since = models.DateTimeField()  # from when the server knew
    list_at = models.DateTimeField(null=True)  # none: older than all that is kept
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.UUIDField(null=True)
    closed_as = models.TextField(default="")  # office and pseudonym, as others may see them
    word = models.TextField(default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="ticket_is_opened_once", fields=["device", "seq"]),
            models.CheckConstraint(name="ticket_cause_is_known", condition=Q(cause__in=CAUSES)),
            models.CheckConstraint(
                name="ticket_is_of_what_was_known_before", condition=Q(since__lt=F("passed_at"))
            ),
            models.CheckConstraint(
                name="ticket_is_closed_with_a_word",
                condition=Q(closed_at__isnull=True, closed_by__isnull=True, closed_as="", word="")
                | (
                    Q(closed_at__gte=F("opened_at"), closed_by__isnull=False) & ~Q(closed_as="") & ~Q(word="")
                ),
            ),
        ]
        indexes = [
            models.Index(
                fields=["gate", "opened_at"], name="open_tickets_of_a_gate", condition=Q(closed_at=None)
            ),
        ]


class KeptCode(models.Model):
    """That the row of a passage carries a code whose signature was bad or whose key nobody knows. The code stays sealed
    in the row and is opened one by one; this is forgotten with the row's day.
    """

    device = models.ForeignKey(Device, models.PROTECT)
    gate = models.ForeignKey(Gate, models.PROTECT)
    seq = models.BigIntegerField()
    received_at = models.DateTimeField()
    passed_at = models.DateTimeField(null=True)  # by the device's clock, where that can be
    inward = models.BooleanField()
    verdict = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="code_of_a_passage_is_noted_once", fields=["device", "seq"]),
        ]
        indexes = [models.Index(fields=["gate", "-received_at"], name="kept_codes_of_a_gate")]


class OverrideMark(models.Model):
    """Under which mark the row of an override lies (`own_overrides`): the way from a person's own pass to it, and for
    nobody without the seal key. Forgotten with the row's day.
    """

    mark = models.BinaryField()
    device = models.ForeignKey(Device, models.PROTECT)
    gate = models.ForeignKey(Gate, models.PROTECT)
    seq = models.BigIntegerField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="override_is_marked_once", fields=["device", "seq"])]
        indexes = [models.Index(fields=["mark"], name="overrides_of_a_mark")]


class CodeReading(models.Model):
    """That somebody opened a kept code: who, when, why. Added, never changed (trigger); stays when the code is gone."""

    device = models.ForeignKey(Device, models.PROTECT)
    gate = models.ForeignKey(Gate, models.PROTECT)
    seq = models.BigIntegerField()
    passage_received_at = models.DateTimeField()
    at = models.DateTimeField()
    user = models.UUIDField()
    read_as = models.TextField()  # office and pseudonym, as others may see them
    reason = models.TextField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="code_is_opened_for_a_reason", condition=~Q(reason="")),
        ]
        indexes = [models.Index(fields=["device", "seq"], name="readings_of_a_code")]


class HourCount(models.Model):
    """Passages of a gate and hour by verdict: what remains when the rows themselves are gone."""

    gate = models.ForeignKey(Gate, models.PROTECT)
    hour = models.DateTimeField()
    inward = models.BooleanField()
    verdict = models.TextField()
    reason = models.TextField()
    passages = models.BigIntegerField()
    overrides = models.BigIntegerField()
    by_hand = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="hour_is_counted_once", fields=["gate", "hour", "inward", "verdict", "reason"]
            ),
        ]


class OverrideCount(models.Model):
    """How often guards of a post decided otherwise than the gate, by legal day, verdict, reason and guard. Of nobody
    who passed. Kept as long as the passages (`jobs.drop_old_lines`): a guard's pseudonym is somebody's.
    """

    gate = models.ForeignKey(Gate, models.PROTECT)
    day = models.DateField()
    verdict = models.TextField()
    word = models.TextField()
    guard = models.TextField(default="")
    passages = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="override_is_counted_once", fields=["gate", "day", "verdict", "word", "guard"]
            ),
        ]


class Backlog(models.Model):
    """A passage from a paper register, typed in the next day. A correction is a new row naming the old."""

    id = models.UUIDField(primary_key=True)
    gate = models.ForeignKey(Gate, models.PROTECT)
    passed_at = models.DateTimeField()
    inward = models.BooleanField()
    verdict = models.TextField()
    pass_no = models.TextField(default="")
    door = models.TextField(default="")
    birth_year = models.SmallIntegerField(null=True)
    word = models.TextField(default="")
    temperature = models.SmallIntegerField(null=True)
    entered_at = models.DateTimeField()
    entered_by = models.UUIDField()
    corrects = models.ForeignKey("self", models.PROTECT, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="backlog_line_is_corrected_once", fields=["corrects"]),
            models.CheckConstraint(
                name="backlog_names_number_door_or_word",
                condition=~Q(pass_no="") | ~Q(door="") | ~Q(word=""),
            ),
            models.CheckConstraint(
                name="backlog_verdict_is_known",
                condition=Q(verdict__in=["ALLOW", "ALLOW_REG", "CALL", "DENY"]),
            ),
            models.CheckConstraint(
                name="backlog_is_entered_after_the_passage", condition=Q(entered_at__gte=F("passed_at"))
            ),
        ]


class GateAct(models.Model):
    """A quota or a closed perimeter as proposed. Nothing of it counts before it is signed; its end never moves.

    `zones` are the compounds it names, as they stood when it was proposed.
    """

    id = models.UUIDField(primary_key=True)
    no = models.TextField(unique=True)
    kind = models.TextField()
    area = AreaField()
    zones = ArrayField(models.TextField())
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    classes = models.TextField()
    times = models.SmallIntegerField(default=0)
    window = models.SmallIntegerField(default=0)
    basis = models.TextField()
    remedy = models.TextField()
    proposed_at = models.DateTimeField()
    proposed_by = models.UUIDField()
    proposed_as = models.TextField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="act_kind_is_known", condition=Q(kind__in=["quota", "perimeter"])),
            models.CheckConstraint(name="act_ends_after_start", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(
                name="act_ends_within_14_days", condition=Q(ends_at__lte=F("starts_at") + timedelta(days=14))
            ),
            models.CheckConstraint(name="act_names_its_compounds", condition=~Q(zones=[])),
            models.CheckConstraint(name="act_names_basis_and_remedy", condition=~Q(basis="") & ~Q(remedy="")),
            models.CheckConstraint(
                name="quota_leaves_a_way_out",
                condition=Q(kind="quota", times__range=(1, 100), window__range=(1, 31))
                | Q(kind="perimeter", times=0, window=0),
            ),
        ]


class GateActSignature(models.Model):
    """The act is signed, by another than who proposed it (trigger). From `starts_at` on, never before this."""

    act = models.OneToOneField(GateAct, models.PROTECT, primary_key=True, related_name="signature")
    signed_at = models.DateTimeField()
    signed_by = models.UUIDField()
    signed_as = models.TextField()
    entry_id = models.UUIDField(unique=True)


class GateActLift(models.Model):
    """A later act that ends a signed one, at this instant."""

    act = models.OneToOneField(GateAct, models.PROTECT, primary_key=True, related_name="lift")
    reason = models.TextField()
    lifted_at = models.DateTimeField()
    lifted_by = models.UUIDField()
    lifted_as = models.TextField()
    entry_id = models.UUIDField(unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="act_is_lifted_for_a_reason", condition=~Q(reason="")),
        ]


class AgesAct(models.Model):
    """How old evidence may be at every gate, as signed. The newest is in force. Stays as said (trigger)."""

    id = models.UUIDField(primary_key=True)
    no = models.IntegerField(unique=True)
    day_hours = models.SmallIntegerField()
    old_hours = models.SmallIntegerField()
    basis = models.TextField()
    signed_at = models.DateTimeField()
    signed_by = models.UUIDField()
    signed_as = models.TextField()
    entry_id = models.UUIDField(unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="ages_act_names_its_basis", condition=~Q(basis="")),
            models.CheckConstraint(
                name="ages_act_keeps_to_its_bounds",
                condition=Q(
                    day_hours__range=(DAY_HOURS[0], DAY_HOURS[-1]),
                    old_hours__range=(OLD_HOURS[0], OLD_HOURS[-1]),
                    day_hours__lt=F("old_hours"),
                ),
            ),
        ]


class Destruction(models.Model):
    """Passages were forgotten because their term was over: of how many days, and of which no more. Stays (trigger)."""

    id = models.UUIDField(primary_key=True)
    days = models.IntegerField()
    until = models.DateField()
    destroyed_at = models.DateTimeField()
    entry_id = models.UUIDField(unique=True)

    class Meta:
        constraints = [models.CheckConstraint(name="destruction_counts_days", condition=Q(days__gte=0))]


class PassRound(models.Model):
    """Everybody of a compound who had no personal paper pass was given one. Stays as written (trigger)."""

    id = models.UUIDField(primary_key=True)
    area = AreaField()
    basis = models.TextField()
    count = models.IntegerField()
    issued_at = models.DateTimeField()
    valid_until = models.DateTimeField()
    issued_by = models.UUIDField()
    issued_as = models.TextField()
    entry_id = models.UUIDField(unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="round_of_passes_is_given_to_somebody", condition=Q(count__gte=1) & ~Q(basis="")
            ),
        ]


class PassRoundEnd(models.Model):
    """The cards of a round were withdrawn, all that were left. Stays as written (trigger)."""

    round = models.OneToOneField(PassRound, models.PROTECT, primary_key=True, related_name="end")
    count = models.IntegerField()
    reason = models.TextField()
    ended_at = models.DateTimeField()
    ended_by = models.UUIDField()
    ended_as = models.TextField()
    entry_id = models.UUIDField(unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="round_is_withdrawn_for_a_reason", condition=~Q(reason="")),
        ]


class RuleFile(models.Model):
    """A signed rule set as it was published to the gates: the acts in force, the limit for a fever, and from how many
    hours on evidence is no longer of the day, and old (`AgesAct`).
    """

    version = models.BigIntegerField(primary_key=True)
    signed_at = models.DateTimeField()
    fever_tenths = models.SmallIntegerField(default=373)
    day_hours = models.SmallIntegerField(default=24, db_default=24)
    old_hours = models.SmallIntegerField(default=72, db_default=72)
    data = models.BinaryField()
    plain = models.BinaryField(
        null=True
    )  # without the ages, for clients that refuse them; none if it says none

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="ages_of_evidence_follow_each_other",
                condition=Q(day_hours__gte=1, old_hours__gte=F("day_hours"), old_hours__lte=720),
            ),
        ]


class Progress(models.Model):
    """How far the publisher has followed the orders. One row; its lock makes the publisher one."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    orders_seen = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(name="progress_is_one", condition=Q(id=1))]


class Due(models.Model):
    """A person whose row changes at an instant to come: an order begins, or its end is long past."""

    person_id = models.UUIDField(primary_key=True)
    at = models.DateTimeField(db_index=True)
