"""Texts, their reviews, publications, supersessions and withdrawals."""

import django.contrib.postgres.fields
import django.db.models.deletion
import lianfang.kernel.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('ledger', '0006_found_after_an_outage'),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name='Announcement',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('kind', models.TextField()),
                ('organ', models.TextField()),
                ('area', lianfang.kernel.fields.AreaField()),
                ('places', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                ('title', models.TextField()),
                ('title_en', models.TextField(default='')),
                ('body', models.TextField()),
                ('body_en', models.TextField(default='')),
                ('plain', models.TextField(default='')),
                ('aloud', models.TextField(default='')),
                ('basis', models.TextField()),
                ('signatory', models.TextField()),
                ('starts_at', models.DateTimeField(null=True)),
                ('ends_at', models.DateTimeField(null=True)),
                ('supersedes', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None)),
                ('drafted_at', models.DateTimeField()),
                ('drafted_by', models.UUIDField()),
                ('drafted_as', models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name='Publication',
            fields=[
                ('announcement', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='publication', serialize=False, to='announcements.announcement')),
                ('organ', models.TextField()),
                ('organ_name', models.TextField()),
                ('year', models.SmallIntegerField()),
                ('n', models.IntegerField()),
                ('number', models.TextField()),
                ('place_names', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                ('superseded_numbers', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(null=True)),
                ('text_hash', models.TextField()),
                ('published_at', models.DateTimeField()),
                ('published_by', models.UUIDField()),
                ('published_as', models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name='Review',
            fields=[
                ('announcement', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='review', serialize=False, to='announcements.announcement')),
                ('approved', models.BooleanField()),
                ('word', models.TextField(default='')),
                ('reviewed_at', models.DateTimeField()),
                ('reviewed_by', models.UUIDField()),
                ('reviewed_as', models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name='Supersession',
            fields=[
                ('announcement', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='supersession', serialize=False, to='announcements.announcement')),
            ],
        ),
        migrations.CreateModel(
            name='Withdrawal',
            fields=[
                ('announcement', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='withdrawal', serialize=False, to='announcements.announcement')),
                ('organ', models.TextField()),
                ('reason', models.TextField()),
                ('withdrawn_at', models.DateTimeField()),
                ('withdrawn_by', models.UUIDField()),
                ('withdrawn_as', models.TextField()),
            ],
        ),
        migrations.AddIndex(
            model_name='announcement',
            index=models.Index(fields=['-drafted_at'], name='announcements_by_draft'),
        ),
        migrations.AddConstraint(
            model_name='announcement',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['announcement', 'proclamation', 'notice'])), name='announcement_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='announcement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('title', ''), _negated=True), models.Q(('body', ''), _negated=True), models.Q(('basis', ''), _negated=True), models.Q(('signatory', ''), _negated=True)), name='announcement_says_what_by_which_law_and_who'),
        ),
        migrations.AddConstraint(
            model_name='announcement',
            constraint=models.CheckConstraint(condition=models.Q(('places', []), _negated=True), name='announcement_is_for_some_place'),
        ),
        migrations.AddConstraint(
            model_name='announcement',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at', None), ('starts_at', None), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='announcement_ends_after_it_begins'),
        ),
        migrations.AddConstraint(
            model_name='announcement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('title__contains', '\n'), _negated=True), models.Q(('title_en__contains', '\n'), _negated=True), models.Q(('basis__contains', '\n'), _negated=True), models.Q(('signatory__contains', '\n'), _negated=True)), name='announcement_short_fields_are_one_line'),
        ),
        migrations.AddField(
            model_name='publication',
            name='entry',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.entry'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(('approved', True), models.Q(('word', ''), _negated=True), _connector='OR'), name='review_returns_with_a_word'),
        ),
        migrations.AddField(
            model_name='supersession',
            name='entry',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.entry'),
        ),
        migrations.AddField(
            model_name='supersession',
            name='later',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='supersessions', to='announcements.publication'),
        ),
        migrations.AddField(
            model_name='withdrawal',
            name='entry',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.entry'),
        ),
        migrations.AddIndex(
            model_name='publication',
            index=models.Index(fields=['-published_at'], name='announcements_by_publication'),
        ),
        migrations.AddConstraint(
            model_name='publication',
            constraint=models.UniqueConstraint(fields=('organ', 'year', 'n'), name='announcement_number_is_given_once'),
        ),
        migrations.AddConstraint(
            model_name='publication',
            constraint=models.CheckConstraint(condition=models.Q(('starts_at__gte', models.F('published_at'))), name='announcement_begins_when_published_or_later'),
        ),
        migrations.AddConstraint(
            model_name='publication',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at', None), ('ends_at__gt', models.F('published_at')), _connector='OR'), name='announcement_is_published_before_its_end'),
        ),
        migrations.AddConstraint(
            model_name='publication',
            constraint=models.CheckConstraint(condition=models.Q(('text_hash__regex', '^[0-9a-f]{64}$')), name='announcement_hash_is_sha256'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='announcement_is_withdrawn_for_a_reason'),
        ),
    ]
