"""Parsing of what the giver and the auditor type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from lianfang.accounts.web import RefusableForm
from lianfang.kernel.ids import new_id

from .actions import GrantDraft

if TYPE_CHECKING:
    from collections.abc import Sequence

_DAY = {"type": "date"}


class GrantForm(RefusableForm):
    """One order or one period, for one auditor, for a reason, until a day."""

    id = forms.UUIDField(widget=forms.HiddenInput, initial=new_id)
    auditor_login = forms.ChoiceField(label=_("审计员"))
    area = forms.ChoiceField(label=_("范围"))
    order_no = forms.CharField(label=_("决定编号（只审一份决定时填）"), max_length=48, required=False)
    from_on = forms.DateField(
        label=_("起（审一段时间时填）"), required=False, widget=forms.DateInput(attrs=_DAY)
    )
    until_on = forms.DateField(label=_("止（含当日）"), required=False, widget=forms.DateInput(attrs=_DAY))
    reason = forms.CharField(label=_("事由"), min_length=4, max_length=300)
    last_day = forms.DateField(label=_("授权到哪一天（含当日）"), widget=forms.DateInput(attrs=_DAY))

    def __init__(
        self,
        *args: Any,
        auditors: Sequence[tuple[str, str]],
        areas: Sequence[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["auditor_login"].choices = list(auditors)  # type: ignore[attr-defined]  # a ChoiceField has choices
        self.fields["area"].choices = list(areas)  # type: ignore[attr-defined]  # as above

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        order, first, last = given.get("order_no"), given.get("from_on"), given.get("until_on")
        if (
            bool(order) == bool(first and last)
            or bool(first) != bool(last)
            or (first and last and first > last)
        ):
            raise forms.ValidationError(_("填一份决定的编号，或者一段时间的起止，只填一种。"))
        return given

    def draft(self) -> GrantDraft:
        return GrantDraft(**self.cleaned_data)


class SampleForm(RefusableForm):
    """How many cases to draw."""

    id = forms.UUIDField(widget=forms.HiddenInput, initial=new_id)
    count = forms.IntegerField(label=_("抽几例"), min_value=1, max_value=200, initial=20)


class OpenForm(RefusableForm):
    """Why this one identity is needed."""

    reason = forms.CharField(label=_("为什么要知道是谁（当事人会看到）"), min_length=4, max_length=300)


class DatesForm(RefusableForm):
    """Two days between which nothing may have been rewritten."""

    older = forms.DateField(label=_("较早的一天"), widget=forms.DateInput(attrs=_DAY))
    newer = forms.DateField(label=_("较晚的一天"), widget=forms.DateInput(attrs=_DAY))

    def clean(self) -> dict[str, Any]:
        """Swapped days are a slip of the hand, and would read as a chain that was rewritten."""
        given = super().clean() or {}
        older, newer = given.get("older"), given.get("newer")
        if older and newer and older > newer:
            raise forms.ValidationError(_("两天填反了：较早的一天在较晚的一天之后。请对调后再核对。"))
        return given
