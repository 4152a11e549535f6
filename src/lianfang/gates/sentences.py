"""What refusals of this room say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_stubs_ext import StrPromise

SENTENCES: Final[Mapping[str, StrPromise]] = {
    "gates:no_such_gate": _("没有这个卡口，或不在您的辖区内。"),
    "gates:no_such_device": _("没有这台设备。"),
    "gates:no_such_signal": _("没有这条呼叫，或不在您的辖区内。"),
    "gates:no_such_ticket": _("没有这条待核实的放行，或不在您的辖区内。"),
    "gates:no_such_code": _("没有这个留存的码，或已到期删除。"),
    "gates:no_such_line": _("没有要更正的这一行，或已到期删除。"),
    "gates:line_is_corrected": _("这一行已更正过。要再改，请更正代替它的那一行。"),
    "gates:not_an_export": _("这不是卡口设备导出的文件，或文件不完整。请在设备上重新导出。"),
    "gates:no_such_act": _("没有这项限次或封控令，或不在您的辖区内。"),
    "gates:own_proposal": _("提出的人不能自己签字，请另一位负责人签。"),
    "gates:act_over": _("结束时间已过，不能再办。需要时请另提一项。"),
    "gates:act_too_long": _("一项最长 14 天；更长的需要到期前另提一项并重新说明依据。"),
    "gates:no_compounds": _("这个范围内没有小区，或小区过多；请选社区或小区。"),
    "gates:too_many_acts": _("在生效的限次和封控令已达上限，请先解除不再需要的。"),
    "gates:ages_out_of_bounds": _("第一个时限 12 至 72 小时，第二个 24 至 168 小时，并且比第一个长。"),
    "gates:ages_as_before": _("现在执行的就是这两个时限，不用再签。"),
    "gates:code_not_valid": _("登记码不对或已过期。请在工作台重新生成。"),
    "gates:code_used_by_another": _("这个登记码已被另一台设备使用。请在工作台重新生成。"),
    "gates:not_at_home": _("此人没有登记到小区内的住房。请先在人员档案中登记住址。"),
    "gates:nobody_without_pass": _("这个小区的居民都有 7 天以上有效的纸质证，不用再制。"),
    "gates:no_such_round": _("没有这一批出入证，或不在您的辖区内。"),
    "gates:under_order": _("有隔离决定在生效，现在不能发这种证。决定到期后即可办理；同户其他人请办个人证。"),
    "gates:no_work_places": _("工作证请选同一街道的 1 至 8 个小区。"),
    "gates:ends_too_late": _("有效期须晚于现在，最长 31 天。到期前可再签发。"),
    "gates:phone_proof_bad": _(
        "手机的证明不对或已过期。请重新打开本页；仍不行请向社区要一个新的一次性代码。"
    ),
    "gates:not_a_key": _("设备密钥不符合要求。请更新浏览器后重试。"),
    "gates:number_unknown": _("号码不对。请核对校验位。"),
}
