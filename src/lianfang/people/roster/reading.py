"""Opening a roster: XLSX or CSV into rows of text. Refuses what would be misread; changes nothing."""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

import python_calamine as calamine

from lianfang.people.errors import RosterUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Limits that a community of 100,000 stays far below.
MOST_BYTES: Final = 30 * 2**20
MOST_ROWS: Final = 200_000
MOST_COLUMNS: Final = 100
MOST_UNPACKED: Final = 400 * 2**20
#: Spreadsheets pack about 1 : 10; a bomb packs 1 : 1,000.
MOST_RATIO: Final = 120
LONGEST_CELL: Final = 500

_SHEET: Final = re.compile(r"xl/worksheets/[^/]+\.xml")
_FORMULA: Final = re.compile(rb"<f[ />]")
_ROW: Final = re.compile(rb"<row[ />]")


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file as text, the line of its headings, and how it was read."""

    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]
    #: Number of the first row below the headings, as the spreadsheet counts.
    first_line: int
    encoding: str


def read(content: bytes, *, known_heading: Iterable[str]) -> Table:
    """Read a roster.

    :param known_heading: words that headings are made of; the row holding most of them is the headings
    :raises RosterUnreadable: with the fault and, where it helps, the place
    """
    if not content.strip(b"\x00\r\n\t ,;"):
        raise RosterUnreadable(fault="empty")
    if len(content) > MOST_BYTES:
        raise RosterUnreadable(fault="too_large", most=MOST_BYTES // 2**20)
    if content[:4] == b"PK\x03\x04":
        cells, encoding = _xlsx(content), "xlsx"
    elif content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise RosterUnreadable(fault="old_excel")
    else:
        cells, encoding = _csv(content)
    return _table(cells, frozenset(known_heading), encoding)


# --- XLSX ----------------------------------------------------------------------------------------


def _xlsx(content: bytes) -> list[list[str]]:
    _look_into(content)
    try:
        book = calamine.load_workbook(io.BytesIO(content))
        visible = [
            m.name
            for m in book.sheets_metadata
            if m.visible is calamine.SheetVisibleEnum.Visible and m.typ is calamine.SheetTypeEnum.WorkSheet
        ]
        for name in visible:
            sheet = book.get_sheet_by_name(name)
            if sheet.height:
                rows = [[text_of(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
                _spread_merged(rows, sheet.merged_cell_ranges or [])
                return rows
    except calamine.PasswordError as error:
        raise RosterUnreadable(fault="password") from error
    except RosterUnreadable:
        raise
    except (calamine.CalamineError, ValueError, OverflowError, UnicodeError) as error:
        raise RosterUnreadable(fault="damaged") from error
    except BaseException as error:
        # The decoder is Rust: on some damaged files it panics, which arrives as a BaseException.
        if type(error).__name__ != "PanicException":
            raise
        raise RosterUnreadable(fault="damaged") from error
    raise RosterUnreadable(fault="empty")


def _look_into(content: bytes) -> None:
    """Refuse bombs, formulas and too many rows before anything is unpacked into memory."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > 2_000:
                raise RosterUnreadable(fault="bomb")
            if any(e.flag_bits & 1 for e in entries):
                raise RosterUnreadable(fault="password")
            names = {e.filename for e in entries}
            if "xl/workbook.xml" not in names:
                raise RosterUnreadable(fault="not_a_spreadsheet")
            if "xl/vbaProject.bin" in names:
                raise RosterUnreadable(fault="macros")
            total = sum(e.file_size for e in entries)
            if total > MOST_UNPACKED or any(
                e.file_size > 2**20 and e.file_size > MOST_RATIO * max(e.compress_size, 1) for e in entries
            ):
                raise RosterUnreadable(fault="bomb")
            for entry in entries:
                if _SHEET.fullmatch(entry.filename):
                    _look_into_sheet(archive, entry)
    except RosterUnreadable:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, ValueError, RuntimeError) as error:
        raise RosterUnreadable(fault="damaged") from error
    except Exception as error:
        # zlib.error and struct.error have no common parent; a file that cannot be unpacked is damaged.
        if type(error).__module__ not in ("zlib", "struct", "lzma"):
            raise
        raise RosterUnreadable(fault="damaged") from error


def _look_into_sheet(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    rows, unpacked, tail = 0, 0, b""
    with archive.open(entry) as source:
        while chunk := source.read(2**20):
            unpacked += len(chunk)
            # Sizes in the directory may lie; what comes out is counted.
            if unpacked > MOST_UNPACKED:
                raise RosterUnreadable(fault="bomb")
            window = tail + chunk
            if _FORMULA.search(window):
                raise RosterUnreadable(fault="formula")
            rows += len(_ROW.findall(window))
            if rows > MOST_ROWS + 100:
                raise RosterUnreadable(fault="too_many_rows", most=MOST_ROWS)
            # Keep less than any match is long, so that nothing is counted twice or cut in two.
            tail = window[-4:] if len(window) >= 4 else window
            if _ROW.search(tail) or _FORMULA.search(tail):
                tail = b""


def text_of(cell: object) -> str:
    """A spreadsheet cell as text. A number too long to be exact keeps the look that betrays it (I-6)."""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        if cell != cell or cell in (float("inf"), float("-inf")):
            return ""
        if abs(cell) >= 1e15:
            return f"{cell:.5E}"
        return str(int(cell)) if cell == int(cell) else repr(cell)
    if isinstance(cell, datetime):
        return (cell.date() if cell.time() == time() else cell).isoformat()
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)


def _spread_merged(rows: list[list[str]], ranges: Sequence[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    """Give every row its own copy of a cell merged downwards (one 房号 for a family).

    Cells merged sideways are titles; among the data they would shift values, so they are left as they are
    and the rows' own checks complain about what is missing.
    """
    for (top, left), (bottom, right) in ranges:
        if left == right and top < len(rows) and left < len(rows[top]):
            value = rows[top][left]
            for row in rows[top + 1 : bottom + 1]:
                if left < len(row):
                    row[left] = value


# --- CSV -----------------------------------------------------------------------------------------


def _csv(content: bytes) -> tuple[list[list[str]], str]:
    text, encoding = _decode(content)
    if text.lstrip()[:1] == "<" or text.startswith("%PDF") or text.lstrip()[:1] == "{":
        raise RosterUnreadable(fault="not_a_spreadsheet")
    sample = text[:20_000]
    delimiter = max(",\t;，", key=sample.count)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            if len(rows) >= MOST_ROWS + 100:
                raise RosterUnreadable(fault="too_many_rows", most=MOST_ROWS)
            rows.append(row)
    except csv.Error as error:
        raise RosterUnreadable(fault="quotes", line=len(rows) + 1) from error
    return rows, encoding


def _decode(content: bytes) -> tuple[str, str]:
    """The text of a CSV: by its mark, else UTF-8, else GB18030; anything else is no text."""
    try:
        if content.startswith(codecs.BOM_UTF8):
            return content.decode("utf-8-sig"), "utf-8-sig"
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return content.decode("utf-16"), "utf-16"
    except UnicodeDecodeError as error:
        raise RosterUnreadable(fault="encoding") from error
    if b"\x00" in content[:4096]:
        raise RosterUnreadable(fault="encoding")
    for encoding in ("utf-8", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if any(ord(c) < 32 and c not in "\r\n\t" for c in text[:20_000]):
            break
        return text, encoding
    raise RosterUnreadable(fault="encoding")


# --- common --------------------------------------------------------------------------------------


def _table(cells: list[list[str]], known: frozenset[str], encoding: str) -> Table:
    top = _heading_row(cells, known)
    headings = [heading(c) for c in cells[top]]
    while headings and not headings[-1]:
        headings.pop()
    if len(headings) > MOST_COLUMNS:
        raise RosterUnreadable(fault="too_many_columns", most=MOST_COLUMNS)
    width = len(headings)
    rows: list[tuple[str, ...]] = []
    last = 0
    for number, row in enumerate(cells[top + 1 :], start=1):
        cleaned = tuple(_clean(c, top + 1 + number) for c in row[:width]) + ("",) * (width - len(row))
        if any(c.strip() for c in row[width:]):
            raise RosterUnreadable(fault="ragged", line=top + 1 + number)
        rows.append(cleaned)
        if any(cleaned):
            last = number
    del rows[last:]
    if not rows:
        raise RosterUnreadable(fault="no_rows")
    if len(rows) > MOST_ROWS:
        raise RosterUnreadable(fault="too_many_rows", most=MOST_ROWS)
    return Table(tuple(headings), rows, top + 2, encoding)


def _heading_row(cells: list[list[str]], known: frozenset[str]) -> int:
    """The row among the first ten that holds most known headings: titles and notes stand above it."""
    scores = [len({heading(c) for c in row} & known) for row in cells[:10]]
    best = max(scores, default=0)
    if best < 2:
        raise RosterUnreadable(fault="no_headings")
    return scores.index(best)


def heading(text: str) -> str:
    """A heading without spaces, marks and remarks in brackets."""
    plain = re.sub(r"[（(【\[].*?[)）】\]]", "", text.replace("\ufeff", ""))
    return re.sub(r"[\s*＊:：_\-/、]+", "", plain)


def _clean(text: str, line: int) -> str:
    plain = text.replace("\ufeff", "").replace("\u200b", "").replace("\xa0", " ").strip()
    if plain[:1] in ("=", "@") or "\x00" in plain:
        raise RosterUnreadable(fault="formula", line=line)
    if len(plain) > LONGEST_CELL:
        raise RosterUnreadable(fault="long_cell", line=line)
    return plain
