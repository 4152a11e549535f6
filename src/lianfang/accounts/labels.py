"""What roles, organs and purposes are called on pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from .rights import Purpose, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_stubs_ext import StrPromise

ROLES: Final[Mapping[Role, StrPromise]] = {
    Role.RESIDENT: _("居民"),
    Role.GUARD: _("值守员"),
    Role.PROPERTY: _("物业"),
    Role.GRID: _("网格员"),
    Role.COMMUNITY: _("社区工作人员"),
    Role.MEDIC: _("随访人员"),
    Role.POLICE: _("社区民警"),
    Role.STREET: _("街道（镇）工作人员"),
    Role.CDC: _("疾控人员"),
    Role.CMD_DUTY: _("指挥部值班员"),
    Role.CMD_LEAD: _("指挥长"),
    Role.AUDITOR: _("审计员"),
    Role.SYSTEM_ADMIN: _("系统管理员"),
    Role.SECURITY_ADMIN: _("安全管理员"),
    Role.SYSTEM: _("系统"),
}

#: Kinds of organs; which offices each can have follows from `rights.ORGAN_KIND_OF`.
ORGAN_KINDS: Final[Mapping[str, StrPromise]] = {
    "health": _("疾控或医疗机构"),
    "command": _("指挥部"),
    "street": _("街道办事处或镇政府"),
    "community": _("社区或村委会"),
    "property": _("物业公司"),
    "police": _("公安机关"),
    "department": _("其他部门"),
    "enterprise": _("企业"),
}

PURPOSES: Final[Mapping[Purpose, StrPromise]] = {
    Purpose.OWN_DATA: _("本人查看"),
    Purpose.REGISTER_KEEPING: _("户档登记"),
    Purpose.REPORT_INTAKE: _("受理报告"),
    Purpose.CASE_INQUIRY: _("流行病学调查"),
    Purpose.ISOLATION: _("办理隔离"),
    Purpose.SERVICE_OF_NOTICE: _("送达告知书"),
    Purpose.CARE: _("照护安排"),
    Purpose.PASSES: _("办理出入证"),
    Purpose.GATE: _("卡点工作"),
    Purpose.APPEAL: _("处理申诉"),
    Purpose.AUDIT: _("审计"),
    Purpose.ADMINISTRATION: _("管理"),
    Purpose.PUBLIC_INFORMATION: _("公开信息"),
}
