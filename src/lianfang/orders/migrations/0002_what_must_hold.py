"""The last word of the schema about orders: only inserted, competent, capped, present, numbered, scoped.

Functions that judge an insert see all rows whatever the scope of the transaction: a cap counts persons the
officer may not see. They say so by `lf.checking`, which the policies of this room admit for reading, and put
back what was there; an error takes it back with the transaction. (A SET clause of the function would be
clearer, but only a superuser may give one.)
"""

from django.db import migrations

_PERSON_TABLES = ("orders_isolationproposal", "orders_isolationorder")
_OF_ORDER = (
    "orders_lift", "orders_serving", "orders_careneed", "orders_appeal", "orders_releasecheck", "orders_releasenotice",
    "orders_endseen",
)
_OF_OTHER = {
    "orders_proposalrefusal": ("orders_isolationproposal", "proposal_id"),
    "orders_secondsignature": ("orders_isolationproposal", "proposal_id"),
    "orders_carearrangement": ("orders_careneed", "need_id"),
    "orders_appealdecision": ("orders_appeal", "appeal_id"),
}
_SCOPED = (*_PERSON_TABLES, *_OF_ORDER, *_OF_OTHER)
_OPEN = ("orders_boardsheet", "orders_takedown", "orders_change")

FUNCTIONS = r"""
CREATE SEQUENCE orders_number_seq MAXVALUE 999999 CYCLE;
CREATE TABLE orders_counter (only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one), n bigint NOT NULL);
INSERT INTO orders_counter (n) VALUES (0);

CREATE FUNCTION orders_refuse(rule text, message text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%: %', rule, message USING ERRCODE = 'check_violation', CONSTRAINT = rule;
END $$;

-- O-3, O-4: rows of legal effect are only inserted.
CREATE FUNCTION orders_rows_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM orders_refuse('orders_rows_stay', TG_TABLE_NAME || ' rows are only inserted');
  RETURN NULL;
END $$;

CREATE FUNCTION orders_legal_day(at timestamptz) RETURNS date IMMUTABLE LANGUAGE sql AS
$$ SELECT (at AT TIME ZONE 'Asia/Shanghai')::date $$;

-- The document in force for a community on a day: most specific jurisdiction, then the latest (domain.md §4).
CREATE FUNCTION orders_document(wanted text, about text, community ltree, day date) RETURNS rules_document
STABLE LANGUAGE sql AS $$
  SELECT d.* FROM rules_document d JOIN rules_incident i ON i.ended_on IS NULL AND i.disease = d.disease
  WHERE d.kind = wanted AND d.subject = about AND d.published_at IS NOT NULL
    AND d.effective_from <= day AND (d.effective_to IS NULL OR d.effective_to >= day)
    AND (d.jurisdiction = 'CN' OR substr(ltree2text(subpath(community, -1, 1)), 2) LIKE d.jurisdiction || '%')
  ORDER BY (d.jurisdiction = 'CN'), length(d.jurisdiction) DESC, d.effective_from DESC LIMIT 1
$$;

CREATE FUNCTION orders_term(c jsonb, anchor timestamptz) RETURNS timestamptz IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE c->>'release_at'
    WHEN 'same_hour' THEN anchor + make_interval(hours => 24 * (c->>'days')::int)
    ELSE ((anchor AT TIME ZONE 'Asia/Shanghai')::date + (c->>'days')::int
      + CASE WHEN c->>'anchor_counts_as' = '1' OR (anchor AT TIME ZONE 'Asia/Shanghai')::time = '00:00' THEN 0 ELSE 1 END
    )::timestamp AT TIME ZONE 'Asia/Shanghai' END
$$;

-- O-5: the time restricted in the chain to which a period belongs; lifts shorten what was.
CREATE FUNCTION orders_chained(who uuid, start_at timestamptz, end_at timestamptz, gap interval) RETURNS interval
STABLE LANGUAGE plpgsql AS $$
DECLARE prior text := coalesce(current_setting('lf.checking', true), ''); p record; total interval := '0'; covered timestamptz; holds boolean := false;
BEGIN
  PERFORM set_config('lf.checking', 'orders', true);
  FOR p IN
    SELECT s, e, mine FROM (
      SELECT o.starts_at AS s, least(o.ends_at, l.signed_at) AS e, false AS mine
      FROM orders_isolationorder o LEFT JOIN orders_lift l ON l.order_id = o.id WHERE o.person_id = who
      UNION ALL SELECT start_at, end_at, true) AS periods
    WHERE e > s ORDER BY s, e
  LOOP
    IF covered IS NULL OR p.s - covered > gap THEN
      EXIT WHEN holds;
      total := p.e - p.s; covered := p.e;
    ELSE
      IF p.e > covered THEN total := total + (p.e - greatest(p.s, covered)); covered := p.e; END IF;
    END IF;
    holds := holds OR p.mine;
  END LOOP;
  PERFORM set_config('lf.checking', prior, true);
  RETURN total;
END $$;

-- O-7: other persons whom an officer ordered within 24 hours of an instant: without a second signer, and in all.
CREATE FUNCTION orders_issued_around(officer uuid, instant timestamptz, but_not uuid, OUT alone bigint, OUT everybody bigint)
STABLE LANGUAGE plpgsql AS $$
DECLARE prior text := coalesce(current_setting('lf.checking', true), '');
BEGIN
  PERFORM set_config('lf.checking', 'orders', true);
  SELECT count(DISTINCT person_id) FILTER (WHERE second_id IS NULL), count(DISTINCT person_id) INTO alone, everybody
  FROM orders_isolationorder
  WHERE signed_by = officer AND person_id <> but_not
    AND signed_at > instant - interval '24 hours' AND signed_at < instant + interval '24 hours';
  PERFORM set_config('lf.checking', prior, true);
END $$;

CREATE FUNCTION orders_order_holds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE prior text := coalesce(current_setting('lf.checking', true), '');
  day date := orders_legal_day(NEW.signed_at);
  body accounts_organ; rule rules_document; competence jsonb; reasons jsonb; caps jsonb; asks boolean;
  other orders_secondsignature; made record; before orders_isolationorder; proposer text; asker uuid;
BEGIN
  PERFORM set_config('lf.checking', 'orders', true);
  -- Two orders for one person, or by one officer, queue here: a cap cannot be passed twice.
  PERFORM pg_advisory_xact_lock(hashtextextended('orders:' || NEW.person_id, 0));
  PERFORM pg_advisory_xact_lock(hashtextextended('orders:' || NEW.signed_by, 0));

  -- O-1: the organ is competent for this kind of order at this level (product decision 6).
  SELECT * INTO body FROM accounts_organ WHERE code = NEW.organ;
  IF body.id IS NULL OR body.kind <> NEW.organ_kind OR body.level <> NEW.organ_level OR NOT NEW.area <@ body.area THEN
    PERFORM orders_refuse('order_is_issued_by_a_known_organ', 'kind, level or area of the organ is another');
  END IF;
  competence := (orders_document('competence', '', NEW.community, day)).content;
  SELECT (o->>'second_signer')::boolean INTO asks FROM jsonb_array_elements(competence->'organs') o
    WHERE o->>'kind' = NEW.measure AND o->>'organ_kind' = NEW.organ_kind AND o->>'level' = NEW.organ_level;
  IF asks IS NULL THEN
    PERFORM orders_refuse('order_is_issued_by_a_competent_organ', 'no document in force makes this organ competent');
  END IF;
  -- O-1: the reason stands in the catalogue of the day.
  reasons := (orders_document('reasons', '', NEW.community, day)).content->'reasons';
  IF reasons IS NULL OR NOT reasons @> jsonb_build_array(jsonb_build_object('code', NEW.reason)) THEN
    PERFORM orders_refuse('order_reason_is_in_the_catalogue', 'no such reason on that day');
  END IF;
  -- O-1: the evidence is a concern about this person, for this reason, that no officer dismissed.
  IF NEW.evidence_kind <> 'concern' OR NOT EXISTS (
    SELECT 1 FROM concerns_personofconcern c LEFT JOIN concerns_concerndecision x ON x.concern_id = c.id
    WHERE c.id = NEW.evidence_id AND c.category = NEW.reason AND x.outcome IS DISTINCT FROM 'dismissed'
      AND (c.person_id = NEW.person_id OR EXISTS (
        SELECT 1 FROM people_personalias a WHERE a.ended_at IS NULL
          AND (a.merged_id, a.survivor_id) IN ((c.person_id, NEW.person_id), (NEW.person_id, c.person_id))))) THEN
    PERFORM orders_refuse('order_rests_on_a_concern_about_this_person', 'no such concern, or dismissed');
  END IF;
  -- The rule is the one in force, and the end is what it counts from the anchor.
  rule := orders_document('isolation', NEW.reason, NEW.community, day);
  IF rule.id IS NULL OR rule.id <> NEW.rule_id OR rule.version <> NEW.rule_version
     OR rule.content->>'measure' <> NEW.measure THEN
    PERFORM orders_refuse('order_follows_the_rule_in_force', 'another rule, or none, is in force for this reason');
  END IF;
  IF NEW.ends_at <> orders_term(rule.content, NEW.anchor_at) THEN
    PERFORM orders_refuse('order_ends_when_its_rule_says', 'the end is not the one counted from the anchor');
  END IF;
  caps := (orders_document('caps', '', NEW.community, day)).content;
  IF caps IS NULL OR NEW.ends_at - NEW.starts_at > make_interval(hours => 24 * (caps->'longest_days'->>NEW.measure)::int) THEN
    PERFORM orders_refuse('order_is_not_longer_than_its_cap', 'longer than this measure may last');
  END IF;

  -- O-6: present by residence, or by an arrival entered by an officer who met the person.
  IF NEW.presence_kind = 'residence' THEN
    IF NEW.presence_id <> NEW.person_id
       OR NOT EXISTS (SELECT 1 FROM people_person p WHERE p.id = NEW.person_id AND p.area <@ body.area) THEN
      PERFORM orders_refuse('order_is_on_somebody_present', 'does not live in the area of the organ');
    END IF;
  ELSIF NOT EXISTS (
    SELECT 1 FROM concerns_arrivalreport a
    WHERE a.id = NEW.presence_id AND a.person_id = NEW.person_id AND a.way = 'officer' AND a.area <@ body.area
      AND a.arrived_at > NEW.signed_at - make_interval(days => (caps->>'presence_days')::int)
      AND a.arrived_at <= NEW.signed_at) THEN
    PERFORM orders_refuse('order_is_on_somebody_present', 'no officer met the person on arrival in time');
  END IF;

  -- A longer stay is a new order with its own evidence that names the order before it (O-3, O-5).
  SELECT organ, signed_by INTO proposer, asker FROM orders_isolationproposal
    WHERE id = NEW.proposal_id AND person_id = NEW.person_id;
  IF NEW.proposal_id IS NOT NULL AND proposer IS NULL THEN
    PERFORM orders_refuse('order_follows_a_proposal_about_this_person', 'the proposal is about somebody else');
  END IF;
  IF NEW.previous_id IS NOT NULL THEN
    SELECT * INTO before FROM orders_isolationorder WHERE id = NEW.previous_id AND person_id = NEW.person_id;
    IF before.id IS NULL OR before.evidence_id = NEW.evidence_id THEN
      PERFORM orders_refuse('extension_has_new_evidence', 'names no earlier order of this person, or repeats its evidence');
    END IF;
  END IF;
  IF EXISTS (
    SELECT 1 FROM orders_isolationorder o LEFT JOIN orders_lift l ON l.order_id = o.id
    WHERE o.person_id = NEW.person_id AND o.id IS DISTINCT FROM NEW.previous_id
      AND o.starts_at < NEW.ends_at AND NEW.starts_at < least(o.ends_at, l.signed_at)) THEN
    PERFORM orders_refuse('person_is_under_one_order', 'another order covers some of this time');
  END IF;

  -- O-5, O-7: a second body where the caps or the competence ask for one.
  IF NEW.second_id IS NOT NULL THEN
    SELECT * INTO other FROM orders_secondsignature WHERE id = NEW.second_id;
    IF other.proposal_id IS DISTINCT FROM NEW.proposal_id OR other.organ IN (NEW.organ, proposer)
       OR other.signed_by IN (NEW.signed_by, asker)
       OR other.signed_at > NEW.signed_at OR other.signed_at < NEW.signed_at - interval '24 hours' THEN
      PERFORM orders_refuse('second_signer_is_of_another_body', 'not another body, not this proposal, or too old');
    END IF;
  END IF;
  SELECT * INTO made FROM orders_issued_around(NEW.signed_by, NEW.signed_at, NEW.person_id);
  IF made.everybody >= (caps->>'seconded_per_day')::int THEN
    PERFORM orders_refuse('officer_orders_at_most_200_persons_a_day', 'beyond this only a place order');
  END IF;
  IF NEW.second_id IS NULL AND (asks OR made.alone >= (caps->>'alone_per_day')::int) THEN
    PERFORM orders_refuse('officer_orders_at_most_20_persons_alone', 'a second signer is needed');
  END IF;
  IF NEW.second_id IS NULL AND orders_chained(NEW.person_id, NEW.starts_at, NEW.ends_at,
       make_interval(hours => (caps->>'chain_gap_hours')::int))
     > make_interval(hours => 24 * (caps->'chained_days'->>NEW.measure)::int) THEN
    PERFORM orders_refuse('long_chain_has_a_second_signer', 'the chain is longer than one body may order');
  END IF;

  -- O-9: the entry was written by this act.
  IF NOT EXISTS (SELECT 1 FROM ledger_entry e
                 WHERE e.id = NEW.entry_id AND e.kind = 'orders:isolation:issued' AND e.act_id = NEW.id) THEN
    PERFORM orders_refuse('order_has_its_own_entry', 'the entry is about another act');
  END IF;
  PERFORM set_config('lf.checking', prior, true);
  RETURN NEW;
END $$;

CREATE FUNCTION orders_lift_holds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE prior text := coalesce(current_setting('lf.checking', true), ''); o orders_isolationorder; body accounts_organ; issuing accounts_organ; d record;
BEGIN
  PERFORM set_config('lf.checking', 'orders', true);
  SELECT * INTO o FROM orders_isolationorder WHERE id = NEW.order_id;
  IF NEW.signed_at < o.signed_at THEN
    PERFORM orders_refuse('lift_follows_its_order', 'signed before the order');
  END IF;
  SELECT * INTO body FROM accounts_organ WHERE code = NEW.organ AND kind = NEW.organ_kind;
  SELECT * INTO issuing FROM accounts_organ WHERE code = o.organ;
  IF NEW.decision_id IS NULL THEN
    -- O-4: the organ that ordered, or one above it.
    IF body.id IS NULL OR body.kind <> o.organ_kind OR NOT issuing.area <@ body.area THEN
      PERFORM orders_refuse('lift_is_by_the_organ_that_ordered_or_above', 'another organ');
    END IF;
  ELSE
    SELECT x.granted, a.order_id INTO d FROM orders_appealdecision x JOIN orders_appeal a ON a.id = x.appeal_id
      WHERE x.id = NEW.decision_id;
    IF d.granted IS NOT TRUE OR d.order_id <> NEW.order_id THEN
      PERFORM orders_refuse('lift_follows_a_won_appeal', 'the decision is about another order, or did not grant');
    END IF;
  END IF;
  IF NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.id = NEW.entry_id AND e.kind = 'orders:order:lifted'
                 AND e.act_id = NEW.id) THEN
    PERFORM orders_refuse('lift_has_its_own_entry', 'the entry is about another act');
  END IF;
  PERFORM set_config('lf.checking', prior, true);
  RETURN NEW;
END $$;

CREATE FUNCTION orders_decision_holds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE prior text := coalesce(current_setting('lf.checking', true), '');
BEGIN
  PERFORM set_config('lf.checking', 'orders', true);
  -- AP-2: who ordered, asked or stood behind the order does not decide about it.
  IF EXISTS (
    SELECT 1 FROM orders_appeal a JOIN orders_isolationorder o ON o.id = a.order_id
      LEFT JOIN orders_secondsignature s ON s.id = o.second_id
      LEFT JOIN orders_isolationproposal p ON p.id = o.proposal_id
    WHERE a.id = NEW.appeal_id AND (NEW.signed_by IN (o.signed_by, s.signed_by, p.signed_by) OR NEW.organ = o.organ)) THEN
    PERFORM orders_refuse('appeal_is_decided_by_another', 'the decider took part in the order');
  END IF;
  PERFORM set_config('lf.checking', prior, true);
  RETURN NEW;
END $$;

CREATE FUNCTION orders_serving_holds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE prior text := coalesce(current_setting('lf.checking', true), '');
BEGIN
  PERFORM set_config('lf.checking', 'orders', true);
  IF EXISTS (SELECT 1 FROM orders_careneed n LEFT JOIN orders_carearrangement a ON a.need_id = n.id
             WHERE n.order_id = NEW.order_id AND a.id IS NULL) THEN
    PERFORM orders_refuse('order_is_served_when_dependants_are_cared_for', 'somebody is left without care');
  END IF;
  PERFORM set_config('lf.checking', prior, true);
  RETURN NEW;
END $$;

-- The number is drawn when the transaction commits and the counter is held until it has, so numbers follow the
-- order of commits without gaps, and whoever read up to n has missed nothing.
CREATE FUNCTION orders_count_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE prior text := coalesce(current_setting('lf.checking', true), ''); next_n bigint; who uuid;
BEGIN
  PERFORM set_config('lf.checking', 'orders', true);
  IF TG_TABLE_NAME = 'orders_isolationorder' THEN who := NEW.person_id;
  ELSE SELECT person_id INTO who FROM orders_isolationorder WHERE id = NEW.order_id; END IF;
  UPDATE orders_counter SET n = n + 1 RETURNING n INTO next_n;
  INSERT INTO orders_change (n, person_id, act_id) VALUES (next_n, who, NEW.id);
  PERFORM set_config('lf.checking', prior, true);
  RETURN NULL;
END $$;

-- O-2 in one query: who is restricted at an instant, asked of PostgreSQL alone.
CREATE FUNCTION orders_in_force(instant timestamptz) RETURNS TABLE (order_id uuid, person_id uuid, ends_at timestamptz)
STABLE LANGUAGE sql AS $$
  SELECT o.id, o.person_id, o.ends_at FROM orders_isolationorder o
    LEFT JOIN orders_lift l ON l.order_id = o.id LEFT JOIN orders_endseen s ON s.order_id = o.id
  WHERE o.starts_at <= instant AND instant < o.ends_at
    AND (l.signed_at IS NULL OR instant < l.signed_at) AND s.order_id IS NULL
$$;

-- What a passer-by may learn of a sheet: whether what it says still holds. Nothing else leaves this function.
CREATE FUNCTION orders_sheet_state(sheet uuid, instant timestamptz) RETURNS text STABLE LANGUAGE plpgsql AS $$
DECLARE prior text := coalesce(current_setting('lf.checking', true), ''); state text;
BEGIN
  PERFORM set_config('lf.checking', 'orders', true);
  SELECT CASE WHEN f.order_id IS NULL THEN 'ended' ELSE 'valid' END INTO state
  FROM orders_boardsheet s LEFT JOIN orders_in_force(instant) f ON f.order_id = s.order_id WHERE s.id = sheet;
  PERFORM set_config('lf.checking', prior, true);
  RETURN coalesce(state, 'unknown');
END $$;

-- Whether a certificate is genuine, and its two instants; it names nobody and gives no reason.
CREATE FUNCTION orders_certificate(certificate uuid, OUT starts_at timestamptz, OUT over_at timestamptz)
STABLE LANGUAGE plpgsql AS $$
DECLARE prior text := coalesce(current_setting('lf.checking', true), '');
BEGIN
  PERFORM set_config('lf.checking', 'orders', true);
  SELECT o.starts_at, least(o.ends_at, l.signed_at) INTO starts_at, over_at
  FROM orders_isolationorder o LEFT JOIN orders_lift l ON l.order_id = o.id WHERE o.id = certificate;
  PERFORM set_config('lf.checking', prior, true);
END $$;
"""

TRIGGERS = "".join(
    f"CREATE TRIGGER rows_stay BEFORE UPDATE OR DELETE ON {t} FOR EACH ROW EXECUTE FUNCTION orders_rows_stay();\n"
    for t in (*_SCOPED, *_OPEN)
) + """
CREATE TRIGGER order_holds BEFORE INSERT ON orders_isolationorder FOR EACH ROW EXECUTE FUNCTION orders_order_holds();
CREATE TRIGGER lift_holds BEFORE INSERT ON orders_lift FOR EACH ROW EXECUTE FUNCTION orders_lift_holds();
CREATE TRIGGER decision_holds BEFORE INSERT ON orders_appealdecision FOR EACH ROW EXECUTE FUNCTION orders_decision_holds();
CREATE TRIGGER serving_holds BEFORE INSERT ON orders_serving FOR EACH ROW EXECUTE FUNCTION orders_serving_holds();
CREATE CONSTRAINT TRIGGER order_is_counted AFTER INSERT ON orders_isolationorder DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION orders_count_change();
CREATE CONSTRAINT TRIGGER lift_is_counted AFTER INSERT ON orders_lift DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION orders_count_change();
"""

_AREA = "area <@ ANY ((SELECT string_to_array(coalesce(current_setting('lf.areas', true), ''), ',')::ltree[])::ltree[])"
_OWN = "person_id = ANY ((SELECT string_to_array(coalesce(current_setting('lf.persons', true), ''), ',')::uuid[])::uuid[])"


def _using(table: str) -> str:
    if table in _PERSON_TABLES:
        return f"{_AREA} OR {_OWN}"
    above, column = _OF_OTHER.get(table, ("orders_isolationorder", "order_id"))
    return f"EXISTS (SELECT 1 FROM {above} above WHERE above.id = {table}.{column})"


SCOPE = "".join(
    f"ALTER TABLE {t} ENABLE ROW LEVEL SECURITY; ALTER TABLE {t} FORCE ROW LEVEL SECURITY;\n"
    f"CREATE POLICY {t}_scope ON {t} USING ({_using(t)});\n"
    f"CREATE POLICY {t}_checking ON {t} FOR SELECT USING (current_setting('lf.checking', true) = 'orders');\n"
    for t in _SCOPED
)


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0001_orders"),
        ("rules", "0002_published_documents_stand"),
        ("concerns", "0002_rows_stay_and_are_scoped"),
    ]
    operations = [
        migrations.RunSQL(
            FUNCTIONS + TRIGGERS + SCOPE,
            # Orders are never un-made: going back would drop what protects them while rows exist.
            migrations.RunSQL.noop,
        )
    ]
