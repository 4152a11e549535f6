"""What the schema holds about published documents: no overlap at one level, no change after publication."""

from django.db import migrations

FORWARD = """
ALTER TABLE rules_document ADD CONSTRAINT documents_of_one_level_do_not_overlap
  EXCLUDE USING gist (
    kind WITH =, disease WITH =, subject WITH =, jurisdiction WITH =,
    daterange(effective_from, effective_to, '[]') WITH &&
  ) WHERE (published_at IS NOT NULL);

CREATE FUNCTION rules_document_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.published_at IS NOT NULL THEN
      RAISE EXCEPTION 'a published document stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'published_document_stands';
    END IF;
    RETURN OLD;
  END IF;
  IF OLD.published_at IS NULL THEN
    RETURN NEW;
  END IF;
  IF (NEW.id, NEW.kind, NEW.disease, NEW.subject, NEW.jurisdiction, NEW.version, NEW.effective_from, NEW.title,
      NEW.document_no, NEW.source, NEW.demonstration, NEW.content, NEW.drafted_by, NEW.drafted_at,
      NEW.published_by, NEW.published_at)
     IS DISTINCT FROM
     (OLD.id, OLD.kind, OLD.disease, OLD.subject, OLD.jurisdiction, OLD.version, OLD.effective_from, OLD.title,
      OLD.document_no, OLD.source, OLD.demonstration, OLD.content, OLD.drafted_by, OLD.drafted_at,
      OLD.published_by, OLD.published_at)
     OR (OLD.effective_to IS NOT NULL AND NEW.effective_to IS DISTINCT FROM OLD.effective_to)
     OR (OLD.verified_by <> '' AND (NEW.verified_by, NEW.verified_on) IS DISTINCT FROM (OLD.verified_by, OLD.verified_on))
  THEN
    RAISE EXCEPTION 'a published document does not change' USING ERRCODE = 'check_violation', CONSTRAINT = 'published_document_stands';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER rules_document_stands BEFORE UPDATE OR DELETE ON rules_document
  FOR EACH ROW EXECUTE FUNCTION rules_document_stands();
"""
BACK = """
DROP TRIGGER rules_document_stands ON rules_document;
DROP FUNCTION rules_document_stands();
ALTER TABLE rules_document DROP CONSTRAINT documents_of_one_level_do_not_overlap;
"""


class Migration(migrations.Migration):
    dependencies = [("rules", "0001_documents"), ("kernel", "0001_extensions")]
    operations = [migrations.RunSQL(FORWARD, BACK)]
