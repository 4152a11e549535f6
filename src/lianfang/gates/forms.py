"""Parsing of what people type about gates."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from lianfang.accounts.web import RefusableForm
from lianfang.kernel.clock import LEGAL_ZONE, start_of_legal_day
from lianfang.kernel.ids import new_id
from lianfang_pass.exported import MAX_EXPORT

from .actions import BacklogDraft, GateDraft
from .ages import AgesDraft
from .labels import ACTS, CLASSES, KINDS, VERDICTS, WORK_CLASSES, ways_of
from .passes import PaperPassDraft
from .policy import DAY_HOURS, OLD_HOURS
from .rounds import RoundDraft
from .rule_acts import ActDraft
from .work_passes import WorkPassDraft

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from .models import Backlog, Gate

#: A paper register is typed in within days; an older line is a mistake in the date.
OLDEST: Final = timedelta(days=21)


class PaperPassForm(RefusableForm):
    id = forms.UUIDField(widget=forms.HiddenInput)
    for_household = forms.ChoiceField(
        label=_("发给"),
        choices=[("", _("本人（个人证）")), ("yes", _("全户（一户一证）"))],
        required=False,
        widget=forms.RadioSelect,
    )

    def draft(self, person_id: UUID) -> PaperPassDraft:
        return PaperPassDraft(
            id=self.cleaned_data["id"],
            person_id=person_id,
            for_household=self.cleaned_data["for_household"] == "yes",
        )


class WorkPassForm(RefusableForm):
    """A pass for the work of a person."""

    id = forms.UUIDField(widget=forms.HiddenInput)
    kind = forms.ChoiceField(label=_("种类"), choices=[(k, CLASSES[k]) for k in WORK_CLASSES])
    carried = forms.ChoiceField(
        label=_("形式"),
        choices=[("paper", _("纸质")), ("phone", _("手机"))],
        initial="paper",
        widget=forms.RadioSelect,
        help_text=_("手机：本人打开“我的出入证”即可领取，期内自动续签。"),
    )
    compounds = forms.MultipleChoiceField(
        label=_("可进出的小区"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("同一街道，最多 8 个。自家小区用个人证，不用勾选。"),
    )
    until_on = forms.DateField(
        label=_("有效期至（当日 24 时）"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("连今天最长 31 天。"),
    )
    not_cleared = forms.BooleanField(
        label=_("尚未核验（仅务工）"),
        required=False,
        help_text=_("在所选小区的卡口，进须联系社区，出须登记。核验后换发新证。"),
    )

    def __init__(self, *args: Any, compounds: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["compounds"].choices = list(compounds)  # type: ignore[attr-defined]  # a ChoiceField has choices

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("not_cleared") and cleaned.get("kind") != "W":
            self.add_error("not_cleared", gettext("只有务工证可以标记尚未核验。"))
        return cleaned

    @property
    def for_phone(self) -> bool:
        return bool(self.cleaned_data["carried"] == "phone")

    def draft(self, person_id: UUID) -> WorkPassDraft:
        data = self.cleaned_data
        return WorkPassDraft(
            id=data["id"],
            person_id=person_id,
            kind=data["kind"],
            compounds=tuple(data["compounds"]),
            valid_until=start_of_legal_day(data["until_on"] + timedelta(days=1)),
            not_cleared=data["not_cleared"],
        )


class ClearanceForm(RefusableForm):
    id = forms.UUIDField(widget=forms.HiddenInput)


class RoundForm(RefusableForm):
    """Cards for everybody of a compound."""

    id = forms.UUIDField(widget=forms.HiddenInput, initial=new_id)
    basis = forms.CharField(
        label=_("依据"), max_length=200, help_text=_("例如：区指挥部第 3 号通告。写入防疫信息链。")
    )

    def draft(self, area: str) -> RoundDraft:
        return RoundDraft(id=self.cleaned_data["id"], area=area, basis=self.cleaned_data["basis"])


class GateForm(RefusableForm):
    id = forms.UUIDField(widget=forms.HiddenInput, initial=new_id)
    name = forms.CharField(label=_("卡口名称"), max_length=60)
    kind = forms.ChoiceField(label=_("类型"), choices=list(KINDS.items()))
    place = forms.ChoiceField(label=_("所在小区或社区"))
    phone = forms.CharField(
        label=_("社区电话"), max_length=30, help_text=_("值守员遇“联系社区”时拨打，断网也会显示。")
    )

    def __init__(self, *args: Any, places: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = list(places)  # type: ignore[attr-defined]  # a ChoiceField has choices

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("kind") == "compound" and not _compound(cleaned.get("place", "")):
            self.add_error("place", gettext("小区卡口请选小区。"))
        return cleaned

    def draft(self) -> GateDraft:
        area = str(self.cleaned_data["place"])
        compound = _compound(area)
        street = next(
            (label[1:] for label in area.split(".") if label.startswith("s")), area.split(".")[0][1:]
        )
        return GateDraft(
            id=self.cleaned_data["id"],
            name=self.cleaned_data["name"],
            kind=self.cleaned_data["kind"],
            area=area,
            shards=(street,),
            zones=(compound,) if compound else (),
            phone=self.cleaned_data["phone"],
        )


class CorrectionForm(GateForm):
    """A post is corrected. Which compounds it guards and whose lists it gets follows from kind and place, so both stay
    as they are while these do.
    """

    id = None  # type: ignore[assignment]  # so Django drops a field of the form above

    def __init__(self, *args: Any, gate: Gate, places: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        said = {"name": gate.name, "kind": gate.kind, "place": gate.area, "phone": gate.phone}
        # Where it stands may be a place that the form of a new post does not offer.
        here = [] if gate.area in dict(places) else [(gate.area, gettext("不变"))]
        super().__init__(*args, places=[*here, *places], initial=said, **kwargs)
        self.gate = gate

    def draft(self) -> GateDraft:
        self.cleaned_data["id"] = self.gate.pk
        draft = super().draft()
        if (draft.kind, draft.area) != (self.gate.kind, self.gate.area):
            return draft
        return replace(draft, zones=tuple(self.gate.zones), shards=tuple(self.gate.shards))


class ClosingForm(RefusableForm):
    why = forms.CharField(label=_("撤销的原因"), max_length=200)
    sure = forms.BooleanField(label=_("确认撤销这个卡口，并停用它的全部设备"))


def _compound(area: str) -> str:
    return next((label for label in area.split(".") if label.startswith("m")), "")


class _LegalTime(forms.DateTimeField):
    """An instant typed as legal time, to the minute."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(widget=widget, **kwargs)


class ActForm(RefusableForm):
    """A quota or a closed perimeter is proposed."""

    id = forms.UUIDField(widget=forms.HiddenInput, initial=new_id)
    kind = forms.ChoiceField(label=_("种类"), choices=list(ACTS.items()), widget=forms.RadioSelect)
    place = forms.ChoiceField(label=_("范围"), help_text=_("社区或小区；只对其中小区的卡口有效。"))
    starts_at = _LegalTime(label=_("开始"))
    ends_at = _LegalTime(label=_("结束"), help_text=_("最长 14 天。到点自动失效，不用任何人办理。"))
    classes = forms.MultipleChoiceField(
        label=_("通行证类别"),
        choices=list(CLASSES.items()),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("限次：受限的类别。封控：仍可通行的类别。"),
    )
    times = forms.IntegerField(label=_("限次：每个周期外出几次"), required=False, min_value=1, max_value=100)
    window = forms.IntegerField(label=_("限次：周期几天"), required=False, min_value=1, max_value=31)
    basis = forms.CharField(label=_("法律依据"), max_length=300)
    remedy = forms.CharField(
        label=_("不服怎么办"), max_length=300, help_text=_("向谁提出、电话和期限；会写进公告。")
    )

    def __init__(self, *args: Any, places: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = list(places)  # type: ignore[attr-defined]  # a ChoiceField has choices

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("kind") == "quota":
            for name in ("times", "window"):
                if name not in self.errors and cleaned.get(name) is None:
                    self.add_error(name, gettext("限次请填次数和天数。"))
        begins, ends = cleaned.get("starts_at"), cleaned.get("ends_at")
        if begins and ends and not begins < ends:
            self.add_error("ends_at", gettext("结束须晚于开始。"))
        return cleaned

    def draft(self) -> ActDraft:
        data = self.cleaned_data
        quota = data["kind"] == "quota"
        return ActDraft(
            id=data["id"],
            kind=data["kind"],
            area=data["place"],
            starts_at=data["starts_at"],
            ends_at=data["ends_at"],
            classes="".join(data["classes"]),
            times=data["times"] if quota else 0,
            window=data["window"] if quota else 0,
            basis=data["basis"],
            remedy=data["remedy"],
        )


class AgesForm(RefusableForm):
    """How old evidence may be is set anew. Bounds as in `policy.ages_fit`."""

    id = forms.UUIDField(widget=forms.HiddenInput, initial=new_id)
    day_hours = forms.IntegerField(
        label=_("超过多少小时，由放行改为登记放行"),
        min_value=DAY_HOURS[0],
        max_value=DAY_HOURS[-1],
        help_text=_("12 至 72 小时。没有另行签字时是 24 小时。"),
    )
    old_hours = forms.IntegerField(
        label=_("超过多少小时，注明名单已旧"),
        min_value=OLD_HOURS[0],
        max_value=OLD_HOURS[-1],
        help_text=_("24 至 168 小时，比上一个长。没有另行签字时是 72 小时。"),
    )
    basis = forms.CharField(
        label=_("依据"), max_length=300, help_text=_("例如：本病种的技术方案第几版、第几条。")
    )

    def draft(self) -> AgesDraft:
        data = self.cleaned_data
        return AgesDraft(
            id=data["id"], day_hours=data["day_hours"], old_hours=data["old_hours"], basis=data["basis"]
        )


class CarriedFileForm(RefusableForm):
    file = forms.FileField(
        label=_("设备导出的文件"), help_text=_("在设备的菜单里选“导出”，得到 .gate 文件。")
    )

    def clean_file(self) -> bytes:
        given = self.cleaned_data["file"]
        if given.size > MAX_EXPORT:
            raise forms.ValidationError(gettext("文件过大。"))
        return bytes(given.read())


class WhyForm(RefusableForm):
    why = forms.CharField(label=_("原因"), max_length=200)


class BacklogForm(RefusableForm):
    """One line of the paper register. Date and direction stay as they were for the next line."""

    id = forms.UUIDField(widget=forms.HiddenInput, initial=new_id)
    day = forms.DateField(label=_("日期"), widget=forms.DateInput(attrs={"type": "date"}))
    time = forms.CharField(
        label=_("时间"),
        max_length=5,
        help_text=_("如 0715"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autofocus": True}),
    )
    inward = forms.ChoiceField(label=_("方向"), choices=())
    who = forms.CharField(
        label=_("证号或门牌"), max_length=32, required=False, help_text=_("10 位证号，或如 5-2-603")
    )
    birth_year = forms.IntegerField(label=_("出生年份"), required=False, min_value=1880, max_value=2100)
    word = forms.CharField(label=_("备注一词"), max_length=40, required=False, help_text=_("如 访客、紧急"))
    verdict = forms.ChoiceField(label=_("处置"), choices=list(VERDICTS.items()), initial="ALLOW_REG")
    temperature = forms.DecimalField(
        label=_("体温（仅偏高时）"), required=False, min_value=35, max_value=43, decimal_places=1
    )

    corrects = forms.UUIDField(widget=forms.HiddenInput, required=False)

    @staticmethod
    def correcting(line: Backlog) -> dict[str, Any]:
        """What stands in the form when a line is to be corrected: what it says, for somebody to change."""
        at = line.passed_at.astimezone(LEGAL_ZONE)
        return {
            "day": at.date().isoformat(),
            "time": f"{at:%H%M}",
            "inward": str(int(line.inward)),
            "who": line.pass_no or line.door,
            "birth_year": line.birth_year,
            "word": line.word,
            "verdict": line.verdict,
            "temperature": None if line.temperature is None else line.temperature / 10,
            "corrects": line.pk,
        }

    def __init__(self, *args: Any, now: datetime, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now
        self.fields["inward"].choices = list(zip("10", ways_of(kind), strict=True))  # type: ignore[attr-defined]  # a ChoiceField

    def clean_time(self) -> str:
        digits = str(self.cleaned_data["time"]).replace(":", "").replace("：", "").zfill(4)
        if not (digits.isascii() and digits.isdigit() and int(digits[:2]) < 24 and int(digits[2:]) < 60):
            raise forms.ValidationError(gettext("时间写作 0715 或 7:15。"))
        return digits

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("who") and not cleaned.get("word"):
            self.add_error("who", gettext("请填证号、门牌或备注一词。"))
        if cleaned.get("day") and cleaned.get("time") and not self.now - OLDEST <= self._at() <= self.now:
            self.add_error("day", gettext("日期须在最近 21 天内，且不晚于现在。"))
        return cleaned

    def _at(self) -> datetime:
        day, digits = self.cleaned_data["day"], self.cleaned_data["time"]
        return datetime(day.year, day.month, day.day, int(digits[:2]), int(digits[2:]), tzinfo=LEGAL_ZONE)

    def draft(self, gate_id: UUID) -> BacklogDraft:
        data = self.cleaned_data
        who = str(data["who"]).strip()
        number = who.replace("-", "").replace(" ", "")
        is_number = len(number) == 10 and number.isdigit()
        return BacklogDraft(
            id=data["id"],
            gate_id=gate_id,
            passed_at=self._at(),
            inward=data["inward"] == "1",
            verdict=data["verdict"],
            pass_no=number if is_number else "",
            door="" if is_number else who,
            birth_year=data["birth_year"],
            word=data["word"],
            temperature=round(data["temperature"] * 10) if data["temperature"] is not None else None,
            corrects=data["corrects"],
        )
