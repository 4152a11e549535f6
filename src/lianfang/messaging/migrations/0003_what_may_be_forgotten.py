"""Messages about a case go with it, by one act that names it; otherwise rows stay as before."""

from django.db import migrations

GUARD = """
CREATE OR REPLACE FUNCTION messaging_rows_stay() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  -- What the act names, and only until its transaction ends.
  named text[] := string_to_array(coalesce(current_setting('lf.forgetting', true), ''), ',');
  about jsonb;
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF TG_TABLE_NAME = 'messaging_attempt' THEN
      SELECT facts INTO about FROM messaging_owedmessage WHERE id = (to_jsonb(OLD)->>'message_id')::uuid;
    ELSE
      about := to_jsonb(OLD)->'facts';
    END IF;
    IF EXISTS (SELECT 1 FROM jsonb_each_text(about) fact WHERE fact.value = ANY (named)) THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION '% rows are only inserted', TG_TABLE_NAME
    USING ERRCODE = 'check_violation', CONSTRAINT = 'messaging_rows_stay';
END $$;
"""
BACK = """
CREATE OR REPLACE FUNCTION messaging_rows_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% rows are only inserted', TG_TABLE_NAME
    USING ERRCODE = 'check_violation', CONSTRAINT = 'messaging_rows_stay';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("messaging", "0002_rows_stay_and_hold_ids")]
    operations = [migrations.RunSQL(GUARD, BACK)]
