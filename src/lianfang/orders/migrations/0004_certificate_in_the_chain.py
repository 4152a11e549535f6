"""What an employer may check also says which entry of the chain the order is, so that its state can be shown."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

FORWARD = """
DROP FUNCTION orders_certificate(uuid);
CREATE FUNCTION orders_certificate(
  certificate uuid, OUT starts_at timestamptz, OUT over_at timestamptz, OUT entry uuid
)
STABLE LANGUAGE plpgsql AS $$
DECLARE prior text := coalesce(current_setting('lf.checking', true), '');
BEGIN
  PERFORM set_config('lf.checking', 'orders', true);
  SELECT o.starts_at, least(o.ends_at, l.signed_at), o.entry_id INTO starts_at, over_at, entry
  FROM orders_isolationorder o LEFT JOIN orders_lift l ON l.order_id = o.id WHERE o.id = certificate;
  PERFORM set_config('lf.checking', prior, true);
END $$;
"""

BACKWARD = """
DROP FUNCTION orders_certificate(uuid);
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


class Migration(migrations.Migration):
    dependencies: ClassVar = [("orders", "0003_second_phase")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
