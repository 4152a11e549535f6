"""What is still to be counted stands in gates_untallied; a number per device cannot say it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("gates", "0002_passages")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.RemoveField(model_name="contact", name="tallied_seq"),
    ]
