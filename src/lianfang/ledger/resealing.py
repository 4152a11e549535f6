"""The key that seals the disclosures was seen by somebody: everything is sealed anew, then the key is destroyed.

Whoever had the old key and a copy of the database reads what was in that copy; no new key undoes that. What this
ends is that the old key opens anything that is copied from now on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from . import actions, keys, sealing
from .models import CaseKey, Disclosures

if TYPE_CHECKING:
    from uuid import UUID

#: So many entries are sealed anew in one transaction: about a second.
BATCH = 500


def reseal_all() -> tuple[int, int]:
    """Take a new sealing key, seal all disclosures under it, and destroy the old key.

    Cut off at any point, everything can be read, and the same call goes on where it was. The system is stopped
    meanwhile: another process would go on sealing under the key it has in memory.

    :returns: how many entries were sealed anew, and how many no key at hand opens; these stay as they are
    :raises KeyUnusable: there is no key that could be followed
    """
    keys.succeed_sealing_key()
    last: UUID | None = None
    sealed = closed = 0
    while True:
        rows = CaseKey.objects.order_by("pk")
        ids = list((rows.filter(pk__gt=last) if last else rows).values_list("pk", flat=True)[:BATCH])
        if not ids:
            break
        done, shut = _reseal(ids)
        sealed, closed, last = sealed + done, closed + shut, ids[-1]
    keys.destroy_former_sealing_key()
    return sealed, closed


@transaction.atomic
def _reseal(ids: list[UUID]) -> tuple[int, int]:
    sealed_keys = dict(CaseKey.objects.select_for_update().filter(pk__in=ids).values_list("pk", "sealed"))
    rows = dict(Disclosures.objects.filter(pk__in=ids).values_list("pk", "sealed"))
    done = closed = 0
    for entry_id, sealed_key in sealed_keys.items():
        if sealing.is_current(entry_id, bytes(sealed_key)):
            continue
        try:
            opened = sealing.open_sealed(entry_id, bytes(sealed_key), bytes(rows[entry_id]))
        except sealing.Closed:
            closed += 1
            continue
        actions.replace_disclosures(entry_id, opened)
        done += 1
    return done, closed
