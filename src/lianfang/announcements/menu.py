"""This room's entries in the menus, and what waits."""

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

DESK: Final["Sequence[Entry]"] = (Entry("announcements:desk", _("公告栏")),)
PHONE: Final["Sequence[Entry]"] = (Entry("announcements:open", _("公告栏")),)


def todo(by: "Actor") -> list[Todo]:
    """Drafts of others that wait for a review, and reviewed ones of the own organ that wait for a signature."""
    found = []
    url = reverse("announcements:desk")
    if by.areas(Right.ANNOUNCEMENTS_TEXT_REVIEW) and (waiting := len(queries.to_review(by=by))):
        found.append(Todo(title=gettext("公告待合法性审核"), url=url, count=waiting))
    if by.areas(Right.ANNOUNCEMENTS_TEXT_SIGN) and (waiting := len(queries.to_sign(by=by))):
        found.append(Todo(title=gettext("公告待签发"), url=url, count=waiting))
    return found
