"""Reports are only inserted, and only seen by those whose area or person they belong to."""

from django.db import migrations

_TABLES = ("concerns_arrivalreport", "concerns_symptomreport", "concerns_personofconcern", "concerns_concerndecision")
_SCOPED = _TABLES[:3]

FORWARD = """
CREATE FUNCTION concerns_rows_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% rows are only inserted', TG_TABLE_NAME
    USING ERRCODE = 'check_violation', CONSTRAINT = 'concerns_rows_stay';
END $$;
""" + "".join(
    f"""
CREATE TRIGGER rows_stay BEFORE UPDATE OR DELETE ON {t} FOR EACH ROW EXECUTE FUNCTION concerns_rows_stay();
ALTER TABLE {t} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {t} FORCE ROW LEVEL SECURITY;
"""
    for t in _TABLES
) + "".join(
    f"""
CREATE POLICY {t}_scope ON {t} USING (
  area <@ ANY ((SELECT string_to_array(coalesce(current_setting('lf.areas', true), ''), ',')::ltree[])::ltree[])
  OR person_id = ANY ((SELECT string_to_array(coalesce(current_setting('lf.persons', true), ''), ',')::uuid[])::uuid[])
);
"""
    for t in _SCOPED
) + """
CREATE POLICY concerns_concerndecision_scope ON concerns_concerndecision USING (
  EXISTS (SELECT 1 FROM concerns_personofconcern c WHERE c.id = concern_id)
);
"""
BACK = "".join(
    f"DROP POLICY {t}_scope ON {t}; ALTER TABLE {t} NO FORCE ROW LEVEL SECURITY;"
    f"ALTER TABLE {t} DISABLE ROW LEVEL SECURITY; DROP TRIGGER rows_stay ON {t};"
    for t in reversed(_TABLES)
) + "DROP FUNCTION concerns_rows_stay();"


class Migration(migrations.Migration):
    dependencies = [("concerns", "0001_reports"), ("kernel", "0001_extensions")]
    operations = [migrations.RunSQL(FORWARD, BACK)]
