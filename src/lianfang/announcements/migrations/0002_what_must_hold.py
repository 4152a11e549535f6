"""The last word of the schema about announcements: only inserted, by different persons, numbered without a gap, each
with its own entry in the chain; a draft seen over its area alone.

The second wall reads the areas of the transaction (`lf.areas`). They are those over which the actor works with
persons; every role that drafts, reviews or signs has them, and property, guards, police and administrators have none.
"""

from django.db import migrations

_ROWS = ("announcement", "review", "publication", "supersession", "withdrawal")

FUNCTIONS = r"""
CREATE FUNCTION announcements_refuse(rule text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', rule USING ERRCODE = 'check_violation', CONSTRAINT = rule;
END $$;

CREATE FUNCTION announcements_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM announcements_refuse('announcement_stays_as_said');
  RETURN NULL;
END $$;

CREATE FUNCTION announcements_entry(wanted uuid, of text, about uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.id = wanted AND e.kind = of AND e.act_id = about) THEN
    PERFORM announcements_refuse('announcement_has_its_own_entry');
  END IF;
END $$;

CREATE FUNCTION announcements_review_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM announcements_announcement a WHERE a.id = NEW.announcement_id
                 AND a.drafted_by <> NEW.reviewed_by AND a.drafted_at <= NEW.reviewed_at) THEN
    PERFORM announcements_refuse('announcement_is_reviewed_by_another');
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION announcements_publication_holds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE a announcements_announcement; r announcements_review; last integer;
BEGIN
  SELECT * INTO a FROM announcements_announcement WHERE id = NEW.announcement_id;
  SELECT * INTO r FROM announcements_review WHERE announcement_id = NEW.announcement_id;
  IF r.approved IS NOT TRUE OR r.reviewed_at > NEW.published_at THEN
    PERFORM announcements_refuse('announcement_is_signed_after_its_review');
  END IF;
  IF r.reviewed_by = NEW.published_by THEN
    PERFORM announcements_refuse('announcement_is_signed_by_another_than_its_reviewer');
  END IF;
  IF NEW.organ <> a.organ OR NEW.starts_at <> greatest(a.starts_at, NEW.published_at)
     OR NEW.ends_at IS DISTINCT FROM a.ends_at THEN
    PERFORM announcements_refuse('announcement_holds_as_drafted');
  END IF;
  -- Two signatures of one organ queue here until the first has committed, so each sees the number before it.
  PERFORM pg_advisory_xact_lock(hashtextextended('announcements:' || NEW.organ, 0));
  SELECT coalesce(max(n), 0) INTO last FROM announcements_publication WHERE organ = NEW.organ AND year = NEW.year;
  IF NEW.n <> last + 1 OR NEW.year <> extract(year FROM NEW.published_at AT TIME ZONE 'Asia/Shanghai') THEN
    PERFORM announcements_refuse('announcement_numbers_have_no_gap');
  END IF;
  PERFORM announcements_entry(NEW.entry_id, 'announcements:announcement:published', NEW.announcement_id);
  RETURN NEW;
END $$;

CREATE FUNCTION announcements_supersession_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM announcements_publication o, announcements_publication l
                 JOIN announcements_announcement a ON a.id = l.announcement_id
                 WHERE o.announcement_id = NEW.announcement_id AND l.announcement_id = NEW.later_id
                   AND o.organ = l.organ AND NEW.announcement_id = ANY (a.supersedes)) THEN
    PERFORM announcements_refuse('announcement_is_superseded_by_its_own_organ');
  END IF;
  PERFORM announcements_entry(NEW.entry_id, 'announcements:announcement:superseded', NEW.announcement_id);
  RETURN NEW;
END $$;

CREATE FUNCTION announcements_withdrawal_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM announcements_publication p JOIN accounts_organ o ON o.code = p.organ
                 JOIN accounts_organ w ON w.code = NEW.organ
                 WHERE p.announcement_id = NEW.announcement_id AND p.published_at <= NEW.withdrawn_at
                   AND (p.ends_at IS NULL OR NEW.withdrawn_at < p.ends_at)
                   AND (w.code = o.code OR (o.area <@ w.area AND o.area <> w.area))) THEN
    PERFORM announcements_refuse('announcement_is_withdrawn_by_its_organ_or_above');
  END IF;
  PERFORM announcements_entry(NEW.entry_id, 'announcements:announcement:withdrawn', NEW.announcement_id);
  RETURN NEW;
END $$;
"""

TRIGGERS = "".join(
    f"CREATE TRIGGER announcement_stays_as_said BEFORE UPDATE OR DELETE ON announcements_{t}"
    " FOR EACH ROW EXECUTE FUNCTION announcements_stay();\n"
    for t in _ROWS
) + "".join(
    f"CREATE TRIGGER {t}_holds BEFORE INSERT ON announcements_{t}"
    f" FOR EACH ROW EXECUTE FUNCTION announcements_{t}_holds();\n"
    for t in _ROWS[1:]
)

_AREA = "area <@ ANY ((SELECT string_to_array(coalesce(current_setting('lf.areas', true), ''), ',')::ltree[])::ltree[])"

SCOPE = f"""
ALTER TABLE announcements_announcement ENABLE ROW LEVEL SECURITY;
ALTER TABLE announcements_announcement FORCE ROW LEVEL SECURITY;
CREATE POLICY announcements_announcement_scope ON announcements_announcement
  USING ({_AREA} OR EXISTS (SELECT 1 FROM announcements_publication p WHERE p.announcement_id = id))
  WITH CHECK ({_AREA});
ALTER TABLE announcements_review ENABLE ROW LEVEL SECURITY;
ALTER TABLE announcements_review FORCE ROW LEVEL SECURITY;
CREATE POLICY announcements_review_scope ON announcements_review
  USING (EXISTS (SELECT 1 FROM announcements_announcement a WHERE a.id = announcement_id));
"""


class Migration(migrations.Migration):
    dependencies = [("announcements", "0001_announcements"), ("accounts", "0004_offices_given_by_two")]
    operations = [
        # What was announced is never un-made: going back would drop what protects it while rows exist.
        migrations.RunSQL(FUNCTIONS + TRIGGERS + SCOPE, migrations.RunSQL.noop),
    ]
