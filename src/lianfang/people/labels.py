"""Words for codes of this room, in the reader's language."""

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from .policy import Care, PersonField, Sex
from .roster.columns import Column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_stubs_ext import StrPromise

FIELDS: Final["Mapping[str, StrPromise]"] = {
    PersonField.NAME: _("姓名"),
    PersonField.SEX: _("性别"),
    PersonField.BIRTH_DATE: _("出生日期"),
    PersonField.ID_NO: _("证件号码"),
    PersonField.PHONE: _("手机"),
    PersonField.ADDRESS: _("住址"),
    PersonField.HOUSEHOLD: _("同户成员关系"),
    PersonField.CARE: _("特殊照护"),
    PersonField.ORIGIN: _("户籍地"),
    "masked": _("隐去姓名的条目"),
}
CARE: Final["Mapping[str, StrPromise]"] = {
    Care.LIVES_ALONE: _("独居"),
    Care.OVER_70: _("高龄"),
    Care.PREGNANT: _("孕妇"),
    Care.DISABLED: _("残疾"),
    Care.DIALYSIS: _("透析"),
    Care.CHRONIC_DRUG: _("慢病长期服药"),
    Care.INFANT: _("婴幼儿"),
    Care.NO_SMARTPHONE: _("无智能手机"),
}
SEX: Final["Mapping[str, StrPromise]"] = {Sex.FEMALE: _("女"), Sex.MALE: _("男"), Sex.UNKNOWN: _("未填")}
COLUMNS: Final["Mapping[str, StrPromise]"] = {
    Column.ASIDE: _("不导入"),
    Column.COMPOUND: _("小区"),
    Column.BUILDING: _("楼栋"),
    Column.STAIRWELL: _("单元"),
    Column.ROOM: _("房号"),
    Column.DOOR: _("门牌全号（如 5-2-0603）"),
    Column.NAME: _("姓名"),
    Column.ID_TYPE: _("证件类型"),
    Column.ID_NO: _("证件号码"),
    Column.SEX: _("性别"),
    Column.BIRTH_DATE: _("出生日期"),
    Column.PHONE: _("手机"),
    Column.RELATION: _("与户主关系"),
    Column.HEAD: _("户主"),
    Column.GUARDIAN: _("监护人"),
    Column.CARE: _("特殊照护"),
    Column.ORIGIN: _("户籍地代码"),
}
WHY_SUSPECTED: Final["Mapping[str, StrPromise]"] = {
    "other_door": _("证件号码相同，门牌不同"),
    "name_and_phone": _("姓名和手机相同"),
    "name_and_birth": _("姓名和出生日期相同"),
    "name_and_door": _("姓名和门牌相同，证件号码只有一方有"),
}
STAGES: Final["Mapping[str, StrPromise]"] = {
    "uploaded": _("待确认列"),
    "checking": _("正在检查"),
    "checked": _("检查通过，待导入"),
    "writing": _("正在导入"),
    "done": _("已导入"),
    "faulty": _("有错误，未导入"),
    "refused": _("未导入"),
    "cancelled": _("已取消"),
}
COUNTS: Final["Mapping[str, StrPromise]"] = {
    "rows": _("行"),
    "new": _("新增人员"),
    "changed": _("更新人员"),
    "unchanged": _("无变化"),
    "held": _("疑似重复，待判断"),
    "households_new": _("新增户"),
    "places_new": _("新增楼栋、单元、门牌"),
    "guardians_new": _("新增监护关系"),
    "faults": _("错误"),
}
