"""What is entered about a document."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from lianfang.accounts.web import RefusableForm


class ActForm(RefusableForm):
    """Nothing but the act itself."""

    button = _("发布")
    act = forms.CharField(widget=forms.HiddenInput, initial="1")


class VerifyForm(RefusableForm):
    """Who compared the document with the official text."""

    button = _("已与原文核对")
    verified_by = forms.CharField(
        label=_("由谁核对（姓名、单位）"),
        max_length=64,
        help_text=_("会印在告知书上，也会公开。请逐条对照原文。"),
    )


class EndForm(RefusableForm):
    """Its last day, once and for all."""

    button = _("设最后一天")
    last_day = forms.DateField(
        label=_("最后一天"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("定了就不能再改。已签发的决定不受影响。"),
    )
