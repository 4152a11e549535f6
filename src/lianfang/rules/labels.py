"""What kinds of documents, and what stands in them, are called on pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from .policy import Kind, Measure, ReleaseAt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_stubs_ext import StrPromise

KINDS: Final[Mapping[str, StrPromise]] = {
    Kind.ISOLATION: _("隔离期限"),
    Kind.COMPETENCE: _("决定权限"),
    Kind.REASONS: _("理由目录"),
    Kind.CAPS: _("时长和数量上限"),
    Kind.REMEDIES: _("救济途径"),
    Kind.LISTED_AREAS: _("重点地区名单"),
    Kind.WORDING: _("告知书用语"),
    Kind.GUIDANCE: _("指引"),
}
MEASURES: Final[Mapping[str, StrPromise]] = {
    Measure.HOME_ISOLATION: _("居家隔离"),
    Measure.FACILITY_ISOLATION: _("集中隔离"),
    Measure.HOME_MONITORING: _("居家健康监测"),
}
#: The names of a document's content; whoever compares it with the official text reads them.
CONTENT: Final[Mapping[str, StrPromise]] = {
    **MEASURES,
    "alone_per_day": _("一人单独签发每天最多"),
    "anchor_counts_as": _("起算当天算第几天"),
    "anchor_event": _("从何时起算"),
    "areas": _("地区"),
    "chain_gap_hours": _("间隔多少小时内算连续"),
    "chained_days": _("连续隔离最多天数"),
    "code": _("代码"),
    "days": _("天数"),
    "duties": _("应当做到"),
    "en": _("英文"),
    "follow_on_days": _("之后的天数"),
    "follow_on_measure": _("之后的措施"),
    "kind": _("措施"),
    "legal_basis": _("法律依据"),
    "legal_basis_en": _("法律依据（英文）"),
    "level": _("级别"),
    "longest_days": _("一次最多天数"),
    "look_back_days": _("往前追溯天数"),
    "measure": _("措施"),
    "name": _("名称"),
    "organ_kind": _("单位类别"),
    "organs": _("有权单位"),
    "presence_days": _("当面确认有效天数"),
    "protections": _("保障"),
    "reach": _("怎样提出"),
    "reason": _("理由"),
    "reasons": _("理由"),
    "release_at": _("解除时刻"),
    "release_conditions": _("解除条件"),
    "remedies": _("救济途径"),
    "second_signer": _("需要第二签字"),
    "seconded_per_day": _("两人签发每天最多"),
    "tests_on_days": _("第几天检测"),
    "text": _("内容"),
    "to": _("向谁提出"),
    "within_days": _("期限天数"),
    "within_en": _("期限（英文）"),
    "within_zh": _("期限"),
    "zh": _("中文"),
}
#: Words that stand for values, where a value is a code.
VALUES: Final[Mapping[str, StrPromise]] = {
    **MEASURES,
    ReleaseAt.START_OF_NEXT_DAY: _("最后一天过后的零点"),
    ReleaseAt.SAME_HOUR: _("满天数的同一时刻"),
    "left_area": _("离开风险地区"),
    "arrival": _("到达本地"),
    "last_exposure": _("末次接触"),
    "entered": _("入境"),
    "left_facility": _("解除集中隔离"),
    "first_phase_over": _("前一阶段结束"),
    "onset": _("发病"),
    "discharge": _("出院"),
    "health": _("卫生健康"),
    "district": _("区县"),
    "high": _("高"),
    "medium": _("中"),
}
