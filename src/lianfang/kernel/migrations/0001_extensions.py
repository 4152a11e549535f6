"""The PostgreSQL extensions every room may rely on; all three are trusted, so the owner may create them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        migrations.RunSQL(
            "CREATE EXTENSION IF NOT EXISTS ltree;"
            "CREATE EXTENSION IF NOT EXISTS btree_gist;"
            "CREATE EXTENSION IF NOT EXISTS pg_trgm;",
            migrations.RunSQL.noop,
        )
    ]
