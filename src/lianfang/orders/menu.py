"""This room's entries in the menus."""

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from lianfang.accounts.menu import Entry

from .queries import todo

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DESK", "PERSON", "PHONE", "todo"]

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
    Entry("orders:proxy_arrival", _("代报返回")),
    Entry("orders:proxy_symptoms", _("代报症状")),
)
