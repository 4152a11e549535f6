"""The incident and its dated documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from lianfang.kernel.fields import AreaField
from lianfang.kernel.ids import new_id

from .policy import Kind

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date


class Incident(models.Model):
    """The outbreak for which rules, orders and records exist. At most one is running."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=16, unique=True)
    disease = models.CharField(max_length=32)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, blank=True)
    area = AreaField()
    started_on = models.DateField()
    ended_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(ended_on=None), name="at_most_one_incident_is_running"
            ),
            models.CheckConstraint(
                condition=models.Q(code__regex=r"^[A-Z0-9]{2,16}$"), name="incident_code_is_printable"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class DocumentQuerySet(models.QuerySet["Document"]):
    def in_force(self, on: date) -> DocumentQuerySet:
        """Published documents whose days hold this one, both ends included."""
        return self.filter(published_at__isnull=False, effective_from__lte=on).filter(
            models.Q(effective_to=None) | models.Q(effective_to__gte=on)
        )

    def reaching(self, jurisdictions: Collection[str]) -> DocumentQuerySet:
        """Documents of these jurisdictions."""
        return self.filter(jurisdiction__in=list(jurisdictions))


class Document(models.Model):
    """One text that rules something for a jurisdiction from a day on.

    Once published it never changes; its last day may be set once (trigger). Two published documents about the
    same thing at the same level never cover the same day (exclusion constraint).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=[(k.value, k.value) for k in Kind])
    disease = models.CharField(max_length=32)
    #: What of its kind it is about: the reason of an isolation rule; empty for the others.
    subject = models.CharField(max_length=40, blank=True)
    jurisdiction = models.CharField(max_length=12)
    version = models.CharField(max_length=80, unique=True)
    effective_from = models.DateField(null=True, blank=True)
    effective_to = models.DateField(null=True, blank=True)
    title = models.CharField(max_length=200)
    document_no = models.CharField(max_length=80, blank=True)
    source = models.CharField(max_length=200, blank=True)
    #: Empty until a person compared the row with the official text; pages then say "unverified".
    verified_by = models.CharField(max_length=64, blank=True)
    verified_on = models.DateField(null=True, blank=True)
    demonstration = models.BooleanField(default=False)
    content = models.JSONField()
    #: Empty for the documents that ship with the product.
    drafted_by = models.UUIDField(null=True, blank=True)
    drafted_at = models.DateTimeField()
    published_by = models.UUIDField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    #: Empty for drafts, and for what was published before there were entries of documents.
    entry = models.OneToOneField("ledger.Entry", models.PROTECT, null=True, blank=True, related_name="+")
    #: That its last day was set after publication.
    ended_entry = models.OneToOneField(
        "ledger.Entry", models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = DocumentQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["kind", "jurisdiction", "effective_from"], name="document_by_kind")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(published_at=None) | models.Q(effective_from__isnull=False),
                name="published_document_has_a_first_day",
            ),
            models.CheckConstraint(
                condition=models.Q(effective_to=None)
                | models.Q(effective_to__gte=models.F("effective_from")),
                name="document_ends_on_or_after_its_first_day",
            ),
            models.CheckConstraint(
                condition=models.Q(drafted_by=None)
                | models.Q(published_by=None)
                | ~models.Q(drafted_by=models.F("published_by")),
                name="document_is_published_by_another_than_its_author",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    jurisdiction__regex=r"^(CN|[0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})$"
                ),
                name="document_has_a_jurisdiction",
            ),
        ]

    def __str__(self) -> str:
        return self.version
