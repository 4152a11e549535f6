"""Files of unsent rows that were brought to the desk, and who brought them."""

from django.db import migrations, models


FORWARD = """
CREATE FUNCTION gates_carriedfile_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'carried_file_stays_as_brought' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER carried_file_stays_as_brought BEFORE UPDATE OR DELETE ON gates_carriedfile
  FOR EACH ROW EXECUTE FUNCTION gates_carriedfile_stays();
"""
BACK = """
DROP TRIGGER carried_file_stays_as_brought ON gates_carriedfile;
DROP FUNCTION gates_carriedfile_stays();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('gates', '0004_signals'),
    ]

    operations = [
        migrations.CreateModel(
            name='CarriedFile',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('file_hash', models.BinaryField(unique=True)),
                ('brought_at', models.DateTimeField()),
                ('brought_by', models.UUIDField()),
                ('brought_as', models.TextField()),
                ('found', models.JSONField()),
                ('answer', models.BinaryField()),
            ],
        ),
        migrations.RunSQL(FORWARD, BACK),
    ]
