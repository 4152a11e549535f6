"""What must hold of offices whatever writes them: separation, kind of organ, area of organ, no rewriting.

Source: the separation rules under the matrix role × action (trust.md §6). The roles stand here as they
stand in `accounts.rights`; a test compares the two.
"""

from django.db import migrations

SIDES = """
(CASE role
  WHEN 'cdc' THEN 'health_or_command'
  WHEN 'cmd_duty' THEN 'health_or_command'
  WHEN 'cmd_lead' THEN 'health_or_command'
  WHEN 'system_admin' THEN 'runs_admits_audits'
  WHEN 'security_admin' THEN 'runs_admits_audits'
  WHEN 'auditor' THEN 'runs_admits_audits'
END) WITH =,
(CASE role
  WHEN 'cdc' THEN 'health'
  WHEN 'cmd_duty' THEN 'command'
  WHEN 'cmd_lead' THEN 'command'
  WHEN 'system_admin' THEN 'runs'
  WHEN 'security_admin' THEN 'admits'
  WHEN 'auditor' THEN 'audits'
END) WITH <>
"""

FORWARD = f"""
ALTER TABLE accounts_office ADD CONSTRAINT separated_offices_are_in_different_hands
  EXCLUDE USING gist (user_id WITH =, {SIDES}, tstzrange(starts_at, ends_at) WITH &&);

ALTER TABLE accounts_office ADD CONSTRAINT office_lasts_at_most_a_year
  CHECK (ends_at <= starts_at + interval '366 days');

ALTER TABLE accounts_office ADD CONSTRAINT office_has_a_known_role CHECK (role IN (
  'guard', 'property', 'grid', 'community', 'medic', 'police', 'street', 'cdc', 'cmd_duty', 'cmd_lead',
  'auditor', 'system_admin', 'security_admin'));

CREATE FUNCTION accounts_office_fits_organ() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE organ accounts_organ%ROWTYPE;
DECLARE needed text;
BEGIN
  SELECT * INTO organ FROM accounts_organ WHERE id = NEW.organ_id;
  needed := CASE NEW.role
    WHEN 'cdc' THEN 'health' WHEN 'medic' THEN 'health'
    WHEN 'cmd_duty' THEN 'command' WHEN 'cmd_lead' THEN 'command'
    WHEN 'police' THEN 'police' WHEN 'street' THEN 'street'
    WHEN 'community' THEN 'community' WHEN 'grid' THEN 'community'
    WHEN 'property' THEN 'property' ELSE organ.kind END;
  IF organ.kind <> needed THEN
    RAISE check_violation USING MESSAGE = 'organ_kind_has_this_office', CONSTRAINT = 'organ_kind_has_this_office';
  END IF;
  IF NOT NEW.area <@ organ.area THEN
    RAISE check_violation USING MESSAGE = 'office_lies_in_its_organ', CONSTRAINT = 'office_lies_in_its_organ';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER office_fits_organ BEFORE INSERT ON accounts_office
  FOR EACH ROW EXECUTE FUNCTION accounts_office_fits_organ();

CREATE FUNCTION accounts_office_only_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE check_violation USING MESSAGE = 'offices_are_kept', CONSTRAINT = 'offices_are_kept';
  END IF;
  IF (OLD.id, OLD.user_id, OLD.role, OLD.organ_id, OLD.area, OLD.starts_at, OLD.granted_at, OLD.granted_by_id)
     IS DISTINCT FROM
     (NEW.id, NEW.user_id, NEW.role, NEW.organ_id, NEW.area, NEW.starts_at, NEW.granted_at, NEW.granted_by_id)
     OR NEW.ends_at > OLD.ends_at OR OLD.ended_by_id IS NOT NULL OR NEW.ended_by_id IS NULL THEN
    RAISE check_violation USING MESSAGE = 'office_only_ends', CONSTRAINT = 'office_only_ends';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER office_only_ends BEFORE UPDATE OR DELETE ON accounts_office
  FOR EACH ROW EXECUTE FUNCTION accounts_office_only_ends();

CREATE FUNCTION accounts_organ_stays_what_it_is() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.kind, OLD.level, OLD.area, OLD.code) IS DISTINCT FROM (NEW.kind, NEW.level, NEW.area, NEW.code) THEN
    RAISE check_violation USING MESSAGE = 'organ_stays_what_it_is', CONSTRAINT = 'organ_stays_what_it_is';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER organ_stays_what_it_is BEFORE UPDATE ON accounts_organ
  FOR EACH ROW EXECUTE FUNCTION accounts_organ_stays_what_it_is();
"""

BACKWARD = """
DROP TRIGGER organ_stays_what_it_is ON accounts_organ;
DROP FUNCTION accounts_organ_stays_what_it_is();
DROP TRIGGER office_only_ends ON accounts_office;
DROP FUNCTION accounts_office_only_ends();
DROP TRIGGER office_fits_organ ON accounts_office;
DROP FUNCTION accounts_office_fits_organ();
ALTER TABLE accounts_office DROP CONSTRAINT office_has_a_known_role;
ALTER TABLE accounts_office DROP CONSTRAINT office_lasts_at_most_a_year;
ALTER TABLE accounts_office DROP CONSTRAINT separated_offices_are_in_different_hands;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_users_organs_offices")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
