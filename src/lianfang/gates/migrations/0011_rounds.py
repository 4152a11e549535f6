"""Cards for a whole compound in one act, and a later act that withdraws them; rows that stay."""

import django.db.models.deletion
import lianfang.kernel.fields
from django.db import migrations, models


FORWARD = """
CREATE FUNCTION gates_round_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'round_stays_as_written' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER round_stays_as_written BEFORE UPDATE OR DELETE ON gates_passround
  FOR EACH ROW EXECUTE FUNCTION gates_round_stays();
CREATE TRIGGER round_end_stays_as_written BEFORE UPDATE OR DELETE ON gates_passroundend
  FOR EACH ROW EXECUTE FUNCTION gates_round_stays();
"""
BACK = """
DROP TRIGGER round_end_stays_as_written ON gates_passroundend;
DROP TRIGGER round_stays_as_written ON gates_passround;
DROP FUNCTION gates_round_stays();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('gates', '0010_last_seq'),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name='PassRound',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('area', lianfang.kernel.fields.AreaField()),
                ('basis', models.TextField()),
                ('count', models.IntegerField()),
                ('issued_at', models.DateTimeField()),
                ('valid_until', models.DateTimeField()),
                ('issued_by', models.UUIDField()),
                ('issued_as', models.TextField()),
                ('entry_id', models.UUIDField(unique=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('count__gte', 1), models.Q(('basis', ''), _negated=True)), name='round_of_passes_is_given_to_somebody')],
            },
        ),
        migrations.CreateModel(
            name='PassRoundEnd',
            fields=[
                ('round', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='end', serialize=False, to='gates.passround')),
                ('count', models.IntegerField()),
                ('reason', models.TextField()),
                ('ended_at', models.DateTimeField()),
                ('ended_by', models.UUIDField()),
                ('ended_as', models.TextField()),
                ('entry_id', models.UUIDField(unique=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='round_is_withdrawn_for_a_reason')],
            },
        ),
        migrations.RunSQL(FORWARD, BACK),
    ]
