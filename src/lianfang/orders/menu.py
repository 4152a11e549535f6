"""This room's entries in the menus, on the page of a person, and what waits today."""

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from lianfang.accounts.menu import Entry, Todo

from . import queries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lianfang.kernel.actor import Actor

DESK: Final["Sequence[Entry]"] = (
    Entry("orders:desk", _("隔离决定")),
    Entry("orders:serving", _("送达")),
    Entry("orders:care", _("照护")),
    Entry("orders:appeals", _("申诉")),
    Entry("orders:checks", _("解除核对")),
    Entry("orders:sheets", _("公示单")),
)
PHONE: Final["Sequence[Entry]"] = (
    Entry("orders:own", _("我的隔离决定")),
    Entry("orders:report", _("报告返回或症状")),
)
PERSON: Final["Sequence[Entry]"] = (
    Entry("orders:person", _("隔离决定")),
    Entry("orders:inquiry", _("登记流调发现")),
    Entry("orders:proxy_arrival", _("代报：从外地回来")),
    Entry("orders:proxy_symptoms", _("代报：身体不适")),
)


def todo(by: "Actor") -> list[Todo]:
    """What waits for this actor today in this room."""
    return queries.todo(by)
