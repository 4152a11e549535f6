"""A case that is past its term is destroyed: its rows go, and only then; number, kind, place and dates stay."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

import lianfang.kernel.fields
import lianfang.kernel.ids

_ENTRY = {"on_delete": django.db.models.deletion.PROTECT, "related_name": "+", "to": "ledger.entry"}
_KEPT = ("orders_destroyedcase", "orders_destroyedorder", "orders_destroyedact")

GUARD = r"""
-- When an order was over: at its end or its lift, or with the last decision about it. Nothing while one waits.
CREATE FUNCTION orders_over_at(which uuid) RETURNS timestamptz STABLE LANGUAGE sql AS $$
  SELECT CASE WHEN EXISTS (
      SELECT 1 FROM orders_appeal a LEFT JOIN orders_appealdecision d ON d.appeal_id = a.id
      WHERE a.order_id = o.id AND d.id IS NULL) THEN NULL
    ELSE greatest(least(o.ends_at, l.signed_at), (
      SELECT max(d.signed_at) FROM orders_appealdecision d JOIN orders_appeal a ON a.id = d.appeal_id
      WHERE a.order_id = o.id)) END
  FROM orders_isolationorder o LEFT JOIN orders_lift l ON l.order_id = o.id WHERE o.id = which
$$;

-- D-1, D-5: an order is destroyed when its term is over, not before, and not against a hold. 1,095 days: policy.CASE_KEPT_FOR.
CREATE FUNCTION orders_destruction_holds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE prior text := coalesce(current_setting('lf.checking', true), ''); at timestamptz; over timestamptz;
BEGIN
  PERFORM set_config('lf.checking', 'orders', true);
  SELECT destroyed_at INTO at FROM orders_destroyedcase WHERE id = NEW.case_id;
  over := orders_over_at(NEW.id);
  IF over IS NULL OR over + make_interval(hours => 24 * 1095) > at OR at > clock_timestamp() + interval '1 minute' THEN
    PERFORM orders_refuse('case_is_kept_for_its_term', 'it is not over for three years');
  END IF;
  IF EXISTS (SELECT 1 FROM orders_hold h WHERE h.order_id = NEW.id AND h.until > at) THEN
    PERFORM orders_refuse('case_is_kept_while_it_is_held', 'the person asked that it be kept');
  END IF;
  IF NOT EXISTS (SELECT 1 FROM orders_isolationorder o WHERE o.id = NEW.id
      AND (o.order_no, o.measure, o.signed_at, o.starts_at, o.ends_at)
        = (NEW.order_no, NEW.measure, NEW.signed_at, NEW.starts_at, NEW.ends_at)) THEN
    PERFORM orders_refuse('what_is_left_is_what_was', 'number, kind or dates are others');
  END IF;
  PERFORM set_config('lf.checking', prior, true);
  RETURN NEW;
END $$;
CREATE TRIGGER destruction_holds BEFORE INSERT ON orders_destroyedorder FOR EACH ROW EXECUTE FUNCTION orders_destruction_holds();

-- Destroyed is destroyed: whoever says so has done it when the transaction ends. What points to the order goes before it
-- by its foreign keys.
CREATE FUNCTION orders_destroyed_is_gone() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE prior text := coalesce(current_setting('lf.checking', true), '');
BEGIN
  PERFORM set_config('lf.checking', 'orders', true);
  IF EXISTS (SELECT 1 FROM orders_isolationorder WHERE id = NEW.id)
     OR EXISTS (SELECT 1 FROM orders_change WHERE act_id IN (SELECT act_id FROM orders_destroyedact WHERE order_id = NEW.id)) THEN
    PERFORM orders_refuse('destroyed_order_is_gone', 'its rows are still there');
  END IF;
  PERFORM set_config('lf.checking', prior, true);
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER destroyed_is_gone AFTER INSERT ON orders_destroyedorder DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION orders_destroyed_is_gone();

CREATE FUNCTION orders_act_is_in_the_chain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.id = NEW.entry_id AND e.kind = NEW.kind AND e.act_id = NEW.act_id) THEN
    PERFORM orders_refuse('destroyed_act_has_its_own_entry', 'the entry is about another act');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER act_is_in_the_chain BEFORE INSERT ON orders_destroyedact FOR EACH ROW EXECUTE FUNCTION orders_act_is_in_the_chain();

-- O-3, O-4: rows of legal effect are only inserted. They go with their case, when it is destroyed.
CREATE OR REPLACE FUNCTION orders_rows_stay() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE prior text := coalesce(current_setting('lf.checking', true), ''); gone jsonb := to_jsonb(OLD); goes boolean := false; which uuid;
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM set_config('lf.checking', 'orders', true);
    IF TG_TABLE_NAME = 'orders_change' THEN
      goes := EXISTS (SELECT 1 FROM orders_destroyedact WHERE act_id = (gone->>'act_id')::uuid);
    ELSIF TG_TABLE_NAME IN ('orders_isolationproposal', 'orders_proposalrefusal', 'orders_secondsignature') THEN
      -- A proposal goes when no order that follows from it is left, after the same term.
      which := coalesce(gone->>'proposal_id', gone->>'id')::uuid;
      goes := EXISTS (SELECT 1 FROM orders_isolationproposal p WHERE p.id = which
          AND p.signed_at + make_interval(hours => 24 * 1095) <= clock_timestamp())
        AND NOT EXISTS (SELECT 1 FROM orders_isolationorder o WHERE o.proposal_id = which);
    ELSE
      which := CASE TG_TABLE_NAME
        WHEN 'orders_isolationorder' THEN (gone->>'id')::uuid
        WHEN 'orders_carearrangement' THEN (SELECT order_id FROM orders_careneed WHERE id = (gone->>'need_id')::bigint)
        WHEN 'orders_appealdecision' THEN (SELECT order_id FROM orders_appeal WHERE id = (gone->>'appeal_id')::uuid)
        WHEN 'orders_takedown' THEN (SELECT order_id FROM orders_boardsheet WHERE id = (gone->>'sheet_id')::uuid)
        ELSE (gone->>'order_id')::uuid END;
      goes := EXISTS (SELECT 1 FROM orders_destroyedorder WHERE id = which);
    END IF;
    PERFORM set_config('lf.checking', prior, true);
    IF goes THEN
      RETURN OLD;
    END IF;
  END IF;
  PERFORM orders_refuse('orders_rows_stay', TG_TABLE_NAME || ' rows are only inserted');
  RETURN NULL;
END $$;

CREATE FUNCTION orders_what_is_left_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM orders_refuse('orders_rows_stay', TG_TABLE_NAME || ' rows are only inserted');
  RETURN NULL;
END $$;
CREATE TRIGGER rows_stay BEFORE UPDATE OR DELETE ON orders_hold FOR EACH ROW EXECUTE FUNCTION orders_rows_stay();
ALTER TABLE orders_hold ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders_hold FORCE ROW LEVEL SECURITY;
CREATE POLICY orders_hold_scope ON orders_hold
  USING (EXISTS (SELECT 1 FROM orders_isolationorder above WHERE above.id = orders_hold.order_id));
CREATE POLICY orders_hold_checking ON orders_hold FOR SELECT USING (current_setting('lf.checking', true) = 'orders');
""" + "".join(
    f"CREATE TRIGGER rows_stay BEFORE UPDATE OR DELETE ON {t} FOR EACH ROW EXECUTE FUNCTION orders_what_is_left_stays();\n"
    for t in _KEPT
)


def _id() -> models.UUIDField:
    return models.UUIDField(editable=False, primary_key=True, serialize=False)


def _of(to: str, name: str) -> models.ForeignKey:
    return models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name=name, to=to)


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0005_appeals_in_the_chain"),
        ("ledger", "0005_one_sealed_row"),
    ]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Hold",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lianfang.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reason", models.CharField(max_length=300)),
                ("until", models.DateTimeField()),
                ("asked_by", models.UUIDField()),
                ("on_behalf", models.BooleanField()),
                ("asked_at", models.DateTimeField()),
                ("order", _of("orders.isolationorder", "holds")),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=~Q(reason=""), name="hold_has_a_reason"),
                    models.CheckConstraint(
                        condition=Q(until__gt=F("asked_at")), name="hold_ends_after_it_was_asked"
                    ),
                ]
            },
        ),
        migrations.CreateModel(
            name="DestroyedCase",
            fields=[
                ("id", _id()),
                ("community", lianfang.kernel.fields.AreaField()),
                ("over_at", models.DateTimeField()),
                ("destroyed_at", models.DateTimeField()),
                ("destroyed_by", models.UUIDField()),
                ("organ", models.CharField(max_length=40)),
                ("entry", models.ForeignKey(**_ENTRY)),
            ],
        ),
        migrations.CreateModel(
            name="DestroyedOrder",
            fields=[
                ("id", _id()),
                ("order_no", models.CharField(max_length=48, unique=True)),
                ("measure", models.CharField(max_length=20)),
                ("organ", models.CharField(max_length=40)),
                ("signed_at", models.DateTimeField()),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("over_at", models.DateTimeField()),
                ("case", _of("orders.destroyedcase", "orders")),
            ],
        ),
        migrations.CreateModel(
            name="DestroyedAct",
            fields=[
                ("act_id", _id()),
                ("kind", models.CharField(max_length=40)),
                ("entry", models.OneToOneField(**_ENTRY)),
                ("order", _of("orders.destroyedorder", "acts")),
            ],
        ),
        # What goes is never brought back, so neither is the time before it could go.
        migrations.RunSQL(GUARD, migrations.RunSQL.noop),
    ]
