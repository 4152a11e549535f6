"""A gate tells of a chain that shows it two stories."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gates", "0006_rule_acts")]

    operations = [
        migrations.RemoveConstraint(model_name="signal", name="signal_kind_is_known"),
        migrations.AddConstraint(
            model_name="signal",
            constraint=models.CheckConstraint(
                name="signal_kind_is_known",
                condition=models.Q(kind__in=["help", "handover", "list_old", "fork", "unopened"]),
            ),
        ),
    ]
