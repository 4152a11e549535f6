"""Parsing of what people type at the doors and on the offices' pages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from lianfang.kernel.clock import start_of_legal_day
from lianfang.kernel.ids import new_id

from .actions import OfficeDraft, OrganDraft, UserDraft
from .labels import ORGAN_KINDS, ROLES
from .rights import Role
from .web import RefusableForm

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from .models import Organ

ONE_DAY: Final = timedelta(days=1)


class LoginForm(RefusableForm):
    login = forms.CharField(
        label=_("登录名"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label=_("密码"), widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


class CodeForm(RefusableForm):
    code = forms.CharField(
        label=_("动态验证码"),
        max_length=32,
        help_text=_("验证器上的 6 位数字；手机丢失时填一个备用码。"),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "text"}),
    )


class PaperCodeForm(RefusableForm):
    code = forms.CharField(
        label=_("登录码"),
        max_length=32,
        help_text=_("纸条上的 10 个字符，大小写和短横不限。"),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autocapitalize": "characters"}),
    )


class StartForm(RefusableForm):
    code = forms.CharField(label=_("启用码"), max_length=32, help_text=_("授予职务的单位给您的 10 个字符。"))
    password = forms.CharField(
        label=_("新密码"),
        help_text=_("至少 12 个字符，不用常见密码。"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("再输入一次新密码"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("password") != cleaned.get("again"):
            self.add_error("again", _("两次输入的密码不一样。"))
        return cleaned


class OfficerForm(RefusableForm):
    """A new officer, before any office."""

    user_id = forms.UUIDField(widget=forms.HiddenInput, initial=new_id)
    login = forms.RegexField(
        r"^[a-z0-9][a-z0-9._-]{2,63}$",
        label=_("登录名"),
        help_text=_("3 至 64 个小写字母、数字、点或短横；不要用手机号。"),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off"}),
    )
    name = forms.CharField(
        label=_("姓名"),
        max_length=64,
        help_text=_("只有申诉时才会告诉当事人；平时对外显示单位和代号。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def draft(self) -> UserDraft:
        return UserDraft(**self.cleaned_data)


class OrganForm(RefusableForm):
    """What a body is called, and its telephone."""

    name = forms.CharField(label=_("名称"), max_length=80, help_text=_("照公章写全称，会印在告知书上。"))
    phone = forms.RegexField(
        r"^[0-9][0-9 -]{2,30}$",
        label=_("电话"),
        required=False,
        help_text=_("印在告知书和公告栏上，请填有人接的电话。"),
    )


class NewOrganForm(OrganForm):
    """A body that is not there yet. Only kinds and places for which the giver may give offices are offered."""

    field_order = ("name", "kind", "place", "phone", "code")
    code = forms.RegexField(
        r"^[a-z0-9][a-z0-9-]{1,39}$",
        label=_("代号"),
        help_text=_("2 至 40 个小写字母、数字或短横，如 police-1。会公开写进信息链，以后不能改。"),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off"}),
    )
    kind = forms.ChoiceField(label=_("类别"), help_text=_("类别决定能授予哪些职务，以后不能改。"))
    place = forms.ChoiceField(label=_("辖区"), help_text=_("物业公司选所管的小区；以后不能改。"))

    def __init__(self, *args: Any, kinds: Iterable[str], places: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind, ORGAN_KINDS[kind]) for kind in kinds]  # type: ignore[attr-defined]  # a ChoiceField has choices
        self.fields["place"].choices = list(places.items())  # type: ignore[attr-defined]  # a ChoiceField has choices

    def draft(self) -> OrganDraft:
        given = self.cleaned_data
        return OrganDraft(
            code=given["code"],
            name=given["name"],
            kind=given["kind"],
            area=given["place"],
            phone=given["phone"],
        )


class OfficeForm(RefusableForm):
    """An office to be given. Only roles and organs the granter may use are offered."""

    office_id = forms.UUIDField(widget=forms.HiddenInput, initial=new_id)
    login = forms.CharField(
        label=_("给谁（登录名）"), max_length=64, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(label=_("职务"))
    organ = forms.ChoiceField(label=_("单位"))
    area = forms.ChoiceField(
        label=_("区域"),
        required=False,
        help_text=_("不选就是单位的整个辖区。网格员选网格，值守员和物业选小区。"),
    )
    starts_on = forms.DateField(
        label=_("从哪天起"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("不填就是现在。"),
    )
    ends_on = forms.DateField(
        label=_("到哪天止（含当天）"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("不填就是 30 天。"),
    )

    def __init__(
        self,
        *args: Any,
        roles: Iterable[Role],
        organs: Iterable[Organ],
        places: Mapping[str, str],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._areas = {organ.code: organ.area for organ in organs}
        self.fields["role"] = forms.ChoiceField(label=_("职务"), choices=[(str(r), ROLES[r]) for r in roles])
        self.fields["organ"] = forms.ChoiceField(label=_("单位"), choices=[(o.code, o.name) for o in organs])
        self.fields["area"].choices = [("", "—"), *places.items()]  # type: ignore[attr-defined]  # a ChoiceField has choices

    def draft(self, user_id: UUID) -> OfficeDraft:
        given = self.cleaned_data
        last = given["ends_on"]
        return OfficeDraft(
            office_id=given["office_id"],
            user_id=user_id,
            role=Role(given["role"]),
            organ=given["organ"],
            area=given["area"] or self._areas[given["organ"]],
            starts_at=start_of_legal_day(given["starts_on"]) if given["starts_on"] else None,
            # Periods are half-open: to the end of the last day is to the start of the next.
            ends_at=start_of_legal_day(last + ONE_DAY) if last else None,
        )


class EndForm(RefusableForm):
    reason = forms.CharField(label=_("为什么结束"), max_length=200)
