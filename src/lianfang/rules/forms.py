"""What is entered about a document, and the documents that are written on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from lianfang.accounts.web import RefusableForm
from lianfang.kernel.ids import new_id

from . import labels
from .actions import DocumentDraft
from .policy import Kind, ReleaseAt, jurisdictions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from django_stubs_ext import StrPromise

    from .policy import Catalogue
    from .queries import Whole


def _day(label: StrPromise, **more: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}), **more)


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

    last_day = _day(_("最后一天"), help_text=_("定了就不能再改。已签发的决定不受影响。"))


class _DraftForm(RefusableForm):
    """What every document says of itself. It rules nothing until another person publishes it."""

    kind: Kind

    id = forms.UUIDField(widget=forms.HiddenInput, initial=new_id)
    title = forms.CharField(label=_("文件名称"), max_length=200)
    document_no = forms.CharField(label=_("文号"), max_length=80, required=False)
    source = forms.CharField(
        label=_("来源"), max_length=200, help_text=_("原文在哪里可以看到：网址或档案号。")
    )
    effective_from = _day(_("第一天"))
    effective_to = _day(_("最后一天"), required=False, help_text=_("没有写明就留空。"))

    def __init__(self, *args: Any, catalogue: Catalogue, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.catalogue = catalogue

    def draft(self, *, area: str) -> DocumentDraft:
        """The draft, for the district in which the outbreak runs."""
        d = self.cleaned_data
        place = jurisdictions(area)[0]
        begins: date = d["effective_from"]
        return DocumentDraft(
            id=d["id"],
            kind=self.kind,
            subject=self.subject(),
            jurisdiction=place,
            version=f"{place}/{begins:%Y-%m-%d}/{str(d['id'])[-8:]}",
            effective_from=begins,
            effective_to=d["effective_to"],
            title=d["title"],
            document_no=d["document_no"],
            source=d["source"],
            content=self.content(),
        )

    def subject(self) -> str:
        """What of its kind it is about."""
        return ""

    def content(self) -> Mapping[str, Any]:
        """What it says."""
        raise NotImplementedError


class IsolationForm(_DraftForm):
    """For one reason: what is ordered, for how long, and how it is counted."""

    kind = Kind.ISOLATION

    reason = forms.ChoiceField(label=_("理由"))
    measure = forms.ChoiceField(label=_("措施"), choices=list(labels.MEASURES.items()))
    days = forms.IntegerField(label=_("天数"), min_value=1, max_value=365)
    anchor_counts_as = forms.TypedChoiceField(
        label=_("起算当天算第几天"),
        coerce=int,
        choices=[("0", _("事件当天不算，第二天是第一天")), ("1", _("事件当天就是第一天"))],
    )
    release_at = forms.ChoiceField(
        label=_("解除时刻"),
        choices=[(at, labels.VALUES[at]) for at in ReleaseAt],
    )
    follow_on_measure = forms.ChoiceField(
        label=_("之后的措施"), required=False, choices=[("", "—"), *labels.MEASURES.items()]
    )
    follow_on_days = forms.IntegerField(label=_("之后的天数"), required=False, min_value=1, max_value=365)
    legal_basis = forms.CharField(label=_("法律依据"), max_length=300)
    legal_basis_en = forms.CharField(label=_("法律依据（英文）"), max_length=300, required=False)

    def __init__(self, *args: Any, catalogue: Catalogue, **kwargs: Any) -> None:
        super().__init__(*args, catalogue=catalogue, **kwargs)
        self.fields["reason"].choices = [(r.code, r.zh) for r in catalogue.reasons]  # type: ignore[attr-defined]  # a choice field

    def clean(self) -> dict[str, Any]:
        d: dict[str, Any] = super().clean() or {}
        if bool(d.get("follow_on_measure")) != bool(d.get("follow_on_days")):
            self.add_error("follow_on_days", gettext("之后的措施和天数要一起填，或都不填。"))
        return d

    def subject(self) -> str:
        return str(self.cleaned_data["reason"])

    def content(self) -> Mapping[str, Any]:
        d, reason = self.cleaned_data, self.catalogue.find(self.cleaned_data["reason"])
        said = {
            "measure": d["measure"],
            "days": d["days"],
            "anchor_event": reason.anchor_event if reason else "",
            "anchor_counts_as": d["anchor_counts_as"],
            "release_at": d["release_at"],
            "legal_basis": d["legal_basis"],
            "legal_basis_en": d["legal_basis_en"],
        }
        if d["follow_on_measure"]:
            said |= {"follow_on_measure": d["follow_on_measure"], "follow_on_days": d["follow_on_days"]}
        return said


_LEVELS: Final = {"高": "high", "中": "medium", "high": "high", "medium": "medium"}


class ListedAreasForm(_DraftForm):
    """The divisions from which an arrival calls for a look; one a line."""

    kind = Kind.LISTED_AREAS

    look_back_days = forms.IntegerField(label=_("往前追溯天数"), min_value=1, max_value=60, initial=14)
    areas = forms.CharField(
        label=_("地区"),
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text=_("每行一个：行政区划代码、名称、高或中，用空格隔开。如：4201 湖北省武汉市 高"),
    )

    def clean_areas(self) -> list[dict[str, str]]:
        """:raises ValidationError: a line that is none, with its number"""
        found = []
        for n, line in enumerate(self.cleaned_data["areas"].splitlines(), 1):
            words = line.split()
            if not words:
                continue
            code, *name, level = words if len(words) >= 3 else ("", "", "")
            reason = self.catalogue.find(f"area_returnee_{_LEVELS.get(level, '')}")
            if not (code.isascii() and code.isdigit() and 2 <= len(code) <= 12) or reason is None:
                raise forms.ValidationError(gettext("第{n}行读不懂：{line}").format(n=n, line=line[:40]))
            found.append(
                {"code": code, "name": "".join(name), "level": _LEVELS[level], "reason": reason.code}
            )
        if not found:
            raise forms.ValidationError(gettext("至少写一个地区。"))
        return found

    def content(self) -> Mapping[str, Any]:
        return {"look_back_days": self.cleaned_data["look_back_days"], "areas": self.cleaned_data["areas"]}


def initial_of(found: Whole) -> dict[str, Any]:
    """What a new document like this one begins with: all but its days."""
    line = found.line
    content: dict[str, Any] = {**found.content, "reason": line.subject}
    if isinstance(listed := content.get("areas"), list):
        words = {"high": "高", "medium": "中"}
        content["areas"] = "\n".join(f"{a['code']} {a['name']} {words.get(a['level'], '')}" for a in listed)
    return content | {"title": line.title, "document_no": line.document_no, "source": line.source}
