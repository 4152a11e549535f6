"""That passages were destroyed after their term, beside the entry that says so in the chain."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gates", "0017_own_overrides")]
    operations = [
        migrations.CreateModel(
            name="Destruction",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("days", models.IntegerField()),
                ("until", models.DateField()),
                ("destroyed_at", models.DateTimeField()),
                ("entry_id", models.UUIDField(unique=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("days__gte", 0)), name="destruction_counts_days"
                    )
                ]
            },
        ),
        migrations.RunSQL(
            "CREATE TRIGGER destructions_stay BEFORE UPDATE OR DELETE ON gates_destruction"
            " FOR EACH ROW EXECUTE FUNCTION gates_rows_stay()",
            "DROP TRIGGER destructions_stay ON gates_destruction",
        ),
    ]
