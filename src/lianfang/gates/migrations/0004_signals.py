"""Calls for help and handovers, as they came; a call is answered once and not forgotten before."""

import django.db.models.deletion
from django.db import migrations, models


FORWARD = """
CREATE FUNCTION gates_signal_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.kind IN ('help', 'unopened') AND OLD.answered_at IS NULL THEN
      RAISE EXCEPTION 'call_stays_until_answered' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
  END IF;
  IF OLD.answered_at IS NOT NULL
     OR (NEW.id, NEW.device_id, NEW.gate_id, NEW.seq, NEW.row_hash, NEW.sealed, NEW.received_at, NEW.kind, NEW.at, NEW.facts)
     IS DISTINCT FROM
     (OLD.id, OLD.device_id, OLD.gate_id, OLD.seq, OLD.row_hash, OLD.sealed, OLD.received_at, OLD.kind, OLD.at, OLD.facts) THEN
    RAISE EXCEPTION 'signal_stays_as_received' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER signal_stays_as_received BEFORE UPDATE OR DELETE ON gates_signal
  FOR EACH ROW EXECUTE FUNCTION gates_signal_stays();
"""
BACK = """
DROP TRIGGER signal_stays_as_received ON gates_signal;
DROP FUNCTION gates_signal_stays();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('gates', '0003_drop_tallied_seq'),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name='Signal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seq', models.BigIntegerField()),
                ('row_hash', models.BinaryField()),
                ('sealed', models.BinaryField()),
                ('received_at', models.DateTimeField()),
                ('kind', models.TextField()),
                ('at', models.DateTimeField(null=True)),
                ('facts', models.JSONField(default=dict)),
                ('answered_at', models.DateTimeField(null=True)),
                ('answered_by', models.UUIDField(null=True)),
                ('answered_as', models.TextField(default='')),
                ('device', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='gates.device')),
                ('gate', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='gates.gate')),
            ],
            options={
                'indexes': [models.Index(fields=['gate', '-received_at'], name='signals_of_a_gate')],
                'constraints': [models.UniqueConstraint(fields=('device', 'seq', 'row_hash'), name='signal_is_kept_once'), models.CheckConstraint(condition=models.Q(('seq__gte', 1)), name='signal_is_numbered_from_one'), models.CheckConstraint(condition=models.Q(('kind__in', ['help', 'handover', 'list_old', 'unopened'])), name='signal_kind_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('answered_as', ''), ('answered_at__isnull', True), ('answered_by__isnull', True)), models.Q(('answered_at__gte', models.F('received_at')), ('answered_by__isnull', False), models.Q(('answered_as', ''), _negated=True)), _connector='OR'), name='signal_is_answered_by_somebody')],
            },
        ),
        migrations.RunSQL(FORWARD, BACK),
    ]
