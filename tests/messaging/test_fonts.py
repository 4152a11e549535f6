"""No box in a name: every character is looked up in the locked typefaces before anything is printed."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING

import pypdf
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from lianfang.messaging import fonts, specimens, typeset
from lianfang.messaging.errors import GlyphMissing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Rare characters of real surnames and given names, a minority name, and ordinary ones.
NAMES = ("𠮷田示例", "㐂示例", "䶮示例", "阿的·日黑", "赟燚垚", "㛃翀瑨", "𬭎示例", "Müller Ångström")

#: Extension B, not in any typeface that is locked.
UNPRINTABLE = "𪚥"


@pytest.fixture
def forget_fonts() -> Iterator[None]:
    """Fonts are looked for once per process; a test that changes where, forgets before and after."""

    def forget() -> None:
        for found in (fonts.paths, fonts.families, fonts.typefaces, fonts._held, typeset._compiler):
            found.cache_clear()

    forget()
    yield
    forget()


@pytest.mark.parametrize("name", NAMES)
def test_a_rare_name_is_held_and_can_be_read_from_the_page(name: str) -> None:
    assert fonts.missing(name) == []
    made = typeset.bundle([specimens.release_notice(name=name)], at=specimens.AT)
    assert name in pypdf.PdfReader(BytesIO(made)).pages[0].extract_text()


def test_missing_characters_come_once_each_in_order() -> None:
    assert fonts.missing(f"罗{UNPRINTABLE}示\ue000例{UNPRINTABLE}\x07 ·\n") == [UNPRINTABLE, "\ue000", "\x07"]


def test_a_character_that_no_typeface_holds_is_refused_by_name() -> None:
    with pytest.raises(GlyphMissing) as refusal:
        typeset.bundle(
            [specimens.release_notice(), specimens.release_notice(name=f"罗{UNPRINTABLE}")], at=specimens.AT
        )
    assert refusal.value.code == "messaging:glyph_missing"
    assert refusal.value.facts == {"characters": f"{UNPRINTABLE}（U+2A6A5）"}
    with pytest.raises(GlyphMissing):
        typeset.pdf("release_notice", {"residence": UNPRINTABLE}, at=specimens.AT)


def test_every_field_of_a_paper_is_looked_up() -> None:
    deep = replace(specimens.isolation_notice(), contacts=(replace(specimens.CONTACTS[0], name=UNPRINTABLE),))
    with pytest.raises(GlyphMissing):
        typeset.bundle([deep], at=specimens.AT)


def test_the_words_of_the_templates_are_held_too() -> None:
    wording = "".join(p.read_text() for p in sorted(typeset._FOLDER.glob("*.typ")))
    assert fonts.missing(wording) == []


def test_nothing_of_the_machine_is_used() -> None:
    """The same page comes from a machine without any Chinese font: only locked files are open to the setter."""
    assert [p.name for p in fonts.paths()] == ["pylopdf_fonts_zh_cn", "noto_cjk_sans_otc"]
    assert fonts.families() == (fonts.SERIF, fonts.SANS)
    reader = pypdf.PdfReader(BytesIO(typeset.bundle([specimens.isolation_notice()], at=specimens.AT)))
    fonts_used = [page["/Resources"].get_object()["/Font"].get_object() for page in reader.pages]  # type: ignore[index]  # a dictionary in every PDF
    used = {str(font.get_object()["/BaseFont"]).split("+")[-1] for on in fonts_used for font in on.values()}
    assert {name.split("-Identity")[0] for name in used} <= {"NotoSerifSC-Regular", "NotoSansCJKsc-Regular"}


def a_typeface(path: Path, character: str, **names: str) -> None:
    """A typeface with one character, a square."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 800), (800, 800), (800, 0)):
        pen.lineTo(corner)
    pen.closePath()
    made = FontBuilder(1000)
    made.setupGlyphOrder([".notdef", "rare"])
    made.setupCharacterMap({ord(character): "rare"})
    made.setupGlyf({".notdef": pen.glyph(), "rare": pen.glyph()})
    made.setupHorizontalMetrics({".notdef": (1000, 0), "rare": (1000, 0)})
    made.setupHorizontalHeader(ascent=880, descent=-120)
    made.setupNameTable({"familyName": "District Rare", "styleName": "Regular", **names})
    made.setupOS2(sTypoAscender=880, usWinAscent=880, usWinDescent=120)
    made.setupPost()
    made.save(path)


@pytest.mark.usefixtures("forget_fonts")
def test_the_operator_adds_a_typeface_for_a_rare_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_typeface(tmp_path / "rare.ttf", UNPRINTABLE, psName="DistrictRare-Regular")
    monkeypatch.setenv(fonts.EXTRA_FOLDER_SETTING, str(tmp_path))

    assert fonts.missing(UNPRINTABLE) == []
    assert fonts.families() == (fonts.SERIF, fonts.SANS, "District Rare")
    made = typeset.bundle([specimens.release_notice(name=f"罗{UNPRINTABLE}")], at=specimens.AT)
    assert f"罗{UNPRINTABLE}" in pypdf.PdfReader(BytesIO(made)).pages[0].extract_text()


@pytest.mark.usefixtures("forget_fonts")
def test_a_typeface_the_setter_cannot_load_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a PostScript name the setter passes a file over in silence; its characters would be boxes."""
    a_typeface(tmp_path / "rare.ttf", UNPRINTABLE)
    monkeypatch.setenv(fonts.EXTRA_FOLDER_SETTING, str(tmp_path))
    assert fonts.missing(UNPRINTABLE) == [UNPRINTABLE]


@pytest.mark.usefixtures("forget_fonts")
def test_a_folder_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(fonts.EXTRA_FOLDER_SETTING, str(tmp_path / "gone"))
    with pytest.raises(FileNotFoundError, match="gone"):
        fonts.paths()
