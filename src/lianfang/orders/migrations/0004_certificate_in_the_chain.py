"""What an employer may check also says which entry of the chain the order is, so that its state can be shown."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


def _certificate(*, and_out: str, and_column: str, and_target: str) -> str:
    """The function of 0002 with, or without, one more answer."""
    return f"""
DROP FUNCTION orders_certificate(uuid);
CREATE FUNCTION orders_certificate(
  certificate uuid, OUT starts_at timestamptz, OUT over_at timestamptz{and_out}
)
STABLE LANGUAGE plpgsql AS $$
DECLARE prior text := coalesce(current_setting('lf.checking', true), '');
BEGIN
  PERFORM set_config('lf.checking', 'orders', true);
  SELECT o.starts_at, least(o.ends_at, l.signed_at){and_column} INTO starts_at, over_at{and_target}
  FROM orders_isolationorder o LEFT JOIN orders_lift l ON l.order_id = o.id WHERE o.id = certificate;
  PERFORM set_config('lf.checking', prior, true);
END $$;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("orders", "0003_second_phase")]
    operations: ClassVar = [
        migrations.RunSQL(
            _certificate(and_out=", OUT entry uuid", and_column=", o.entry_id", and_target=", entry"),
            _certificate(and_out="", and_column="", and_target=""),
        )
    ]
