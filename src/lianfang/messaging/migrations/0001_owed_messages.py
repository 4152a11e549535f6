import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="OwedMessage",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("template", models.CharField(max_length=101)),
                ("recipient", models.UUIDField()),
                ("facts", models.JSONField()),
                ("owed_at", models.DateTimeField()),
                ("due_by", models.DateTimeField()),
                ("owed_by_organ", models.CharField(max_length=40)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["recipient", "owed_at"], name="messages_of_a_recipient"),
                    models.Index(fields=["due_by"], name="messages_by_due"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("due_by__gte", models.F("owed_at"))), name="message_due_not_before_owed"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("template__regex", "^[a-z_]{1,40}/[a-z0-9_]{1,60}$")),
                        name="message_names_its_template",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("means", models.CharField(max_length=20)),
                ("outcome", models.CharField(max_length=20)),
                ("tried_at", models.DateTimeField()),
                ("by_user", models.UUIDField()),
                ("by_organ", models.CharField(max_length=40)),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="messaging.owedmessage",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("means__in", ["page", "wechat", "sms", "call", "paper", "read_aloud"])),
                        name="attempt_by_known_means",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("outcome__in", ["delivered", "failed"])), name="attempt_has_outcome"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("outcome", "delivered")), fields=("message",), name="message_delivered_once"
                    ),
                ],
            },
        ),
    ]
