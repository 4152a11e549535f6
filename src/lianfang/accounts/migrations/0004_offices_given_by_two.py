"""Offices with the power to sign or export are proposed by one and confirmed by another.

The roles stand here as they stand in `accounts.rights.BY_TWO`; a test compares the two. Offices given before this
migration stay (NOT VALID); those without a giver are the first of a system.
"""

import django.db.models.deletion
from django.db import migrations, models

import lianfang.kernel.fields
import lianfang.kernel.ids

FORWARD = """
ALTER TABLE accounts_office ADD CONSTRAINT office_with_power_is_given_by_two CHECK (
  role NOT IN ('cdc', 'cmd_lead', 'security_admin') OR granted_by_id IS NULL
  OR (confirmed_by_id IS NOT NULL AND confirmed_by_id <> granted_by_id
      AND confirmed_by_id <> user_id AND granted_by_id <> user_id)) NOT VALID;

CREATE OR REPLACE FUNCTION accounts_office_only_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE check_violation USING MESSAGE = 'offices_are_kept', CONSTRAINT = 'offices_are_kept';
  END IF;
  IF (OLD.id, OLD.user_id, OLD.role, OLD.organ_id, OLD.area, OLD.starts_at, OLD.granted_at, OLD.granted_by_id,
      OLD.confirmed_by_id)
     IS DISTINCT FROM
     (NEW.id, NEW.user_id, NEW.role, NEW.organ_id, NEW.area, NEW.starts_at, NEW.granted_at, NEW.granted_by_id,
      NEW.confirmed_by_id)
     OR NEW.ends_at > OLD.ends_at OR OLD.ended_by_id IS NOT NULL OR NEW.ended_by_id IS NULL THEN
    RAISE check_violation USING MESSAGE = 'office_only_ends', CONSTRAINT = 'office_only_ends';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION accounts_proposal_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE check_violation USING MESSAGE = 'office_proposal_stays', CONSTRAINT = 'office_proposal_stays';
END $$;
CREATE TRIGGER office_proposal_stays BEFORE UPDATE OR DELETE ON accounts_officeproposal
  FOR EACH ROW EXECUTE FUNCTION accounts_proposal_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_rate_counts")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField(
            model_name="office",
            name="confirmed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.user",
            ),
        ),
        migrations.CreateModel(
            name="OfficeProposal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lianfang.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("role", models.CharField(max_length=24)),
                ("area", lianfang.kernel.fields.AreaField()),
                ("starts_at", models.DateTimeField(null=True)),
                ("ends_at", models.DateTimeField(null=True)),
                ("proposed_at", models.DateTimeField()),
                (
                    "organ",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="accounts.organ"),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.user"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.user"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("user", models.F("proposed_by")), _negated=True),
                        name="nobody_proposes_an_office_for_themselves",
                    )
                ],
            },
        ),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
