"""A gate let somebody pass and had not heard yet what the server knew: for the community to look into."""

import django.db.models.deletion
from django.db import migrations, models


FORWARD = """
CREATE FUNCTION gates_ticket_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.closed_at IS NOT NULL
     OR (NEW.id, NEW.device_id, NEW.gate_id, NEW.seq, NEW.cause, NEW.pass_id, NEW.passed_at, NEW.inward, NEW.since,
         NEW.list_at, NEW.opened_at)
     IS DISTINCT FROM
     (OLD.id, OLD.device_id, OLD.gate_id, OLD.seq, OLD.cause, OLD.pass_id, OLD.passed_at, OLD.inward, OLD.since,
      OLD.list_at, OLD.opened_at) THEN
    RAISE EXCEPTION 'ticket_stays_as_found' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER ticket_stays_as_found BEFORE UPDATE ON gates_ticket
  FOR EACH ROW EXECUTE FUNCTION gates_ticket_stays();
"""
BACK = """
DROP TRIGGER ticket_stays_as_found ON gates_ticket;
DROP FUNCTION gates_ticket_stays();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('gates', '0008_passage_ranges'),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name='Ticket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seq', models.BigIntegerField()),
                ('cause', models.TextField()),
                ('pass_id', models.UUIDField()),
                ('passed_at', models.DateTimeField()),
                ('inward', models.BooleanField()),
                ('since', models.DateTimeField()),
                ('list_at', models.DateTimeField(null=True)),
                ('opened_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(null=True)),
                ('closed_by', models.UUIDField(null=True)),
                ('closed_as', models.TextField(default='')),
                ('word', models.TextField(default='')),
                ('device', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='gates.device')),
                ('gate', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='gates.gate')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('closed_at', None)), fields=['gate', 'opened_at'], name='open_tickets_of_a_gate')],
                'constraints': [models.UniqueConstraint(fields=('device', 'seq'), name='ticket_is_opened_once'), models.CheckConstraint(condition=models.Q(('cause__in', ['revoked', 'order'])), name='ticket_cause_is_known'), models.CheckConstraint(condition=models.Q(('since__lt', models.F('passed_at'))), name='ticket_is_of_what_was_known_before'), models.CheckConstraint(condition=models.Q(models.Q(('closed_as', ''), ('closed_at__isnull', True), ('closed_by__isnull', True), ('word', '')), models.Q(('closed_at__gte', models.F('opened_at')), ('closed_by__isnull', False), models.Q(('closed_as', ''), _negated=True), models.Q(('word', ''), _negated=True)), _connector='OR'), name='ticket_is_closed_with_a_word')],
            },
        ),
        migrations.RunSQL(FORWARD, BACK),
    ]
