"""The evidence that is kept says that there is a fork; the column beside it was written by nobody any more."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ledger", "0009_found_by_what_they_amend")]
    operations = [migrations.RemoveField("witnessstate", "forked")]
