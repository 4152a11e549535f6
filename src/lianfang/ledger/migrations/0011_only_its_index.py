"""The guard over an entry's index compares rows; as JSON, which it made of both, that took half of the sequencer's time."""

from django.db import migrations

GUARD = """
CREATE OR REPLACE FUNCTION ledger_entry_gets_its_index_once() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before ledger_entry := NEW;
BEGIN
    before.idx := NULL;
    IF NEW.idx IS NULL OR OLD IS DISTINCT FROM before THEN
        RAISE EXCEPTION 'an entry is only ever given its index' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
"""

OLD_GUARD = """
CREATE OR REPLACE FUNCTION ledger_entry_gets_its_index_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.idx IS NOT NULL OR NEW.idx IS NULL
       OR (to_jsonb(NEW) - 'idx') IS DISTINCT FROM (to_jsonb(OLD) - 'idx') THEN
        RAISE EXCEPTION 'an entry is only ever given its index' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0010_evidence_says_it")]
    operations = [migrations.RunSQL(GUARD, OLD_GUARD)]
