"""GB 11643 numbers."""

from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.people.citizen_number import Fault, NotACitizenNumber, check_character, parse

ON = date(2020, 2, 10)


def _number(first_17: str) -> str:
    return first_17 + check_character(first_17)


def test_the_example_of_the_standard() -> None:
    # GB 11643-1999, appendix A: 11010519491231002X and 440524188001010014.
    assert check_character("11010519491231002") == "X"
    assert check_character("44052418800101001") == "4"
    assert parse("11010519491231002X", on=ON).birth_date == date(1949, 12, 31)


def test_a_district_that_is_younger_than_its_people_is_no_fault() -> None:
    # East District was founded in 1983; its older citizens carry its code all the same.
    assert parse(_number("51040219500101001"), on=ON).division == "510402"
    assert parse(_number("51049919500101001"), on=ON).division_known
    unknown = parse(_number("99999919860504001"), on=ON)
    assert (unknown.division_known, unknown.invented, unknown.male) == (False, True, True)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("5.10402E+17", Fault.DAMAGED),
        ("5.10402198605040E+17", Fault.DAMAGED),
        ("510402198605040012.0", Fault.DAMAGED),
        ("510402198605040000", Fault.DAMAGED),
        ("510402860504001", Fault.FIFTEEN),
        ("51040219860504001", Fault.SHAPE),
        ("51040219860504001Y", Fault.SHAPE),
        ("", Fault.SHAPE),
        (_number("51040219860231001"), Fault.BIRTH),
        (_number("51040220200211001"), Fault.FUTURE),
        (_number("51040218890101001"), Fault.TOO_OLD),
    ],
)
def test_what_is_no_number(text: str, fault: Fault) -> None:
    with pytest.raises(NotACitizenNumber) as raised:
        parse(text, on=ON)
    assert raised.value.fault is fault


def test_the_ages_at_the_border() -> None:
    assert parse(_number("51040218900210001"), on=ON)
    with pytest.raises(NotACitizenNumber):
        parse(_number("51040218900209001"), on=ON)
    assert parse(_number("51040220200210001"), on=ON)


def test_a_number_as_people_write_it() -> None:
    right = _number("99999919860504004")
    for text in (f" {right} ", f"'{right}", right.lower(), f"{right[:6]} {right[6:14]} {right[14:]}"):
        assert parse(text, on=ON).text == right


days = st.dates(date(1900, 1, 1), date(2019, 12, 31))


@given(days, st.integers(0, 999), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(born: date, order: int, at: int, by: int) -> None:
    right = _number(f"999999{born:%Y%m%d}{order:03d}")
    wrong = right[:at] + str((int(right[at]) + by) % 10) + right[at + 1 :]
    with pytest.raises(NotACitizenNumber):
        parse(wrong, on=ON)
    assert parse(right, on=ON).birth_date == born


@given(days, st.integers(0, 999), st.integers(0, 16))
def test_two_neighbours_exchanged_are_always_found(born: date, order: int, at: int) -> None:
    right = _number(f"999999{born:%Y%m%d}{order:03d}")
    turned = right[:at] + right[at + 1] + right[at] + right[at + 2 :]
    if turned != right:
        with pytest.raises(NotACitizenNumber):
            parse(turned, on=ON)


@given(st.text(max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    with contextlib.suppress(NotACitizenNumber):
        parse(text, on=ON)
