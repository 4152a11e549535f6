"""Who is restricted, until when and why; orders and what waits on them. Person-bearing answers see only the scope's rows.

Questions about now take the present instant. What was in force at another instant is `policy.status` over
`history`: these queries remember ends that have been shown (C-3) and must not be asked about tomorrow.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q

from lianfang.accounts.rights import Right
from lianfang.kernel.clock import legal_day
from lianfang.kernel.fields import within_any
from lianfang.people import queries as people
from lianfang.rules.policy import Measure

from . import policy
from .models import Appeal, CareNeed, IsolationOrder, IsolationProposal, Lift

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date, datetime
    from uuid import UUID

    from django.db.models import QuerySet

    from lianfang.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Restriction:
    """An order in force, as far as a gate needs it."""

    order_id: UUID
    order_no: str
    starts_at: datetime
    ends_at: datetime
    kind: Measure
    signed_at: datetime


def restrictions(person_ids: Collection[UUID], at: datetime) -> dict[UUID, list[Restriction]]:
    """The orders in force on these persons now; whoever is free is not in the answer.

    Orders of a record that was merged count for the one that survives, and the other way round (S-5).
    """
    standing = {pk: status_now(pk_orders, at) for pk, pk_orders in _orders_of(person_ids).items()}
    _remember_ends([o for found in standing.values() for o in found.over], at=at)
    return {
        pk: [
            Restriction(o.id, o.order_no, o.starts_at, o.ends_at, o.kind, o.signed_at)
            for o in found.status.in_force
        ]
        for pk, found in standing.items()
        if not found.status.is_free
    }


def ended_without_notice(person_ids: Collection[UUID], at: datetime) -> dict[UUID, list[datetime]]:
    """When orders of these persons ended by themselves of which no release notice is signed; who has none is left out.
    What is sealed is not said.

    A lift has a paper of its own. Records that were merged count as in `restrictions` (S-5).
    """
    owners: dict[UUID, list[UUID]] = defaultdict(list)
    for pk, same in people.same_person_each(person_ids).items():
        for record in same:
            owners[record].append(pk)
    found: dict[UUID, list[datetime]] = defaultdict(list)
    rows = IsolationOrder.objects.filter(
        person_id__in=list(owners),
        ends_at__lte=at,
        ends_at__gt=at - policy.SEALED_AFTER,
        lift=None,
        release_notice=None,
    )
    for person_id, ends_at in rows.values_list("person_id", "ends_at"):
        for pk in owners[person_id]:
            found[pk].append(ends_at)
    return dict(found)


@dataclass(frozen=True, slots=True)
class _Known:
    order: policy.SignedOrder
    lift: policy.Lifted | None
    end_seen: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """A status, and the orders that are over without anybody having noted it."""

    status: policy.Status
    over: tuple[policy.SignedOrder, ...]


def status_now(known: Iterable[_Known], at: datetime) -> Standing:
    """The status by `policy.status`; an order whose end was shown before stays out, whatever the clock says now.

    # C-3: a server clock that steps back reopens nothing.
    """
    rows = list(known)
    status = policy.status(
        [k.order for k in rows if not k.end_seen], [k.lift for k in rows if k.lift is not None], at
    )
    return Standing(status, tuple(k.order for k in rows if k.order.ends_at <= at and not k.end_seen))


def _orders_of(person_ids: Collection[UUID]) -> dict[UUID, list[_Known]]:
    records = {pk: people.same_person([pk]) for pk in person_ids} if len(person_ids) <= 3 else None
    if records is None:
        records = people.same_person_each(person_ids)
    owners: dict[UUID, list[UUID]] = defaultdict(list)
    for pk, same in records.items():
        for record in same:
            owners[record].append(pk)
    found: dict[UUID, list[_Known]] = {pk: [] for pk in person_ids}
    rows = IsolationOrder.objects.filter(person_id__in=list(owners)).select_related("lift", "endseen")
    for row in rows:
        lift = getattr(row, "lift", None)
        known = _Known(
            signed(row),
            None if lift is None else policy.Lifted(row.pk, lift.signed_at),
            getattr(row, "endseen", None) is not None,
        )
        for pk in owners[row.person_id]:
            found[pk].append(known)
    return found


def signed(row: IsolationOrder) -> policy.SignedOrder:
    """A row as the pure rules take it."""
    return policy.SignedOrder(
        row.pk, row.order_no, Measure(row.measure), row.signed_at, row.starts_at, row.ends_at
    )


def history(person_id: UUID) -> tuple[list[policy.SignedOrder], list[policy.Lifted]]:
    """All orders and lifts of a person: `policy.status(*history(p), at)` is the status at any instant."""
    known = _orders_of([person_id])[person_id]
    return [k.order for k in known], [k.lift for k in known if k.lift is not None]


def _remember_ends(over: Iterable[policy.SignedOrder], *, at: datetime) -> None:
    ids = [o.id for o in over]
    if not ids:
        return
    with connection.cursor() as cursor:
        # Not for an instant ahead of the database's own clock: a question about tomorrow must free nobody today.
        cursor.execute(
            "INSERT INTO orders_endseen (order_id, seen_at) SELECT id, %s FROM unnest(%s::uuid[]) id"
            " WHERE %s <= clock_timestamp() + interval '1 minute' ON CONFLICT DO NOTHING",
            [at, ids, at],
        )


def changes_since(n: int, *, limit: int = 1000) -> tuple[int, list[UUID]]:
    """The persons whose orders changed after change `n`, in the order of commits, and the number to ask from next.

    Numbers have no gaps and appear only when everything before them has: nothing is missed.
    """
    with connection.cursor() as cursor:
        # Inside a transaction that made changes itself, they are numbered now; elsewhere this does nothing.
        cursor.execute("SET CONSTRAINTS order_is_counted, lift_is_counted IMMEDIATE")
        cursor.execute("SELECT n, person_id FROM orders_change WHERE n > %s ORDER BY n LIMIT %s", [n, limit])
        rows = cursor.fetchall()
    return (rows[-1][0] if rows else n), list(dict.fromkeys(person for _, person in rows))


# --- Pages -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as pages show it; who it is about says the reader of people."""

    id: UUID
    order_no: str
    person_id: UUID
    area: str
    community: str
    measure: Measure
    reason: str
    rule_id: UUID
    rule_version: str
    basis: str
    anchor_at: datetime
    signed_at: datetime
    starts_at: datetime
    ends_at: datetime
    organ: str
    pseudonym: str
    second_organ: str
    previous_id: UUID | None
    phase: int
    entry_id: UUID
    order_slip: str
    release_slip: str
    lifted_at: datetime | None
    lift_reason: str
    lift_slip: str
    served_at: datetime | None
    notice_no: str
    checks: frozenset[str]
    in_force: bool
    is_ahead: bool
    days_left: int
    #: Over for so long that the offices no longer see whose it was.
    is_sealed: bool

    @property
    def shown_person(self) -> UUID | None:
        """Whose name a page may read; nobody's once it is sealed."""
        return None if self.is_sealed else self.person_id

    @property
    def last_full_day(self) -> date:
        """The last day that is wholly inside it: the day before the one on which it ends."""
        return legal_day(self.ends_at) - timedelta(days=1)

    @property
    def over_at(self) -> datetime:
        """When it is over: at its end or at its lift."""
        return self.ends_at if self.lifted_at is None else min(self.ends_at, self.lifted_at)


def _view(row: IsolationOrder, at: datetime) -> OrderView:
    lift: Lift | None = getattr(row, "lift", None)
    serving = getattr(row, "serving", None)
    notice = getattr(row, "release_notice", None)
    lifts = [] if lift is None else [policy.Lifted(row.pk, lift.signed_at)]
    seen = getattr(row, "endseen", None) is not None
    in_force = not seen and not policy.status([signed(row)], lifts, at).is_free
    over_at = row.ends_at if lift is None else min(row.ends_at, lift.signed_at)
    return OrderView(
        id=row.pk,
        order_no=row.order_no,
        person_id=row.person_id,
        area=row.area,
        community=row.community,
        measure=Measure(row.measure),
        reason=row.reason,
        rule_id=row.rule_id,
        rule_version=row.rule_version,
        basis=row.basis,
        anchor_at=row.anchor_at,
        signed_at=row.signed_at,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        organ=row.organ,
        pseudonym=row.pseudonym,
        second_organ=row.second.organ if row.second else "",
        previous_id=row.previous_id,
        phase=row.phase,
        entry_id=row.entry_id,
        order_slip=row.order_slip,
        release_slip=row.release_slip,
        lifted_at=None if lift is None else lift.signed_at,
        lift_reason="" if lift is None else lift.reason,
        lift_slip="" if lift is None else lift.slip,
        served_at=None if serving is None else serving.served_at,
        notice_no="" if notice is None else notice.notice_no,
        checks=frozenset(c.kind for c in row.release_checks.all()),
        in_force=in_force,
        is_ahead=at < row.starts_at and lift is None,
        days_left=policy.days_left(row.ends_at, at=at) if in_force else 0,
        # `objected` is annotated by `_rows`.
        is_sealed=policy.is_sealed(over_at, objected=row.objected, at=at),  # type: ignore[attr-defined]  # as said
    )


def _rows() -> QuerySet[IsolationOrder]:
    waiting = Appeal.objects.filter(order=OuterRef("pk"), decision=None)
    return (
        IsolationOrder.objects.select_related("lift", "serving", "release_notice", "second", "endseen")
        .prefetch_related("release_checks")
        .annotate(objected=Exists(waiting))
    )


def order(order_id: UUID, *, by: Actor) -> OrderView | None:
    """One order, if it is the actor's own or in an area whose orders the actor may see."""
    row = _rows().filter(pk=order_id).first()
    if row is None or not (row.person_id == by.person_id or any(by.may(r, over=row.area) for r in _SEES)):
        return None
    found = _view(row, by.at)
    return replace(found, is_sealed=False) if row.person_id == by.person_id else found


def by_number(order_no: str, *, by: Actor) -> OrderView | None:
    """The same by the number on its papers."""
    pk = IsolationOrder.objects.filter(order_no=order_no).values_list("pk", flat=True).first()
    return None if pk is None else order(pk, by=by)


_SEES = (
    Right.ORDERS_ISOLATION_SEE,
    Right.ORDERS_APPEAL_DECIDE,
    Right.ORDERS_CARE_ACCEPT,
    Right.ORDERS_RELEASE_CHECK_HEALTH,
    Right.ORDERS_RELEASE_CHECK_STREET,
)


def orders_of(person_id: UUID, at: datetime) -> list[OrderView]:
    """All orders of a person, the newest first; merged records included."""
    rows = _rows().filter(person_id__in=people.same_person([person_id])).order_by("-signed_at", "-pk")
    return [_view(r, at) for r in rows]


def rests_on(concern_id: UUID, at: datetime) -> bool:
    """Whether an order or a proposal that offices still see names this concern; as long it is shown, too."""
    young = IsolationProposal.objects.filter(evidence_id=concern_id, signed_at__gt=at - policy.SEALED_AFTER)
    return young.exists() or _any_open(at, evidence_id=concern_id)


def followed(proposal_id: UUID, at: datetime) -> bool:
    """Whether an order that offices still see followed from a proposal."""
    return _any_open(at, proposal_id=proposal_id)


def _any_open(at: datetime, **of: UUID) -> bool:
    return any(not _view(row, at).is_sealed for row in _rows().filter(**of))


def _not_over(by: Actor) -> QuerySet[IsolationOrder]:
    """In force or still ahead."""
    return _rows().filter(
        within_any("area", by.areas(Right.ORDERS_ISOLATION_SEE)), ends_at__gt=by.at, lift=None, endseen=None
    )


def _running(by: Actor) -> QuerySet[IsolationOrder]:
    return _not_over(by).filter(starts_at__lte=by.at)


def in_force(by: Actor, *, after: UUID | None = None, limit: int = 200) -> list[OrderView]:
    """Orders in force in the actor's areas, the earliest end first.

    :param after: the last order of the page before; one that is no longer in force still marks its place
    """
    rows = _running(by).order_by("ends_at", "pk")
    last = IsolationOrder.objects.filter(pk=after).first() if after else None
    if last is not None:
        rows = rows.filter(Q(ends_at__gt=last.ends_at) | Q(ends_at=last.ends_at, pk__gt=last.pk))
    return [_view(r, by.at) for r in rows[:limit]]


def count_in_force(by: Actor, *, within: timedelta) -> tuple[int, int]:
    """How many orders are in force in the actor's areas, and how many of them end within that time."""
    counts = _running(by).aggregate(all=Count("pk"), soon=Count("pk", filter=Q(ends_at__lte=by.at + within)))
    return counts["all"], counts["soon"]


def ending(by: Actor, *, within: timedelta) -> QuerySet[IsolationOrder]:
    """The rows of orders in force that end soon: their papers are prepared now."""
    return _running(by).filter(ends_at__lte=by.at + within)


def unserved(by: Actor) -> QuerySet[IsolationOrder]:
    """The rows of `to_serve`."""
    # Those that have not begun too: the person is told before or at effect (O-10).
    return _not_over(by).filter(serving=None)


def to_serve(by: Actor, *, limit: int = 200) -> list[OrderView]:
    """Orders, in force or ahead, of which the person has not been told; the longest waiting first (O-10)."""
    return [_view(r, by.at) for r in unserved(by).order_by("signed_at", "pk")[:limit]]


def unnoticed(by: Actor) -> QuerySet[IsolationOrder]:
    """The rows of `late_notices`."""
    return _rows().filter(
        within_any("area", by.areas(Right.ORDERS_ISOLATION_SEE)),
        ends_at__lte=by.at - policy.NOTICE_LATE_AFTER,
        release_notice=None,
    )


def late_notices(by: Actor, *, limit: int = 200) -> list[OrderView]:
    """Orders over for more than twelve hours without a release notice: the authority's incident, nobody's stay."""
    return [_view(r, by.at) for r in unnoticed(by).order_by("ends_at", "pk")[:limit]]


def to_check(by: Actor, *, limit: int = 200) -> list[tuple[OrderView, str]]:
    """Orders at their end whose release papers lack a check of the actor's: `health` or `street`."""
    found: list[tuple[OrderView, str]] = []
    for kind, right in (
        ("health", Right.ORDERS_RELEASE_CHECK_HEALTH),
        ("street", Right.ORDERS_RELEASE_CHECK_STREET),
    ):
        rows = _rows().filter(
            within_any("area", by.areas(right)),
            ends_at__lte=by.at + policy.NOTICE_AHEAD,
            release_notice=None,
        )
        views = (_view(r, by.at) for r in rows.order_by("ends_at", "pk")[:limit])
        found += [(v, kind) for v in views if kind not in v.checks]
    return found


@dataclass(frozen=True, slots=True)
class NeedView:
    """A dependant, and who cares for them while the order lasts."""

    dependant_id: UUID
    why: str
    carer_id: UUID | None
    carer_note: str
    accepted_by: str

    @property
    def is_arranged(self) -> bool:
        """Whether somebody is named or a duty officer answers."""
        return bool(self.carer_id or self.carer_note or self.accepted_by)


def care_of(order_id: UUID) -> list[NeedView]:
    """The dependants of an order's household and their carers."""
    return care_of_each([order_id])[order_id]


def care_of_each(order_ids: Collection[UUID]) -> dict[UUID, list[NeedView]]:
    """See `care_of`; for many orders in one query."""
    found: dict[UUID, list[NeedView]] = {pk: [] for pk in order_ids}
    for row in CareNeed.objects.filter(order_id__in=found).select_related("arrangement").order_by("pk"):
        made = getattr(row, "arrangement", None)
        found[row.order_id].append(
            NeedView(
                row.dependant_id,
                row.why,
                None if made is None else made.carer_id,
                "" if made is None else made.carer_note,
                made.organ if made is not None and made.accepted else "",
            )
        )
    return found


def open_needs(by: Actor, *, limit: int = 200) -> list[tuple[OrderView, NeedView]]:
    """Dependants without a carer, of orders in force where the actor's duty lies."""
    rows = (
        CareNeed.objects.filter(
            within_any("order__area", by.areas(Right.ORDERS_CARE_ACCEPT)),
            order__ends_at__gt=by.at,
            order__lift=None,
            arrangement=None,
        )
        .order_by("order__signed_at", "pk")
        .values_list("order_id", flat=True)[:limit]
    )
    orders = {r.pk: _view(r, by.at) for r in _rows().filter(pk__in=set(rows))}
    return [(orders[pk], n) for pk, needs in care_of_each(orders).items() for n in needs if not n.is_arranged]
