"""Tables of places: editions of the official divisions, the tree of places, and where a code went."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from lianfang.kernel.fields import AreaField

from .policy import Kind


class Edition(models.Model):
    """One published list of division codes. Reference data: never changed once loaded."""

    id = models.CharField(primary_key=True, max_length=20)
    district = models.CharField(max_length=6)
    codes_as_of = models.DateField()
    published_on = models.DateField()


class Division(models.Model):
    """One line of an edition."""

    id = models.BigAutoField(primary_key=True)
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="divisions")
    code = models.CharField(max_length=12)
    name = models.CharField(max_length=60)
    level = models.CharField(max_length=12)
    parent = models.CharField(max_length=12)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["edition", "code"], name="division_code_is_unique_in_its_edition"
            ),
            models.CheckConstraint(
                condition=Q(level__in=["district", "subdistrict", "town", "community", "village"]),
                name="division_level_is_known",
            ),
        ]


class EditionInForce(models.Model):
    """From which day a district lives by which edition."""

    id = models.BigAutoField(primary_key=True)
    district = models.CharField(max_length=6)
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="+")
    from_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["district", "from_on"], name="one_edition_a_day"),
            models.UniqueConstraint(fields=["district", "edition"], name="an_edition_enters_force_once"),
        ]


class Place(models.Model):
    """One place between two days. The path says where it stands; others refer to it by path.

    `code` is the official code of a division, the short number of a building or stairwell, and the whole
    door (`5-2-0603`) of a dwelling.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=12, choices=[(k.value, k.value) for k in Kind])
    path = AreaField()
    name = models.CharField(max_length=60)
    code = models.CharField(max_length=40)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["path"], name="place_path_is_unique"),
            models.CheckConstraint(condition=Q(kind__in=[k.value for k in Kind]), name="place_kind_is_known"),
            models.CheckConstraint(condition=~Q(name="") & ~Q(code=""), name="place_has_a_name_and_a_code"),
            models.CheckConstraint(
                condition=Q(valid_to__gt=F("valid_from")), name="place_ends_after_it_begins"
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "code"], name="place_by_code"),
        ]


class Succession(models.Model):
    """Where everything below a division went when an edition ended its code (append-only)."""

    id = models.BigAutoField(primary_key=True)
    old_path = AreaField()
    new_path = AreaField()
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="+")
    on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["old_path", "on"], name="a_place_goes_to_one_place_a_day"),
            models.CheckConstraint(condition=~Q(old_path=F("new_path")), name="succession_leads_elsewhere"),
        ]
