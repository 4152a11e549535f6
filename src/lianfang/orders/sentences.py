"""The sentence for each refusal of this room: what is wrong, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.functional import _StrPromise

SENTENCES: Final[Mapping[str, _StrPromise]] = {
    "orders:no_rule_covers": _("没有现行文件规定这一理由的隔离期限，不能签发。"),
    "orders:no_such_reason": _("理由不在现行目录中，不能签发。只有目录中的健康理由可以作为依据。"),
    "orders:organ_not_competent": _("按现行权限文件，本机构无权作出此类决定。"),
    "orders:period_already_over": _("从起算时间数起，期限已经过去，不需要隔离。"),
    "orders:longer_than_its_cap": _("超过单次隔离的最长期限，不能签发。"),
    "orders:anchor_in_the_future": _("起算时间在将来，请核对。"),
    "orders:already_under_order": _("此人在这段时间内已有隔离决定。如需延长，请从原决定办理。"),
    "orders:not_present": _("此人不在本区居住，近21日也没有工作人员当面登记的到达记录，不能签发。"),
    "orders:evidence_repeated": _("延长需要新的依据，不能沿用原决定的依据。"),
    "orders:no_such_evidence": _("没有经卫生人员核实的线索作为依据。扫码、表格和导入名单都不是依据。"),
    "orders:needs_second_signer": _("需要另一机构的第二签发人先签字。"),
    "orders:needs_place_order": _("24小时内签发人数已达上限，更多人员只能通过公开的场所决定。"),
    "orders:same_body": _("第二签发人必须来自签发机构和提出机构以外的机构。"),
    "orders:factor_not_fresh": _("请重新输入动态验证码后再签字。"),
    "orders:proposal_is_over": _("这份建议已处理或已超过24小时。"),
    "orders:already_over": _("这份决定已经结束。"),
    "orders:already_served": _("这份决定已送达。"),
    "orders:not_cared_for": _("家中还有{count}位需要照护的人没有落实照护，落实后才能送达。"),
    "orders:needs_witnesses": _("拒签须有两名见证人，宣读须有一名见证人，请填写。"),
    "orders:carer_cannot_care": _("所选照护人是隔离人员本人、需要照护的人，或本人也在隔离中。"),
    "orders:too_late_to_appeal": _("决定结束已超过60日，申诉期限已过；仍可按通知书所列途径复议或诉讼。"),
    "orders:decided_already": _("这份申诉已有结论。"),
    "orders:decider_took_part": _("作出、提出或会签该决定的人员和机构不能审理申诉。"),
    "orders:too_early_for_notice": _("解除文书最多提前一天准备。"),
    "orders:checks_missing": _("解除通知书还缺医务或街道核对；不影响到期自动解除。"),
    "orders:no_second_phase": _("这份决定没有后续阶段，或已提前解除。"),
    "orders:too_early_for_second_phase": _("后续阶段最多在前一阶段结束前一天签发。"),
    "orders:kept_for_its_term": _("此案卷还不能销毁：结束未满三年、有申诉未决，或当事人要求保留。"),
    "orders:held_too_long": _("保留期限须在今后三年以内。到期前可再次申请。"),
    "orders:hold_is_over": _("这项保留已经到期或已撤回。"),
    "orders:no_such_number": _("没有这个编号的决定，或不在您的辖区。"),
    "orders:no_place_large_enough": _("周边没有五户以上的公示范围，不能张贴。"),
}
