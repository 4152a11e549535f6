"""How often one party asked in one window; the counts of all workers stand in one place."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_offices_kept_apart")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="RateCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("rate", models.CharField(max_length=16)),
                ("party", models.CharField(max_length=64)),
                ("window_at", models.DateTimeField(db_index=True)),
                ("count", models.PositiveIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("rate", "party", "window_at"), name="a_party_is_counted_once"
                    )
                ],
            },
        ),
    ]
