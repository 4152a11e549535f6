"""How old evidence may be is said by a signed act; rows that stay."""

from django.db import migrations, models


FORWARD = """
CREATE FUNCTION gates_ages_act_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'ages_act_stays_as_said' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER ages_act_stays_as_said BEFORE UPDATE OR DELETE ON gates_agesact
  FOR EACH ROW EXECUTE FUNCTION gates_ages_act_stays();
"""
BACK = """
DROP TRIGGER ages_act_stays_as_said ON gates_agesact;
DROP FUNCTION gates_ages_act_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("gates", "0013_ages")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="AgesAct",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("no", models.IntegerField(unique=True)),
                ("day_hours", models.SmallIntegerField()),
                ("old_hours", models.SmallIntegerField()),
                ("basis", models.TextField()),
                ("signed_at", models.DateTimeField()),
                ("signed_by", models.UUIDField()),
                ("signed_as", models.TextField()),
                ("entry_id", models.UUIDField(unique=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        name="ages_act_names_its_basis", condition=models.Q(("basis", ""), _negated=True)
                    ),
                    models.CheckConstraint(
                        name="ages_act_keeps_to_its_bounds",
                        condition=models.Q(
                            ("day_hours__lt", models.F("old_hours")),
                            ("day_hours__range", (12, 72)),
                            ("old_hours__range", (24, 168)),
                        ),
                    ),
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACK),
    ]
