"""How far a device has written by its own word, and how many of its missing rows an explanation spoke for."""

from django.db import migrations, models

#: What was explained before spoke for all that was missing then.
EXPLAINED = """
UPDATE gates_device d SET explained_count = c.highest_seq - c.stored
FROM gates_contact c WHERE c.device_id = d.id AND d.missing_explained <> '';
"""


class Migration(migrations.Migration):
    dependencies = [("gates", "0009_tickets")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField("contact", "last_seq", models.BigIntegerField(default=0, db_default=0)),
        migrations.AddField("device", "explained_count", models.BigIntegerField(default=0, db_default=0)),
        migrations.RunSQL(EXPLAINED, migrations.RunSQL.noop),
    ]
