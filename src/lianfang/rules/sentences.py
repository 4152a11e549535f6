"""The sentence for each refusal of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.functional import _StrPromise

SENTENCES: Final[Mapping[str, _StrPromise]] = {
    "rules:no_incident": _("还没有设定疫情事件，规则尚未启用。"),
    "rules:draft_lacks_dates": _("没有确切的起始日期，只能保留为草稿。"),
    "rules:overlaps_at_one_level": _("同一级别已有文件覆盖这些日期，请先结束那份文件。"),
    "rules:one_person_cannot_publish": _("起草人不能自己发布，需要另一人发布。"),
    "rules:already_published": _("已发布的文件不能改动，只能结束。"),
    "rules:content_does_not_fit": _("文件内容缺少必需的项目：{missing}"),
}
