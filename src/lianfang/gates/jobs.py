"""Keeping: partitions ahead, old ones dropped, hours counted, rule set and keys fresh."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction

from lianfang.accounts.queries import system_actor
from lianfang.credentials import actions as credentials
from lianfang.credentials import queries as credentials_queries
from lianfang.kernel.clock import legal_day, start_of_legal_day
from lianfang.kernel.ids import new_id
from lianfang.kernel.wake import wake
from lianfang.ledger import actions as ledger
from lianfang.ledger.policy import TERM_OVER, WHOLE_CHAIN
from lianfang_pass.passages import open_passage

from . import rule_acts, tickets
from .models import (
    Backlog,
    Conflict,
    Destruction,
    Gate,
    KeptCode,
    OverrideCount,
    OverrideMark,
    RuleFile,
    Signal,
    Ticket,
)
from .opening import opened
from .own_overrides import mark_of
from .policy import ALARMS, KEPT_FOR, LIFE_EXIT, OTHER_WORD, OVERRIDES, lists_of

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

    from django.db.backends.utils import CursorWrapper

    from lianfang_pass.passages import Passage

log = logging.getLogger("lianfang.gates.jobs")

DAYS_AHEAD: Final = 3
_RULES_ANEW: Final = timedelta(days=1)
_AT_ONCE: Final = 200


def keep(at: datetime) -> None:
    """What must be done now and then. May run as often as wanted, and may be interrupted anywhere."""
    ensure_partitions(at)
    drop_old(at)
    drop_old_signals(at)
    drop_old_lines(at)
    while tally():
        pass
    _sign_rules_anew(at)
    widen_lists()
    credentials.purge_passes(by=system_actor("destruction", at, ()))


@transaction.atomic
def widen_lists() -> None:
    """Streets whose first pass came later: posts of all streets get their lists too. Devices out there learn it from the
    file of their own post, whenever they were enrolled.
    """
    every = credentials_queries.versions()
    posts = Gate.objects.filter(closed_at=None).exclude(kind="compound").exclude(shards__contains=list(every))
    for gate in posts.select_for_update():
        gate.shards = lists_of(gate.kind, gate.shards, every)
        gate.save(update_fields=["shards"])
        wake("gates", gate.pk)


@transaction.atomic
def ensure_partitions(at: datetime) -> None:
    """Partitions for yesterday, today and the next days. A legal day each, named by it."""
    for n in range(-1, DAYS_AHEAD + 1):
        day = legal_day(at) + timedelta(days=n)
        name, begins, ends = _partition(day)
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s)", [name])
            if cursor.fetchone() != (None,):
                continue
            cursor.execute("SELECT 1 FROM gates_passage_other WHERE received_at >= %s AND received_at < %s LIMIT 1",
                           [begins, ends])  # fmt: skip
            if cursor.fetchone():
                # A partition cannot be made over rows that already lie in the other one. They are safe there.
                log.warning("passages of %s lie in the partition of other days", day)
                continue
            cursor.execute(
                f"CREATE TABLE {name} PARTITION OF gates_passage FOR VALUES FROM (%s) TO (%s)",
                [begins.isoformat(), ends.isoformat()],
            )


@transaction.atomic
def drop_old(at: datetime) -> list[str]:
    """Drop the partitions of days older than 21, what is as old in the partition of other days, their keys, and what
    stands elsewhere of codes in their rows. The chain keeps that it was done: how many days' rows, and up to which.
    """
    before = legal_day(at - KEPT_FOR)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'gates_passage'::regclass AND c.relname ~ '^gates_passage_[0-9]{8}$'"
        )
        old = sorted(name for (name,) in cursor.fetchall() if name < _partition(before)[0])
        for name in old:
            cursor.execute(f"DROP TABLE {name}")
        forgotten = _forget_others(cursor, start_of_legal_day(before)) or old
        if forgotten:
            cursor.execute(
                "DELETE FROM gates_passage_key WHERE received_at < %s", [start_of_legal_day(before)]
            )
    KeptCode.objects.filter(received_at__lt=start_of_legal_day(before)).delete()
    OverrideMark.objects.filter(received_at__lt=start_of_legal_day(before)).delete()
    if forgotten:
        by, run = system_actor("destruction", at, ()), new_id()
        entry = ledger.append(
            kind="gates:passages:destroyed",
            act_id=run,
            organ=by.organ,
            scope=WHOLE_CHAIN,
            basis=TERM_OVER,
            terms={"count": len(old), "until": before.isoformat(), "reason": "term"},
            secrets={},
            by=by,
        )
        Destruction.objects.create(id=run, days=len(old), until=before, destroyed_at=at, entry_id=entry)
    return old


def _forget_others(cursor: CursorWrapper, before: datetime) -> bool:
    """Forget what lies too long in the partition of other days; whether there was any.

    No row of passages may be deleted (trigger), and this partition cannot be dropped: it is emptied and takes back
    what is younger. Uploads of its days, which are rare, wait meanwhile, so none falls between.
    """
    cursor.execute("SELECT EXISTS (SELECT 1 FROM gates_passage_other WHERE received_at < %s)", [before])
    if cursor.fetchone() == (False,):
        return False
    cursor.execute("LOCK TABLE gates_passage_other IN ACCESS EXCLUSIVE MODE")
    cursor.execute(
        "CREATE TEMPORARY TABLE younger ON COMMIT DROP AS SELECT * FROM gates_passage_other WHERE received_at >= %s",
        [before],
    )
    cursor.execute("TRUNCATE gates_passage_other")
    cursor.execute("INSERT INTO gates_passage_other SELECT * FROM younger")
    cursor.execute("DROP TABLE younger")
    return True


@transaction.atomic
def drop_old_lines(at: datetime) -> int:
    """Forget lines of paper registers, tickets, explained conflicts and the counts of what each guard decided otherwise
    with the passages of their day.

    A ticket names a passage, so it is forgotten whether or not somebody has closed it. A conflict that nobody has
    explained stays, like a call that nobody has answered.
    """
    lines = Backlog.objects.filter(passed_at__lt=at - KEPT_FOR)
    # A correction outlives what it corrects by at most the days between the two passages it names.
    Backlog.objects.filter(corrects__passed_at__lt=at - KEPT_FOR).update(corrects=None)
    conflicts = Conflict.objects.filter(received_at__lt=at - KEPT_FOR).exclude(explained="")
    named = Ticket.objects.filter(opened_at__lt=at - KEPT_FOR)
    guards = OverrideCount.objects.filter(day__lt=legal_day(at - KEPT_FOR))
    return sum(rows.delete()[0] for rows in (lines, conflicts, named, guards))


def drop_old_signals(at: datetime) -> int:
    """Forget what gates told, when the passages of that day are forgotten; a call nobody answered stays."""
    old = Signal.objects.filter(received_at__lt=at - KEPT_FOR).exclude(kind__in=ALARMS, answered_at=None)
    return old.delete()[0]


def _partition(day: date) -> tuple[str, datetime, datetime]:
    name = f"gates_passage_{day:%Y%m%d}"
    return name, start_of_legal_day(day), start_of_legal_day(day + timedelta(days=1))


@transaction.atomic
def tally() -> int:
    """Open what came in since, count it by gate and hour, open tickets for what a gate had not heard of, and forget
    what it said. Return the batches counted.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM gates_untallied WHERE id IN"
            " (SELECT id FROM gates_untallied ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)"
            " RETURNING device, gate, seqs, received_at",
            [_AT_ONCE],
        )
        batches = cursor.fetchall()
        counts: Counter[tuple[UUID, datetime, bool, str, str]] = Counter()
        overrides: Counter[tuple[UUID, datetime, bool, str, str]] = Counter()
        by_hand: Counter[tuple[UUID, datetime, bool, str, str]] = Counter()
        reasons: Counter[tuple[UUID, date, str, str, str]] = Counter()
        passed: list[tickets.LetThrough] = []
        kept: list[KeptCode] = []
        marked: list[OverrideMark] = []
        for device, gate, seqs, received_at in batches:
            cursor.execute(
                "SELECT seq, sealed FROM gates_passage"
                " WHERE received_at = %s AND device = %s AND seq <@ %s::int8range",
                [received_at, device, seqs],
            )
            for seq, sealed in cursor.fetchall():
                key, passage = _counted(device, gate, seq, bytes(sealed), received_at)
                counts[key] += 1
                overrides[key] += passage is not None and _is_override(passage)
                by_hand[key] += passage is not None and passage.by_hand is not None
                if passage is not None and _is_override(passage):
                    reasons[_why(passage, gate, key[1])] += 1
                    if passage.cti is not None:
                        mark = mark_of(passage.cti)
                        marked.append(
                            OverrideMark(
                                mark=mark, device_id=device, gate_id=gate, seq=seq, received_at=received_at
                            )
                        )
                if passage is not None and passage.code is not None:
                    kept.append(_kept(passage, device, gate, received_at))
                if (
                    passage is not None
                    and (row := _let_through(passage, device, gate, received_at)) is not None
                ):
                    passed.append(row)
        for key, n in counts.items():
            cursor.execute(
                "INSERT INTO gates_hourcount"
                " (gate_id, hour, inward, verdict, reason, passages, overrides, by_hand)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
                " ON CONFLICT (gate_id, hour, inward, verdict, reason) DO UPDATE SET"
                " passages = gates_hourcount.passages + excluded.passages,"
                " overrides = gates_hourcount.overrides + excluded.overrides,"
                " by_hand = gates_hourcount.by_hand + excluded.by_hand",
                [*key, n, overrides[key], by_hand[key]],
            )
        # In one order, whoever counts: two that met in another would wait for each other.
        for why, n in sorted(reasons.items()):
            cursor.execute(
                "INSERT INTO gates_overridecount (gate_id, day, verdict, word, guard, passages)"
                " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (gate_id, day, verdict, word, guard)"
                " DO UPDATE SET passages = gates_overridecount.passages + excluded.passages",
                [*why, n],
            )
    KeptCode.objects.bulk_create(kept, ignore_conflicts=True)
    OverrideMark.objects.bulk_create(marked, ignore_conflicts=True)
    if passed:
        tickets.open_tickets(passed)
    return len(batches)


def _counted(
    device: UUID, gate: UUID, seq: int, sealed: bytes, received_at: datetime
) -> tuple[tuple[UUID, datetime, bool, str, str], Passage | None]:
    passage = opened(open_passage, device.bytes, seq, sealed)
    if passage is None:
        # Stored all the same: what a device sealed wrongly is evidence too, and is counted as unreadable.
        return (gate, _hour(received_at), True, "CALL", "UNOPENED"), None
    # A device clock may be years off; beyond the retention the hour of receipt is the better truth.
    at = _passed_at(passage, received_at) or received_at
    return (gate, _hour(at), passage.inward, passage.verdict.value, passage.reason), passage


def _passed_at(passage: Passage, received_at: datetime) -> datetime | None:
    """When it was by the device's clock; none where that cannot be."""
    at = datetime.fromtimestamp(passage.at, UTC)
    return at if received_at - KEPT_FOR <= at <= received_at + timedelta(hours=1) else None


def _let_through(
    passage: Passage, device: UUID, gate: UUID, received_at: datetime
) -> tickets.LetThrough | None:
    passed_at = _passed_at(passage, received_at)
    if passed_at is None:
        return None  # a clock that is years off says nothing of what was before what
    return tickets.let_through(
        passage, device=device, gate=gate, passed_at=passed_at, received_at=received_at
    )


def _kept(passage: Passage, device: UUID, gate: UUID, received_at: datetime) -> KeptCode:
    """That the row carries a code that could not be trusted. The code itself stays sealed in the row."""
    return KeptCode(
        device_id=device,
        gate_id=gate,
        seq=passage.seq,
        received_at=received_at,
        passed_at=_passed_at(passage, received_at),
        inward=passage.inward,
        verdict=passage.verdict.value,
    )


def _is_override(passage: Passage) -> bool:
    """Whether the guard decided otherwise. A life exit's one word stands in the same field and overrides nothing."""
    return passage.override is not None and passage.reason != LIFE_EXIT


def _why(passage: Passage, gate: UUID, hour: datetime) -> tuple[UUID, date, str, str, str]:
    """Who decided otherwise on a day, and why. A word that no gate offers may name somebody, and is not kept."""
    word = passage.override if passage.override in OVERRIDES else OTHER_WORD
    return gate, legal_day(hour), passage.verdict.value, word or OTHER_WORD, passage.guard or ""


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _sign_rules_anew(at: datetime) -> None:
    """An expired rule set would make gates forget acts in force, so it is signed anew each day."""
    newest = RuleFile.objects.order_by("-version").first()
    if newest is None or newest.signed_at <= at - _RULES_ANEW:
        rule_acts.publish(at)
