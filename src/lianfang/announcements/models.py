"""Texts and what was done with them. All rows are only inserted; no column holds a state."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from lianfang.kernel.fields import AreaField


class Announcement(models.Model):
    """A text as drafted. It never changes; another wording is another draft.

    `area` is the smallest place around all `places`. A draft is seen over that area alone (row security), a published
    text by everybody.
    """

    id = models.UUIDField(primary_key=True)
    kind = models.TextField()
    organ = models.TextField()
    area = AreaField()
    places = ArrayField(models.TextField())
    title = models.TextField()
    title_en = models.TextField(default="")
    body = models.TextField()
    body_en = models.TextField(default="")
    plain = models.TextField(default="")
    aloud = models.TextField(default="")
    basis = models.TextField()
    signatory = models.TextField()
    starts_at = models.DateTimeField(null=True)  # none: from its publication on
    ends_at = models.DateTimeField(null=True)  # none: until further notice
    supersedes = ArrayField(models.UUIDField(), default=list)
    drafted_at = models.DateTimeField()
    drafted_by = models.UUIDField()
    drafted_as = models.TextField()  # office and pseudonym, as others may see them

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="announcement_kind_is_known",
                condition=Q(kind__in=["announcement", "proclamation", "notice"]),
            ),
            models.CheckConstraint(
                name="announcement_says_what_by_which_law_and_who",
                condition=~Q(title="") & ~Q(body="") & ~Q(basis="") & ~Q(signatory=""),
            ),
            models.CheckConstraint(name="announcement_is_for_some_place", condition=~Q(places=[])),
            models.CheckConstraint(
                name="announcement_ends_after_it_begins",
                condition=Q(ends_at=None) | Q(starts_at=None) | Q(ends_at__gt=F("starts_at")),
            ),
            # What is hashed gives each of these a line: a second one could be taken for another field.
            models.CheckConstraint(
                name="announcement_short_fields_are_one_line",
                condition=~Q(title__contains="\n")
                & ~Q(title_en__contains="\n")
                & ~Q(basis__contains="\n")
                & ~Q(signatory__contains="\n"),
            ),
        ]
        indexes = [models.Index(fields=["-drafted_at"], name="announcements_by_draft")]


class Review(models.Model):
    """Another person looked whether the law carries it. `approved` or not, with a word; once."""

    announcement = models.OneToOneField(Announcement, models.PROTECT, primary_key=True, related_name="review")
    approved = models.BooleanField()
    word = models.TextField(default="")
    reviewed_at = models.DateTimeField()
    reviewed_by = models.UUIDField()
    reviewed_as = models.TextField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="review_returns_with_a_word", condition=Q(approved=True) | ~Q(word="")
            ),
        ]


class Publication(models.Model):
    """The signature. From here on the text is public; its hash stands in the chain.

    Names are kept as they were: organs and places are renamed, what was published is not.
    """

    announcement = models.OneToOneField(
        Announcement, models.PROTECT, primary_key=True, related_name="publication"
    )
    organ = models.TextField()
    organ_name = models.TextField()
    year = models.SmallIntegerField()
    n = models.IntegerField()
    number = models.TextField()
    place_names = ArrayField(models.TextField())
    superseded_numbers = ArrayField(models.TextField(), default=list)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    text_hash = models.TextField()
    published_at = models.DateTimeField()
    published_by = models.UUIDField()
    published_as = models.TextField()
    entry = models.OneToOneField("ledger.Entry", models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="announcement_number_is_given_once", fields=["organ", "year", "n"]),
            models.CheckConstraint(
                name="announcement_begins_when_published_or_later",
                condition=Q(starts_at__gte=F("published_at")),
            ),
            models.CheckConstraint(
                name="announcement_is_published_before_its_end",
                condition=Q(ends_at=None) | Q(ends_at__gt=F("published_at")),
            ),
            models.CheckConstraint(
                name="announcement_hash_is_sha256", condition=Q(text_hash__regex="^[0-9a-f]{64}$")
            ),
        ]
        indexes = [models.Index(fields=["-published_at"], name="announcements_by_publication")]


class Supersession(models.Model):
    """A later announcement of the same organ takes the place of this one, from the later one's beginning."""

    announcement = models.OneToOneField(
        Announcement, models.PROTECT, primary_key=True, related_name="supersession"
    )
    later = models.ForeignKey(Publication, models.PROTECT, related_name="supersessions")
    entry = models.OneToOneField("ledger.Entry", models.PROTECT, related_name="+")


class Withdrawal(models.Model):
    """The organ, or one above it, takes a published announcement back, at this instant and for a reason."""

    announcement = models.OneToOneField(
        Announcement, models.PROTECT, primary_key=True, related_name="withdrawal"
    )
    organ = models.TextField()
    reason = models.TextField()
    withdrawn_at = models.DateTimeField()
    withdrawn_by = models.UUIDField()
    withdrawn_as = models.TextField()
    entry = models.OneToOneField("ledger.Entry", models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(name="announcement_is_withdrawn_for_a_reason", condition=~Q(reason="")),
        ]
