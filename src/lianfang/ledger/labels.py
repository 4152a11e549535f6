"""What the parties are called on the pages, and what each reader does about an alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_stubs_ext import StrPromise

_PARTIES: Final[Mapping[str, StrPromise]] = {
    "residents": _("居民"),
    "property": _("物业"),
    "community": _("社区"),
}


#: What each reader does about an alarm of the chain, one line: the command, a party that holds a witness, and everybody.
_TO_DO: Final[Mapping[str, Mapping[str, StrPromise]]] = {
    "fork": {
        "command": _("停机，收齐各方的证据，三方到场后另开新账；不要删除任何文件，谁也不要“修复”。"),
        "party": _("下载证据存好，去看自己的见证电脑，打电话给另外两方和指挥部；谁也不要“修复”。"),
        "anybody": _("到期和解除照常生效，卡口照常放行；手里的纸质证明请留好。"),
    },
    "says_fork": {
        "command": _("打电话请这一方看见证电脑的灯：红灯就取证据文件；不是红灯，就查是谁在冒充它答话。"),
        "party": _("去看自己的见证电脑：红灯就打电话给另外两方和指挥部。"),
        "anybody": _("到期和解除照常生效；有没有证据，以本页为准。"),
    },
    "suspended": {
        "command": _("停机后运行 lianfang chain reconcile，把缺的记录找回来。"),
        "party": _("不要关见证电脑，指挥部可能要从它那里找回记录。"),
        "anybody": _("到期和解除照常生效。"),
    },
    "says_more": {
        "command": _("它说手里的账更长，却拿不出签过名的账，所以没有暂停；请派人去看那台电脑和网络。"),
        "party": _("请看自己的见证电脑开着没有、灯是什么颜色。"),
        "anybody": _("到期和解除照常生效。"),
    },
    "no_quorum": {
        "command": _("打电话给没有签名的各方，请他们看见证电脑。"),
        "party": _("请看自己的见证电脑开着没有、网通不通。"),
        "anybody": _("不必做什么；到期和解除照常生效。"),
    },
    "clock": {
        "command": _("打电话请这一方把见证电脑的日期和时间调准；差十分钟以上，它的签名不算数。"),
        "party": _("请看自己的见证电脑的日期和时间准不准。"),
        "anybody": _("不必做什么；到期和解除照常生效。"),
    },
    "rounds_fail": {
        "command": _("请运行人员看后台日志；记录都在数据库里，修好后自动入链。"),
        "party": _("请问指挥部；见证电脑不用动。"),
        "anybody": _("不必做什么；到期和解除照常生效。"),
    },
}
COMMAND: Final = "command"
PARTY: Final = "party"
ANYBODY: Final = "anybody"


def to_do(code: str, reader: str) -> StrPromise | str:
    """The one line for this reader; nothing where the alarm's own words say it."""
    return _TO_DO.get(code, {}).get(reader, "")


def party(witness: str) -> StrPromise | str:
    """The party whose witness this is; a later key of the same party has a number behind the name."""
    return _PARTIES.get(witness.partition("-")[0], witness)
