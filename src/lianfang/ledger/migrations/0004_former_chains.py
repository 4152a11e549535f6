"""Chains that have ended, kept beside the one that continues them."""

import django.db.models.deletion
from django.db import migrations, models

STAY = """
CREATE TRIGGER former_chain_stays BEFORE UPDATE OR DELETE ON ledger_formerchain
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER former_checkpoint_stays BEFORE UPDATE OR DELETE ON ledger_formercheckpoint
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
"""
UNDO = """
DROP TRIGGER former_chain_stays ON ledger_formerchain;
DROP TRIGGER former_checkpoint_stays ON ledger_formercheckpoint;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_one_call_appends")]
    operations = [
        migrations.CreateModel(
            name="FormerChain",
            fields=[
                ("origin", models.TextField(primary_key=True, serialize=False)),
                ("vkey", models.TextField()),
                ("evidence", models.TextField(unique=True)),
                ("continued_as", models.TextField()),
                ("ended_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="FormerCheckpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("size", models.BigIntegerField()),
                ("root", models.BinaryField()),
                ("note", models.BinaryField()),
                ("signed_at", models.DateTimeField()),
                (
                    "chain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="checkpoints",
                        to="ledger.formerchain",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="formercheckpoint",
            constraint=models.UniqueConstraint(
                fields=("chain", "size"), name="former_checkpoint_is_one_per_size"
            ),
        ),
        migrations.RunSQL(STAY, UNDO),
    ]
