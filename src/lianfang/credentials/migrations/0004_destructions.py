"""That passes were destroyed after their term, beside the entry that says so in the chain."""

import django.db.models.deletion
from django.db import migrations, models

STAYS = """
CREATE FUNCTION credentials_rows_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% rows are only inserted', TG_TABLE_NAME
    USING ERRCODE = 'check_violation', CONSTRAINT = 'credentials_rows_stay';
END $$;
CREATE TRIGGER rows_stay BEFORE UPDATE OR DELETE ON credentials_destruction
  FOR EACH ROW EXECUTE FUNCTION credentials_rows_stay();
"""
BACK = """
DROP TRIGGER rows_stay ON credentials_destruction;
DROP FUNCTION credentials_rows_stay();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("credentials", "0003_work_grants"),
        ("ledger", "0005_one_sealed_row"),
    ]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Destruction",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("count", models.IntegerField()),
                ("until", models.DateField()),
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
                        condition=models.Q(("count__gt", 0)), name="passes_destroyed_are_some"
                    )
                ]
            },
        ),
        migrations.RunSQL(STAYS, BACK),
    ]
