"""Grants and samples; rows are only inserted."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

import lianfang.kernel.fields

_TABLES = ("audit_grant", "audit_sample")


class Migration(migrations.Migration):
    initial = True
    dependencies = [("accounts", "0001_users_organs_offices"), ("ledger", "0002_rows_stay")]

    operations = [
        migrations.CreateModel(
            name="Grant",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("area", lianfang.kernel.fields.AreaField()),
                ("order_no", models.CharField(blank=True, max_length=48)),
                ("from_on", models.DateField(null=True)),
                ("until_on", models.DateField(null=True)),
                ("reason", models.CharField(max_length=300)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("given_at", models.DateTimeField()),
                ("given_by", models.CharField(max_length=64)),
                ("organ", models.CharField(max_length=64)),
                (
                    "auditor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.entry"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="grant_ends_after_start"),
                    models.CheckConstraint(condition=~Q(reason=""), name="grant_has_a_reason"),
                    models.CheckConstraint(
                        condition=Q(~Q(order_no=""), from_on__isnull=True, until_on__isnull=True)
                        | Q(order_no="", from_on__isnull=False, until_on__gte=F("from_on")),
                        name="grant_is_about_one_order_or_one_period",
                    ),
                ]
            },
        ),
        migrations.CreateModel(
            name="Sample",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("count", models.PositiveSmallIntegerField()),
                ("asked_at", models.DateTimeField()),
                (
                    "grant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="sample", to="audit.grant"
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.entry"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=Q(count__gte=1, count__lte=200), name="sample_draws_1_to_200"),
                ]
            },
        ),
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER rows_stay BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION ledger_refuse()",
                f"DROP TRIGGER rows_stay ON {table}",
            )
            for table in _TABLES
        ),
    ]
