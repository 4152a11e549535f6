"""Tables of keys, passes and status files. What must hold of them stands here, named as a sentence."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length

models.BinaryField.register_lookup(Length)

LONGEST_LIFE: Final = timedelta(days=31)


class Key(models.Model):
    """A purpose-bound key. The private number lies in a file of that thumbprint, never here."""

    thumbprint = models.BinaryField(primary_key=True)
    purpose = models.TextField()
    point = models.BinaryField()  # X9.62, uncompressed
    not_before = models.DateTimeField()
    signs_until = models.DateTimeField()
    expires_at = models.DateTimeField()  # until then what it signed is accepted
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="key_signs_before_it_expires",
                condition=Q(not_before__lt=F("signs_until"), signs_until__lte=F("expires_at")),
            ),
            models.CheckConstraint(name="key_thumbprint_is_a_sha256", condition=Q(thumbprint__length=32)),
        ]


class KeyFile(models.Model):
    """A signed key list as it was published."""

    version = models.BigIntegerField(primary_key=True)
    signed_at = models.DateTimeField()
    data = models.BinaryField()


class Shard(models.Model):
    """One status list: the passes of one street. Its row is the lock of its indexes and versions."""

    code = models.TextField(primary_key=True)
    size = models.BigIntegerField()
    used = models.BigIntegerField(default=0)
    version = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(name="shard_size_is_whole_bytes", condition=Q(size__gte=1024)),
        ]


class Pass(models.Model):
    """One pass. Its token is signed from this row whenever it is needed; the row is the fact."""

    id = models.UUIDField(primary_key=True)
    holder_id = models.UUIDField(db_index=True)
    pass_no = models.CharField(max_length=11, unique=True)
    shard = models.ForeignKey(Shard, models.PROTECT, db_column="shard")
    index = models.BigIntegerField()
    kind = models.CharField(max_length=1)
    door = models.TextField()
    member_no = models.SmallIntegerField(null=True)
    initials = models.TextField()
    birth_year = models.SmallIntegerField(null=True)
    zones = ArrayField(models.TextField())
    channel = models.TextField()
    flags = models.SmallIntegerField(default=0)
    cnf = models.BinaryField(null=True)  # the phone's public point
    cti = models.BinaryField(unique=True)
    issued_at = models.DateTimeField()
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_reason = models.TextField(default="")
    #: Whether the published lists already say what this row says; the publisher sets it (gates).
    settled = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(name="pass_unsettled", fields=["id"], condition=Q(settled=False)),
            models.Index(name="pass_by_end", fields=["valid_until"]),
        ]
        constraints = [
            # The index rests with the row: it is free again only when the row is purged, at least 31 days
            # after the end, so no list row of somebody else can meet an old pass.
            models.UniqueConstraint(name="pass_index_has_one_holder", fields=["shard", "index"]),
            models.CheckConstraint(
                name="pass_ends_after_it_begins", condition=Q(valid_until__gt=F("valid_from"))
            ),
            models.CheckConstraint(
                name="pass_lives_at_most_31_days",
                condition=Q(valid_until__lte=F("valid_from") + LONGEST_LIFE),
            ),
            models.CheckConstraint(
                name="pass_number_is_ten_digits",
                condition=Q(pass_no__regex=r"^[0-9]{8}-[0-9]{2}$"),  # noqa: S106 - a pattern
            ),
            models.CheckConstraint(
                name="pass_on_a_phone_has_its_key",
                condition=Q(channel="phone", cnf__isnull=False) | (~Q(channel="phone") & Q(cnf__isnull=True)),
            ),
            models.CheckConstraint(
                name="pass_channel_is_known", condition=Q(channel__in=["phone", "printed", "card"])
            ),
            models.CheckConstraint(
                name="pass_class_is_known", condition=Q(kind__in=["H", "W", "S", "V", "X", "M", "P"])
            ),
            models.CheckConstraint(
                name="pass_is_revoked_for_a_reason",
                condition=Q(revoked_at__isnull=True, revoked_reason="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_reason="")),
            ),
        ]


class WorkGrant(models.Model):
    """That a holder's phones may carry a pass for work, and until when; the passes themselves live three days.

    On paper there is none: the card is the grant.
    """

    id = models.UUIDField(primary_key=True)
    holder_id = models.UUIDField(db_index=True)
    kind = models.CharField(max_length=1)
    shard = models.ForeignKey(Shard, models.PROTECT, db_column="shard")
    zones = ArrayField(models.TextField())
    flags = models.SmallIntegerField(default=0)
    granted_at = models.DateTimeField()
    valid_until = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_reason = models.TextField(default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="holder_has_one_work_grant_of_a_class",
                fields=["holder_id", "kind"],
                condition=Q(withdrawn_at=None),
            ),
            models.CheckConstraint(
                name="work_grant_lasts_at_most_31_days",
                condition=Q(valid_until__gt=F("granted_at"), valid_until__lte=F("granted_at") + LONGEST_LIFE),
            ),
            models.CheckConstraint(
                name="work_grant_is_of_a_class_for_work", condition=Q(kind__in=["W", "S", "V", "M"])
            ),
            models.CheckConstraint(
                name="work_grant_is_withdrawn_for_a_reason",
                condition=Q(withdrawn_at__isnull=True, withdrawn_reason="")
                | (Q(withdrawn_at__isnull=False) & ~Q(withdrawn_reason="")),
            ),
        ]


class IndexStatus(models.Model):
    """What the newest version says of an index that is not VALID."""

    shard = models.ForeignKey(Shard, models.PROTECT, db_column="shard")
    index = models.BigIntegerField()
    status = models.SmallIntegerField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="index_has_one_status", fields=["shard", "index"]),
            models.CheckConstraint(name="status_is_not_valid", condition=Q(status__in=[1, 2, 3])),
            models.CheckConstraint(
                name="only_a_suspension_has_an_end", condition=Q(status=2) | Q(until__isnull=True)
            ),
        ]


class Version(models.Model):
    """One published version of a shard: the step that led to it, and for the newest the whole files."""

    shard = models.ForeignKey(Shard, models.PROTECT, db_column="shard", related_name="versions")
    version = models.BigIntegerField()
    signed_at = models.DateTimeField()
    delta = models.BinaryField(null=True)
    whole = models.BinaryField(null=True)
    until = models.BinaryField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="version_is_published_once", fields=["shard", "version"]),
        ]


class Digest(models.Model):
    """That the chain holds the hash of a shard's list as it was published in this hour (L-5)."""

    shard = models.ForeignKey(Shard, models.PROTECT, db_column="shard")
    hour = models.DateTimeField()
    version = models.BigIntegerField()
    sha256 = models.BinaryField()
    entry = models.ForeignKey("ledger.Entry", models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="digest_is_one_per_hour", fields=["shard", "hour"]),
            models.CheckConstraint(name="digest_is_a_sha256", condition=Q(sha256__length=32)),
        ]


class Destruction(models.Model):
    """Passes and grants were forgotten because their term was over: how many, and which day's are kept. Stays (trigger)."""

    id = models.UUIDField(primary_key=True, editable=False)
    count = models.IntegerField()
    until = models.DateField()
    destroyed_at = models.DateTimeField()
    entry = models.OneToOneField("ledger.Entry", models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(name="passes_destroyed_are_some", condition=Q(count__gt=0)),
        ]
