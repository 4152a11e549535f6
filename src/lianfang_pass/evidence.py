"""Which signed evidence counts: the freshest of list, delta, phone pass and slips (docs/gates.md, "Evidence").

| evidence | says | is beaten by |
|---|---|---|
| row of a list | its status, at the list's instant | a phone pass signed later |
| phone pass | no order in force when it was signed | a list signed later |
| release slip, from the order's end | that order is over | an order signed later whose end is later than the slip's |
| lift slip, from the lift | that order is lifted | anything signed later that says an order is in force |
| order slip, from its start | that order, with its end | while running: a list or phone pass later than signature and start; once over: as a release slip |

A row is no evidence for a pass that was signed after the list: the index had no holder, or another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lianfang_pass.situation import Evidence, Slip, Status
from lianfang_pass.statuslist import ListStatus
from lianfang_pass.tokens import SlipKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lianfang_pass.tokens import SlipClaims

_HOUR = 3600


class Ages(NamedTuple):
    """From how many hours on evidence is no longer of the day, and from how many on it is old (passes.md §4.3)."""

    day_hours: int = 24
    old_hours: int = 72


AGES = Ages()


class ListRow(NamedTuple):
    """What the list held says of the pass, and when it was signed. `status` None: it has no row for it."""

    status: ListStatus | None
    end: int | None
    signed_at: int


class Weighed(NamedTuple):
    status: Status
    slip: Slip
    known: int | None  # the instant of the freshest evidence

    def age(self, now: int, ages: Ages = AGES) -> Evidence:
        if self.known is None or now - self.known > ages.old_hours * _HOUR:
            return Evidence.OLD
        return Evidence.DAY if now - self.known <= ages.day_hours * _HOUR else Evidence.THREE_DAYS


def weigh(
    *,
    now: int,
    row: ListRow | None,
    pass_signed_at: int | None,
    on_phone: bool,
    slips: Sequence[SlipClaims],
) -> Weighed:
    """Weigh what is known of one person. `slips` are verified, in their term, and of this person."""
    phone_at = pass_signed_at if on_phone else None
    # A list that does not reach the index is no evidence at all; one from before the pass still tells how fresh
    # the device is, but nothing of this pass.
    list_at = row.signed_at if row is not None and row.status is not None else None
    if row is not None and pass_signed_at is not None and row.signed_at < pass_signed_at:
        row = None
    effective = [slip for slip in slips if slip.not_before <= now]
    slip, slip_at = _slip(now, row, phone_at, effective)
    instants = [at for at in (list_at, phone_at, slip_at) if at is not None and at <= now]
    return Weighed(_status(now, row), slip, max(instants, default=None))


def _status(now: int, row: ListRow | None) -> Status:
    if row is None or row.status is None or row.status is ListStatus.VALID:
        return Status.VALID
    if row.status is ListStatus.INVALID:
        return Status.INVALID
    if row.status is ListStatus.REFER:
        return Status.REFER
    if row.end is None:
        return Status.NO_END
    return Status.BEFORE_END if now < row.end else Status.AFTER_END


def _slip(
    now: int, row: ListRow | None, phone_at: int | None, slips: Sequence[SlipClaims]
) -> tuple[Slip, int | None]:
    """The slip that counts, and the instant from which it does."""
    if not slips:
        return Slip.NONE, None
    orders = [slip for slip in slips if slip.kind is SlipKind.ORDER]
    for kind, value in ((SlipKind.LIFT, Slip.LIFT), (SlipKind.RELEASE, Slip.RELEASE)):
        for slip in slips:
            if slip.kind is kind and not _freedom_beaten(slip, row, orders, now):
                return value, slip.not_before
    running = [slip for slip in orders if now < slip.end and not _order_beaten(slip, row, phone_at)]
    if running:
        return Slip.ORDER_RUNNING, max(slip.not_before for slip in running)
    for slip in orders:
        if slip.end <= now and not _freedom_beaten(slip, row, orders, now):
            return Slip.ORDER_OVER, slip.end
    return Slip.NONE, None


def _freedom_beaten(slip: SlipClaims, row: ListRow | None, orders: Sequence[SlipClaims], now: int) -> bool:
    """Whether a newer signed order stands against a release, a lift, or an order that is over."""
    if slip.kind is SlipKind.LIFT:
        by_list = (
            row is not None
            and row.signed_at > slip.not_before
            and row.status is ListStatus.SUSPENDED
            and (row.end is None or row.end > now)
        )
        return by_list or any(order.issued_at > slip.not_before and order.end > now for order in orders)
    by_list = (
        row is not None
        and row.signed_at > slip.issued_at
        and row.status is ListStatus.SUSPENDED
        and row.end is not None
        and row.end > slip.end
    )
    return by_list or any(order.issued_at > slip.issued_at and order.end > slip.end for order in orders)


def _order_beaten(slip: SlipClaims, row: ListRow | None, phone_at: int | None) -> bool:
    """Whether newer evidence stands against an order slip that is still running.

    Newer than its start too: a list signed between signature and start says nothing against it.
    """
    since = max(slip.issued_at, slip.start)
    if phone_at is not None and phone_at > since:
        return True
    if row is None or row.status is None or row.signed_at <= since:
        return False
    # A newer list that knows of an order but not of its end leaves the end to the slip.
    return not (row.status is ListStatus.SUSPENDED and row.end is None)
