"""The guard against storing a passage twice is a row for each batch, not for each passage.

A front that still runs with the old code answers uploads with 503 until it is started anew; devices keep what has no
receipt and ask again.
"""

from django.db import migrations

#: Numbers of one batch that follow one another become one range.
FORWARDS = """
SET LOCAL lock_timeout = '5s';
DROP TABLE gates_passage_key;
CREATE TABLE gates_passage_key (
  device uuid NOT NULL,
  seqs int8range NOT NULL,
  received_at timestamptz NOT NULL,
  CONSTRAINT passage_is_stored_once EXCLUDE USING gist (device WITH =, seqs WITH &&)
);
CREATE TRIGGER passage_key_stays_as_received BEFORE UPDATE ON gates_passage_key
  FOR EACH ROW EXECUTE FUNCTION gates_rows_stay();
INSERT INTO gates_passage_key
SELECT device, int8range(min(seq), max(seq), '[]'), received_at FROM (
  SELECT device, seq, received_at,
         seq - row_number() OVER (PARTITION BY device, received_at ORDER BY seq) AS run
  FROM gates_passage
) AS numbered GROUP BY device, received_at, run;

CREATE TEMPORARY TABLE waiting ON COMMIT DROP AS
SELECT device, gate, int8range(min(seq), max(seq), '[]') AS seqs, received_at FROM (
  SELECT id, device, gate, received_at, seq,
         seq - row_number() OVER (PARTITION BY id ORDER BY seq) AS run
  FROM gates_untallied, unnest(seqs) AS seq
) AS numbered GROUP BY id, device, gate, received_at, run;
DELETE FROM gates_untallied;
ALTER TABLE gates_untallied DROP COLUMN seqs;
ALTER TABLE gates_untallied ADD COLUMN seqs int8range NOT NULL;
INSERT INTO gates_untallied (device, gate, seqs, received_at) SELECT device, gate, seqs, received_at FROM waiting;
"""


class Migration(migrations.Migration):
    dependencies = [("gates", "0007_fork_signals")]
    operations = [migrations.RunSQL(FORWARDS)]
