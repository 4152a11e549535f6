"""The sentence for each refusal of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.functional import _StrPromise

SENTENCES: Final[Mapping[str, _StrPromise]] = {
    "concerns:in_the_future": _("时间在将来，请核对。"),
    "concerns:left_after_arrival": _("离开时间晚于到达时间，请核对。"),
    "concerns:temperature_out_of_range": _("体温应在34.0至43.0之间。"),
    "concerns:already_decided": _("这条线索已由另一位工作人员判定。"),
    "concerns:has_lapsed": _("已超过24小时，这条线索自动失效。"),
    "concerns:no_such_category": _("类别不在现行理由目录中。"),
}
