"""An entry's disclosures stand in one row: three rows an act, instead of one for each field more, and two checks.

The pieces stay sealed as they are and are put one behind the other, so no key is needed here.
"""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

GATHER = """
INSERT INTO ledger_disclosures (entry_id, sealed)
SELECT entry_id,
       string_agg(int2send(position) || int4send(octet_length(sealed)) || sealed, ''::bytea ORDER BY position)
FROM ledger_disclosure GROUP BY entry_id;
SET CONSTRAINTS ALL IMMEDIATE;  -- what is still to be checked would keep the tables from being altered
"""

SPREAD = """
DO $$
DECLARE
    row record;
    at integer;
    width integer;
BEGIN
    FOR row IN SELECT entry_id, sealed FROM ledger_disclosures LOOP
        at := 1;
        WHILE at <= octet_length(row.sealed) LOOP
            width := ('x' || encode(substr(row.sealed, at + 2, 4), 'hex'))::bit(32)::integer;
            INSERT INTO ledger_disclosure (entry_id, position, sealed) VALUES (
                row.entry_id,
                -- two bytes, signed
                (('x' || encode(substr(row.sealed, at, 2), 'hex'))::bit(16)::integer + 32768) % 65536 - 32768,
                substr(row.sealed, at + 6, width)
            );
            at := at + 6 + width;
        END LOOP;
    END LOOP;
END $$;
SET CONSTRAINTS ALL IMMEDIATE;
"""

GUARD = """
CREATE TRIGGER disclosures_erased_by_its_act BEFORE UPDATE OR DELETE ON ledger_disclosures
    FOR EACH ROW EXECUTE FUNCTION ledger_erased_by_its_act();
CREATE TRIGGER disclosures_are_not_emptied BEFORE TRUNCATE ON ledger_disclosures
    EXECUTE FUNCTION ledger_refuse_emptying();
"""

UNGUARD = """
DROP TRIGGER disclosures_erased_by_its_act ON ledger_disclosures;
DROP TRIGGER disclosures_are_not_emptied ON ledger_disclosures;
CREATE TRIGGER disclosure_erased_by_its_act BEFORE UPDATE OR DELETE ON ledger_disclosure
    FOR EACH ROW EXECUTE FUNCTION ledger_erased_by_its_act();
CREATE TRIGGER disclosure_is_not_emptied BEFORE TRUNCATE ON ledger_disclosure
    EXECUTE FUNCTION ledger_refuse_emptying();
"""

FUNCTION = """
DROP FUNCTION ledger_append(
    boolean, uuid, bytea, bytea, text, uuid, text, ltree, timestamptz, bytea, smallint[], bytea[]
);
CREATE FUNCTION ledger_append(
    frees boolean, new_id uuid, data bytea, leaf bytea, kind text, act uuid, organ text, scope ltree,
    at timestamptz, sealed_key bytea, sealed bytea
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    -- A restored older database refuses what restricts (L-6); what frees is taken, come what may (O-9).
    IF NOT frees AND EXISTS (SELECT 1 FROM ledger_tree WHERE suspended <> '') THEN
        RETURN false;
    END IF;
    INSERT INTO ledger_entry (id, data, leaf_hash, kind, act_id, organ, scope, appended_at)
        VALUES (new_id, data, leaf, kind, act, organ, scope, at);
    INSERT INTO ledger_casekey (entry_id, sealed) VALUES (new_id, sealed_key);
    INSERT INTO ledger_disclosures (entry_id, sealed) VALUES (new_id, sealed);
    RETURN true;
END $$;
"""

OLD_FUNCTION = (
    "DROP FUNCTION ledger_append(boolean, uuid, bytea, bytea, text, uuid, text, ltree, timestamptz, bytea, bytea);"
    + import_module("lianfang.ledger.migrations.0003_one_call_appends").FUNCTION
)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_former_chains")]
    operations = [
        migrations.CreateModel(
            name="Disclosures",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        serialize=False,
                        to="ledger.entry",
                    ),
                ),
                ("sealed", models.BinaryField()),
            ],
        ),
        migrations.RunSQL(GATHER, SPREAD),
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.DeleteModel(name="Disclosure"),
        migrations.RunSQL(FUNCTION, OLD_FUNCTION),
    ]
