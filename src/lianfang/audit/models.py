"""Grants and samples; rows are only inserted. Nothing here is about a person: an order is named by its number."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from lianfang.kernel.fields import AreaField


class Grant(models.Model):
    """What one auditor may look at, why, and until when. An order, or all that was appended in a period."""

    id = models.UUIDField(primary_key=True)
    auditor = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    area = AreaField()
    order_no = models.CharField(max_length=48, blank=True)
    from_on = models.DateField(null=True)
    until_on = models.DateField(null=True)  # that day included
    reason = models.CharField(max_length=300)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    given_at = models.DateTimeField()
    given_by = models.CharField(max_length=64)
    organ = models.CharField(max_length=64)
    entry = models.ForeignKey("ledger.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="grant_ends_after_start"),
            models.CheckConstraint(condition=~Q(reason=""), name="grant_has_a_reason"),
            models.CheckConstraint(
                condition=Q(~Q(order_no=""), from_on__isnull=True, until_on__isnull=True)
                | Q(order_no="", from_on__isnull=False, until_on__gte=F("from_on")),
                name="grant_is_about_one_order_or_one_period",
            ),
        ]


class Sample(models.Model):
    """The one draw of a grant. What is drawn follows from the chain: its request stands there, the seed after it."""

    id = models.UUIDField(primary_key=True)
    grant = models.OneToOneField(Grant, on_delete=models.PROTECT, related_name="sample")
    count = models.PositiveSmallIntegerField()
    asked_at = models.DateTimeField()
    entry = models.ForeignKey("ledger.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(count__gte=1, count__lte=200), name="sample_draws_1_to_200"),
        ]


class Drawn(models.Model):
    """What a sample drew, written down once its seed is known: a chain that ends takes its checkpoints and places along."""

    sample = models.OneToOneField(Sample, on_delete=models.PROTECT, primary_key=True, related_name="drawn")
    log = models.TextField()  # the chain whose places and root these are
    request_index = models.BigIntegerField()
    seed = models.BinaryField()
    seed_size = models.BigIntegerField()
    population = ArrayField(models.UUIDField())  # entries, in the order of the chain
    entries = ArrayField(models.UUIDField())
    drawn_at = models.DateTimeField()
