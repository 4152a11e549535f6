"""A second phase (7 days, then 3) is an order of its own under the rule of the first; the trigger judges it so."""

from django.db import migrations, models
from django.db.models import Q

#: What the trigger says of every order → what it says now; each must stand there exactly once.
_CHANGES = (
    (
        "rule := orders_document('isolation', NEW.reason, NEW.community, day);",
        """IF NEW.phase = 2 THEN
    -- The rule is the one under which the first phase was ordered, whether still in force or not.
    SELECT d.* INTO rule FROM rules_document d JOIN orders_isolationorder o ON o.rule_id = d.id
      WHERE o.id = NEW.previous_id AND o.person_id = NEW.person_id AND o.phase = 1;
  ELSE
    rule := orders_document('isolation', NEW.reason, NEW.community, day);
  END IF;""",
    ),
    (
        "OR rule.content->>'measure' <> NEW.measure THEN",
        """OR rule.content->>(CASE NEW.phase WHEN 2 THEN 'follow_on_measure' ELSE 'measure' END)
       IS DISTINCT FROM NEW.measure THEN""",
    ),
    (
        "IF NEW.ends_at <> orders_term(rule.content, NEW.anchor_at) THEN",
        """IF NEW.ends_at IS DISTINCT FROM orders_term(rule.content, NEW.anchor_at) + make_interval(
       hours => CASE NEW.phase WHEN 2 THEN 24 * (rule.content->>'follow_on_days')::int ELSE 0 END) THEN""",
    ),
    (
        "IF before.id IS NULL OR before.evidence_id = NEW.evidence_id THEN",
        "IF before.id IS NULL OR (NEW.phase = 1 AND before.evidence_id = NEW.evidence_id) THEN",
    ),
    (
        "'names no earlier order of this person, or repeats its evidence');\n    END IF;",
        """'names no earlier order of this person, or repeats its evidence');
    END IF;
    IF NEW.phase = 2 AND (
      (before.reason, before.evidence_id, before.anchor_at) IS DISTINCT FROM (NEW.reason, NEW.evidence_id, NEW.anchor_at)
      OR NEW.starts_at < before.ends_at OR NEW.signed_at < before.ends_at - interval '1 day'
      OR EXISTS (SELECT 1 FROM orders_lift l WHERE l.order_id = before.id)) THEN
      PERFORM orders_refuse('second_phase_follows_its_first', 'another fact, too early, or the first was lifted');
    END IF;""",
    ),
)


def _quoted(text: str) -> str:
    return "$text$" + text + "$text$"


_JUDGE = (
    "DO $do$ DECLARE source text := pg_get_functiondef('orders_order_holds'::regproc); BEGIN\n"
    + "".join(
        f"IF (length(source) - length(replace(source, {_quoted(old)}, ''))) <> length({_quoted(old)}) THEN"
        f" RAISE EXCEPTION 'the trigger does not say %', {_quoted(old)}; END IF;\n"
        f"source := replace(source, {_quoted(old)}, {_quoted(new)});\n"
        for old, new in _CHANGES
    )
    + "EXECUTE source; END $do$;"
)


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_what_must_hold")]
    operations = [
        migrations.AddField(
            "isolationorder", "phase", models.PositiveSmallIntegerField(default=1, db_default=1)
        ),
        migrations.AddConstraint(
            "isolationorder",
            models.CheckConstraint(
                condition=Q(phase=1) | Q(phase=2, previous__isnull=False),
                name="order_is_a_first_or_a_second_phase",
            ),
        ),
        migrations.AddConstraint(
            "isolationorder",
            models.UniqueConstraint(
                fields=["previous"], condition=Q(phase=2), name="one_second_phase_for_an_order"
            ),
        ),
        migrations.RunSQL(_JUDGE, migrations.RunSQL.noop),
    ]
