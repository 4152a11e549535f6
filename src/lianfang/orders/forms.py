"""Parsing of what people type about reports and orders."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from lianfang.accounts.web import RefusableForm
from lianfang.concerns.actions import ArrivalDraft, ConcernDraft, SymptomDraft
from lianfang.kernel.clock import LEGAL_ZONE, start_of_legal_day
from lianfang.kernel.ids import random_id

from . import labels
from .actions import (
    AppealDraft,
    CareDraft,
    DecisionDraft,
    HoldDraft,
    IsolationDraft,
    LiftDraft,
    ProposalDraft,
    SecondPhaseDraft,
    ServingDraft,
    WithdrawalDraft,
)

if TYPE_CHECKING:
    from .queries import NeedView


class _LegalTime(forms.DateTimeField):
    """An instant typed as legal time, to the minute."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault(
            "widget", forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        )
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return value.astimezone(LEGAL_ZONE).replace(tzinfo=None) if isinstance(value, datetime) else value


class _WithId(RefusableForm):
    """The client's id comes along hidden, so that sending twice is one act. Random: it may stand in the chain."""

    id = forms.UUIDField(widget=forms.HiddenInput, initial=random_id)

    def clean(self) -> dict[str, Any]:
        """Any other, of a page that was opened before ids were random, would say to the millisecond when."""
        cleaned = super().clean() or self.cleaned_data
        if isinstance(given := cleaned.get("id"), UUID) and given.version != 4:
            raise forms.ValidationError(_("这一页打开得太早，请重新打开后再办理。"))
        return cleaned

    def value(self, name: str) -> Any:
        """A cleaned value."""
        return self.cleaned_data[name]


class ArrivalForm(_WithId):
    """An arrival in under a minute: five fields, most of them tapped."""

    came_from = forms.ChoiceField(label=_("从哪里来"))
    left_at = _LegalTime(label=_("什么时候离开那里"))
    arrived_at = _LegalTime(label=_("什么时候到达"))
    transport = forms.ChoiceField(label=_("交通工具"), choices=labels.TRANSPORT)
    transport_no = forms.CharField(label=_("车次、航班或车牌"), max_length=20, required=False)
    contact = forms.TypedChoiceField(
        label=_("近14天接触过确诊或疑似病例吗"),
        choices=(("no", _("没有")), ("yes", _("接触过"))),
        coerce=lambda v: v == "yes",
        widget=forms.RadioSelect,
        initial="no",
    )
    symptoms = forms.MultipleChoiceField(
        label=_("现在有哪些症状"),
        choices=labels.SYMPTOMS,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    temp_c = forms.DecimalField(label=_("体温（℃）"), max_digits=3, decimal_places=1, required=False)
    met_in_person = forms.BooleanField(label=_("我当面见到了本人"), required=False)

    def __init__(self, *args: Any, origins: list[tuple[str, str]], by_officer: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["came_from"].choices = origins  # type: ignore[attr-defined]  # a choice field
        if not by_officer:
            del self.fields["met_in_person"]

    def draft(self, person_id: UUID) -> ArrivalDraft:
        """What was said."""
        d = self.cleaned_data
        return ArrivalDraft(
            id=d["id"],
            person_id=person_id,
            came_from=d["came_from"],
            left_at=d["left_at"],
            arrived_at=d["arrived_at"],
            transport=d["transport"],
            transport_no=d["transport_no"],
            contact=d["contact"],
            symptoms=tuple(d["symptoms"]),
            temp_c=d["temp_c"],
            met_in_person=d.get("met_in_person", False),
        )


class SymptomForm(_WithId):
    """How somebody feels."""

    symptoms = forms.MultipleChoiceField(
        label=_("现在有哪些症状"),
        choices=labels.SYMPTOMS,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    temp_c = forms.DecimalField(label=_("体温（℃）"), max_digits=3, decimal_places=1, required=False)
    onset_on = forms.DateField(
        label=_("哪天开始不舒服"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def draft(self, person_id: UUID) -> SymptomDraft:
        """What was said."""
        d = self.cleaned_data
        return SymptomDraft(
            id=d["id"],
            person_id=person_id,
            symptoms=tuple(d["symptoms"]),
            temp_c=d["temp_c"],
            onset_on=d["onset_on"],
        )


class DecideForm(RefusableForm):
    """What a health officer finds about a concern."""

    verified = forms.TypedChoiceField(
        label=_("判定"),
        choices=(("yes", _("属实，需要措施")), ("no", _("排除"))),
        coerce=lambda v: v == "yes",
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label=_("理由"), max_length=200)


class InquiryForm(_WithId):
    """What a case inquiry found about somebody."""

    category = forms.ChoiceField(label=_("理由"))
    anchor_at = _LegalTime(label=_("起算时间"), help_text=_("离开风险地区、末次接触等事件发生的时间。"))

    def __init__(self, *args: Any, reasons: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].choices = reasons  # type: ignore[attr-defined]  # a choice field

    def draft(self, person_id: UUID) -> ConcernDraft:
        """The concern, resting on this inquiry."""
        d = self.cleaned_data
        return ConcernDraft(
            id=d["id"],
            person_id=person_id,
            category=d["category"],
            anchor_at=d["anchor_at"],
            basis_kind="inquiry",
            basis_id=d["id"],
        )


class ProposalForm(_WithId):
    """A community asks for an order."""

    anchor_at = _LegalTime(label=_("起算时间"), help_text=_("离开风险地区、末次接触等事件发生的时间。"))
    home_is_suitable = forms.BooleanField(
        label=_("住处适合居家隔离：单间、通风、卫生间可单独使用或每次消毒"), required=False
    )
    note = forms.CharField(label=_("说明"), max_length=300, required=False)

    def draft(self, person_id: UUID, *, reason: str, evidence_id: UUID) -> ProposalDraft:
        """What is asked for."""
        d = self.cleaned_data
        return ProposalDraft(
            id=d["id"],
            person_id=person_id,
            reason=reason,
            anchor_at=d["anchor_at"],
            evidence_id=evidence_id,
            home_is_suitable=d["home_is_suitable"],
            note=d["note"],
        )


class SignForm(_WithId):
    """A health officer signs; the page above the form shows what is signed."""

    confirm = forms.BooleanField(label=_("我已核对理由、依据和期限，现在签字"))

    def draft(
        self,
        person_id: UUID,
        *,
        reason: str,
        anchor_at: datetime,
        evidence_id: UUID,
        proposal_id: UUID | None,
        previous_id: UUID | None = None,
    ) -> IsolationDraft:
        """What is signed."""
        return IsolationDraft(
            order_id=self.cleaned_data["id"],
            person_id=person_id,
            reason=reason,
            anchor_at=anchor_at,
            evidence_id=evidence_id,
            proposal_id=proposal_id,
            previous_id=previous_id,
        )

    def second_phase(self, first_id: UUID) -> SecondPhaseDraft:
        """The second phase that is signed."""
        return SecondPhaseDraft(order_id=self.cleaned_data["id"], first_id=first_id)


class ReasonForm(_WithId):
    """Something is done with a written reason."""

    reason = forms.CharField(label=_("理由"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))

    def lift(self, order_id: UUID) -> LiftDraft:
        """The lift with this reason."""
        return LiftDraft(id=self.value("id"), order_id=order_id, reason=self.value("reason"))


class ServeForm(_WithId):
    """How the person was told."""

    served_at = _LegalTime(label=_("送达时间"))
    receipt = forms.ChoiceField(label=_("签收方式"), choices=labels.RECEIPTS, widget=forms.RadioSelect)
    witnesses = forms.CharField(
        label=_("见证人"), max_length=120, required=False, help_text=_("多人用顿号隔开。")
    )

    def draft(self, order_id: UUID) -> ServingDraft:
        """The serving."""
        d = self.cleaned_data
        return ServingDraft(
            id=d["id"],
            order_id=order_id,
            served_at=d["served_at"],
            receipt=d["receipt"],
            witnesses=d["witnesses"],
        )


class CareForm(_WithId):
    """Who cares for a dependant while the order lasts."""

    carer = forms.ChoiceField(label=_("照护人"), required=False)
    carer_note = forms.CharField(label=_("或写明其他照护人和电话"), max_length=120, required=False)

    def __init__(self, *args: Any, carers: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["carer"].choices = [("", "—"), *carers]  # type: ignore[attr-defined]  # a choice field

    def draft(self, order_id: UUID, need: NeedView) -> CareDraft:
        """The arrangement."""
        d = self.cleaned_data
        return CareDraft(
            id=d["id"],
            order_id=order_id,
            dependant_id=need.dependant_id,
            carer_id=UUID(d["carer"]) if d["carer"] else None,
            carer_note=d["carer_note"],
        )


class AppealForm(_WithId):
    """What the person says against the order."""

    text = forms.CharField(
        label=_("您为什么不同意"), max_length=1000, widget=forms.Textarea(attrs={"rows": 5})
    )

    def draft(self, order_id: UUID) -> AppealDraft:
        """The appeal."""
        return AppealDraft(id=self.value("id"), order_id=order_id, text=self.value("text"))


class HoldForm(_WithId):
    """Until when the person wants a case kept, and what for."""

    until = forms.DateField(
        label=_("保留到哪天"),
        help_text=_("含当天，最长为今后三年；到期前可再次申请。"),
        # Beyond any term, and still an instant that can be counted with.
        validators=[MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2200, 1, 1))],
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    reason = forms.CharField(
        label=_("用于什么"),
        max_length=300,
        help_text=_("例如复议、诉讼或投诉。这句话随案卷一起销毁。"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def draft(self, order_id: UUID) -> HoldDraft:
        """The hold, to the end of that day."""
        d = self.cleaned_data
        until = start_of_legal_day(d["until"] + timedelta(days=1))
        return HoldDraft(id=d["id"], order_id=order_id, until=until, reason=d["reason"])


class WithdrawalForm(_WithId):
    """Why a hold is taken back."""

    reason = forms.CharField(label=_("为什么撤回"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))

    def draft(self, hold_id: UUID) -> WithdrawalDraft:
        """The withdrawal."""
        return WithdrawalDraft(id=self.value("id"), hold_id=hold_id, reason=self.value("reason"))


class OpenForm(RefusableForm):
    """Which sealed order is opened, and for what."""

    order_no = forms.CharField(label=_("决定编号"), max_length=48)
    reason = forms.CharField(
        label=_("理由"),
        min_length=2,
        max_length=200,
        help_text=_("只为申诉、复议、诉讼。这句话会写进当事人的查阅记录。"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    with_notice = forms.BooleanField(label=_("同时打印告知书"), required=False)


class DestroyForm(RefusableForm):
    """Nothing is typed: the page says what goes, the signature is the officer's second factor."""


class AppealDecisionForm(_WithId):
    """What the panel finds."""

    granted = forms.TypedChoiceField(
        label=_("结论"),
        choices=(("yes", _("申诉成立，立即解除")), ("no", _("维持决定"))),
        coerce=lambda v: v == "yes",
        widget=forms.RadioSelect,
    )
    reasons = forms.CharField(label=_("理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 4}))

    def draft(self, appeal_id: UUID) -> DecisionDraft:
        """The decision."""
        d = self.cleaned_data
        return DecisionDraft(id=d["id"], appeal_id=appeal_id, granted=d["granted"], reasons=d["reasons"])
