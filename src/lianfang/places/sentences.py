"""What a person is told when an act about places is refused."""

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.functional import _StrPromise as StrPromise

SENTENCES: Final["Mapping[str, StrPromise]"] = {
    "places:no_such_edition": _("没有这一版区划代码：{edition}。"),
    "places:not_under_that_place": _("{kind}不能设在这里。"),
    "places:place_has_ended": _("该地点已停用，不能在其下新增。"),
    "places:successor_missing": _("下列代码在新版区划中取消，请先指定去向：{codes}。"),
    "places:edition_not_newer": _("该版区划不晚于现行版本。"),
}
