"""Quotas and closed perimeters: proposed, signed by another, ended by a later act; rows that stay."""

import datetime
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import lianfang.kernel.fields
from django.db import migrations, models


FORWARD = """
CREATE FUNCTION gates_act_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'act_stays_as_said' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER act_stays_as_said BEFORE UPDATE OR DELETE ON gates_gateact
  FOR EACH ROW EXECUTE FUNCTION gates_act_stays();
CREATE TRIGGER act_signature_stays_as_said BEFORE UPDATE OR DELETE ON gates_gateactsignature
  FOR EACH ROW EXECUTE FUNCTION gates_act_stays();
CREATE TRIGGER act_lift_stays_as_said BEFORE UPDATE OR DELETE ON gates_gateactlift
  FOR EACH ROW EXECUTE FUNCTION gates_act_stays();
CREATE FUNCTION gates_act_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM gates_gateact a WHERE a.id = NEW.act_id AND a.proposed_by = NEW.signed_by) THEN
    RAISE EXCEPTION 'act_is_signed_by_another' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM gates_gateact a WHERE a.id = NEW.act_id AND a.ends_at <= NEW.signed_at) THEN
    RAISE EXCEPTION 'act_is_signed_before_its_end' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER act_is_signed_by_another BEFORE INSERT ON gates_gateactsignature
  FOR EACH ROW EXECUTE FUNCTION gates_act_signed();
CREATE FUNCTION gates_act_lifted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM gates_gateactsignature s
                 WHERE s.act_id = NEW.act_id AND s.signed_at <= NEW.lifted_at) THEN
    RAISE EXCEPTION 'only_a_signed_act_is_lifted' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER only_a_signed_act_is_lifted BEFORE INSERT ON gates_gateactlift
  FOR EACH ROW EXECUTE FUNCTION gates_act_lifted();
"""
BACK = """
DROP TRIGGER only_a_signed_act_is_lifted ON gates_gateactlift;
DROP TRIGGER act_is_signed_by_another ON gates_gateactsignature;
DROP TRIGGER act_lift_stays_as_said ON gates_gateactlift;
DROP TRIGGER act_signature_stays_as_said ON gates_gateactsignature;
DROP TRIGGER act_stays_as_said ON gates_gateact;
DROP FUNCTION gates_act_lifted();
DROP FUNCTION gates_act_signed();
DROP FUNCTION gates_act_stays();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('gates', '0005_carried_files'),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name='GateAct',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('no', models.TextField(unique=True)),
                ('kind', models.TextField()),
                ('area', lianfang.kernel.fields.AreaField()),
                ('zones', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('classes', models.TextField()),
                ('times', models.SmallIntegerField(default=0)),
                ('window', models.SmallIntegerField(default=0)),
                ('basis', models.TextField()),
                ('remedy', models.TextField()),
                ('proposed_at', models.DateTimeField()),
                ('proposed_by', models.UUIDField()),
                ('proposed_as', models.TextField()),
            ],
        ),
        migrations.RemoveField(
            model_name='rulefile',
            name='acts',
        ),
        migrations.CreateModel(
            name='GateActLift',
            fields=[
                ('act', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='lift', serialize=False, to='gates.gateact')),
                ('reason', models.TextField()),
                ('lifted_at', models.DateTimeField()),
                ('lifted_by', models.UUIDField()),
                ('lifted_as', models.TextField()),
                ('entry_id', models.UUIDField(unique=True)),
            ],
        ),
        migrations.CreateModel(
            name='GateActSignature',
            fields=[
                ('act', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='signature', serialize=False, to='gates.gateact')),
                ('signed_at', models.DateTimeField()),
                ('signed_by', models.UUIDField()),
                ('signed_as', models.TextField()),
                ('entry_id', models.UUIDField(unique=True)),
            ],
        ),
        migrations.AddConstraint(
            model_name='gateact',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['quota', 'perimeter'])), name='act_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='gateact',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='act_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='gateact',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__lte', django.db.models.expressions.CombinedExpression(models.F('starts_at'), '+', models.Value(datetime.timedelta(days=14))))), name='act_ends_within_14_days'),
        ),
        migrations.AddConstraint(
            model_name='gateact',
            constraint=models.CheckConstraint(condition=models.Q(('zones', []), _negated=True), name='act_names_its_compounds'),
        ),
        migrations.AddConstraint(
            model_name='gateact',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('basis', ''), _negated=True), models.Q(('remedy', ''), _negated=True)), name='act_names_basis_and_remedy'),
        ),
        migrations.AddConstraint(
            model_name='gateact',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'quota'), ('times__range', (1, 100)), ('window__range', (1, 31))), models.Q(('kind', 'perimeter'), ('times', 0), ('window', 0)), _connector='OR'), name='quota_leaves_a_way_out'),
        ),
        migrations.AddConstraint(
            model_name='gateactlift',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='act_is_lifted_for_a_reason'),
        ),
        migrations.RunSQL(FORWARD, BACK),
    ]
