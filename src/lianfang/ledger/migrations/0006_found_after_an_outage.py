"""Where a witness came to, and what was signed before an instant, are found without looking through all there is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_one_sealed_row")]
    operations = [
        migrations.AddIndex(
            model_name="checkpoint",
            index=models.Index(fields=["signed_at"], name="checkpoint_by_instant"),
        ),
        migrations.AddIndex(
            model_name="cosignature",
            index=models.Index(fields=["witness", "checkpoint"], name="cosignature_by_witness"),
        ),
    ]
