"""A community's roster with thirty known faults: the error file names exactly these, nothing is taken before.

Corrected in the error file and sent again, everybody is in; sent once more, nobody is in twice.
"""

from __future__ import annotations

import io
import re
from datetime import date
from typing import TYPE_CHECKING, Final

import openpyxl
import pytest

from tests.factories.people import a_citizen_number
from tests.factories.rosters import HEADINGS, a_roster

from .conftest import device
from .steps import a_sheet, log_in, picture, printed, send_roster, write_roster

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from .conftest import System

COMPOUND: Final = "紫荆花园"
PEOPLE: Final = 60
COLUMNS: Final = (*HEADINGS, "出生日期", "性别", "证件类型")
_DAMAGED: Final = (
    "身份证号码被表格软件改坏（末尾变成 000 或 E+17），请按文本格式重填；本来就以 000 结尾的，请到户登记"
)
_NAME: Final = "姓名应为 2 至 50 个字，只含汉字、字母和间隔号"
_DOOR: Final = "楼栋、单元或房号看不懂，应如 5-2-0603"
_PHONE: Final = "电话应为 11 位手机号，或带区号的座机号"
_CARE: Final = "特殊照护只能填：独居、高龄、孕妇、残疾、透析、慢病、婴幼儿、无智能手机"
_BORN: Final = "出生日期应如 1986-05-04"
#: Line of the sheet, the cell that is wrong, what stands there, and what is said about it.
FAULTS: Final = (
    (3, "姓名", "", "缺姓名"),
    (5, "姓名", "王3", _NAME),
    (6, "姓名", "李", _NAME),
    (8, "楼栋", "", "缺楼栋"),
    (9, "房号", "", "缺房号"),
    (11, "房号", "6.03E+02", _DOOR),
    (13, "手机", "1380000", _PHONE),
    (14, "手机", "1.3E+10", _PHONE),
    (16, "证件号码", "5.10402E+17", _DAMAGED),
    (17, "证件号码", "999999198405067000", _DAMAGED),
    (19, "证件号码", "999999840506711", "这是 15 位旧号码，请填 18 位"),
    (20, "证件号码", "99999919840506", "身份证号码应为 18 位"),
    (22, "证件号码", "99999919841306711X", "身份证号码中的出生日期不存在"),
    (23, "证件号码", "99999919840230711X", "身份证号码中的出生日期不存在"),
    (25, "证件号码", "999999203001017110", "身份证号码中的出生日期在今天之后"),
    (26, "证件号码", "born in 1885", "身份证号码中的出生日期超过 130 年"),
    (28, "证件号码", "wrong check", "身份证号码校验位不对，请对照证件"),
    (29, "证件号码", "wrong check", "身份证号码校验位不对，请对照证件"),
    (31, "证件号码", "of line 2", "这个证件号码在表中出现过"),
    (32, "证件号码", "of line 4", "这个证件号码在表中出现过"),
    (34, "特殊照护", "很可怜", _CARE),
    (35, "特殊照护", "独居、怕冷", _CARE),
    (37, "出生日期", "04/05/1986", _BORN),
    (38, "出生日期", "1986-02-30", _BORN),
    (40, "出生日期", "1986-05-04", "出生日期与身份证号码不一致"),
    (41, "性别", "不详人", "性别应为男或女"),
    (43, "性别", "the other", "性别与身份证号码不一致"),
    (44, "证件类型", "会员卡", "证件类型不认识"),
    (46, "监护人", "张三", "年满 14 周岁，不填监护人"),
    (47, "小区", "", "缺小区名称（表中没有此列时，请在导入页填写）"),
)


def good() -> list[list[str]]:
    """The roster as it should have been; line 2 of the sheet is its first row."""
    return [[*row, "", "", ""] for row in a_roster(PEOPLE, start=3_000_000, compound=COMPOUND)]


def faulty(rows: list[list[str]]) -> list[list[str]]:
    """The same with the thirty faults."""
    made = [list(row) for row in rows]
    number = COLUMNS.index("证件号码")
    for line, column, value, _ in FAULTS:
        own = rows[line - 2][number]
        said = {
            "wrong check": own[:17] + ("0" if own[17] != "0" else "1"),
            "born in 1885": a_citizen_number(date(1885, 1, 1), order=711),
            "of line 2": rows[0][number],
            "of line 4": rows[2][number],
            "the other": "女" if int(own[16]) % 2 else "男",
        }.get(value, value)
        made[line - 2][COLUMNS.index(column)] = said
    return made


def counts(page: Page) -> dict[str, int]:
    """What the run says it did."""
    rows = re.findall(r"<dt>([^<]*)</dt><dd>(\d+)</dd>", re.sub(r"\s*\n\s*", "", page.content()))
    return {label: int(number) for label, number in rows}


@pytest.mark.timeout(300)
def test_the_error_file_equals_the_list_and_the_corrected_roster_is_in_once(
    system: System, browser: Browser
) -> None:
    rows = good()
    with device(browser, system, width=1280) as community:
        desk = community.new_page()
        log_in(desk, system, "community")
        send_roster(desk, system, a_sheet([COLUMNS, *faulty(rows)]))
        picture(desk, "roster-1-faulty")
        book = openpyxl.load_workbook(io.BytesIO(printed(desk, desk.get_by_role("link", name="下载错误行"))))
        sent_back = [[str(c or "") for c in row] for row in book.worksheets[0].iter_rows(values_only=True)]
        assert sent_back[0] == [*COLUMNS, "原表行号", "错误"]
        named = [(row[-2], row[-1]) for row in sent_back[1:]]
        assert named == [(str(line), said) for line, _, _, said in FAULTS], named
        wrong = faulty(rows)
        assert [row[:-2] for row in sent_back[1:]] == [wrong[f[0] - 2] for f in FAULTS]

        # Corrected in the error file and put back in its place.
        corrected = faulty(rows)
        for row, (line, column, _, _) in zip(sent_back[1:], FAULTS, strict=True):
            row[COLUMNS.index(column)] = rows[line - 2][COLUMNS.index(column)]
            corrected[line - 2] = row[:-2]
        send_roster(desk, system, a_sheet([COLUMNS, *corrected]))
        write_roster(desk)
        picture(desk, "roster-2-written")
        assert counts(desk)["新增人员"] == PEOPLE
        assert counts(desk)["疑似重复，待判断"] == 0

        send_roster(desk, system, a_sheet([COLUMNS, *corrected]))
        write_roster(desk)
        assert counts(desk)["新增人员"] == 0
        assert counts(desk)["无变化"] == PEOPLE
