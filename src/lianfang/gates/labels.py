"""What this room's values are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from .policy import OTHER_WORD, OVERRIDES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_stubs_ext import StrPromise

KINDS: Final[Mapping[str, StrPromise]] = {
    "compound": _("小区"),
    "road": _("交通卡口"),
    "site": _("工地"),
    "venue": _("场所"),
}
#: What inward and outward are called at a post. On a road nobody goes in or out; outward is homeward (docs/gates.md).
_WAYS: Final[tuple[StrPromise, StrPromise]] = (_("进"), _("出"))
_ROAD_WAYS: Final[tuple[StrPromise, StrPromise]] = (_("去往别处"), _("回家"))
SILENCES: Final[Mapping[str, StrPromise]] = {
    "fresh": _("在线"),
    "amber": _("静默"),
    "red": _("失联"),
    "never": _("未启用"),
}
ALARMS: Final[Mapping[str, StrPromise]] = {
    "help": _("静默求助"),
    "fork": _("信息链对不上"),
    "unopened": _("读不出的呼叫"),
}
LACKS: Final[Mapping[str, StrPromise]] = {
    "thermometer": _("体温枪不可用"),
    "masks": _("没有口罩"),
}
#: What the server knew and the post had not heard yet; and what the authority had not done.
TICKETS: Final[Mapping[str, StrPromise]] = {
    "revoked": _("证已作废"),
    "order": _("持证人的隔离决定已生效"),
    "unserved": _("隔离期满，解除通知书没有签发"),
}
#: Why a guard decided otherwise, as the row has it (`policy.OVERRIDES`).
OVERRIDE_WORDS: Final[Mapping[str, StrPromise]] = dict(
    zip(
        (*OVERRIDES, OTHER_WORD),
        (
            _("就医取药"),
            _("工作"),
            _("照护老幼"),
            _("社区同意"),
            _("信息有误"),
            _("登记放行的没有放行"),
            _("其他原因"),
        ),
        strict=True,
    )
)
ACTS: Final[Mapping[str, StrPromise]] = {
    "quota": _("出行限次"),
    "perimeter": _("封控（只放行所列类别）"),
}
ACT_STAGES: Final[Mapping[str, StrPromise]] = {
    "proposed": _("待签字"),
    "lapsed": _("未签字，已过期"),
    "to_come": _("已签字，未到开始时间"),
    "in_force": _("执行中"),
    "over": _("已到期，自动失效"),
    "lifted": _("已解除"),
}
VERDICTS: Final[Mapping[str, StrPromise]] = {
    "ALLOW": _("放行"),
    "ALLOW_REG": _("登记放行"),
    "CALL": _("联系社区"),
    "DENY": _("劝返"),
}
CLASSES: Final[Mapping[str, StrPromise]] = {
    "H": _("住户"),
    "P": _("个人"),
    "W": _("务工"),
    "S": _("保供"),
    "V": _("志愿者"),
    "X": _("访客"),
    "M": _("医护"),
}
#: Classes that are given for somebody's work, for compounds other than the own.
WORK_CLASSES: Final = ("W", "S", "V", "M")


def ways_of(kind: str) -> tuple[StrPromise, StrPromise]:
    """The words for inward and outward at a post of this kind."""
    return _ROAD_WAYS if kind == "road" else _WAYS
