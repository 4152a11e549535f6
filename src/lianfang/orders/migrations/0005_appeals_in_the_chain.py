"""That an appeal was raised stands in the chain, like the decision about it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0005_one_sealed_row"),
        ("orders", "0004_certificate_in_the_chain"),
    ]
    operations = [
        migrations.AddField(
            model_name="appeal",
            name="entry",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.entry"
            ),
        ),
    ]
