"""Many passes at once: a whole compound gets its cards, or a stack of them is withdrawn.

Rights are the caller's, as in `actions`.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction

from lianfang.kernel import ids
from lianfang.kernel.wake import wake
from lianfang_pass.numbers import LARGEST, pass_number
from lianfang_pass.statuslist import ListStatus
from lianfang_pass.tokens import CTI_SIZE, Flag

from .actions import StatusChange, _publish, _shard
from .errors import LastsTooLong
from .models import LONGEST_LIFE, Pass, Shard

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime
    from uuid import UUID

    from lianfang.kernel.actor import Actor

    from .actions import PassDraft

__all__ = ["issue_passes", "revoke_passes"]

_BATCH: Final = 2_000
_COPY: Final = (
    "COPY credentials_pass (id, holder_id, pass_no, shard, index, kind, door, member_no, initials, birth_year,"
    " zones, channel, flags, cti, issued_at, valid_from, valid_until, revoked_reason, settled) FROM STDIN"
)


@transaction.atomic
def issue_passes(drafts: Iterable[PassDraft], *, suspended: Collection[UUID] = (), by: Actor) -> int:
    """Make paper passes of one shard that are new; returns how many. Unlike one by one, a repeat refuses.

    A new pass is valid, and a published list says so of every index it does not name. So the publisher has
    to look only at the passes of `suspended` holders.

    :raises LastsTooLong: one of them more than 31 days
    :raises ValueError: of two shards, or for a phone: a phone proves its key one by one
    """
    count = 0
    rest = iter(drafts)
    while batch := list(islice(rest, _BATCH)):
        if len({d.shard for d in batch}) != 1 or any(
            d.cnf is not None or d.channel == "phone" for d in batch
        ):
            raise ValueError("passes of one shard, on paper")
        if any(d.valid_until - d.valid_from > LONGEST_LIFE for d in batch):
            raise LastsTooLong
        shard = _shard(batch[0].shard, by.at)
        # Drawn before the copy begins: while rows stream in, the connection answers no question.
        indexes, numbers = _indexes(shard, len(batch), at=by.at), _numbers(len(batch))
        with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for draft, index, number in zip(batch, indexes, numbers, strict=True):
                copy.write_row(
                    (
                        draft.id, draft.holder_id, number, shard.pk, index, draft.kind, draft.door,
                        draft.member_no, draft.initials, draft.birth_year, list(draft.zones), draft.channel,
                        int(Flag(draft.flags) | Flag.PAPER), ids.random_bytes(CTI_SIZE),
                        by.at.replace(microsecond=0), draft.valid_from.replace(microsecond=0),
                        draft.valid_until.replace(microsecond=0), "", draft.holder_id not in suspended,
                    )
                )  # fmt: skip
        count += len(batch)
    wake("passes")
    return count


@transaction.atomic
def revoke_passes(pass_ids: Collection[UUID], *, reason: str, by: Actor) -> int:
    """Withdraw those of them that are not withdrawn yet; returns how many."""
    live = Pass.objects.filter(pk__in=pass_ids, revoked_at=None)
    count = live.update(revoked_at=by.at, revoked_reason=reason, settled=False)
    wake("passes")
    return count


def _indexes(shard: Shard, count: int, *, at: datetime) -> list[int]:
    """Unused indexes of a locked shard, drawn at random; it grows so that half of it stays empty."""
    shard.used += count
    size = shard.size
    while shard.used * 2 >= size:
        size *= 2
    if size != shard.size:
        shard.size = size
        # The last index is named so that lists held by gates grow by a delta too.
        _publish(shard, [StatusChange(size - 1, ListStatus.VALID)], at)
    shard.save(update_fields=["size", "used"])
    # Kept in the order of the draws: sorted, neighbours could be told by their indexes.
    drawn: dict[int, None] = {}
    while len(drawn) < count:
        fresh = [int.from_bytes(ids.random_bytes(8), "big") % size for _ in range(count - len(drawn))]
        taken = set(Pass.objects.filter(shard=shard, index__in=fresh).values_list("index", flat=True))
        drawn.update((index, None) for index in fresh if index not in taken)
    return list(drawn)


def _numbers(count: int) -> list[str]:
    """Unused pass numbers, drawn at random."""
    drawn: dict[str, None] = {}
    while len(drawn) < count:
        fresh = [
            pass_number(int.from_bytes(ids.random_bytes(8), "big") % (LARGEST + 1))
            for _ in range(count - len(drawn))
        ]
        taken = set(Pass.objects.filter(pass_no__in=fresh).values_list("pass_no", flat=True))
        drawn.update((number, None) for number in fresh if number not in taken)
    return list(drawn)
