"""What people type on this room's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from lianfang.accounts.web import RefusableForm
from lianfang.kernel.ids import new_id

from .actions import CorrectionDraft, PersonDraft
from .labels import CARE, COLUMNS
from .policy import IdType, PersonField, Source
from .roster.columns import Column

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

#: Larger than any file that is taken; the web server never reads more into memory.
MOST_UPLOADED: Final = 32 * 2**20


class SearchForm(forms.Form):
    """One box for names, initials, doors, phones and numbers."""

    q = forms.CharField(
        label=_("姓名、拼音首字母、门牌、手机或证件号码"),
        help_text=_("如：罗小娟、lxj、5-2-0603。手机和证件号码须完整。"),
        max_length=50,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    after = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)


class ReasonForm(RefusableForm):
    """Why somebody's number is opened."""

    reason = forms.CharField(
        label=_("查看理由"),
        help_text=_("本人会看到这条理由。"),
        min_length=2,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class CorrectionForm(RefusableForm):
    """A new value for one field; carries what the writer saw before."""

    id = forms.UUIDField(widget=forms.HiddenInput)
    base = forms.RegexField("^[0-9a-f]{32}$", widget=forms.HiddenInput)
    value = forms.CharField(label=_("更正为"), max_length=100, required=False)
    reason = forms.CharField(label=_("说明"), max_length=200, required=False)

    def __init__(self, *args: Any, field: PersonField, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.field = field
        if field is PersonField.CARE:
            self.fields["value"] = forms.MultipleChoiceField(
                label=_("更正为"),
                choices=list(CARE.items()),
                required=False,
                widget=forms.CheckboxSelectMultiple,
            )

    def draft(self, person_id: UUID) -> CorrectionDraft:
        """What the act takes."""
        value = self.cleaned_data["value"]
        return CorrectionDraft(
            id=self.cleaned_data["id"],
            person_id=person_id,
            field=self.field,
            value=",".join(value) if isinstance(value, list) else value,
            base=bytes.fromhex(self.cleaned_data["base"]),
            reason=self.cleaned_data["reason"],
        )


class PersonForm(RefusableForm):
    """One person, registered at the door."""

    id = forms.UUIDField(widget=forms.HiddenInput, initial=new_id)
    name = forms.CharField(label=_("姓名"), max_length=50)
    id_no = forms.CharField(label=_("身份证号码"), max_length=30, required=False)
    birth_date = forms.DateField(
        label=_("出生日期"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    phone = forms.CharField(label=_("手机"), max_length=20, required=False)
    relation = forms.CharField(label=_("与户主关系"), max_length=20, required=False)
    care = forms.MultipleChoiceField(
        label=_("特殊照护"), choices=list(CARE.items()), required=False, widget=forms.CheckboxSelectMultiple
    )

    def draft(self, *, area: str, household_id: UUID | None) -> PersonDraft:
        """What the act takes."""
        from .policy import Care

        value = self.cleaned_data
        return PersonDraft(
            person_id=value["id"],
            name=value["name"],
            area=area,
            id_type=IdType.CN_ID if value["id_no"] else IdType.NONE,
            id_no=value["id_no"],
            birth_date=value["birth_date"],
            phone=value["phone"],
            household_id=household_id,
            relation=value["relation"],
            care=frozenset(Care(c) for c in value["care"]),
            source=Source.PROXY,
        )


class UploadForm(RefusableForm):
    """A roster and the community it belongs to."""

    id = forms.UUIDField(widget=forms.HiddenInput, initial=new_id)
    community = forms.ChoiceField(label=_("社区"))
    file = forms.FileField(
        label=_("名册文件"),
        help_text=_(".xlsx 或 .csv，最多 20 万行、30 MB。"),
        max_length=120,
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.csv"}),
    )

    def __init__(self, *args: Any, communities: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["community"].choices = list(communities)  # type: ignore[attr-defined]  # a ChoiceField

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_UPLOADED:
            raise forms.ValidationError(_("文件超过 30 MB，请分小区导入。"))
        return file


class ColumnsForm(RefusableForm):
    """What each column of the file is."""

    compound = forms.CharField(
        label=_("小区名称"), help_text=_("仅当表中没有“小区”一列时填写。"), max_length=40, required=False
    )

    def __init__(self, *args: Any, headings: Sequence[str], columns: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headings = headings
        for i, text in enumerate(headings):
            self.fields[f"column_{i}"] = forms.ChoiceField(
                label=text or _("（无列名）"),
                choices=list(COLUMNS.items()),
                required=False,
                initial=columns[i] if i < len(columns) else "",
            )

    def chosen(self) -> list[Column]:
        """One column for each heading, in their order."""
        return [Column(self.cleaned_data[f"column_{i}"]) for i in range(len(self.headings))]


class ExportForm(RefusableForm):
    """For what purpose people are exported."""

    id = forms.UUIDField(widget=forms.HiddenInput, initial=new_id)
    purpose = forms.CharField(
        label=_("用途"), help_text=_("名册中的每个人都会看到这次导出。"), min_length=4, max_length=200
    )


class SettleForm(RefusableForm):
    """An answer to a correction."""

    accept = forms.ChoiceField(choices=[("1", "1"), ("0", "0")])
    answer = forms.CharField(max_length=200, required=False)
