"""What anybody may check: public sheets, and the certificates that employers see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from django.db import connection
from django.db.models import F, Func, TextField, Value

from lianfang.accounts.rights import Right
from lianfang.kernel.fields import within_any

from .models import BoardSheet

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet
    from django_stubs_ext import WithAnnotations

    from lianfang.kernel.actor import Actor

    class _State(TypedDict):
        state: str

    _StatedSheet = WithAnnotations[BoardSheet, _State]


@dataclass(frozen=True, slots=True)
class SheetView:
    """A public sheet: place and period, nothing else."""

    id: UUID
    place: str
    households: int
    starts_at: datetime
    ends_at: datetime
    state: str


def _sheets(at: datetime) -> QuerySet[_StatedSheet]:
    """Sheets, each with what a passer-by would learn of it."""
    state = Func(F("pk"), Value(at), function="orders_sheet_state", output_field=TextField())
    return BoardSheet.objects.annotate(state=state)


def _sheet(row: _StatedSheet) -> SheetView:
    return SheetView(row.pk, row.place, row.households, row.starts_at, row.ends_at, row.state)


def sheet(sheet_id: UUID, at: datetime) -> SheetView | None:
    """A sheet as printed, and whether it still holds."""
    row = _sheets(at).filter(pk=sheet_id).first()
    return None if row is None else _sheet(row)


def _hanging(by: Actor) -> QuerySet[_StatedSheet]:
    return _sheets(by.at).filter(within_any("place", by.areas(Right.ORDERS_BOARD_POST)), take_down=None)


def rows_to_take_down(by: Actor) -> QuerySet[_StatedSheet]:
    """The rows of sheets that still hang though they no longer hold (N-3); a task from the instant of the end."""
    return _hanging(by).filter(state="ended")


def hanging(by: Actor, *, limit: int = 200) -> list[SheetView]:
    """Sheets that hang in the actor's areas, whether they still hold or not."""
    return [_sheet(r) for r in _hanging(by).order_by("ends_at", "pk")[:limit]]


def of_order(order_id: UUID, at: datetime) -> list[SheetView]:
    """The public sheets of an order."""
    return [_sheet(r) for r in _sheets(at).filter(order_id=order_id)]


@dataclass(frozen=True, slots=True)
class CertificateView:
    """What an employer may check: from when to when; whose it is and of what kind stays unsaid.

    :ivar entry_id: of the order in the chain; for its state, never to be shown
    """

    starts_at: datetime
    over_at: datetime
    entry_id: UUID


def certificate(order_id: UUID) -> CertificateView | None:
    """If there is such an order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT starts_at, over_at, entry FROM orders_certificate(%s)", [order_id])
        starts_at, over_at, entry = cursor.fetchone()
    return None if starts_at is None else CertificateView(starts_at, over_at, entry)
