"""How old evidence may be is part of the published rule set."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gates", "0012_kept_codes")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField("rulefile", "day_hours", models.SmallIntegerField(default=24, db_default=24)),
        migrations.AddField("rulefile", "old_hours", models.SmallIntegerField(default=72, db_default=72)),
        migrations.AddConstraint(
            "rulefile",
            models.CheckConstraint(
                name="ages_of_evidence_follow_each_other",
                condition=models.Q(day_hours__gte=1, old_hours__gte=models.F("day_hours"), old_hours__lte=720),
            ),
        ),
    ]
