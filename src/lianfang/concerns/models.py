"""Reports and what they gave rise to. Rows are only inserted; the state of a concern is computed."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from lianfang.kernel.fields import AreaField
from lianfang.kernel.ids import new_id

from .policy import Symptom


class _Report(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+")
    area = AreaField()
    symptoms = ArrayField(models.CharField(max_length=20), default=list)
    temp_c = models.DecimalField(max_digits=3, decimal_places=1, null=True)
    #: `self` on the own phone, `proxy` for somebody without one, `officer` who met the person.
    way = models.CharField(max_length=8)
    recorded_by = models.UUIDField()
    organ = models.CharField(max_length=40, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        abstract = True


_WAY = Q(way__in=["self", "proxy", "officer"])
_TEMPERATURE = Q(temp_c=None) | Q(temp_c__gte=34, temp_c__lte=43)
_SYMPTOMS = Q(symptoms__contained_by=[s.value for s in Symptom])


class ArrivalReport(_Report):
    """Somebody came from elsewhere (F11)."""

    came_from = models.CharField(max_length=12)
    left_at = models.DateTimeField()
    arrived_at = models.DateTimeField()
    transport = models.CharField(max_length=8, blank=True)
    transport_no = models.CharField(max_length=20, blank=True)
    contact = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=_WAY, name="arrival_way_is_known"),
            models.CheckConstraint(condition=_TEMPERATURE, name="arrival_temperature_is_possible"),
            models.CheckConstraint(condition=_SYMPTOMS, name="arrival_symptoms_are_known"),
            models.CheckConstraint(
                condition=Q(left_at__lte=F("arrived_at")), name="arrival_comes_after_leaving"
            ),
            models.CheckConstraint(
                condition=Q(arrived_at__lte=F("recorded_at")), name="arrival_is_not_in_the_future"
            ),
            models.CheckConstraint(
                condition=Q(came_from__regex=r"^[0-9]{2,12}$"), name="arrival_names_a_division"
            ),
        ]


class SymptomReport(_Report):
    """Somebody feels ill (the fields of F02 that matter)."""

    onset_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=_WAY, name="symptom_report_way_is_known"),
            models.CheckConstraint(condition=_TEMPERATURE, name="symptom_report_temperature_is_possible"),
            models.CheckConstraint(condition=_SYMPTOMS, name="symptom_report_symptoms_are_known"),
        ]


class PersonOfConcern(models.Model):
    """A line of F03: whose history calls for a look. `basis` is the record it rests on; it restricts nobody."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+")
    area = AreaField()
    category = models.CharField(max_length=40)
    basis_kind = models.CharField(max_length=40)
    basis_id = models.UUIDField()
    anchor_event = models.CharField(max_length=20)
    anchor_at = models.DateTimeField()
    #: What the rule of the day proposes, and which rule; empty where no document names the category.
    measure = models.CharField(max_length=20, blank=True)
    rule_version = models.CharField(max_length=80, blank=True)
    reported_at = models.DateTimeField()
    recorded_by = models.UUIDField()

    class Meta:
        indexes = [models.Index(fields=["reported_at"], name="concern_by_report")]
        constraints = [
            models.UniqueConstraint(fields=["basis_kind", "basis_id"], name="one_concern_for_each_basis"),
            models.CheckConstraint(
                condition=Q(anchor_at__lte=F("reported_at")), name="concern_counts_from_the_past"
            ),
            models.CheckConstraint(condition=~Q(category=""), name="concern_has_a_category"),
        ]


class ConcernDecision(models.Model):
    """What a health officer found. One for each concern."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    concern = models.OneToOneField(PersonOfConcern, on_delete=models.PROTECT, related_name="decision")
    outcome = models.CharField(max_length=10)
    reason = models.CharField(max_length=200)
    decided_by = models.UUIDField()
    pseudonym = models.CharField(max_length=60)
    organ = models.CharField(max_length=40)
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=["verified", "dismissed"]), name="concern_outcome_is_known"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="concern_decision_has_a_reason"),
        ]


class Destruction(models.Model):
    """Concerns and reports that led to nothing were destroyed after their term: how many. Stays (trigger)."""

    id = models.UUIDField(primary_key=True, editable=False)
    count = models.IntegerField()
    destroyed_at = models.DateTimeField()
    entry = models.OneToOneField("ledger.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(count__gt=0), name="reports_destroyed_are_some")]
