"""What a room offers to the frame: entries of menus, and what waits for somebody.

A room names its entries in `X/menu.py` as `DESK` and `PHONE`, as `PERSON` what it offers to do for one person
(addresses that take the person's id), and what waits in `todo(by) -> list[Todo]`
of the same module, from a bounded number of its queries. `config` collects them; whether an entry is shown
follows from the surface of the page it leads to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from . import queries
from .actions import PROPOSAL_LASTS
from .rights import Right

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django_stubs_ext import StrPromise

    from lianfang.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Entry:
    """A place to go: the name of a URL without arguments, and what it is called."""

    url_name: str
    label: StrPromise


@dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    """One thing, or one pile of things, that waits for somebody today. Nothing about a person but a number.

    :ivar title: what is to be done, in the reader's language
    :ivar url: where it is done
    :ivar count: how many wait, if it is a pile
    :ivar due_at: until when; the list is sorted by it
    """

    title: str
    url: str
    count: int | None = None
    due_at: datetime | None = None


DESK: Final[Sequence[Entry]] = (Entry("accounts:offices", _("职务")),)


def todo(by: Actor) -> list[Todo]:
    """In a new installation the bodies to be entered; offices proposed by somebody else that this actor may confirm."""
    found = []
    # The cheap questions first: this list stands on everybody's first page.
    if (
        by.areas(Right.ACCOUNTS_OFFICE_GRANT)
        and not queries.has_communities()
        and {"street", "community"} <= set(queries.enterable_kinds(by))
    ):
        found.append(Todo(title=gettext("登记街道、社区等单位，再授予职务"), url=reverse("accounts:organs")))
    if not by.areas(Right.ACCOUNTS_OFFICE_CONFIRM):
        return found
    held = queries.offices_held(by.user_id, by.at)
    waiting = [
        p
        for p in queries.proposals_waiting(by, since=by.at - PROPOSAL_LASTS)
        if queries.confirmable(p, held, by=by)
    ]
    if waiting:
        due = waiting[0].proposed_at + PROPOSAL_LASTS
        title = gettext("职务等您确认")
        found.append(Todo(title=title, url=reverse("accounts:offices"), count=len(waiting), due_at=due))
    return found
