"""Tables of people. Nobody outside this room reads them: `reader.read` is the door (A-1, R-1)."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from lianfang.kernel.fields import AreaField
from lianfang.kernel.ids import new_id

from .policy import Care, IdType, Sex, Source


def _days() -> Func:
    """The half-open range of days a dated row is valid."""
    return Func(F("valid_from"), F("valid_to"), function="daterange")


def _one_of(field: str, values: type) -> Q:
    return Q(**{f"{field}__in": [v.value for v in values]})  # type: ignore[attr-defined]  # an enum class


class Person(models.Model):
    """One person. `area` is the path of the dwelling and follows it by foreign key when places move.

    `name_given` and `initials` stand beside the name because under row security PostgreSQL uses an index
    only through leakproof operators: `=`, `<`, `>=` on text are, `LIKE` and trigrams are not.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    name = models.CharField(max_length=50)
    name_given = models.CharField(max_length=50)
    initials = models.CharField(max_length=50)
    sex = models.CharField(max_length=1)
    birth_date = models.DateField(null=True)
    id_type = models.CharField(max_length=12)
    id_sealed = models.BinaryField(null=True)
    id_index = models.BinaryField(null=True)
    phone_sealed = models.BinaryField(null=True)
    phone_index = models.BinaryField(null=True)
    origin_division = models.CharField(max_length=6, default="", blank=True)
    care = ArrayField(models.CharField(max_length=20), default=list)
    area = AreaField()
    source = models.CharField(max_length=8)
    recorded_at = models.DateTimeField()
    recorded_by = models.UUIDField()
    version = models.IntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["id_index"], name="one_person_per_citizen_number"),
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(name_given="") & ~Q(area=None), name="person_has_a_name"
            ),
            models.CheckConstraint(condition=_one_of("sex", Sex), name="person_sex_is_known"),
            models.CheckConstraint(condition=_one_of("id_type", IdType), name="person_id_type_is_known"),
            models.CheckConstraint(condition=_one_of("source", Source), name="person_source_is_known"),
            models.CheckConstraint(
                condition=Q(id_type="none", id_index=None, id_sealed=None)
                | (~Q(id_type="none") & Q(id_index__isnull=False, id_sealed__isnull=False)),
                name="person_number_is_sealed_and_indexed_or_absent",
            ),
            models.CheckConstraint(
                condition=Q(phone_index=None, phone_sealed=None)
                | Q(phone_index__isnull=False, phone_sealed__isnull=False),
                name="person_phone_is_sealed_and_indexed_or_absent",
            ),
            models.CheckConstraint(
                condition=Q(care__contained_by=[c.value for c in Care]), name="person_care_is_known"
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="person_version_counts_from_one"),
        ]
        indexes = [models.Index(fields=["phone_index"], name="person_by_phone")]


class Household(models.Model):
    """People living together in a dwelling, between two days. `contact` guards nobody by that (product §11)."""

    id = models.UUIDField(primary_key=True, default=new_id)
    area = AreaField()
    contact = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to__gt=F("valid_from")), name="household_ends_after_it_begins"
            ),
        ]


class Membership(models.Model):
    """Somebody in a household between two days, under a number that stands on passes (`member_no`)."""

    id = models.BigAutoField(primary_key=True)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="memberships")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="memberships")
    area = AreaField()
    member_no = models.PositiveSmallIntegerField()
    relation = models.CharField(max_length=20, default="", blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["household", "member_no"], name="member_number_is_unique_in_its_household"
            ),
            models.CheckConstraint(condition=Q(member_no__gte=1), name="member_numbers_count_from_one"),
            models.CheckConstraint(
                condition=Q(valid_to__gt=F("valid_from")), name="membership_ends_after_it_begins"
            ),
            ExclusionConstraint(
                name="person_is_in_one_household_at_a_time",
                expressions=[("person", RangeOperators.EQUAL), (_days(), RangeOperators.OVERLAPS)],
            ),
        ]


class Guardian(models.Model):
    """Who acts for a person under 14 or without capacity, on what basis and since when."""

    id = models.UUIDField(primary_key=True, default=new_id)
    ward = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="guardians")
    guardian = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="wards")
    basis = models.CharField(max_length=60)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(ward=F("guardian")), name="nobody_is_their_own_guardian"),
            models.CheckConstraint(condition=~Q(basis=""), name="guardianship_has_a_basis"),
            models.CheckConstraint(
                condition=Q(valid_to__gt=F("valid_from")), name="guardianship_ends_after_it_begins"
            ),
            ExclusionConstraint(
                name="guardianship_is_recorded_once_at_a_time",
                expressions=[
                    ("ward", RangeOperators.EQUAL),
                    ("guardian", RangeOperators.EQUAL),
                    (_days(), RangeOperators.OVERLAPS),
                ],
            ),
        ]


class PersonAlias(models.Model):
    """Two records found to be one person: `merged` is read as `survivor` until the merge is ended.

    No foreign key is rewritten, so a merge neither makes nor lengthens an order (S-5) and can be undone.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    merged = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    survivor = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    made_by = models.UUIDField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(merged=F("survivor")), name="nobody_is_merged_into_themselves"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="a_merge_has_a_reason"),
            models.UniqueConstraint(
                fields=["merged"], condition=Q(ended_at=None), name="a_record_is_merged_once_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__gte=F("made_at")), name="a_merge_ends_after_it_was_made"
            ),
        ]


class ReadRecord(models.Model):
    """That somebody read somebody: who, when, why, which fields, on which surface. Added, never changed (R-2).

    Only `fields` may grow while the same request reads more of the same person.
    """

    id = models.BigAutoField(primary_key=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    user = models.UUIDField()
    pseudonym = models.CharField(max_length=60)
    organ = models.CharField(max_length=60)
    purpose = models.CharField(max_length=40)
    surface = models.CharField(max_length=80)
    request = models.UUIDField()
    fields = ArrayField(models.CharField(max_length=12))
    reason = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "request"], name="one_read_record_per_person_and_request"
            ),
            models.CheckConstraint(condition=~Q(purpose=""), name="a_reading_has_a_purpose"),
            models.CheckConstraint(
                condition=~Q(fields__contains=["id_no"]) | ~Q(reason=""),
                name="a_number_is_opened_with_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["person", "-at", "-id"], name="read_records_of_a_person"),
            models.Index(fields=["at"], name="read_records_by_instant"),
        ]


class ReadBatch(models.Model):
    """The readings of one hour under one root, which stands in the chain. Added, never changed (R-2)."""

    hour = models.DateTimeField(primary_key=True)
    count = models.IntegerField()
    root = models.BinaryField()
    entry = models.ForeignKey("ledger.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(count__gte=1), name="a_batch_holds_a_reading")]


class ReadLeaf(models.Model):
    """Where a reading stands in its batch, with the fields it had. One that grew since stands in a later one, too."""

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(ReadBatch, on_delete=models.PROTECT, related_name="+")
    position = models.IntegerField()
    record = models.ForeignKey(ReadRecord, on_delete=models.PROTECT, related_name="+")
    fields = ArrayField(models.CharField(max_length=12))
    reasoned = models.BooleanField()  # whether it had its reason already
    leaf = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "position"], name="a_place_in_a_batch_is_taken_once"),
            models.UniqueConstraint(
                fields=["record", "fields", "reasoned"], name="a_reading_is_batched_once_as_it_is"
            ),
        ]


class SuspectedDuplicate(models.Model):
    """A row of a roster that looks like somebody registered: held back until somebody decides.

    `row` is sealed: until decided it is a second copy of a person.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    run = models.UUIDField()
    row_no = models.IntegerField()
    digest = models.BinaryField()
    area = AreaField()
    row = models.BinaryField()
    why = models.CharField(max_length=30)
    found_at = models.DateTimeField()
    decision = models.CharField(max_length=10, default="", blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decision__in=["", "same", "different"]), name="duplicate_decision_is_known"
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_at=None, decided_by=None)
                | (~Q(decision="") & Q(decided_at__isnull=False, decided_by__isnull=False)),
                name="duplicate_is_decided_by_somebody",
            ),
            models.UniqueConstraint(fields=["person", "digest"], name="a_suspicion_is_raised_once"),
        ]
        indexes = [models.Index(fields=["decision", "found_at"], name="duplicates_to_decide")]


class SavedMapping(models.Model):
    """What the columns of a community's own sheet are, found again by its headings."""

    id = models.BigAutoField(primary_key=True)
    community = AreaField()
    signature = models.CharField(max_length=64)
    columns = ArrayField(models.CharField(max_length=12, blank=True))
    saved_at = models.DateTimeField()
    saved_by = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["community", "signature"], name="one_mapping_per_sheet_and_community"
            ),
        ]


class ImportRun(models.Model):
    """One file on its way in: who sent it, how far it is, what came of it. The file goes when the run ends."""

    class Stage(models.TextChoices):
        UPLOADED = "uploaded"
        CHECKING = "checking"
        CHECKED = "checked"
        WRITING = "writing"
        DONE = "done"
        FAULTY = "faulty"
        REFUSED = "refused"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=new_id)
    community = AreaField()
    filename = models.CharField(max_length=120)
    digest = models.BinaryField()
    content = models.BinaryField(null=True)
    headings = ArrayField(models.CharField(max_length=500, blank=True), default=list)
    columns = ArrayField(models.CharField(max_length=12, blank=True), default=list)
    compound = models.CharField(max_length=40, default="", blank=True)
    stage = models.CharField(max_length=10, choices=Stage.choices)
    refusal = models.CharField(max_length=60, default="", blank=True)
    refusal_facts = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    faults = models.BinaryField(null=True)
    done = models.IntegerField(default=0)
    total = models.IntegerField(default=0)
    cancel_asked = models.BooleanField(default=False)
    made_at = models.DateTimeField()
    made_by = models.UUIDField()
    organ = models.CharField(max_length=60)
    pseudonym = models.CharField(max_length=60)
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    stage__in=[
                        "uploaded",
                        "checking",
                        "checked",
                        "writing",
                        "done",
                        "faulty",
                        "refused",
                        "cancelled",
                    ]
                ),
                name="import_stage_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(stage__in=["done", "refused", "cancelled"])
                | Q(content=None, ended_at__isnull=False),
                name="an_ended_import_keeps_no_file",
            ),
            models.CheckConstraint(
                condition=Q(done__lte=F("total")), name="import_progress_stays_within_its_total"
            ),
        ]
        indexes = [models.Index(fields=["-made_at"], name="import_runs_newest_first")]


class ExportRequest(models.Model):
    """That somebody wants the people of an area as a file, and what for. Only inserted (trigger)."""

    id = models.UUIDField(primary_key=True, default=new_id)
    area = AreaField()
    purpose = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    asked_by = models.UUIDField()
    organ = models.CharField(max_length=60)
    pseudonym = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(purpose=""), name="an_export_is_asked_for_a_purpose")
        ]


class ExportConsent(models.Model):
    """That a second person agreed to a request. Only inserted; never by who asked, never a day later (trigger)."""

    request = models.OneToOneField(
        ExportRequest, on_delete=models.PROTECT, primary_key=True, related_name="consent"
    )
    at = models.DateTimeField()
    by = models.UUIDField()
    organ = models.CharField(max_length=60)
    pseudonym = models.CharField(max_length=60)


class Export(models.Model):
    """That a list of people left the system: who, why, how many. Added, never changed; its request was agreed to."""

    id = models.UUIDField(primary_key=True, default=new_id)
    area = AreaField()
    purpose = models.CharField(max_length=200)
    persons = models.IntegerField()
    at = models.DateTimeField()
    user = models.UUIDField()
    organ = models.CharField(max_length=60)
    pseudonym = models.CharField(max_length=60)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(purpose=""), name="an_export_has_a_purpose")]


class Correction(models.Model):
    """A change of one field: asked by the person, or made by an officer. Both values stay when they clash (S-6).

    `base` is the keyed hash of the value the writer had before them; another value there by now is a conflict.
    """

    class State(models.TextChoices):
        ASKED = "asked"
        APPLIED = "applied"
        REFUSED = "refused"
        CONFLICT = "conflict"

    id = models.UUIDField(primary_key=True, default=new_id)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    area = AreaField()
    field = models.CharField(max_length=12)
    base = models.BinaryField()
    value = models.BinaryField()
    other_value = models.BinaryField(null=True)
    state = models.CharField(max_length=10, choices=State.choices)
    reason = models.CharField(max_length=200, default="", blank=True)
    asked_at = models.DateTimeField()
    asked_by = models.UUIDField()
    by_the_person = models.BooleanField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.UUIDField(null=True)
    answer = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["asked", "applied", "refused", "conflict"]),
                name="correction_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(field__in=["name", "phone", "care"]), name="correction_field_is_correctable"
            ),
            models.CheckConstraint(
                condition=~Q(state="conflict") | Q(other_value__isnull=False),
                name="a_conflict_keeps_both_values",
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | ~Q(answer=""), name="a_refused_correction_says_why"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["asked", "conflict"])
                | Q(decided_at__isnull=False, decided_by__isnull=False),
                name="a_settled_correction_was_settled_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["state", "asked_at"], name="corrections_to_settle")]
