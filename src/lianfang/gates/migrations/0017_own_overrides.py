"""Under which mark the row of an override lies, for the person whose pass it was."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gates", "0016_admitted_guards")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="OverrideMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mark", models.BinaryField()),
                ("seq", models.BigIntegerField()),
                ("received_at", models.DateTimeField()),
                ("device", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="gates.device")),
                ("gate", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="gates.gate")),
            ],
            options={
                "indexes": [models.Index(fields=["mark"], name="overrides_of_a_mark")],
                "constraints": [
                    models.UniqueConstraint(fields=("device", "seq"), name="override_is_marked_once")
                ],
            },
        ),
    ]
