"""What each column of a roster is: guessed from its heading, then from its content; corrected by people."""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lianfang.people.citizen_number import normal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Column(StrEnum):
    """What a column can be. Everything else is left aside."""

    COMPOUND = "compound"
    BUILDING = "building"
    STAIRWELL = "stairwell"
    ROOM = "room"
    DOOR = "door"
    NAME = "name"
    ID_TYPE = "id_type"
    ID_NO = "id_no"
    SEX = "sex"
    BIRTH_DATE = "birth_date"
    PHONE = "phone"
    RELATION = "relation"
    HEAD = "head"
    GUARDIAN = "guardian"
    CARE = "care"
    ORIGIN = "origin"
    ASIDE = ""


#: Headings under which communities keep a column; the first is the one we write.
SYNONYMS: Final[Mapping[Column, tuple[str, ...]]] = {
    Column.COMPOUND: ("小区", "小区名称", "院落", "小区院落", "楼盘", "所属小区", "住宅小区"),
    Column.BUILDING: ("楼栋", "栋", "幢", "楼号", "栋号", "幢号", "楼栋号", "楼", "号楼", "楼幢"),
    Column.STAIRWELL: ("单元", "单元号", "门栋", "梯"),
    Column.ROOM: ("房号", "室", "房间", "房间号", "门牌", "门牌号", "户号", "室号", "房屋号"),
    Column.DOOR: ("门牌全号", "住址", "详细地址", "楼栋单元房号", "地址", "现住址", "家庭住址", "楼栋门牌"),
    Column.NAME: ("姓名", "居民姓名", "人员姓名", "成员姓名", "家庭成员", "名字"),
    Column.ID_TYPE: ("证件类型", "证件种类"),
    Column.ID_NO: (
        "证件号码",
        "身份证号",
        "身份证号码",
        "身份证",
        "证件号",
        "公民身份号码",
        "公民身份证号码",
    ),
    Column.SEX: ("性别",),
    Column.BIRTH_DATE: ("出生日期", "出生年月日", "生日", "出生"),
    Column.PHONE: ("手机", "手机号", "手机号码", "联系电话", "电话", "联系方式", "电话号码", "本人电话"),
    Column.RELATION: ("与户主关系", "关系", "家庭关系", "与户主的关系"),
    Column.HEAD: ("户主", "户主姓名"),
    Column.GUARDIAN: ("监护人", "监护人姓名"),
    Column.CARE: ("特殊照护", "特殊情况", "照护需求", "人员类别", "特殊人群"),
    Column.ORIGIN: ("户籍地代码", "户籍区划", "户籍地"),
}
KNOWN_HEADINGS: Final = frozenset(name for names in SYNONYMS.values() for name in names)
_BY_HEADING: Final = {name: column for column, names in SYNONYMS.items() for name in names}

_NUMBER: Final = re.compile(r"[0-9]{17}[0-9X]")
_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")
#: Headings that look like ours and are somebody else's (a landlord's or contact's number).
_NOT_OURS: Final = re.compile("房东|出租|物业|网格员|紧急|监护人电话|备用|工作|单位")


def guess(headings: Sequence[str], sample: Sequence[Sequence[str]]) -> list[Column]:
    """One column each; no column is given twice. A sample of rows decides where headings say nothing."""
    found = [Column.ASIDE] * len(headings)
    taken: set[Column] = set()
    for i, text in enumerate(headings):
        column = _BY_HEADING.get(text, Column.ASIDE)
        if column and column not in taken:
            found[i] = column
            taken.add(column)
    for i, text in enumerate(headings):
        if found[i] or not text or _NOT_OURS.search(text):
            continue
        for name, column in sorted(_BY_HEADING.items(), key=lambda pair: -len(pair[0])):
            if len(name) >= 2 and name in text and column not in taken:
                found[i] = column
                taken.add(column)
                break
    for column, shape in ((Column.ID_NO, _NUMBER), (Column.PHONE, _MOBILE)):
        if column in taken:
            continue
        for i, text in enumerate(headings):
            values = [normal(row[i]) for row in sample if i < len(row) and row[i]]
            if (
                not found[i]
                and not _NOT_OURS.search(text)
                and values
                and sum(bool(shape.fullmatch(v)) for v in values) >= 0.6 * len(values)
            ):
                found[i] = column
                taken.add(column)
                break
    return found


def missing(mapping: Sequence[Column]) -> list[Column]:
    """The columns without which nothing can be read."""
    have = set(mapping)
    wanted = [Column.NAME] if Column.DOOR in have else [Column.NAME, Column.BUILDING, Column.ROOM]
    return [c for c in wanted if c not in have]


def twice(mapping: Sequence[Column]) -> list[Column]:
    """Columns given to more than one heading."""
    return sorted({c for c in mapping if c and list(mapping).count(c) > 1})


def signature(headings: Sequence[str]) -> str:
    """What a saved mapping is found by: the headings in their order."""
    return hashlib.sha256("\x1f".join(headings).encode()).hexdigest()
