"""Judging the rows of a roster without a database: each row becomes a person to write, or faults."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from lianfang.people.citizen_number import Fault, NotACitizenNumber, normal, parse
from lianfang.people.errors import PhoneNotAcceptable
from lianfang.people.naming import acceptable, tidy
from lianfang.people.phones import tidy_phone
from lianfang.people.policy import ACTS_ALONE_FROM, Care, IdType, Sex, age

from .columns import Column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SEX: Final = {
    "男": Sex.MALE,
    "女": Sex.FEMALE,
    "M": Sex.MALE,
    "F": Sex.FEMALE,
    "1": Sex.MALE,
    "2": Sex.FEMALE,
}
_ID_TYPE: Final = {
    "": IdType.CN_ID,
    "居民身份证": IdType.CN_ID,
    "身份证": IdType.CN_ID,
    "户口簿": IdType.CN_ID,
    "护照": IdType.PASSPORT,
    "港澳居民来往内地通行证": IdType.HKMO_PERMIT,
    "港澳通行证": IdType.HKMO_PERMIT,
    "台湾居民来往大陆通行证": IdType.TW_PERMIT,
    "台胞证": IdType.TW_PERMIT,
    "无": IdType.NONE,
}
CARE_WORDS: Final = {
    "独居": Care.LIVES_ALONE, "空巢": Care.LIVES_ALONE, "高龄": Care.OVER_70, "70岁以上": Care.OVER_70,
    "孕妇": Care.PREGNANT, "孕产妇": Care.PREGNANT, "残疾": Care.DISABLED, "残疾人": Care.DISABLED,
    "失能": Care.DISABLED, "透析": Care.DIALYSIS, "慢病": Care.CHRONIC_DRUG, "慢性病": Care.CHRONIC_DRUG,
    "长期服药": Care.CHRONIC_DRUG, "婴儿": Care.INFANT, "婴幼儿": Care.INFANT, "无智能手机": Care.NO_SMARTPHONE,
    "无手机": Care.NO_SMARTPHONE,
}  # fmt: skip
_NOTHING: Final = frozenset({"", "无", "否", "-", "—", "/", "正常", "一般"})
_DOOR: Final = re.compile(
    r"(?P<building>[0-9]{1,4}|[A-Za-z][0-9]{0,3}|[一-龥])\s*(?:栋|幢|号楼|座|-)\s*(?:(?P<stairwell>[0-9A-Za-z]{1,6})\s*(?:单元|-)\s*)?"
    r"(?P<room>[0-9A-Za-z]{1,8})\s*(?:室|号|房)?"
)


@dataclass(slots=True)
class Row:
    """One person of the file, checked. `dwelling` is (compound, building, stairwell, door)."""

    line: int
    dwelling: tuple[str, str, str, str]
    room: str
    name: str
    id_type: IdType = IdType.NONE
    id_no: str = ""
    sex: Sex = Sex.UNKNOWN
    birth: date | None = None
    phone: str = ""
    relation: str = ""
    head: str = ""
    guardian: str = ""
    care: list[str] = field(default_factory=list)
    origin: str = ""

    def digest(self) -> bytes:
        """What the row says, for recognising it when it is sent again."""
        said = [*self.dwelling, self.name, self.id_no, self.birth and self.birth.isoformat(), self.phone]
        return hashlib.sha256("\x1f".join(str(s or "") for s in said).encode()).digest()


@dataclass(frozen=True, slots=True)
class RowFault:
    """Why a row was not taken: line, code of the sentence, and the column concerned. Never the value."""

    line: int
    code: str
    column: str = ""


def check(
    rows: Sequence[Sequence[str]],
    mapping: Sequence[Column],
    *,
    first_line: int,
    on: date,
    compound: str,
) -> Iterator[Row | list[RowFault]]:
    """Each row of the file in order: a person, or the faults it has. Empty rows are passed over.

    :param compound: the compound of rows that name none
    """
    place = {column: i for i, column in enumerate(mapping) if column}
    for line, cells in enumerate(rows, start=first_line):
        if not any(cells):
            continue
        yield _check_row(cells, place, line, on, compound)


def _check_row(
    cells: Sequence[str], place: dict[Column, int], line: int, on: date, compound: str
) -> Row | list[RowFault]:
    faults: list[RowFault] = []

    def cell(column: Column) -> str:
        i = place.get(column)
        return cells[i] if i is not None else ""

    def fault(code: str, column: Column) -> None:
        faults.append(RowFault(line, code, column.value))

    building, stairwell, room = _door(cell, fault)
    name = tidy(cell(Column.NAME))
    if not name:
        fault("name_missing", Column.NAME)
    elif not acceptable(name):
        fault("name_not_acceptable", Column.NAME)

    where = cell(Column.COMPOUND).strip() or compound
    if not where:
        fault("compound_missing", Column.COMPOUND)
    row = Row(
        line=line,
        dwelling=(where[:40], building, stairwell, "-".join(p for p in (building, stairwell, room) if p)),
        room=room,
        name=name,
        head=tidy(cell(Column.HEAD)),
        relation=cell(Column.RELATION)[:20],
        guardian=tidy(cell(Column.GUARDIAN)) if cell(Column.GUARDIAN) not in _NOTHING else "",
    )
    _number(row, cell, fault, on)
    try:
        row.phone = tidy_phone(cell(Column.PHONE)) if cell(Column.PHONE) not in _NOTHING else ""
    except PhoneNotAcceptable:
        fault("phone_not_acceptable", Column.PHONE)
    _care(row, cell(Column.CARE), fault)
    origin = normal(cell(Column.ORIGIN))
    if re.fullmatch("[0-9]{6}", origin):
        row.origin = origin
    if row.guardian and row.birth is not None and age(row.birth, on=on) >= ACTS_ALONE_FROM:
        fault("ward_acts_alone", Column.GUARDIAN)
    return faults or row


def _door(cell, fault) -> tuple[str, str, str]:  # type: ignore[no-untyped-def]  # the two local functions of _check_row
    building, stairwell, room = (cell(c) for c in (Column.BUILDING, Column.STAIRWELL, Column.ROOM))
    if not building and not room and cell(Column.DOOR):
        found = _DOOR.search(cell(Column.DOOR))
        if found is None:
            fault("door_not_understood", Column.DOOR)
            return "", "", ""
        building, stairwell, room = found["building"], found["stairwell"] or "", found["room"]
    building, stairwell, room = number_of(building), number_of(stairwell), room_of(room)
    if not building:
        fault("building_missing", Column.BUILDING)
    if not room:
        fault("room_missing", Column.ROOM)
    if len(building) > 12 or len(stairwell) > 8 or len(room) > 10 or re.search(r"[eE]\+", room):
        fault("door_not_understood", Column.ROOM)
    return building[:12], stairwell[:8], room[:10]


@lru_cache(maxsize=4096)
def number_of(text: str) -> str:
    """The number of a building or stairwell: 05栋, 5号楼, 第5幢 and 5 are one."""
    plain = re.sub(r"(号楼|楼栋|栋|幢|楼|单元|座|号)$", "", normal(text).removeprefix("第"))
    return plain.lstrip("0") or ("0" if plain else "")


@lru_cache(maxsize=4096)
def room_of(text: str) -> str:
    """The number of a room: 603, 603室 and 0603 are one door, since spreadsheets drop the zero."""
    plain = re.sub(r"(室|号|房)$", "", normal(text))
    return plain.zfill(4) if plain.isdigit() else plain


def _number(row: Row, cell, fault, on: date) -> None:  # type: ignore[no-untyped-def]  # as above
    text = cell(Column.ID_NO)
    kind = _ID_TYPE.get(cell(Column.ID_TYPE))
    if kind is None:
        fault("id_type_not_known", Column.ID_TYPE)
        return
    sex = _SEX.get(normal(cell(Column.SEX)), Sex.UNKNOWN)
    if cell(Column.SEX) and sex is Sex.UNKNOWN and cell(Column.SEX) not in _NOTHING | {"未知"}:
        fault("sex_not_known", Column.SEX)
    born = None
    if cell(Column.BIRTH_DATE) not in _NOTHING:
        born = read_date(cell(Column.BIRTH_DATE))
        if born is None or born > on or age(born, on=on) > 130:
            fault("birth_not_a_date", Column.BIRTH_DATE)
            born = None
    row.sex, row.birth = sex, born
    if text in _NOTHING or kind is IdType.NONE:
        return
    if kind is not IdType.CN_ID:
        row.id_type, row.id_no = kind, normal(text)
        if not re.fullmatch(r"[A-Z0-9()/-]{5,20}", row.id_no) or re.fullmatch(
            r"[0-9.]+E\+?[0-9]+", row.id_no
        ):
            fault("number_not_acceptable", Column.ID_NO)
        return
    try:
        number = parse(text, on=on, from_sheet=True)
    except NotACitizenNumber as error:
        fault(f"number_{error.fault.value}", Column.ID_NO)
        return
    own = Sex.MALE if number.male else Sex.FEMALE
    if born not in (None, number.birth_date):
        fault("birth_contradicts_number", Column.BIRTH_DATE)
    if sex not in (Sex.UNKNOWN, own):
        fault("sex_contradicts_number", Column.SEX)
    row.id_type, row.id_no, row.birth, row.sex = IdType.CN_ID, number.text, number.birth_date, own


def read_date(text: str) -> date | None:
    """A date as people write it: 1986-05-04, 1986/5/4, 1986.5.4, 19860504, 1986年5月4日. Day first is refused."""
    plain = normal(text).split("T")[0].removesuffix("00:00:00")
    found = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", plain) or re.fullmatch(
        r"(\d{4})(\d{2})(\d{2})", plain
    )
    if found is None:
        return None
    try:
        return datetime(int(found[1]), int(found[2]), int(found[3])).date()  # noqa: DTZ001 - a day without a clock
    except ValueError:
        return None


def _care(row: Row, text: str, fault) -> None:  # type: ignore[no-untyped-def]  # as above
    if text in _NOTHING:
        return
    for word in re.split(r"[、，,;；/\s]+", text):
        if not word or word in _NOTHING:
            continue
        flag = CARE_WORDS.get(word) or (Care(word) if word in set(Care) else None)
        if flag is None:
            fault("care_not_known", Column.CARE)
            return
        row.care.append(flag.value)
    row.care = sorted(set(row.care))


#: Codes a fault of a row can have; each has a sentence (tested).
FAULTS: Final = frozenset(
    {
        "name_missing", "name_not_acceptable", "compound_missing", "building_missing", "room_missing",
        "door_not_understood", "phone_not_acceptable", "care_not_known", "ward_acts_alone", "id_type_not_known",
        "sex_not_known", "birth_not_a_date", "birth_contradicts_number", "sex_contradicts_number",
        "number_not_acceptable", "number_twice", "row_twice", "number_of_another_name",
        "number_registered_elsewhere", "guardian_not_found",
        *(f"number_{f.value}" for f in Fault),
    }
)  # fmt: skip
