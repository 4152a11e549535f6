"""Tables of the chain. Entries, checkpoints and cosignatures are only inserted; triggers refuse the rest."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Length

from lianfang.kernel.fields import AreaField

models.BinaryField.register_lookup(Length)


class Entry(models.Model):
    """One act, as it stands in the chain; written in the transaction of the act itself.

    Until the sequencer has given it an index it is "recorded"; from then on it is a leaf of the tree.
    """

    id = models.UUIDField(primary_key=True)
    data = models.BinaryField()
    leaf_hash = models.BinaryField(unique=True)
    kind = models.TextField()
    act_id = models.UUIDField(db_index=True)
    organ = models.TextField()
    scope = AreaField()
    appended_at = models.DateTimeField()
    idx = models.BigIntegerField(null=True, unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="entry_index_is_a_natural_number", condition=Q(idx__isnull=True) | Q(idx__gte=0)
            ),
            models.CheckConstraint(
                name="entry_holds_at_most_4096_bytes", condition=Q(data__length__lte=4096)
            ),
            # and entry_leaf_is_the_hash_of_its_bytes, in the migration: it needs sha256()
        ]
        indexes = [
            # Chosen by `idx IS NULL` and never by an id watermark: ids commit out of order (ledger.md 6.8).
            models.Index(name="entry_unsequenced", fields=["id"], condition=Q(idx__isnull=True)),
            # Asked with every proof once a witness has changed (`in_office`): a handful among millions.
            models.Index(
                name="entry_of_the_chain_itself",
                fields=["kind"],
                condition=Q(kind__in=("ledger:policy:changed", "ledger:origin:continued")),
            ),
        ]


class Tree(models.Model):
    """The one tree. Its row is the lock of the sequencer; `suspended` says why nothing may be signed."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    size = models.BigIntegerField(default=0)
    suspended = models.TextField(default="")
    suspended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="tree_is_one", condition=Q(id=1)),
            models.CheckConstraint(name="tree_size_is_a_natural_number", condition=Q(size__gte=0)),
        ]


class Checkpoint(models.Model):
    """A signed tree head. Stored before anybody sees it, so no size is ever signed with two roots."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    note = models.BinaryField()
    signed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="checkpoint_root_has_32_bytes", condition=Q(root__length=32)),
        ]
        indexes = [models.Index(name="checkpoint_by_instant", fields=["signed_at"])]


class Cosignature(models.Model):
    """One witness's line under one checkpoint, verified before it was stored."""

    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="cosignatures")
    witness = models.TextField()
    line = models.TextField()
    cosigned_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="cosignature_is_one_per_witness", fields=["checkpoint", "witness"]),
        ]
        indexes = [models.Index(name="cosignature_by_witness", fields=["witness", "checkpoint"])]


class WitnessState(models.Model):
    """What a witness last answered; for the lights on the pages. Nothing is decided by it alone."""

    class Answer(models.TextChoices):
        COSIGNED = "cosigned"
        BEHIND = "behind"
        REFUSED = "refused"
        SILENT = "silent"
        AHEAD = "ahead"

    class Trouble(models.TextChoices):
        """What it says and does not show, or does wrong; gone with the next answer that is in order."""

        SAYS_FORK = "says_fork"
        SAYS_MORE = "says_more"
        CLOCK = "clock"

    witness = models.TextField(primary_key=True)
    held_size = models.BigIntegerField(default=0)
    answer = models.TextField(choices=Answer)
    detail = models.TextField(default="")
    asked_at = models.DateTimeField()
    cosigned_at = models.DateTimeField(null=True)
    trouble = models.TextField(choices=Trouble, blank=True, default="", db_default="")
    troubled_at = models.DateTimeField(null=True)


class CaseKey(models.Model):
    """The data key under which an entry's disclosures are sealed, itself sealed under the key file.

    Deleting the row shreds the disclosures in every backup that holds them without this table, which is
    why backups keep it apart (docs/chain.md).
    """

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, primary_key=True)
    sealed = models.BinaryField()


class Disclosures(models.Model):
    """Salt, field and value of each commitment of an entry, sealed (`sealing`)."""

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, primary_key=True)
    sealed = models.BinaryField()


class OrganKey(models.Model):
    """A key with which an organ signs its entries, and the entry that announced it."""

    organ = models.TextField()
    vkey = models.TextField(unique=True)
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT)
    announced_at = models.DateTimeField()


class FormerChain(models.Model):
    """A chain that came to its end, and what proved it: entry 0 of the one that continues it says the same."""

    origin = models.TextField(primary_key=True)
    vkey = models.TextField()
    evidence = models.TextField(unique=True)  # SHA-256 of the file in `former/`
    continued_as = models.TextField()
    ended_at = models.DateTimeField()


class FormerCheckpoint(models.Model):
    """A checkpoint of a chain that has ended, with the cosignatures that were known."""

    chain = models.ForeignKey(FormerChain, on_delete=models.PROTECT, related_name="checkpoints")
    size = models.BigIntegerField()
    root = models.BinaryField()
    note = models.BinaryField()
    signed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="former_checkpoint_is_one_per_size", fields=["chain", "size"]),
        ]
