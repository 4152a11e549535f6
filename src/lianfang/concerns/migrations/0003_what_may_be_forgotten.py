"""A report goes with the case that rested on it, by one act that names it; otherwise rows stay as before."""

from django.db import migrations

GUARD = """
CREATE OR REPLACE FUNCTION concerns_rows_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- The act says which, and only until its transaction ends.
  IF TG_OP = 'DELETE' AND coalesce(to_jsonb(OLD)->>'concern_id', to_jsonb(OLD)->>'id')
     = ANY (string_to_array(coalesce(current_setting('lf.forgetting', true), ''), ',')) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION '% rows are only inserted', TG_TABLE_NAME
    USING ERRCODE = 'check_violation', CONSTRAINT = 'concerns_rows_stay';
END $$;
"""
BACK = """
CREATE OR REPLACE FUNCTION concerns_rows_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% rows are only inserted', TG_TABLE_NAME
    USING ERRCODE = 'check_violation', CONSTRAINT = 'concerns_rows_stay';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("concerns", "0002_rows_stay_and_are_scoped")]
    operations = [migrations.RunSQL(GUARD, BACK)]
