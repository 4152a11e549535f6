"""The way back: people as a roster that can be read in again, and the faulty rows of a file.

Cells are written as text and never as formulas (ASVS 1.2.10): a name beginning with `=` stays a name.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import xlsxwriter
from django.utils.translation import override

from lianfang.kernel.clock import LEGAL_ZONE
from lianfang.people.policy import Care, IdType, Sex
from lianfang.people.sentences import row_fault
from lianfang.places.queries import at_level, names

from .columns import SYNONYMS, Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from lianfang.people.reader import PersonView

    from .checking import RowFault
    from .reading import Table

#: What is written, in this order, under the first of each column's headings.
COLUMNS: Final = (
    Column.COMPOUND, Column.BUILDING, Column.STAIRWELL, Column.ROOM, Column.NAME, Column.ID_TYPE, Column.ID_NO,
    Column.SEX, Column.BIRTH_DATE, Column.PHONE, Column.RELATION, Column.HEAD, Column.CARE, Column.ORIGIN,
)  # fmt: skip
_SEX: Final = {Sex.MALE.value: "男", Sex.FEMALE.value: "女"}
_ID_TYPE: Final = {
    IdType.CN_ID.value: "居民身份证",
    IdType.PASSPORT.value: "护照",
    IdType.HKMO_PERMIT.value: "港澳居民来往内地通行证",
    IdType.TW_PERMIT.value: "台湾居民来往大陆通行证",
    IdType.NONE.value: "无",
}
_CARE: Final = {
    Care.LIVES_ALONE.value: "独居",
    Care.OVER_70.value: "高龄",
    Care.PREGNANT.value: "孕妇",
    Care.DISABLED.value: "残疾",
    Care.DIALYSIS.value: "透析",
    Care.CHRONIC_DRUG.value: "慢病",
    Care.INFANT.value: "婴幼儿",
    Care.NO_SMARTPHONE.value: "无智能手机",
}


def rows_of(views: Iterable[PersonView], heads: Mapping[UUID, str]) -> list[tuple[str, ...]]:
    """One row per person, in the order of doors and member numbers."""
    views = list(views)
    compounds = {v.area: at_level(v.area, "compound") or "" for v in views}
    called = names(c for c in compounds.values() if c)
    rows = []
    for v in views:
        parts = v.door.split("-")
        building, stairwell, room = (parts[0], parts[1] if len(parts) > 2 else "", parts[-1])
        rows.append(
            (
                called.get(compounds[v.area], ""), building, stairwell, room, v.name or "",
                _ID_TYPE[v.id_type or "none"], v.id_no or "", _SEX.get(v.sex or "", ""),
                v.birth_date.isoformat() if v.birth_date else "", v.phone or "", v.relation or "",
                heads.get(v.household_id, "") if v.household_id else "",
                "、".join(_CARE[c] for c in sorted(v.care or ())), v.origin_division or "",
                f"{v.member_no or 0:04d}",
            )
        )  # fmt: skip
    rows.sort(key=lambda r: (r[0], r[1].zfill(6), r[2].zfill(6), r[3].zfill(8), r[11], r[14], r[4]))
    return [r[:-1] for r in rows]


def headings() -> tuple[str, ...]:
    """The headings of an export; the import knows each of them."""
    return tuple(SYNONYMS[c][0] for c in COLUMNS)


def csv_of(rows: Iterable[Sequence[str]]) -> bytes:
    """CSV in UTF-8 with a mark, so that spreadsheets read Chinese; dangerous beginnings get an apostrophe."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(headings())
    for row in rows:
        writer.writerow([f"'{c}" if c[:1] in ("=", "+", "-", "@", "\t", "\r") else c for c in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def book_of(rows: Iterable[Sequence[str]], *, mark: str, purpose: str, at: datetime) -> bytes:
    """A workbook of text cells, its reader and instant on every printed page and on a second sheet."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties({"created": at.replace(tzinfo=None), "comments": mark})
    sheet = book.add_worksheet("居民名册")
    text = book.add_format({"num_format": "@"})
    sheet.set_column(0, len(COLUMNS) - 1, 14, text)
    for i, title in enumerate(headings()):
        sheet.write_string(0, i, title)
    for line, row in enumerate(rows, start=1):
        for i, cell in enumerate(row):
            if cell:
                sheet.write_string(line, i, cell, text)
    stamp = f"{mark} {at.astimezone(LEGAL_ZONE):%Y-%m-%d %H:%M} 用途：{purpose}"
    sheet.set_header(f"&C{stamp.replace('&', '&&')[:200]}")
    notes = book.add_worksheet("说明")
    notes.write_string(0, 0, stamp)
    notes.write_string(1, 0, "本表含个人信息，仅限上述用途；每一次导出都会告知表中本人。")
    book.close()
    return out.getvalue()


def error_book(table: Table, faults: Iterable[RowFault], *, at: datetime) -> bytes:
    """The rows with faults and why, in the sheet's own columns, so that they can be corrected and sent again."""
    by_line: defaultdict[int, list[RowFault]] = defaultdict(list)
    for fault in faults:
        by_line[fault.line].append(fault)
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties({"created": at.replace(tzinfo=None)})
    sheet = book.add_worksheet("待改正")
    text = book.add_format({"num_format": "@"})
    red = book.add_format({"font_color": "#B00020", "text_wrap": True})
    sheet.set_column(0, len(table.headings) - 1, 14, text)
    sheet.set_column(len(table.headings), len(table.headings), 8)
    sheet.set_column(len(table.headings) + 1, len(table.headings) + 1, 50)
    for i, title in enumerate([*table.headings, "原表行号", "错误"]):
        sheet.write_string(0, i, title)
    # The file is for the people who keep the sheet; its column is called 错误 whatever language is shown.
    with override("zh-hans"):
        for line, number in enumerate(sorted(by_line), start=1):
            for i, cell in enumerate(table.rows[number - table.first_line]):
                if cell:
                    sheet.write_string(line, i, cell, text)
            sheet.write_number(line, len(table.headings), number)
            said = "；".join(row_fault(f.code) for f in by_line[number])
            sheet.write_string(line, len(table.headings) + 1, said, red)
    book.close()
    return out.getvalue()
