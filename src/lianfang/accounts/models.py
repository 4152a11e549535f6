"""Users, organs, dated offices, second factors and one-time codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models

from lianfang.kernel.fields import AreaField, within_any
from lianfang.kernel.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


class User(AbstractBaseUser):
    """Somebody who can log in: a resident, an officer, or both.

    Others see the office and the pseudonym; the name only through an appeal (R-3).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    login = models.CharField(max_length=64, unique=True)
    pseudonym = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=64, blank=True)
    #: The own record in `people`, which lies above this room: known here as a number only.
    person_id = models.UUIDField(null=True, blank=True, unique=True)
    is_active = models.BooleanField(default=True)
    language = models.CharField(max_length=10, blank=True)

    USERNAME_FIELD = "login"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = BaseUserManager()

    def __str__(self) -> str:
        return self.pseudonym


class Organ(models.Model):
    """A body in whose name offices act. Its kind decides which offices it can have; it never changes."""

    class Kind(models.TextChoices):
        HEALTH = "health"
        COMMAND = "command"
        STREET = "street"
        COMMUNITY = "community"
        PROPERTY = "property"
        POLICE = "police"
        DEPARTMENT = "department"
        ENTERPRISE = "enterprise"

    class Level(models.TextChoices):
        DISTRICT = "district"
        STREET = "street"
        COMMUNITY = "community"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    phone = models.CharField(max_length=32, blank=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    level = models.CharField(max_length=16, choices=Level.choices)
    area = AreaField()
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(area=""), name="organ_has_an_area"),
        ]

    def __str__(self) -> str:
        return self.name


class OfficeQuerySet(models.QuerySet["Office"]):
    def held(self, at: datetime) -> OfficeQuerySet:
        """Offices in force at the instant; periods are half-open."""
        return self.filter(starts_at__lte=at, ends_at__gt=at)

    def within(self, areas: Iterable[str]) -> OfficeQuerySet:
        """Offices over an area that lies in one of these."""
        return self.filter(within_any("area", areas))


class Office(models.Model):
    """One role of one user over one area, from an instant to an instant.

    Rows are never deleted; only the end may move, once and to an earlier instant (trigger). Separation of
    offices, kind of organ and area of organ are refused by the schema (migration 0001).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="offices")
    role = models.CharField(max_length=24)
    organ = models.ForeignKey(Organ, on_delete=models.PROTECT)
    area = AreaField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    granted_at = models.DateTimeField()
    #: Empty only for the first officers of a new system.
    granted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    #: Who confirmed an office that takes two; migration 0004 refuses one without.
    confirmed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    ended_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    end_reason = models.CharField(max_length=200, blank=True)

    objects = OfficeQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["user", "ends_at"], name="office_of_user")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gte=models.F("starts_at")),
                name="office_does_not_end_before_it_starts",
            ),
            models.CheckConstraint(condition=~models.Q(area=""), name="office_has_an_area"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.area}"


class OfficeProposal(models.Model):
    """An office that takes two persons, as the first of them wrote it down. Only inserted (trigger).

    It is confirmed when the office with its id exists, and has lapsed a day after it was proposed.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=24)
    organ = models.ForeignKey(Organ, on_delete=models.PROTECT)
    area = AreaField()
    #: Empty: from the confirmation; 30 days.
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    proposed_at = models.DateTimeField()
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(user=models.F("proposed_by")),
                name="nobody_proposes_an_office_for_themselves",
            ),
        ]


class SecondFactor(models.Model):
    """The secret of a user's code generator (RFC 6238), sealed with a key outside the database.

    `last_step` is the newest time step accepted: the same code opens nothing twice. Five wrong codes close
    it until `blocked_until`.
    """

    user = models.OneToOneField(
        User, primary_key=True, on_delete=models.CASCADE, related_name="second_factor"
    )
    sealed_secret = models.BinaryField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    last_step = models.BigIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0)
    blocked_until = models.DateTimeField(null=True, blank=True)


class RecoveryCode(models.Model):
    """One of ten codes for the day the code generator is lost; each opens once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    code_hash = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True, blank=True)


class LoginCode(models.Model):
    """A one-time code: a resident's, handed over on paper, or an officer's first one."""

    class Way(models.TextChoices):
        PAPER = "paper"
        START = "start"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_codes")
    way = models.CharField(max_length=8, choices=Way.choices)
    code_hash = models.CharField(max_length=64, db_index=True)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    issued_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("issued_at")),
                name="login_code_expires_after_its_issue",
            ),
        ]


class RateCount(models.Model):
    """How often one party asked for one class of addresses in one window (`rates`)."""

    rate = models.CharField(max_length=16)
    party = models.CharField(max_length=64)
    window_at = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rate", "party", "window_at"], name="a_party_is_counted_once"),
        ]
