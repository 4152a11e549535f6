"""Append by one call: three inserts in one round trip, planned once for each connection."""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION ledger_append(
    frees boolean, new_id uuid, data bytea, leaf bytea, kind text, act uuid, organ text, scope ltree,
    at timestamptz, sealed_key bytea, positions smallint[], sealed bytea[]
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    -- A restored older database refuses what restricts (L-6); what frees is taken, come what may (O-9).
    IF NOT frees AND EXISTS (SELECT 1 FROM ledger_tree WHERE suspended <> '') THEN
        RETURN false;
    END IF;
    INSERT INTO ledger_entry (id, data, leaf_hash, kind, act_id, organ, scope, appended_at)
        VALUES (new_id, data, leaf, kind, act, organ, scope, at);
    INSERT INTO ledger_casekey (entry_id, sealed) VALUES (new_id, sealed_key);
    FOR n IN 1 .. cardinality(positions) LOOP
        INSERT INTO ledger_disclosure (entry_id, position, sealed) VALUES (new_id, positions[n], sealed[n]);
    END LOOP;
    RETURN true;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_rows_stay")]
    operations = [migrations.RunSQL(FUNCTION, "DROP FUNCTION ledger_append")]
