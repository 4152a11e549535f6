"""Passages by day of receipt, and the key that makes each of them one row for ever."""

from django.db import migrations

FORWARD = """
SET LOCAL lock_timeout = '5s';
CREATE TABLE gates_passage (
  device uuid NOT NULL,
  seq bigint NOT NULL CONSTRAINT passage_is_numbered_from_one CHECK (seq >= 1),
  gate uuid NOT NULL,
  received_at timestamptz NOT NULL,
  sealed bytea NOT NULL
) PARTITION BY RANGE (received_at);
-- Rows of one batch share the instant, so a block range index finds a batch and costs an insert nothing.
CREATE INDEX gates_passage_received ON gates_passage USING brin (received_at);
-- Whatever arrives on a day for which no partition was made: nothing is lost, keep() warns.
CREATE TABLE gates_passage_other PARTITION OF gates_passage DEFAULT;
CREATE TABLE gates_passage_key (
  device uuid NOT NULL,
  seq bigint NOT NULL,
  hash bytea NOT NULL CONSTRAINT passage_hash_is_a_sha256 CHECK (length(hash) = 32),
  received_on date NOT NULL,
  PRIMARY KEY (device, seq)
);
CREATE TABLE gates_untallied (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  device uuid NOT NULL,
  gate uuid NOT NULL,
  seqs bigint[] NOT NULL,
  received_at timestamptz NOT NULL
);
CREATE FUNCTION gates_rows_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'passage_stays_as_received' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER passage_stays_as_received BEFORE UPDATE OR DELETE ON gates_passage
  FOR EACH ROW EXECUTE FUNCTION gates_rows_stay();
CREATE TRIGGER passage_key_stays_as_received BEFORE UPDATE ON gates_passage_key
  FOR EACH ROW EXECUTE FUNCTION gates_rows_stay();
CREATE FUNCTION gates_conflict_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.device_id, NEW.seq, NEW.row_hash, NEW.sealed, NEW.received_at)
     IS DISTINCT FROM (OLD.device_id, OLD.seq, OLD.row_hash, OLD.sealed, OLD.received_at) THEN
    RAISE EXCEPTION 'conflict_stays_as_received' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER conflict_stays_as_received BEFORE UPDATE ON gates_conflict
  FOR EACH ROW EXECUTE FUNCTION gates_conflict_stays();
"""

BACK = """
DROP TRIGGER conflict_stays_as_received ON gates_conflict;
DROP TABLE gates_untallied;
DROP TABLE gates_passage_key;
DROP TABLE gates_passage;
DROP FUNCTION gates_conflict_stays();
DROP FUNCTION gates_rows_stay();
"""


class Migration(migrations.Migration):
    dependencies = [("gates", "0001_tables")]
    operations = [migrations.RunSQL(FORWARD, BACK)]
