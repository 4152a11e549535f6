
import django.db.models.deletion
import lianfang.kernel.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ("kernel", "0001_extensions"),
    ]

    operations = [
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('data', models.BinaryField()),
                ('leaf_hash', models.BinaryField(unique=True)),
                ('kind', models.TextField()),
                ('act_id', models.UUIDField(db_index=True)),
                ('organ', models.TextField()),
                ('scope', lianfang.kernel.fields.AreaField()),
                ('appended_at', models.DateTimeField()),
                ('idx', models.BigIntegerField(null=True, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name='Checkpoint',
            fields=[
                ('size', models.BigIntegerField(primary_key=True, serialize=False)),
                ('root', models.BinaryField()),
                ('note', models.BinaryField()),
                ('signed_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Cosignature',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('witness', models.TextField()),
                ('line', models.TextField()),
                ('cosigned_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Disclosure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.SmallIntegerField()),
                ('sealed', models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name='OrganKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('organ', models.TextField()),
                ('vkey', models.TextField(unique=True)),
                ('announced_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Tree',
            fields=[
                ('id', models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('size', models.BigIntegerField(default=0)),
                ('suspended', models.TextField(default='')),
                ('suspended_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='WitnessState',
            fields=[
                ('witness', models.TextField(primary_key=True, serialize=False)),
                ('held_size', models.BigIntegerField(default=0)),
                ('answer', models.TextField(choices=[('cosigned', 'Cosigned'), ('behind', 'Behind'), ('refused', 'Refused'), ('silent', 'Silent'), ('ahead', 'Ahead')])),
                ('detail', models.TextField(default='')),
                ('asked_at', models.DateTimeField()),
                ('cosigned_at', models.DateTimeField(null=True)),
                ('forked', models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name='CaseKey',
            fields=[
                ('entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, serialize=False, to='ledger.entry')),
                ('sealed', models.BinaryField()),
            ],
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(condition=models.Q(('idx__isnull', True)), fields=['id'], name='entry_unsequenced'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.CheckConstraint(condition=models.Q(('idx__isnull', True), ('idx__gte', 0), _connector='OR'), name='entry_index_is_a_natural_number'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.CheckConstraint(condition=models.Q(('data__length__lte', 4096)), name='entry_holds_at_most_4096_bytes'),
        ),
        migrations.AddConstraint(
            model_name='checkpoint',
            constraint=models.CheckConstraint(condition=models.Q(('root__length', 32)), name='checkpoint_root_has_32_bytes'),
        ),
        migrations.AddField(
            model_name='cosignature',
            name='checkpoint',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='cosignatures', to='ledger.checkpoint'),
        ),
        migrations.AddField(
            model_name='disclosure',
            name='entry',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='disclosures', to='ledger.entry'),
        ),
        migrations.AddField(
            model_name='organkey',
            name='entry',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='ledger.entry'),
        ),
        migrations.AddConstraint(
            model_name='tree',
            constraint=models.CheckConstraint(condition=models.Q(('id', 1)), name='tree_is_one'),
        ),
        migrations.AddConstraint(
            model_name='tree',
            constraint=models.CheckConstraint(condition=models.Q(('size__gte', 0)), name='tree_size_is_a_natural_number'),
        ),
        migrations.AddConstraint(
            model_name='cosignature',
            constraint=models.UniqueConstraint(fields=('checkpoint', 'witness'), name='cosignature_is_one_per_witness'),
        ),
        migrations.AddConstraint(
            model_name='disclosure',
            constraint=models.UniqueConstraint(fields=('entry', 'position'), name='disclosure_is_one_per_position'),
        ),
    ]
