"""An export takes two persons: one asks, another agrees within a day. All three rows are only added."""

import django.db.models.deletion
from django.db import migrations, models

import lianfang.kernel.fields
import lianfang.kernel.ids

FORWARD = """
ALTER TABLE people_exportrequest ADD CONSTRAINT export_is_asked_for_a_place
    FOREIGN KEY (area) REFERENCES places_place (path) ON UPDATE CASCADE;
CREATE TRIGGER export_requests_are_only_added BEFORE DELETE OR UPDATE OF id, purpose, asked_at, asked_by, organ, pseudonym
    ON people_exportrequest FOR EACH ROW EXECUTE FUNCTION people_exports_only_added();
CREATE TRIGGER export_consents_are_only_added BEFORE UPDATE OR DELETE ON people_exportconsent
    FOR EACH ROW EXECUTE FUNCTION people_exports_only_added();
CREATE FUNCTION people_export_takes_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM people_exportrequest r WHERE r.id = NEW.request_id
               AND (r.asked_by = NEW."by" OR NEW.at >= r.asked_at + interval '1 day')) THEN
        RAISE EXCEPTION 'an_export_takes_two_within_a_day' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER an_export_takes_two BEFORE INSERT ON people_exportconsent
    FOR EACH ROW EXECUTE FUNCTION people_export_takes_two();
CREATE FUNCTION people_export_was_agreed_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM people_exportconsent c JOIN people_exportrequest r ON r.id = c.request_id
                   WHERE r.id = NEW.id AND r.asked_by = NEW."user" AND NEW.at < r.asked_at + interval '1 day') THEN
        RAISE EXCEPTION 'an_export_was_agreed_to' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER an_export_was_agreed_to BEFORE INSERT ON people_export
    FOR EACH ROW EXECUTE FUNCTION people_export_was_agreed_to();
"""
BACK = """
DROP TRIGGER an_export_was_agreed_to ON people_export;
DROP FUNCTION people_export_was_agreed_to();
DROP TRIGGER an_export_takes_two ON people_exportconsent;
DROP FUNCTION people_export_takes_two();
DROP TRIGGER export_consents_are_only_added ON people_exportconsent;
DROP TRIGGER export_requests_are_only_added ON people_exportrequest;
ALTER TABLE people_exportrequest DROP CONSTRAINT export_is_asked_for_a_place;
"""


class Migration(migrations.Migration):
    dependencies = [("people", "0004_hourly_digests")]

    operations = [
        migrations.CreateModel(
            name="ExportRequest",
            fields=[
                (
                    "id",
                    models.UUIDField(default=lianfang.kernel.ids.new_id, primary_key=True, serialize=False),
                ),
                ("area", lianfang.kernel.fields.AreaField()),
                ("purpose", models.CharField(max_length=200)),
                ("asked_at", models.DateTimeField()),
                ("asked_by", models.UUIDField()),
                ("organ", models.CharField(max_length=60)),
                ("pseudonym", models.CharField(max_length=60)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=~models.Q(purpose=""), name="an_export_is_asked_for_a_purpose"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ExportConsent",
            fields=[
                (
                    "request",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="consent",
                        serialize=False,
                        to="people.exportrequest",
                    ),
                ),
                ("at", models.DateTimeField()),
                ("by", models.UUIDField()),
                ("organ", models.CharField(max_length=60)),
                ("pseudonym", models.CharField(max_length=60)),
            ],
        ),
        migrations.RunSQL(FORWARD, BACK),
    ]
