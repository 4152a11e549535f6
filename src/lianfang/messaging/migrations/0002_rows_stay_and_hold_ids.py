"""Messages and attempts are only inserted; the facts of a message are ids and codes, also past the act."""

from django.db import migrations

_TABLES = ("messaging_owedmessage", "messaging_attempt")

FORWARD = """
CREATE FUNCTION messaging_rows_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% rows are only inserted', TG_TABLE_NAME
    USING ERRCODE = 'check_violation', CONSTRAINT = 'messaging_rows_stay';
END $$;
""" + "".join(
    f"CREATE TRIGGER rows_stay BEFORE UPDATE OR DELETE ON {t} FOR EACH ROW EXECUTE FUNCTION messaging_rows_stay();\n"
    for t in _TABLES
) + r"""
ALTER TABLE messaging_owedmessage ADD CONSTRAINT message_facts_are_ids CHECK (
  jsonb_typeof(facts) = 'object'
  AND NOT jsonb_path_exists(facts, 'strict $.* ? (@.type() != "string")')
  AND NOT jsonb_path_exists(facts, 'strict $.* ? (!(@ like_regex "^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$"))')
  AND NOT jsonb_path_exists(facts, 'strict $.* ? (@ like_regex "^[0-9]{7,}[Xx]?$")')
);
"""
BACK = (
    "ALTER TABLE messaging_owedmessage DROP CONSTRAINT message_facts_are_ids;"
    + "".join(f"DROP TRIGGER rows_stay ON {t};" for t in reversed(_TABLES))
    + "DROP FUNCTION messaging_rows_stay();"
)


class Migration(migrations.Migration):
    dependencies = [("messaging", "0001_owed_messages")]
    operations = [migrations.RunSQL(FORWARD, BACK)]
