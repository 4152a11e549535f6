"""Names: initials, masks, what is acceptable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.people import naming


@pytest.mark.parametrize(
    ("name", "initials", "masked"),
    [
        ("罗小娟", "lxj", "罗＊＊"),
        ("欧阳娜娜", "oynn", "欧阳＊＊"),
        ("单雄信", "sxx", "单＊＊"),
        ("曾国强", "zgq", "曾＊＊"),
        ("王伟", "ww", "王＊"),
        ("阿的·日黑", "adrh", "阿＊·＊＊"),
        ("Anna Maria Berg", "amb", "A＊＊＊ ＊＊＊＊＊ ＊＊＊＊"),
    ],
)
def test_names_as_people_have_them(name: str, initials: str, masked: str) -> None:
    assert naming.initials(name) == initials
    assert naming.masked(name) == masked
    assert naming.acceptable(name)


def test_a_mask_keeps_the_surname_only() -> None:
    assert naming.given("欧阳娜娜") == "娜娜"
    assert naming.given("王伟") == "伟"
    assert naming.pass_initials("阿的·日黑") == "ADRH"


@pytest.mark.parametrize(
    "name", ["", "罗", "周明3", "罗\n娟", "=罗小娟", "罗" * 51, "·罗娟", "罗娟·", "<b>罗</b>"]
)
def test_what_is_no_name(name: str) -> None:
    assert not naming.acceptable(naming.tidy(name)) or naming.tidy(name) == "罗娟"


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    tidy = naming.tidy(text)
    assert naming.tidy(tidy) == tidy
    naming.initials(tidy)
    shown = naming.masked(tidy)
    assert len(shown) == len(tidy)
    if naming.acceptable(tidy):
        assert naming.given(tidy)
        assert shown != tidy
