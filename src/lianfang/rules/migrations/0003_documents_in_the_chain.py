"""That a document was published, and that its last day was set, stands in the chain.

What was published before has no entry and gets none: nobody signed it then. An entry that is named stays named.
"""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION rules_document_entries_stand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.published_at IS NOT NULL AND NEW.entry_id IS DISTINCT FROM OLD.entry_id)
     OR (OLD.ended_entry_id IS NOT NULL AND NEW.ended_entry_id IS DISTINCT FROM OLD.ended_entry_id)
  THEN
    RAISE EXCEPTION 'a published document does not change' USING ERRCODE = 'check_violation', CONSTRAINT = 'published_document_stands';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER rules_document_entries_stand BEFORE UPDATE ON rules_document
  FOR EACH ROW EXECUTE FUNCTION rules_document_entries_stand();
"""
BACK = """
DROP TRIGGER rules_document_entries_stand ON rules_document;
DROP FUNCTION rules_document_entries_stand();
"""


def _entry() -> models.OneToOneField:
    return models.OneToOneField(
        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.entry"
    )


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial"), ("rules", "0002_published_documents_stand")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField(model_name="document", name="entry", field=_entry()),
        migrations.AddField(model_name="document", name="ended_entry", field=_entry()),
        migrations.RunSQL(FORWARD, BACK),
    ]
