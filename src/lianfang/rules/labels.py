"""What kinds of documents, and what stands in them, are called on pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from .policy import Kind, Measure, ReleaseAt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_stubs_ext import StrPromise

    from .policy import Catalogue

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
#: The events that days are counted from, in both languages at once, for papers too.
EVENT_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "left_area": ("离开风险地区", "left the area of risk"),
    "arrival": ("到达本地", "arrived here"),
    "last_exposure": ("末次接触", "last exposure"),
    "entered": ("入境", "entered the country"),
    "left_facility": ("解除集中隔离", "left the facility"),
    "first_phase_over": ("前一阶段结束", "end of the first phase"),
    "onset": ("发病", "onset"),
    "discharge": ("出院", "discharge"),
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
    "health": _("卫生健康"),
    "district": _("区县"),
    "high": _("高"),
    "medium": _("中"),
}


def said(zh: str, en: str) -> str:
    """The one of two wordings for the reader's language; Chinese where there is no English."""
    return en if en and get_language() == "en" else zh


def reason_words(code: str, catalogue: Catalogue | None) -> tuple[str, str]:
    """The catalogue's words for a reason, Chinese and English; the code where the catalogue lost it."""
    found = catalogue.find(code) if catalogue else None
    return (code, code) if found is None else (found.zh, found.en)


def event(name: str) -> str:
    """The event that days are counted from, in the reader's language."""
    return said(*EVENT_WORDS.get(name, (name, name)))


def value(found: object) -> object:
    """A value of a document's content in the reader's language, where it is a code."""
    code = str(found)
    return event(code) if code in EVENT_WORDS else VALUES.get(code, found)
