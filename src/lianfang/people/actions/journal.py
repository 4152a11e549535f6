"""The journal of readings, hour by hour into the chain (R-2): what was written down cannot be altered unseen."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q

from lianfang.kernel import ids
from lianfang.ledger import actions as ledger
from lianfang.ledger.policy import WHOLE_CHAIN
from lianfang.people.journal import leaf_of
from lianfang.people.models import ReadBatch, ReadLeaf, ReadRecord
from lianfang_chain.tree import Edge, leaf_hash

if TYPE_CHECKING:
    from datetime import datetime

    from lianfang.kernel.actor import Actor

_HOUR: Final = timedelta(hours=1)
#: A reading is committed after its instant. One that comes later than this after the last batch is not looked for.
_LATE: Final = timedelta(days=1)
_LOCK: Final = 0x6C66_7262  # "lfrb"


@transaction.atomic
def batch_reads(*, by: Actor) -> int:
    """Put the root over each hour's readings into the chain, up to the hour before this one; how many hours.

    Run it as often as wanted: an hour has one batch, and after a stop all hours that wait are done. A reading that was
    committed late, or grew after its batch, goes into the next one. Each batch names the one before it, so none can be
    left out; an hour without readings has none.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    last = ReadBatch.objects.order_by("-hour").first()
    this_hour = by.at.replace(minute=0, second=0, microsecond=0)
    same = {"record": OuterRef("pk"), "fields": OuterRef("fields"), "reasoned": OuterRef("reasoned")}
    waiting = (
        ReadRecord.objects.filter(at__lt=this_hour)
        .annotate(reasoned=ExpressionWrapper(~Q(reason=""), BooleanField()))
        .exclude(Exists(ReadLeaf.objects.filter(**same)))
    )
    if last is not None:
        waiting = waiting.filter(at__gte=last.hour - _LATE)
    hours: dict[datetime, list[ReadRecord]] = {}
    for record in waiting.order_by("at", "pk"):
        hour = record.at.replace(minute=0, second=0, microsecond=0)
        hour = hour if last is None else max(hour, last.hour + _HOUR)
        if hour < this_hour:
            hours.setdefault(hour, []).append(record)
    for hour, records in sorted(hours.items()):
        last = _batch(hour, records, last, by=by)
    return len(hours)


def _batch(hour: datetime, records: list[ReadRecord], last: ReadBatch | None, *, by: Actor) -> ReadBatch:
    edge, leaves = Edge(), [leaf_hash(leaf_of(record)) for record in records]
    for leaf in leaves:
        edge.append(leaf)
    entry = ledger.append(
        kind="accounts:read_log:batch",
        act_id=ids.new_id(),
        organ=by.organ,
        scope=WHOLE_CHAIN,
        basis=ledger.CHAIN_RULES,
        terms={"hour": hour.isoformat(), "readings": len(records), "root": edge.root().hex()},
        secrets={},
        prior=None if last is None else last.entry_id,
        by=by,
    )
    batch = ReadBatch.objects.create(hour=hour, count=len(records), root=edge.root(), entry_id=entry)
    ReadLeaf.objects.bulk_create(
        ReadLeaf(
            batch=batch,
            position=n,
            record=record,
            fields=record.fields,
            reasoned=bool(record.reason),
            leaf=leaf,
        )
        for n, (record, leaf) in enumerate(zip(records, leaves, strict=True))
    )
    return batch
