"""What is typed for an announcement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from lianfang.accounts.web import RefusableForm
from lianfang.kernel.ids import new_id

from .actions import Draft
from .labels import KINDS
from .policy import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .models import Announcement


class _LegalTime(forms.DateTimeField):
    """An instant typed as legal time, to the minute."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(widget=widget, required=False, **kwargs)


def _long(label: Any, *, rows: int, most: int, **more: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=most, widget=forms.Textarea(attrs={"rows": rows}), **more)


class DraftForm(RefusableForm):
    """A text is drafted."""

    id = forms.UUIDField(widget=forms.HiddenInput, initial=new_id)
    kind = forms.ChoiceField(
        label=_("种类"),
        choices=list(KINDS.items()),
        widget=forms.RadioSelect,
        initial=Kind.ANNOUNCEMENT,
        help_text=_("公告对社会公布，通告告知有关的人，通知要求办理。"),
    )
    title = forms.CharField(label=_("标题"), max_length=80)
    body = _long(
        _("正文"),
        rows=10,
        most=3000,
        help_text=_("每段一行，不写任何个人信息。公告不设限制：限制须另有决定或限次、封控令。"),
    )
    basis = forms.CharField(label=_("法律依据"), max_length=300)
    places = forms.MultipleChoiceField(label=_("适用范围"), widget=forms.CheckboxSelectMultiple)
    signatory = forms.CharField(label=_("签发人"), max_length=60, help_text=_("职务和姓名，会印在文末。"))
    starts_at = _LegalTime(label=_("开始"), help_text=_("不填：自发布起。"))
    ends_at = _LegalTime(label=_("截止"), help_text=_("不填：至另行通知。到点自动失效，不用任何人办理。"))
    plain = _long(_("通俗版"), rows=4, most=1000, required=False, help_text=_("一句一意，给老人和孩子看。"))
    aloud = _long(
        _("广播稿"),
        rows=4,
        most=600,
        required=False,
        help_text=_("最长 60 秒，按每分钟 240 字计，约 240 字。"),
    )
    title_en = forms.CharField(label=_("英文标题"), max_length=160, required=False)
    body_en = _long(_("英文正文"), rows=6, most=6000, required=False)
    supersedes = forms.MultipleChoiceField(
        label=_("替代哪些公告"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("本公告开始时，所选的失效。"),
    )

    def __init__(
        self,
        *args: Any,
        places: Sequence[tuple[str, str]],
        supersedable: Sequence[tuple[UUID, str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["places"].choices = list(places)  # type: ignore[attr-defined]  # a choice field has choices
        if supersedable:
            named = [(str(pk), f"{number} {title}") for pk, number, title in supersedable]
            self.fields["supersedes"].choices = named  # type: ignore[attr-defined]  # as above
        else:
            del self.fields["supersedes"]

    def draft(self) -> Draft:
        data = self.cleaned_data
        return Draft(
            id=data["id"],
            kind=Kind(data["kind"]),
            title=data["title"],
            body=data["body"],
            basis=data["basis"],
            places=tuple(data["places"]),
            signatory=data["signatory"],
            title_en=data["title_en"],
            body_en=data["body_en"],
            plain=data["plain"],
            aloud=data["aloud"],
            starts_at=data["starts_at"],
            ends_at=data["ends_at"],
            supersedes=tuple(UUID(pk) for pk in data.get("supersedes", ())),
        )


def initial_of(text: Announcement) -> dict[str, object]:
    """A new draft after an earlier text; its period and what it supersedes are said anew."""
    same = ("kind", "title", "title_en", "body", "body_en", "plain", "aloud", "basis", "signatory", "places")
    return {name: getattr(text, name) for name in same}


class ReviewForm(RefusableForm):
    """Whether the law carries the text."""

    finding = forms.ChoiceField(
        label=_("审核结论"),
        choices=[("approved", _("合法，可以签发")), ("returned", _("退回，须重新起草"))],
        widget=forms.RadioSelect,
    )
    word = forms.CharField(label=_("说明"), max_length=300, required=False, help_text=_("退回须写原因。"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("finding") == "returned" and not cleaned.get("word"):
            self.add_error("word", _("请写明退回的原因。"))
        return cleaned


class SignForm(RefusableForm):
    """Nothing to fill in: the signature itself."""


class WithdrawForm(RefusableForm):
    reason = forms.CharField(label=_("撤回原因"), max_length=300, help_text=_("会公开写在公告上。"))
