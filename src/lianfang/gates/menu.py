"""What this room offers to the frame of pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from lianfang.accounts.menu import Entry, Todo
from lianfang.accounts.rights import Right

from . import queries
from .policy import ANSWERED_WITHIN, Silence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lianfang.kernel.actor import Actor

DESK: Final[Sequence[Entry]] = (Entry("gates:posts", _("卡口")), Entry("gates:compounds", _("制证")))
PHONE: Final[Sequence[Entry]] = (Entry("gates:own_pass", _("我的出入证")),)
PERSON: Final[Sequence[Entry]] = (Entry("gates:person_passes", _("出入证")),)


def todo(by: Actor) -> list[Todo]:
    """Calls for help; posts that are silent; passages of which a post had not heard what was known; records that are
    missing or in conflict without an explanation.
    """
    url = reverse("gates:posts")
    found = []
    if calls := queries.unanswered(by=by) if by.areas(Right.GATES_HELP_ANSWER) else []:
        due = calls[0] + ANSWERED_WITHIN
        found.append(Todo(title=gettext("卡口求助，请立即应答"), url=url, count=len(calls), due_at=due))
    if ends := queries.acts_to_sign(by=by) if by.areas(Right.GATES_ACT_SIGN) else []:
        title = gettext("限次和封控令，待签字")
        found.append(Todo(title=title, url=reverse("gates:acts"), count=len(ends), due_at=ends[0]))
    if not by.areas(Right.GATES_DEVICE_ENROL):
        return found
    posts = queries.posts(by=by)
    silent = sum(post.silence in (Silence.AMBER, Silence.RED) for post in posts)
    missing = sum(1 for post in posts if post.missing or post.conflicts)
    if tickets := queries.open_tickets(by=by):
        gate_id, name, cause = tickets[0]
        if cause == "unserved":
            title = gettext("%(post)s：期满放行，请补办解除通知书") % {"post": name}
        else:
            title = gettext("%(post)s：断网时放行，请核实") % {"post": name}
        url_of = reverse("gates:post", args=[gate_id]) + ("#unserved" if cause == "unserved" else "#tickets")
        found.append(Todo(title=title, url=url_of, count=len(tickets)))
    if silent:
        found.append(Todo(title=gettext("卡口静默或失联，请联系值守员"), url=url, count=silent))
    if missing:
        found.append(Todo(title=gettext("卡口记录缺失或冲突，请查明"), url=url, count=missing))
    return found
