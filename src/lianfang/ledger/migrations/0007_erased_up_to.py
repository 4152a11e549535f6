"""What is to be erased by its term is found by its instant, from where the last hour came to."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_found_after_an_outage")]
    operations = [
        migrations.CreateModel(
            name="ErasedUpTo",
            fields=[
                ("room", models.TextField(primary_key=True, serialize=False)),
                ("before", models.DateTimeField()),
            ],
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["appended_at"], name="entry_by_instant"),
        ),
    ]
