"""A post is closed by somebody for a reason; overrides are counted by reason; one more cause of a ticket; the rule set
without its ages; a line of a paper register is corrected once.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gates", "0014_ages_acts")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField("gate", "closed_as", models.TextField(db_default="", default="")),
        migrations.AddField("gate", "closed_reason", models.TextField(db_default="", default="")),
        migrations.AddConstraint(
            "gate",
            models.CheckConstraint(
                name="gate_is_closed_by_somebody_for_a_reason",
                condition=models.Q(("closed_as", ""), ("closed_at__isnull", True), ("closed_reason", ""))
                | models.Q(
                    ("closed_at__isnull", False),
                    models.Q(("closed_as", ""), _negated=True),
                    models.Q(("closed_reason", ""), _negated=True),
                ),
            ),
        ),
        migrations.AddField("rulefile", "plain", models.BinaryField(null=True)),
        migrations.RemoveConstraint("ticket", "ticket_cause_is_known"),
        migrations.AddConstraint(
            "ticket",
            models.CheckConstraint(
                name="ticket_cause_is_known",
                condition=models.Q(("cause__in", ("revoked", "order", "unserved"))),
            ),
        ),
        migrations.AddConstraint(
            "backlog", models.UniqueConstraint(fields=("corrects",), name="backlog_line_is_corrected_once")
        ),
        migrations.CreateModel(
            name="OverrideCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("verdict", models.TextField()),
                ("word", models.TextField()),
                ("guard", models.TextField(default="")),
                ("passages", models.BigIntegerField()),
                ("gate", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="gates.gate")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("gate", "day", "verdict", "word", "guard"), name="override_is_counted_once"
                    )
                ],
            },
        ),
    ]
