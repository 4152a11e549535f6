"""This room's entry in the menu, and what waits."""

from typing import TYPE_CHECKING, Final

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from lianfang.accounts.menu import Entry, Todo
from lianfang.accounts.rights import Right

from . import queries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lianfang.kernel.actor import Actor

DESK: Final["Sequence[Entry]"] = (Entry("rules:desk_rules", _("规则")),)


def todo(by: "Actor") -> list[Todo]:
    """Others' drafts to publish, and documents in force that nobody has compared with the official text."""
    if not by.areas(Right.RULES_RULE_PUBLISH):
        return []
    waiting = (
        (queries.count_drafts(not_by=by.user_id), gettext("规则草稿待发布")),
        (queries.count_unverified(on=by.legal_day), gettext("现行规则文件未与原文核对")),
    )
    url = reverse("rules:desk_rules")
    return [Todo(title=title, url=url, count=count) for count, title in waiting if count]
