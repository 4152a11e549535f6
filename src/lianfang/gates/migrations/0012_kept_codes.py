"""Which passages carry a code that could not be trusted, and who opened one."""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION gates_code_reading_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'code_reading_stays_as_written' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER code_reading_stays_as_written BEFORE UPDATE OR DELETE ON gates_codereading
  FOR EACH ROW EXECUTE FUNCTION gates_code_reading_stays();
"""
BACK = """
DROP TRIGGER code_reading_stays_as_written ON gates_codereading;
DROP FUNCTION gates_code_reading_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("gates", "0011_rounds")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="KeptCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seq", models.BigIntegerField()),
                ("received_at", models.DateTimeField()),
                ("passed_at", models.DateTimeField(null=True)),
                ("inward", models.BooleanField()),
                ("verdict", models.TextField()),
                ("device", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="gates.device")),
                ("gate", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="gates.gate")),
            ],
            options={
                "indexes": [models.Index(fields=["gate", "-received_at"], name="kept_codes_of_a_gate")],
                "constraints": [
                    models.UniqueConstraint(fields=("device", "seq"), name="code_of_a_passage_is_noted_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="CodeReading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seq", models.BigIntegerField()),
                ("passage_received_at", models.DateTimeField()),
                ("at", models.DateTimeField()),
                ("user", models.UUIDField()),
                ("read_as", models.TextField()),
                ("reason", models.TextField()),
                ("device", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="gates.device")),
                ("gate", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="gates.gate")),
            ],
            options={
                "indexes": [models.Index(fields=["device", "seq"], name="readings_of_a_code")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="code_is_opened_for_a_reason"
                    )
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACK),
    ]
