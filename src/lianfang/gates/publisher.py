"""From orders and passes to the status lists: what changed is asked for, never told.

Runs on a signal and every second. A lost signal costs a second; a crash loses nothing, because how far the
orders were followed, which passes are settled, and the versions published stand in one transaction. The end of
an order needs no run at all: gates know it.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction

from lianfang.credentials import actions as credentials
from lianfang.credentials import queries as passes
from lianfang.credentials.actions import StatusChange
from lianfang.kernel import clock, row_security
from lianfang.orders import queries as orders
from lianfang.people import queries as people

from . import jobs, policy
from .models import Due, Progress
from .policy import Stand, stand

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from uuid import UUID

    from lianfang.credentials.queries import PassView

log = logging.getLogger("lianfang.gates.publisher")

#: A shard without changes is published anew this often, so that a gate that is online always has fresh evidence.
REFRESH: Final = timedelta(minutes=15)
EVERY: Final = 1.0
_HOUSEKEEPING: Final = 60.0


@transaction.atomic
def run_once(at: datetime) -> dict[str, int]:
    """Publish whatever changed; return the new version of each shard that has one."""
    progress, _ = Progress.objects.select_for_update().get_or_create(pk=1)
    seen, persons = orders.changes_since(progress.orders_seen)
    due = set(Due.objects.filter(at__lte=at).values_list("person_id", flat=True)[:2000])
    fresh = passes.unsettled()
    looked_at = people.same_person({*persons, *due})
    listed = {p.id: p for p in passes.listed_passes_of(looked_at, at)} | {p.id: p for p in fresh}
    stands = _stands(looked_at | {p.holder_id for p in fresh}, at)
    published = _publish(listed.values(), stands, passes.stale_shards(at - REFRESH), at)
    _remember(looked_at, stands)
    if fresh:
        credentials.settle([p.id for p in fresh])
    if seen != progress.orders_seen:
        progress.orders_seen = seen
        progress.save(update_fields=["orders_seen"])
    return published


def _stands(persons: Iterable[UUID], at: datetime) -> dict[UUID, Stand]:
    wanted = list(persons)
    if not wanted:
        return {}
    # The rows of orders are scoped to persons; a job names those it asks for, and no area.
    with row_security.scope(areas=(), persons=people.same_person(wanted)):
        restrictions = orders.restrictions(wanted, at)
    return {person: stand(restrictions.get(person, []), at) for person in wanted}


def _publish(
    listed: Iterable[PassView], stands: Mapping[UUID, Stand], stale: Iterable[str], at: datetime
) -> dict[str, int]:
    """Publish what changed, and what is stale: in the order of the lists, as whoever else locks several (phones.py)."""
    listed = list(listed)
    said = passes.statuses(listed)
    changes: dict[str, list[StatusChange]] = defaultdict(list)
    for row in listed:
        wanted = policy.listed(row, stands.get(row.holder_id))
        if said[row.id] != wanted:
            changes[row.shard].append(StatusChange(row.index, wanted[0], wanted[1]))
    return {s: credentials.publish(s, changes.get(s, []), at) for s in sorted({*changes, *stale})}


def _remember(persons: Iterable[UUID], stands: Mapping[UUID, Stand]) -> None:
    """When each of these must be looked at again."""
    Due.objects.filter(person_id__in=list(persons)).delete()
    Due.objects.bulk_create(
        Due(person_id=person, at=again)
        for person in persons
        if (again := stands[person].again_at) is not None
    )


def loop(stop: threading.Event) -> None:
    """Publish on each signal and each second until told to stop. Housekeeping runs beside it: counting a
    flood of uploads must not hold up an order or a lift.
    """
    keeping = threading.Thread(target=_keep, args=(stop,), name="gates housekeeping")
    keeping.start()
    try:
        _publish_until(stop)
    finally:
        # Not joined: it ends by `stop`, or goes on beside the loop that is begun again after a fault.
        connection.close()


def _publish_until(stop: threading.Event) -> None:
    with connection.cursor() as cursor:
        for topic in ("orders", "passes"):
            cursor.execute(f"LISTEN lf_{topic}")
    while not stop.is_set():
        run_once(clock.now())
        _wait(stop)


_one_keeper = threading.Lock()


def _keep(stop: threading.Event) -> None:
    """Keys, partitions, counts: every minute, by one thread of this process."""
    if not _one_keeper.acquire(blocking=False):
        return
    try:
        while not stop.is_set():
            try:
                at = clock.now()
                credentials.rotate_keys(at)
                jobs.keep(at)
            except Exception:
                log.exception("housekeeping of the gates failed and is tried again")
            connection.close()
            stop.wait(_HOUSEKEEPING)
    finally:
        _one_keeper.release()


def _wait(stop: threading.Event) -> None:
    """Until a signal or a second has passed; a burst of signals is one run."""
    raw = connection.connection
    if raw is None:
        stop.wait(EVERY)
        return
    for _ in raw.notifies(timeout=EVERY, stop_after=1):
        break
