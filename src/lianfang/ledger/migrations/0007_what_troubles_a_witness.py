"""What a witness says and does not show, or does wrong, for the alarms: no word of its reply decides any more.

`forked` stays for the code that still runs; nothing of the new code reads it.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_found_after_an_outage")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField(
            "witnessstate",
            "trouble",
            models.TextField(
                blank=True,
                choices=[("says_fork", "Says Fork"), ("says_more", "Says More"), ("clock", "Clock")],
                db_default="",
                default="",
            ),
        ),
        migrations.AddField("witnessstate", "troubled_at", models.DateTimeField(null=True)),
        migrations.AlterField("witnessstate", "forked", models.BooleanField(db_default=False, default=False)),
    ]
