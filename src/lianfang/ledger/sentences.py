"""The sentences of this room's refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_stubs_ext import StrPromise

SENTENCES: Final[Mapping[str, StrPromise]] = {
    "ledger:no_such_entry": _("防疫信息链上没有这条记录。"),
    "ledger:nothing_to_erase": _("这条记录的明细已经删除，没有可删除的内容。"),
    "ledger:key_unusable": _(
        "服务器上的一个钥匙文件损坏或不见了，没有记下任何东西。请立即打电话给运行人员。"
    ),
    "ledger:not_witnessed_yet": _("这条记录已入账，见证方尚未签名；请一两分钟后再取证明。"),
    "ledger:restored_older": _(
        "见证方手里的信息链比本系统的长：数据库可能被恢复到较早的时点。核对清楚之前，"
        "系统不受理任何新的限制措施；解除措施不受影响。"
    ),
}
