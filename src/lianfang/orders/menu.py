"""This room's entries in the menus, on the page of a person, and what waits today."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Min
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from lianfang.accounts.menu import Entry, Todo
from lianfang.accounts.rights import Right
from lianfang.concerns import queries as concerns

from . import appeals, labels, policy, proposals, queries, sheets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from lianfang.kernel.actor import Actor

DESK: Final[Sequence[Entry]] = (
    Entry("orders:desk", _("隔离决定")),
    Entry("orders:serving", _("送达")),
    Entry("orders:care", _("照护")),
    Entry("orders:appeals", _("申诉")),
    Entry("orders:checks", _("解除核对")),
    Entry("orders:sheets", _("公示单")),
)
PHONE: Final[Sequence[Entry]] = (
    Entry("orders:own", _("我的隔离决定")),
    Entry("orders:report", _("报告返回或症状")),
)
PERSON: Final[Sequence[Entry]] = (
    Entry("orders:person", _("隔离决定")),
    Entry("orders:inquiry", _("登记流调发现")),
    Entry("orders:proxy_arrival", _("代报：从外地回来")),
    Entry("orders:proxy_symptoms", _("代报：身体不适")),
)


def todo(by: Actor) -> list[Todo]:
    """What waits for this actor today in this room, one line for each pile; one query a pile, however high it is."""
    found: list[Todo] = []

    def add(kind: str, page: str, count: int, due_at: datetime | None) -> None:
        if count:
            found.append(Todo(title=str(labels.TODO[kind]), url=reverse(page), count=count, due_at=due_at))

    def add_pile(kind: str, page: str, rows: QuerySet[Any], since: str, term: timedelta) -> None:
        pile = rows.aggregate(count=Count("pk"), oldest=Min(since))
        add(kind, page, pile["count"], pile["oldest"] and pile["oldest"] + term)

    if by.areas(Right.CONCERNS_REPORT_ASSESS):
        add("concerns", "orders:desk", *concerns.count_unassessed(by))
    if by.areas(Right.ORDERS_ISOLATION_ISSUE):
        add("verified", "orders:desk", len(proposals.concerns_without_order(by)), None)
    if by.areas(Right.ORDERS_ISOLATION_ISSUE) or by.areas(Right.ORDERS_ISOLATION_SECOND_SIGN):
        add_pile("proposals", "orders:desk", proposals.rows_waiting(by), "signed_at", policy.PROPOSAL_WAITS)
    if by.areas(Right.ORDERS_NOTICE_SERVE):
        add_pile("to_serve", "orders:serving", queries.unserved(by), "signed_at", policy.TELL_WITHIN)
    if by.areas(Right.ORDERS_ISOLATION_ISSUE):
        add_pile(
            "ending", "orders:desk", queries.ending(by, within=policy.NOTICE_AHEAD), "ends_at", timedelta()
        )
        add_pile("late_notices", "orders:desk", queries.unnoticed(by), "ends_at", policy.NOTICE_LATE_AFTER)
    if by.areas(Right.ORDERS_APPEAL_DECIDE):
        add_pile(
            "appeals", "orders:appeals", appeals.rows_to_decide(by), "raised_at", policy.ANSWER_APPEAL_WITHIN
        )
    if by.areas(Right.ORDERS_BOARD_POST):
        add_pile(
            "take_down", "orders:sheets", sheets.rows_to_take_down(by), "ends_at", policy.TAKE_DOWN_WITHIN
        )
    return found
