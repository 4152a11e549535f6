"""A gate tells of a guard who is not on its list and was admitted by somebody, with a reason."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gates", "0015_closed_posts_and_overrides")]

    operations = [
        migrations.RemoveConstraint(model_name="signal", name="signal_kind_is_known"),
        migrations.AddConstraint(
            model_name="signal",
            constraint=models.CheckConstraint(
                name="signal_kind_is_known",
                condition=models.Q(kind__in=["help", "handover", "list_old", "fork", "admitted", "unopened"]),
            ),
        ),
    ]
