"""Announcements for tests: a text, and one as far as it shall have come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lianfang.accounts.rights import ORGAN_KIND_OF, Role
from lianfang.announcements import actions
from lianfang.announcements.policy import Kind
from lianfang.kernel import clock
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from tests.factories.accounts import DISTRICT, STREET, an_officer, an_organ

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from lianfang.announcements.models import Announcement, Publication
    from lianfang.kernel.actor import Actor

BODY = "自明天起，检测点设在南广场。\n行动不便的，社区上门。"


def a_text(**changes: Any) -> actions.Draft:
    """The least that an announcement of the street says."""
    said: dict[str, Any] = {
        "id": new_id(),
        "kind": Kind.ANNOUNCEMENT,
        "title": "关于检测点的通告",
        "body": BODY,
        "basis": "《传染病防治法》第三十九条（示例）",
        "places": (STREET,),
        "signatory": "主任 示例",
    }
    return actions.Draft(**(said | changes))


def somebody(role: Role = Role.STREET, area: str = STREET, *, at: datetime | None = None) -> Actor:
    """Another officer each time; those of one role and area are of one organ."""
    return an_officer(role, area, at=at or clock.now(), organ=an_organ(ORGAN_KIND_OF[role], area))


def a_draft(*, at: datetime | None = None, by: Actor | None = None, **changes: Any) -> Announcement:
    with scope(areas=[DISTRICT]):
        return actions.draft_announcement(a_text(**changes), by=by or somebody(at=at))


def reviewed(text_id: UUID, *, at: datetime | None = None, approved: bool = True) -> None:
    """By the command, which is above every other organ here."""
    by = somebody(Role.CMD_DUTY, DISTRICT, at=at)
    with scope(areas=[DISTRICT]):
        word = "" if approved else "依据不足"
        actions.review_announcement(text_id, approved=approved, word=word, by=by)


def a_published(*, at: datetime | None = None, **changes: Any) -> Publication:
    """Of the street, drafted, reviewed and signed at one instant."""
    at = at or clock.now()
    text = a_draft(at=at, **changes)
    reviewed(text.pk, at=at)
    with scope(areas=[DISTRICT]):
        return actions.sign_announcement(text.pk, by=somebody(at=at))
