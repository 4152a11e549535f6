"""What refusals of this room and of the kernel say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_stubs_ext import StrPromise

SENTENCES: Final[Mapping[str, StrPromise]] = {
    "kernel:refused": _("没有办成。请返回重试；仍不行请拨打社区电话。"),
    "kernel:not_found": _("没有找到，或不在您的辖区内。请核对后再试。"),
    "kernel:not_allowed": _("您现在的职务不能办这件事。需要时请联系授予职务的单位。"),
    "kernel:same_id_other_content": _("这一份已用别的内容提交过，以先提交的为准。请刷新页面后重新填写。"),
    "accounts:login_taken": _("这个登录名已有人使用，请换一个。"),
    "accounts:office_outside_organ": _("所选区域不在该单位的辖区内。请改选区域或单位。"),
    "accounts:wrong_organ": _("该类单位没有这种职务。请改选单位或职务。"),
    "accounts:period_is_none": _("结束时间须晚于开始时间和现在，最长一年。"),
    "accounts:takes_two_persons": _("这种职务须一人提出、另一人确认。请先提出，再请有权的另一人确认。"),
    "accounts:another_must_confirm": _("提出人和拟任人都不能确认。请另一位有权的人确认。"),
    "accounts:proposal_lapsed": _("提出已超过 24 小时，或提出人已无权授予。请重新提出。"),
    "accounts:offices_must_be_apart": _(
        "此人同期担任须分开的职务（疾控与指挥部、系统与安全与审计不得兼任）。"
    ),
    "accounts:office_already_over": _("该职务已经结束，不用再办。"),
    "accounts:wrong_code": _("代码不对、已用过或已过期。请重新索取后再试。"),
    "accounts:system_in_use": _("系统已启用，首次设置已关闭。请用已有账号登录。"),
    "accounts:weak_password": _("密码须至少 12 个字符，不能是常见密码或纯数字。"),
}
