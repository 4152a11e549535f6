"""What refusals of this room say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_stubs_ext import StrPromise

SENTENCES: Final[Mapping[str, StrPromise]] = {
    "announcements:no_such_announcement": _("没有这份公告，或不在您的辖区内。"),
    "announcements:no_such_places": _("请选适用范围：区、街道、社区或小区，最多 60 个；更多时请选上一级。"),
    "announcements:ends_before_it_begins": _("截止须晚于开始，也须晚于现在。"),
    "announcements:too_long_aloud": _("广播稿要读 {seconds} 秒，超过 60 秒（按每分钟 240 字计）。请删短。"),
    "announcements:names_a_person": _("文中有像身份证号的数字。公开的文字不写任何人的身份信息，请删去。"),
    "announcements:not_to_supersede": _("要替代的公告须是本单位的，并且仍然有效。"),
    "announcements:own_draft": _("起草人不能自己做合法性审核，请另一人办理。"),
    "announcements:already_reviewed": _("已有人审核过这份稿子，结论不能改；请照此重新起草。"),
    "announcements:not_reviewed": _("还没有通过合法性审核，不能签发。"),
    "announcements:own_review": _("审核人不能签发，请另一位负责人办理。"),
    "announcements:lapsed": _("这份稿子已过期（起草满 30 天，或已过截止时间）。请照此重新起草。"),
    "announcements:not_in_force": _("这份公告没有在执行，无可撤回。"),
}
