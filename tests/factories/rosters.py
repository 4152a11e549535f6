"""Rosters for tests and benchmarks: invented people as a community keeps them."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import xlsxwriter

from lianfang.people.citizen_number import DEMO_PREFIX, check_character

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HEADINGS: Final = (
    "小区", "楼栋", "单元", "房号", "姓名", "证件号码", "手机", "与户主关系", "户主", "监护人", "特殊照护",
)  # fmt: skip
_SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN: Final = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂芬"
_FIRST_DAY: Final = date(1940, 1, 1)


def number_of(i: int) -> str:
    """The i-th invented citizen number: right check character, nobody's; unique up to 14 million."""
    day, sequence = divmod(i, 490)
    # Orders 000, 100, … are passed over: a sheet's number may not end in 000 (I-6).
    order = sequence + sequence // 49 + 1
    first = f"{DEMO_PREFIX}{_FIRST_DAY + timedelta(days=day % 28_000):%Y%m%d}{order * 2:03d}"
    return first + check_character(first)


def name_of(i: int) -> str:
    """The i-th name; repeats as names do."""
    return (
        _SURNAMES[(i * 7 + i // 20) % len(_SURNAMES)]
        + _GIVEN[(i // 3) % len(_GIVEN)]
        + _GIVEN[(i * 11 + i // 400) % len(_GIVEN)]
    )


def a_roster(
    persons: int, *, start: int = 0, compound: str = "和睦花园", numbered: bool = True
) -> list[list[str]]:
    """Rows of that many people: households of two or three, twelve doors to a stairwell, two stairwells to a building."""
    rows: list[list[str]] = []
    home = 0
    while len(rows) < persons:
        size = 2 + home % 2
        stairwell, door = divmod(home, 12)
        building, stairwell = divmod(stairwell, 2)
        room = f"{door // 2 + 1:02d}{door % 2 + 1:02d}"
        estate = f"{compound}{building // 60 + 1}期" if building >= 60 else compound
        head = ""
        for member in range(min(size, persons - len(rows))):
            i = start + len(rows)
            name = name_of(i)
            head = head or name
            rows.append(
                [
                    estate, f"{building % 60 + 1}栋", f"{stairwell + 1}单元", room, name,
                    number_of(i) if numbered else "", f"1990000{i % 10_000:04d}",
                    ("户主", "配偶", "子女")[member], head, "", "",
                ]
            )  # fmt: skip
        home += 1
    return rows


def as_xlsx(rows: Iterable[Sequence[str]], *, headings: Sequence[str] = HEADINGS, title: str = "") -> bytes:
    """A workbook of text cells, with a title above the headings if one is given."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"constant_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet("花名册")
    top = 0
    if title:
        sheet.merge_range(0, 0, 0, len(headings) - 1, title)
        top = 1
    for i, text in enumerate(headings):
        sheet.write_string(top, i, text)
    for line, row in enumerate(rows, start=top + 1):
        for i, cell in enumerate(row):
            if cell:
                sheet.write_string(line, i, cell)
    book.close()
    return out.getvalue()


def as_csv(
    rows: Iterable[Sequence[str]],
    *,
    headings: Sequence[str] = HEADINGS,
    encoding: str = "utf-8",
    delimiter: str = ",",
) -> bytes:
    """The same as CSV in an encoding."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(headings)
    writer.writerows(rows)
    return out.getvalue().encode(encoding)
