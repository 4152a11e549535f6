"""Orders and what is recorded beside them. Every row is only inserted; there is no status column.

What must hold stands in the schema: constraints here, triggers in migration 0002.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from lianfang.kernel.fields import AreaField
from lianfang.kernel.ids import new_id
from lianfang.rules.policy import Measure

_MEASURE = [m.value for m in Measure]


class _Signed(models.Model):
    """Somebody did something in the name of an organ at an instant."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    signed_by = models.UUIDField()
    pseudonym = models.CharField(max_length=60)
    organ = models.CharField(max_length=40)
    organ_kind = models.CharField(max_length=16)
    signed_at = models.DateTimeField()

    class Meta:
        abstract = True


class IsolationProposal(_Signed):
    """Somebody who met the facts asks the health organ for an order (F04). It restricts nobody."""

    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+")
    area = AreaField()
    reason = models.CharField(max_length=40)
    anchor_at = models.DateTimeField()
    evidence_kind = models.CharField(max_length=20)
    evidence_id = models.UUIDField()
    home_is_suitable = models.BooleanField()
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["signed_at"], name="proposal_by_time")]
        constraints = [
            models.CheckConstraint(
                condition=Q(anchor_at__lte=F("signed_at")), name="proposal_counts_from_the_past"
            ),
        ]


class ProposalRefusal(_Signed):
    """The health organ did not follow a proposal, with a reason."""

    proposal = models.OneToOneField(IsolationProposal, on_delete=models.PROTECT, related_name="refusal")
    reason = models.CharField(max_length=300)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="refusal_has_a_reason")]


class SecondSignature(_Signed):
    """Another body stands behind the order that follows from a proposal (O-5, O-7). It alone orders nothing."""

    proposal = models.ForeignKey(
        IsolationProposal, on_delete=models.PROTECT, related_name="second_signatures"
    )


class IsolationOrder(_Signed):
    """One person stays from an instant to an instant. `signed_by` issued it; the end never moves (O-3)."""

    order_no = models.CharField(max_length=48, unique=True)
    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+")
    area = AreaField()
    community = AreaField()
    measure = models.CharField(max_length=20)
    reason = models.CharField(max_length=40)
    evidence_kind = models.CharField(max_length=20)
    evidence_id = models.UUIDField()
    presence_kind = models.CharField(max_length=10)
    presence_id = models.UUIDField()
    rule = models.ForeignKey("rules.Document", on_delete=models.PROTECT, related_name="+")
    rule_version = models.CharField(max_length=80)
    basis = models.CharField(max_length=300)
    anchor_at = models.DateTimeField()
    organ_level = models.CharField(max_length=16)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    proposal = models.ForeignKey(
        IsolationProposal, null=True, on_delete=models.PROTECT, related_name="orders"
    )
    second = models.OneToOneField(SecondSignature, null=True, on_delete=models.PROTECT, related_name="order")
    previous = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="extensions")
    #: 2: what the rule of `previous` asks for after it (7 days, then 3); an order of its own, never automatic.
    phase = models.PositiveSmallIntegerField(default=1, db_default=1)
    entry = models.ForeignKey("ledger.Entry", on_delete=models.PROTECT, related_name="+")
    order_slip = models.TextField()
    release_slip = models.TextField()

    class Meta:
        indexes = [
            models.Index(fields=["person", "ends_at"], name="orders_of_a_person"),
            models.Index(fields=["ends_at"], name="orders_by_end"),
            models.Index(fields=["signed_by", "signed_at"], name="orders_of_an_officer"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="order_ends_after_start"),
            models.CheckConstraint(
                condition=Q(starts_at__gte=F("signed_at")), name="order_starts_at_or_after_signature"
            ),
            models.CheckConstraint(condition=Q(measure__in=_MEASURE), name="order_measure_is_known"),
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(basis="") & ~Q(evidence_kind=""),
                name="order_has_reason_basis_and_evidence",
            ),
            models.CheckConstraint(
                condition=Q(presence_kind__in=["residence", "arrival"]), name="order_presence_is_no_scan"
            ),
            models.CheckConstraint(
                condition=Q(anchor_at__lte=F("signed_at")), name="order_counts_from_the_past"
            ),
            models.CheckConstraint(condition=~Q(previous=F("id")), name="order_does_not_extend_itself"),
            models.CheckConstraint(
                condition=Q(phase=1) | Q(phase=2, previous__isnull=False),
                name="order_is_a_first_or_a_second_phase",
            ),
            models.UniqueConstraint(
                fields=["previous"], condition=Q(phase=2), name="one_second_phase_for_an_order"
            ),
        ]


class AppealDecision(_Signed):
    """What the panel found. `granted` frees by the lift signed in the same act."""

    appeal = models.OneToOneField("orders.Appeal", on_delete=models.PROTECT, related_name="decision")
    granted = models.BooleanField()
    reasons = models.CharField(max_length=500)
    entry = models.ForeignKey("ledger.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reasons=""), name="appeal_decision_has_reasons")]


class Lift(_Signed):
    """The order ends before its end, from the signature on (O-4). One is enough; nothing takes it back."""

    order = models.OneToOneField(IsolationOrder, on_delete=models.PROTECT, related_name="lift")
    reason = models.CharField(max_length=300)
    decision = models.OneToOneField(AppealDecision, null=True, on_delete=models.PROTECT, related_name="lift")
    entry = models.ForeignKey("ledger.Entry", on_delete=models.PROTECT, related_name="+")
    slip = models.TextField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="lift_has_a_reason")]


class Serving(_Signed):
    """The person was told (O-10). Recorded beside the order; it changes no status."""

    class Receipt(models.TextChoices):
        SIGNED = "signed"
        REFUSED = "refused"
        BY_GUARDIAN = "by_guardian"
        READ_OUT = "read_out"

    order = models.OneToOneField(IsolationOrder, on_delete=models.PROTECT, related_name="serving")
    served_at = models.DateTimeField()
    receipt = models.CharField(max_length=12, choices=Receipt.choices)
    witnesses = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(served_at__lte=F("signed_at")), name="serving_is_not_in_the_future"
            ),
            models.CheckConstraint(
                condition=~Q(receipt__in=["refused", "read_out"]) | ~Q(witnesses=""),
                name="refusal_and_reading_aloud_have_witnesses",
            ),
            models.CheckConstraint(
                condition=Q(receipt__in=["signed", "refused", "by_guardian", "read_out"]),
                name="serving_receipt_is_known",
            ),
        ]


class CareNeed(models.Model):
    """A dependant of the household, found when the order was signed or served."""

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(IsolationOrder, on_delete=models.PROTECT, related_name="care_needs")
    dependant = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+")
    why = models.CharField(max_length=12)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "dependant"], name="one_need_for_each_dependant")
        ]


class CareArrangement(_Signed):
    """Who cares for a dependant: a carer who was named, or the duty officer who accepted the care."""

    need = models.OneToOneField(CareNeed, on_delete=models.PROTECT, related_name="arrangement")
    carer = models.ForeignKey("people.Person", null=True, on_delete=models.PROTECT, related_name="+")
    carer_note = models.CharField(max_length=120, blank=True)
    accepted = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(accepted=True) | Q(carer__isnull=False) | ~Q(carer_note=""),
                name="care_has_a_carer_or_a_duty_officer",
            ),
            models.CheckConstraint(
                condition=Q(accepted=False) | Q(organ_kind="command"),
                name="care_is_accepted_by_the_command_on_duty",
            ),
        ]


class Appeal(models.Model):
    """The person, or somebody for them, objects to an order (AP-1)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(IsolationOrder, on_delete=models.PROTECT, related_name="appeals")
    text = models.CharField(max_length=1000)
    raised_by = models.UUIDField()
    on_behalf = models.BooleanField()
    raised_at = models.DateTimeField()
    #: That it was raised stands in the chain, so nobody can say that it never came. Empty for those of before.
    entry = models.ForeignKey("ledger.Entry", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="appeal_says_something")]


class ReleaseCheck(_Signed):
    """One of the two checks of the release paperwork (F06): by the medic, by the street."""

    order = models.ForeignKey(IsolationOrder, on_delete=models.PROTECT, related_name="release_checks")
    kind = models.CharField(max_length=8)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "kind"], name="one_release_check_of_each_kind"),
            models.CheckConstraint(condition=Q(kind__in=["health", "street"]), name="release_check_is_known"),
        ]


class ReleaseNotice(_Signed):
    """The paper that says the order has ended. It frees nobody: the end did."""

    order = models.OneToOneField(IsolationOrder, on_delete=models.PROTECT, related_name="release_notice")
    notice_no = models.CharField(max_length=48, unique=True)
    entry = models.ForeignKey("ledger.Entry", on_delete=models.PROTECT, related_name="+")


class BoardSheet(_Signed):
    """A public sheet for a place of at least five households: period and telephone, nothing else (A9).

    `id` is random: its address tells nothing and cannot be guessed.
    """

    order = models.ForeignKey(IsolationOrder, on_delete=models.PROTECT, related_name="sheets")
    place = AreaField()
    households = models.PositiveIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(households__gte=5), name="sheet_names_at_least_5_households"),
            models.UniqueConstraint(fields=["order", "place"], name="one_sheet_for_an_order_and_place"),
        ]


class TakeDown(_Signed):
    """Somebody took the sheet down."""

    sheet = models.OneToOneField(BoardSheet, on_delete=models.PROTECT, related_name="take_down")


class Change(models.Model):
    """Numbered without gaps in the order of commits: what the gates have not yet heard of starts after n."""

    n = models.BigIntegerField(primary_key=True)
    person_id = models.UUIDField()
    act_id = models.UUIDField(unique=True)


class EndSeen(models.Model):
    """An order of which a surface has shown that it is over: no clock that steps back reopens it (C-3)."""

    order = models.OneToOneField(IsolationOrder, primary_key=True, on_delete=models.PROTECT)
    seen_at = models.DateTimeField()


class Hold(models.Model):
    """The person wants a case kept beyond its term: a claim or a complaint elsewhere needs it (D-5)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(IsolationOrder, on_delete=models.PROTECT, related_name="holds")
    reason = models.CharField(max_length=300)
    until = models.DateTimeField()
    asked_by = models.UUIDField()
    on_behalf = models.BooleanField()
    asked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="hold_has_a_reason"),
            models.CheckConstraint(condition=Q(until__gt=F("asked_at")), name="hold_ends_after_it_was_asked"),
        ]


class HoldWithdrawal(models.Model):
    """A hold was taken back before its end: it keeps the case no longer. The chain says that it was."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    hold = models.OneToOneField(Hold, on_delete=models.PROTECT, related_name="withdrawal")
    reason = models.CharField(max_length=300)
    withdrawn_by = models.UUIDField()
    withdrawn_at = models.DateTimeField()
    entry = models.OneToOneField("ledger.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="hold_withdrawal_has_a_reason")]


class DestroyedCase(models.Model):
    """Orders that followed from each other were destroyed with all that was recorded beside them.

    What is left says that there were orders, and nobody can say any more on whom. `id` is that of the first one.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    community = AreaField()
    over_at = models.DateTimeField()
    destroyed_at = models.DateTimeField()
    destroyed_by = models.UUIDField()
    organ = models.CharField(max_length=40)
    entry = models.ForeignKey("ledger.Entry", on_delete=models.PROTECT, related_name="+")


class DestroyedOrder(models.Model):
    """Number, kind, organ and dates of an order that was destroyed, for counting.

    This row is what lets the order's own rows go: the trigger takes it only past the term (migration 0006), and refuses
    the commit if the order is still there.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    case = models.ForeignKey(DestroyedCase, on_delete=models.PROTECT, related_name="orders")
    order_no = models.CharField(max_length=48, unique=True)
    measure = models.CharField(max_length=20)
    organ = models.CharField(max_length=40)
    signed_at = models.DateTimeField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    over_at = models.DateTimeField()


class DestroyedAct(models.Model):
    """An act of a destroyed case and its entry: what the chain says still has its row here (L-5)."""

    act_id = models.UUIDField(primary_key=True, editable=False)
    order = models.ForeignKey(DestroyedOrder, on_delete=models.PROTECT, related_name="acts")
    kind = models.CharField(max_length=40)
    entry = models.OneToOneField("ledger.Entry", on_delete=models.PROTECT, related_name="+")
