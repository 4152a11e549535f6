"""What measures, events, receipts and needs are called on pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from lianfang.rules import labels as rule_labels
from lianfang.rules import queries as rules
from lianfang.rules.policy import Measure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from django_stubs_ext import StrPromise

    from lianfang.rules.policy import Catalogue

#: The same in both languages at once, for papers.
MEASURE_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    Measure.HOME_ISOLATION: ("居家隔离医学观察", "isolation at home"),
    Measure.FACILITY_ISOLATION: ("集中隔离医学观察", "isolation in a facility"),
    Measure.HOME_MONITORING: ("居家健康监测", "health monitoring at home"),
}
RECEIPTS: Final = (
    ("signed", _("本人签收")),
    ("by_guardian", _("监护人签收")),
    ("read_out", _("宣读送达（一名见证人）")),
    ("refused", _("拒绝签收（两名见证人）")),
)
NEEDS: Final[Mapping[str, StrPromise]] = {
    "child": _("未满14岁的孩子"),
    "ward": _("被监护人"),
    "elder": _("70岁以上老人"),
    "disabled": _("残疾人"),
}
NEED_WORDS: Final[Mapping[str, str]] = {
    "child": "未满14岁的孩子",
    "ward": "被监护人",
    "elder": "70岁以上老人",
    "disabled": "残疾人",
}
SYMPTOMS: Final = (
    ("fever", _("发热")),
    ("dry_cough", _("干咳")),
    ("fatigue", _("乏力")),
    ("sore_throat", _("咽痛")),
    ("breathless", _("气促")),
    ("loss_of_smell", _("嗅觉减退")),
    ("diarrhoea", _("腹泻")),
)
TRANSPORT: Final = (
    ("rail", _("火车")),
    ("air", _("飞机")),
    ("coach", _("客车")),
    ("car", _("小汽车")),
    ("boat", _("船")),
)
FACTS: Final[Mapping[str, StrPromise]] = {
    "nothing_listed": _("您来的地方不在重点地区名单上，也没有接触史和症状。"),
    "long_ago": _("您离开重点地区的时间已超过规定天数。"),
    "listed_area": _("您来的地方在重点地区名单上。"),
    "contact": _("您接触过病例。"),
    "symptoms": _("您有症状或体温达到37.3℃。"),
    "no_symptoms": _("没有症状，体温正常。"),
}
CONCERN_STATES: Final[Mapping[str, StrPromise]] = {
    "waiting": _("待判定"),
    "verified": _("已核实"),
    "dismissed": _("已排除"),
    "lapsed": _("已失效"),
}
TODO: Final[Mapping[str, StrPromise]] = {
    "concerns": _("线索待卫生人员判定"),
    "verified": _("已核实的线索尚无决定"),
    "proposals": _("隔离建议待签字"),
    "to_serve": _("决定待送达"),
    "ending": _("24小时内到期，准备解除文书"),
    "late_notices": _("到期超过12小时，解除通知书未签"),
    "appeals": _("申诉待答复"),
    "take_down": _("公示单待取下"),
}


def reason(code: str, on: date, *, area: str) -> str:
    """The catalogue's words for a reason in the reader's language."""
    return Reasons().say(code, on, area=area)


class Reasons:
    """The words for many reasons on one page or in one print run: the catalogues are read once."""

    def __init__(self, quoted: rules.Quoted | None = None) -> None:
        self._quoted = quoted or rules.Quoted()
        self._catalogues: dict[tuple[date, str], Catalogue | None] = {}

    def say(self, code: str, on: date, *, area: str) -> str:
        """See `reason`."""
        if code == "fever":
            return str(_("发热或有症状"))
        return rule_labels.said(*self.words(code, on, area=area))

    def words(self, code: str, on: date, *, area: str) -> tuple[str, str]:
        """The same, Chinese and English."""
        community = ".".join(area.split(".")[:3])
        key = (on, community)
        if key not in self._catalogues:
            self._catalogues[key] = self._quoted.catalogue(on, area=community)
        return rule_labels.reason_words(code, self._catalogues[key])
