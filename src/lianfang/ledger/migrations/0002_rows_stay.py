"""Refuse what would rewrite the chain, in the database itself."""

from django.db import migrations

GUARDS = """
ALTER TABLE ledger_entry ADD CONSTRAINT entry_leaf_is_the_hash_of_its_bytes
    CHECK (leaf_hash = sha256('\\x00'::bytea || data));

CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: its rows stay as they are', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

-- The only change an entry ever sees: the sequencer gives it its index, once.
CREATE FUNCTION ledger_entry_gets_its_index_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.idx IS NOT NULL OR NEW.idx IS NULL
       OR (to_jsonb(NEW) - 'idx') IS DISTINCT FROM (to_jsonb(OLD) - 'idx') THEN
        RAISE EXCEPTION 'an entry is only ever given its index' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER entry_gets_its_index_once BEFORE UPDATE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_entry_gets_its_index_once();
CREATE TRIGGER entry_stays BEFORE DELETE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER checkpoint_stays BEFORE UPDATE OR DELETE ON ledger_checkpoint
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER cosignature_stays BEFORE UPDATE OR DELETE ON ledger_cosignature
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER organ_key_stays BEFORE UPDATE OR DELETE ON ledger_organkey
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();

CREATE FUNCTION ledger_tree_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.size < OLD.size THEN
        RAISE EXCEPTION 'the tree only grows' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tree_only_grows BEFORE UPDATE OR DELETE ON ledger_tree
    FOR EACH ROW EXECUTE FUNCTION ledger_tree_only_grows();

-- Disclosures and their keys are never changed, and deleted by the act of erasure only, which names its entry.
CREATE FUNCTION ledger_erased_by_its_act() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR current_setting('lf.erasing', true) IS DISTINCT FROM OLD.entry_id::text THEN
        RAISE EXCEPTION 'a disclosure goes by the act of erasure only' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER disclosure_erased_by_its_act BEFORE UPDATE OR DELETE ON ledger_disclosure
    FOR EACH ROW EXECUTE FUNCTION ledger_erased_by_its_act();
CREATE TRIGGER case_key_erased_by_its_act BEFORE UPDATE OR DELETE ON ledger_casekey
    FOR EACH ROW EXECUTE FUNCTION ledger_erased_by_its_act();

-- Databases of the test suite, whose names begin with test_, are emptied between tests; no other one is.
CREATE FUNCTION ledger_refuse_emptying() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_database() NOT LIKE 'test\\_%' THEN
        RAISE EXCEPTION 'emptying % is refused', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER entry_is_not_emptied BEFORE TRUNCATE ON ledger_entry
    EXECUTE FUNCTION ledger_refuse_emptying();
CREATE TRIGGER checkpoint_is_not_emptied BEFORE TRUNCATE ON ledger_checkpoint
    EXECUTE FUNCTION ledger_refuse_emptying();
CREATE TRIGGER cosignature_is_not_emptied BEFORE TRUNCATE ON ledger_cosignature
    EXECUTE FUNCTION ledger_refuse_emptying();
CREATE TRIGGER tree_is_not_emptied BEFORE TRUNCATE ON ledger_tree
    EXECUTE FUNCTION ledger_refuse_emptying();
CREATE TRIGGER disclosure_is_not_emptied BEFORE TRUNCATE ON ledger_disclosure
    EXECUTE FUNCTION ledger_refuse_emptying();
"""

UNDO = """
DROP FUNCTION ledger_refuse, ledger_entry_gets_its_index_once, ledger_tree_only_grows,
    ledger_erased_by_its_act, ledger_refuse_emptying CASCADE;
ALTER TABLE ledger_entry DROP CONSTRAINT entry_leaf_is_the_hash_of_its_bytes;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunSQL(GUARDS, UNDO)]
