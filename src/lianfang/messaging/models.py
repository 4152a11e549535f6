"""Two tables, both insert-only: what is owed, and what was tried. Whether it arrived is computed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models

from .policy import TASK_AFTER, Means, Outcome

if TYPE_CHECKING:
    from uuid import UUID


class OwedMessages(models.QuerySet["OwedMessage"]):
    """Questions about what is owed."""

    def undelivered(self, at: datetime) -> Self:
        """Owed by `at`, and no attempt until then succeeded."""
        arrived = Attempt.objects.filter(
            message=models.OuterRef("pk"), outcome=Outcome.DELIVERED, tried_at__lte=at
        )
        return self.filter(owed_at__lte=at).exclude(models.Exists(arrived))

    def late(self, at: datetime) -> Self:
        """Undelivered, and a person has to go (`policy.needs_a_person`)."""
        return self.undelivered(at).filter(models.Q(due_by__lte=at) | models.Q(owed_at__lte=at - TASK_AFTER))


class OwedMessage(models.Model):
    """Something the district owes somebody: that they be told. Made in the transaction of the act itself."""

    id = models.UUIDField(primary_key=True)
    template = models.CharField(max_length=101)
    #: A person, household, organ or enterprise: opaque here.
    recipient: models.UUIDField[UUID, UUID] = models.UUIDField()
    facts = models.JSONField()
    owed_at = models.DateTimeField()
    due_by = models.DateTimeField()
    owed_by_organ = models.CharField(max_length=40)

    objects = OwedMessages.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(due_by__gte=models.F("owed_at")), name="message_due_not_before_owed"
            ),
            models.CheckConstraint(
                condition=models.Q(template__regex=r"^[a-z_]{1,40}/[a-z0-9_]{1,60}$"),
                name="message_names_its_template",
            ),
        ]
        indexes = [
            models.Index(fields=["recipient", "owed_at"], name="messages_of_a_recipient"),
            models.Index(fields=["due_by"], name="messages_by_due"),
        ]

    def __str__(self) -> str:
        return f"{self.template} {self.id}"


class Attempt(models.Model):
    """One attempt to deliver, by whatever means. A failed one stays beside the one that succeeded."""

    id = models.UUIDField(primary_key=True)
    message = models.ForeignKey(OwedMessage, on_delete=models.PROTECT, related_name="attempts")
    means = models.CharField(max_length=20)
    outcome = models.CharField(max_length=20)
    tried_at = models.DateTimeField()
    by_user = models.UUIDField()
    by_organ = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(means__in=[m.value for m in Means]), name="attempt_by_known_means"
            ),
            models.CheckConstraint(
                condition=models.Q(outcome__in=[o.value for o in Outcome]), name="attempt_has_outcome"
            ),
            models.UniqueConstraint(
                fields=["message"],
                condition=models.Q(outcome=Outcome.DELIVERED.value),
                name="message_delivered_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.means} {self.message_id}"
