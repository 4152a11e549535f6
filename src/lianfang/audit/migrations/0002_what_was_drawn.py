"""What a sample drew is written down when its seed is known."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_grants")]
    operations = [
        migrations.CreateModel(
            name="Drawn",
            fields=[
                (
                    "sample",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="drawn",
                        serialize=False,
                        to="audit.sample",
                    ),
                ),
                ("log", models.TextField()),
                ("request_index", models.BigIntegerField()),
                ("seed", models.BinaryField()),
                ("seed_size", models.BigIntegerField()),
                (
                    "population",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None),
                ),
                (
                    "entries",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None),
                ),
                ("drawn_at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(
            "CREATE TRIGGER rows_stay BEFORE UPDATE OR DELETE ON audit_drawn"
            " FOR EACH ROW EXECUTE FUNCTION ledger_refuse()",
            "DROP TRIGGER rows_stay ON audit_drawn",
        ),
    ]
