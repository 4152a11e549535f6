"""What this room's values are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from .policy import Kind, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_stubs_ext import StrPromise

KINDS: Final[Mapping[str, StrPromise]] = {
    Kind.ANNOUNCEMENT: _("通告"),
    Kind.PROCLAMATION: _("公告"),
    Kind.NOTICE: _("通知"),
}
#: On paper, in both languages.
KINDS_ON_PAPER: Final[Mapping[str, tuple[str, str]]] = {
    Kind.ANNOUNCEMENT: ("通　告", "Announcement"),
    Kind.PROCLAMATION: ("公　告", "Proclamation"),
    Kind.NOTICE: ("通　知", "Notice"),
}
STATES: Final[Mapping[str, StrPromise]] = {
    State.DRAFT: _("草稿，待审核"),
    State.RETURNED: _("审核退回"),
    State.REVIEWED: _("已审核，待签发"),
    State.LAPSED: _("过期，未签发"),
    State.TO_COME: _("已发布，尚未开始"),
    State.IN_FORCE: _("现行有效"),
    State.ENDED: _("到期失效"),
    State.SUPERSEDED: _("已被替代"),
    State.WITHDRAWN: _("已撤回"),
}
#: How the note with the state looks.
TONES: Final[Mapping[str, str]] = {
    State.DRAFT: "",
    State.REVIEWED: "",
    State.TO_COME: "",
    State.IN_FORCE: "is-good",
    State.RETURNED: "is-warning",
    State.LAPSED: "is-warning",
    State.ENDED: "is-warning",
    State.SUPERSEDED: "is-warning",
    State.WITHDRAWN: "is-error",
}
