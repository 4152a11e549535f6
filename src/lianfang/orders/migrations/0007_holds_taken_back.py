"""A hold that was taken back keeps a case no longer; that it was stands in the chain, and goes with the case."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

import lianfang.kernel.ids

GUARD = r"""
-- D-1, D-5: an order is destroyed when its term is over, not before, and not against a hold. 1,095 days: policy.CASE_KEPT_FOR.
CREATE OR REPLACE FUNCTION orders_destruction_holds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE prior text := coalesce(current_setting('lf.checking', true), ''); at timestamptz; over timestamptz;
BEGIN
  PERFORM set_config('lf.checking', 'orders', true);
  SELECT destroyed_at INTO at FROM orders_destroyedcase WHERE id = NEW.case_id;
  over := orders_over_at(NEW.id);
  IF over IS NULL OR over + make_interval(hours => 24 * 1095) > at OR at > clock_timestamp() + interval '1 minute' THEN
    PERFORM orders_refuse('case_is_kept_for_its_term', 'it is not over for three years');
  END IF;
  IF EXISTS (SELECT 1 FROM orders_hold h WHERE h.order_id = NEW.id AND h.until > at
      AND NOT EXISTS (SELECT 1 FROM orders_holdwithdrawal w WHERE w.hold_id = h.id)) THEN
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
        WHEN 'orders_holdwithdrawal' THEN (SELECT order_id FROM orders_hold WHERE id = (gone->>'hold_id')::uuid)
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

CREATE FUNCTION orders_withdrawal_holds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE prior text := coalesce(current_setting('lf.checking', true), '');
BEGIN
  PERFORM set_config('lf.checking', 'orders', true);
  IF NOT EXISTS (SELECT 1 FROM orders_hold h WHERE h.id = NEW.hold_id
      AND h.asked_at <= NEW.withdrawn_at AND NEW.withdrawn_at < h.until) THEN
    PERFORM orders_refuse('hold_is_withdrawn_while_it_runs', 'it has not begun or is over');
  END IF;
  IF NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.id = NEW.entry_id AND e.kind = 'orders:hold:withdrawn'
      AND e.act_id = NEW.id) THEN
    PERFORM orders_refuse('hold_withdrawal_has_its_own_entry', 'the entry is about another act');
  END IF;
  PERFORM set_config('lf.checking', prior, true);
  RETURN NEW;
END $$;
CREATE TRIGGER withdrawal_holds BEFORE INSERT ON orders_holdwithdrawal FOR EACH ROW EXECUTE FUNCTION orders_withdrawal_holds();
CREATE TRIGGER rows_stay BEFORE UPDATE OR DELETE ON orders_holdwithdrawal FOR EACH ROW EXECUTE FUNCTION orders_rows_stay();
ALTER TABLE orders_holdwithdrawal ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders_holdwithdrawal FORCE ROW LEVEL SECURITY;
CREATE POLICY orders_holdwithdrawal_scope ON orders_holdwithdrawal
  USING (EXISTS (SELECT 1 FROM orders_hold above WHERE above.id = orders_holdwithdrawal.hold_id));
CREATE POLICY orders_holdwithdrawal_checking ON orders_holdwithdrawal FOR SELECT
  USING (current_setting('lf.checking', true) = 'orders');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0006_cases_end"),
        ("ledger", "0005_one_sealed_row"),
    ]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="HoldWithdrawal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lianfang.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reason", models.CharField(max_length=300)),
                ("withdrawn_by", models.UUIDField()),
                ("withdrawn_at", models.DateTimeField()),
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.entry"
                    ),
                ),
                (
                    "hold",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="withdrawal",
                        to="orders.hold",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=~Q(reason=""), name="hold_withdrawal_has_a_reason")
                ]
            },
        ),
        # As in 0006: what went is not brought back.
        migrations.RunSQL(GUARD, migrations.RunSQL.noop),
    ]
