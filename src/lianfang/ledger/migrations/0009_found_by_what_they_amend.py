"""Which entries name this one: asked with a proof, to say that an order was lifted since.

An entry is in the one encoding, so the hash of its prior lies at a fixed place from the end: `0a 58 20`, 32 bytes, then the
officer (35 bytes), the name of the hash (9) and the signature (66). An index over that place needs no column and is right
for entries that are there already. What it finds is parsed before it is believed (`ledger.later`).
"""

from django.db import migrations

INDEX = """
CREATE INDEX entry_by_prior ON ledger_entry (substring(data FROM octet_length(data) - 141 FOR 32))
WHERE substring(data FROM octet_length(data) - 144 FOR 3) = '\\x0a5820'::bytea
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0008_few_entries_found_by_kind")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.RunSQL(INDEX, "DROP INDEX entry_by_prior"),
    ]
