"""The chain asks its own entries of two kinds at every page that shows a proof; they are few among millions."""

from django.db import migrations, models
from django.db.models import Q

KINDS = ("ledger:policy:changed", "ledger:origin:continued")


class Migration(migrations.Migration):
    dependencies = [("ledger", "0007_what_troubles_a_witness")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddIndex(
            "entry",
            models.Index(name="entry_of_the_chain_itself", fields=["kind"], condition=Q(kind__in=KINDS)),
        ),
    ]
