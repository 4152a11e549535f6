"""That reports and concerns were destroyed after their term, beside the entry that says so in the chain."""

import django.db.models.deletion
from django.db import migrations, models

#: Nobody names such a row to `kernel.forgetting`, so the room's trigger keeps it.
STAYS = """
CREATE TRIGGER rows_stay BEFORE UPDATE OR DELETE ON concerns_destruction
  FOR EACH ROW EXECUTE FUNCTION concerns_rows_stay();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("concerns", "0003_what_may_be_forgotten"),
        ("ledger", "0005_one_sealed_row"),
    ]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Destruction",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("count", models.IntegerField()),
                ("destroyed_at", models.DateTimeField()),
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.entry"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("count__gt", 0)), name="reports_destroyed_are_some"
                    )
                ]
            },
        ),
        migrations.RunSQL(STAYS, "DROP TRIGGER rows_stay ON concerns_destruction"),
    ]
