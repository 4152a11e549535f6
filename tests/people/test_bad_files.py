"""Files that are no good roster: each gets one clear sentence, and nothing is changed."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import xlsxwriter

from lianfang.accounts.rights import Role
from lianfang.kernel.errors import Refused
from lianfang.kernel.row_security import scope
from lianfang.people.actions import rosters
from lianfang.people.errors import RosterUnreadable
from lianfang.people.models import Household, ImportRun, Person
from lianfang.people.roster import reading
from lianfang.people.roster.columns import KNOWN_HEADINGS
from lianfang.people.sentences import unreadable
from lianfang.places.models import Place
from tests.factories.people import a_community, an_actor
from tests.factories.rosters import HEADINGS, a_roster, as_csv, as_xlsx

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = a_roster(3)


def _book(write: Callable[[Any, Any], None], **options: Any) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, **options})
    sheet = book.add_worksheet()
    for i, text in enumerate(HEADINGS):
        sheet.write_string(0, i, text)
    write(book, sheet)
    book.close()
    return out.getvalue()


def _with(cells: dict[int, object], **more: Any) -> bytes:
    """One row, given cells written as spreadsheets write them."""

    def write(book: Any, sheet: Any) -> None:
        for i, cell in enumerate(ROWS[0]):
            sheet.write(1, i, cells.get(i, cell), more.get("form"))

    return _book(write)


def _zip(**entries: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("__", "/").replace("_x", ".xml"), content)
    return out.getvalue()


def _rezip(content: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            target.writestr(name, change(name, source.read(name)))
    return out.getvalue()


def _sheet(change: Callable[[bytes], bytes]) -> bytes:
    return _rezip(as_xlsx(ROWS), lambda n, c: change(c) if n.startswith("xl/worksheets/") else c)


def _formula(book: Any, sheet: Any) -> None:
    sheet.write_formula(1, 4, '=HYPERLINK("x")', None, "罗小娟")


def _merged_sideways(book: Any, sheet: Any) -> None:
    for i, cell in enumerate(ROWS[0]):
        if i != 3:
            sheet.write_string(1, i, cell)
    sheet.merge_range(1, 2, 1, 3, "2单元")


GOOD = as_xlsx(ROWS)
GOOD_CSV = as_csv(ROWS)
MILLION = (
    b"\xe5\xa7\x93\xe5\x90\x8d,\xe6\xa5\xbc\xe6\xa0\x8b,\xe6\x88\xbf\xe5\x8f\xb7\n" + b"a,1,1\n" * 1_000_000
)


def _lying_size(content: bytes) -> bytes:
    """A central directory that calls every entry small."""
    changed = bytearray(content)
    at = changed.find(b"PK\x01\x02")
    while at >= 0:
        changed[at + 24 : at + 28] = struct.pack("<I", 10)
        at = changed.find(b"PK\x01\x02", at + 4)
    return bytes(changed)


#: name → (file, fault it is refused with; "rows" where the file is read and its rows have the faults)
CORPUS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "empty"),
    "only spaces": (b" \r\n ,,, \n", "empty"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "encoding"),
    "a PDF": (b"%PDF-1.7\n1 0 obj\n", "not_a_spreadsheet"),
    "a web page called xls": ("<html><table><tr><td>姓名</td></tr></table>".encode(), "not_a_spreadsheet"),
    "JSON": ('{"姓名": "罗小娟"}'.encode(), "not_a_spreadsheet"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old_excel"),
    "a zip that is no workbook": (_zip(a_x=b"<a/>"), "not_a_spreadsheet"),
    "a document": (_zip(word__document_x=b"<a/>"), "not_a_spreadsheet"),
    "half a workbook": (GOOD[: len(GOOD) // 2], "damaged"),
    "a workbook without its end": (GOOD[:-30], "damaged"),
    "a workbook with a torn middle": (GOOD[:400] + bytes(200) + GOOD[600:], "damaged"),
    "only the first bytes": (b"PK\x03\x04", "damaged"),
    "sheet XML cut": (_sheet(lambda c: c[: len(c) // 2]), "damaged"),
    "sheet is no XML": (_sheet(lambda c: b"no xml at all"), "damaged"),
    "a bomb": (
        _rezip(GOOD, lambda n, c: c + b" " * 60_000_000 if n.startswith("xl/worksheets/") else c), "bomb",
    ),
    "a bomb in the strings": (_zip(xl__workbook_x=b"<workbook/>", xl__sharedStrings_x=b"0" * 50_000_000), "bomb"),
    "a bomb that lies": (_lying_size(_rezip(GOOD, lambda n, c: c + b" " * 9_000_000)), "damaged"),
    "three thousand entries": (_zip(xl__workbook_x=b"<a/>", **{f"e{i}": b"" for i in range(3000)}), "bomb"),
    "macros": (_zip(xl__workbook_x=b"<a/>", **{"xl__vbaProject.bin": b"x"}), "macros"),
    "a formula": (_book(_formula), "formula"),
    "a formula in CSV": (as_csv([[*ROWS[0][:4], "=1+1", *ROWS[0][5:]]]), "formula"),
    "a call in CSV": (as_csv([[*ROWS[0][:4], "@SUM(1)", *ROWS[0][5:]]]), "formula"),
    "a million rows": (MILLION, "too_many_rows"),
    "a million rows of XML": (
        _sheet(lambda c: c.replace(b"</sheetData>", b'<row r="9"></row>' * 210_000 + b"</sheetData>")),
        "bomb",
    ),
    "too large": (b"a" * (31 * 2**20), "too_large"),
    "no headings": (as_csv(ROWS, headings=["甲", "乙", "丙"]), "no_headings"),
    "headings of something else": (as_csv([["1"]], headings=["品名", "数量", "单价"]), "no_headings"),
    "headings alone": (as_csv([]), "no_rows"),
    "headings alone in a workbook": (as_xlsx([]), "no_rows"),
    "an empty workbook": (_rezip(GOOD, lambda n, c: b"" if n.startswith("xl/worksheets") else c), "damaged"),
    "quotes that do not close": (GOOD_CSV + b'"9', "quotes"),
    "a quote in the middle": (GOOD_CSV + b'a,"b"c,d\n', "quotes"),
    "more cells than headings": (as_csv([[*ROWS[0], "多出来"]]), "ragged"),
    "a cell of 600 characters": (as_csv([[*ROWS[0][:4], "罗" * 600, *ROWS[0][5:]]]), "long_cell"),
    "a hundred and twenty columns": (
        as_csv([["x"] * 131], headings=[*HEADINGS, *(f"列{i}" for i in range(120))]), "too_many_columns",
    ),
    "UTF-16 without its mark": (as_csv(ROWS, encoding="utf-16-le"), "encoding"),
    "UTF-16 cut": (as_csv(ROWS, encoding="utf-16")[:-1], "encoding"),
    "Latin bytes": ("姓名,楼栋,房号\n".encode() + b"\xff\xfe\xfd,1,1\n", "encoding"),
    "bells and escapes": (as_csv([[*ROWS[0][:4], "罗\x07\x1b", *ROWS[0][5:]]]), "encoding"),
    "a number typed as a number": (_with({5: 999999198605040015.0}), "rows"),
    "a number as text with E+17": (_with({5: "9.99999E+17"}), "rows"),
    "a number that ends in 000": (_with({5: "999999198605040000"}), "rows"),
    "a float of a number": (_with({5: "999999198605040015.0"}), "rows"),
    "fifteen digits": (_with({5: "999999860504001"}), "rows"),
    "a telephone that lost a digit": (_with({6: 1990000000.0}), "rows"),
    "a date day first": (
        as_csv([[*ROWS[0][:5], "04/05/1986", *ROWS[0][6:]]], headings=[*HEADINGS[:5], "出生日期", *HEADINGS[6:]]),
        "rows",
    ),
    "cells merged sideways": (_book(_merged_sideways), "rows"),
    "no door": (as_csv([["", "", "", "", "罗小娟", "", "", "", "", "", ""]]), "rows"),
    "no column for the building": (
        as_csv([[r[0], *r[2:]] for r in ROWS], headings=[HEADINGS[0], *HEADINGS[2:]]), "mapping",
    ),
}  # fmt: skip


def test_there_are_forty() -> None:
    assert len(CORPUS) >= 40


@pytest.mark.django_db
@pytest.mark.parametrize("name", CORPUS)
def test_a_bad_file_is_refused_in_a_sentence_and_changes_nothing(name: str) -> None:
    content, fault = CORPUS[name]
    community = a_community()
    by = an_actor(Role.COMMUNITY, community)

    def counts() -> tuple[int, ...]:
        return (Person.objects.count(), Household.objects.count(), Place.objects.count())

    with scope(areas=[community]):
        before = counts()
        with pytest.raises(Refused) as refused:
            rosters.import_roster(content, community=community, filename=name, by=by)
        assert counts() == before
        if isinstance(refused.value, RosterUnreadable):
            assert refused.value.facts["fault"] == fault
            sentence = unreadable(refused.value.facts)
            assert sentence
            assert "{" not in sentence
            assert not ImportRun.objects.exists()
        else:
            assert (
                fault
                == {"people:roster_has_faults": "rows", "people:roster_mapping_incomplete": "mapping"}[
                    refused.value.code
                ]
            )


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (as_csv(ROWS, encoding="utf-8-sig"), "utf-8-sig"),
        (as_csv(ROWS), "utf-8"),
        (as_csv(ROWS, encoding="gb18030"), "gb18030"),
        (as_csv(ROWS, encoding="utf-16"), "utf-16"),
        (as_csv(ROWS, delimiter="\t"), "utf-8"),
        (as_csv(ROWS, delimiter=";"), "utf-8"),
        (as_xlsx(ROWS), "xlsx"),
        (as_xlsx(ROWS, title="花名册（2020年2月）"), "xlsx"),
    ],
)
def test_one_roster_in_every_dress(content: bytes, encoding: str) -> None:
    table = reading.read(content, known_heading=KNOWN_HEADINGS)
    assert table.encoding == encoding
    assert table.headings == HEADINGS
    assert [list(r) for r in table.rows] == ROWS


def test_dates_of_both_calendars_of_spreadsheets() -> None:
    from datetime import date

    for since_1904 in (False, True):
        out = io.BytesIO()
        book = xlsxwriter.Workbook(out, {"date_1904": since_1904})
        sheet = book.add_worksheet()
        for i, text in enumerate(("姓名", "房号", "楼栋", "出生日期")):
            sheet.write_string(0, i, text)
        for i, text in enumerate(("罗小娟", "603", "5")):
            sheet.write_string(1, i, text)
        sheet.write_datetime(1, 3, date(1986, 5, 4), book.add_format({"num_format": "yyyy/m/d"}))
        book.close()
        assert reading.read(out.getvalue(), known_heading=KNOWN_HEADINGS).rows[0][3] == "1986-05-04"
