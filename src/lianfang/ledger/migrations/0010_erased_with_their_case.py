"""What entries committed to is erased with its case, by the room whose case it is: nothing is sought by its age here."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ledger", "0009_few_entries_found_by_kind")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.DeleteModel(name="ErasedUpTo"),
    ]
