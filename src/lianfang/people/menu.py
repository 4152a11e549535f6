"""This room's entries in the menus."""

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from lianfang.accounts.menu import Entry

from .queries import todo

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DESK", "PHONE", "todo"]

DESK: Final["Sequence[Entry]"] = (
    Entry("people:people", _("人员")),
    Entry("people:inquiry", _("调查查询")),
    Entry("people:corrections", _("待处理更正")),
    Entry("people:imports", _("名册导入")),
    Entry("people:exports", _("导出")),
)
PHONE: Final["Sequence[Entry]"] = (
    Entry("people:household", _("我的户")),
    Entry("people:reads", _("谁看过我的信息")),
)
