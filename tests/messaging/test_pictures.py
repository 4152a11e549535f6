"""Every paper looks as it did when somebody last looked at it and kept its picture.

Draw the pictures anew with `python -m tests.messaging.test_pictures`, look at them, and commit them.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Final

import pytest
from PIL import Image, ImageChops, ImageFilter

from lianfang.messaging import specimens, typeset
from lianfang.messaging.papers import Lang

KEPT: Final = Path(__file__).parent / "pictures"
PPI: Final = 45
#: Grey steps by which a pixel may differ after blurring, and the share of pixels that may differ by more.
#: A line moved by a millimetre changes about one pixel in a hundred.
STEPS: Final = 24
SHARE: Final = 0.0005
LARGEST: Final = 60_000
PAPERS: Final = tuple(specimens.one_of_each())


def drawn(template: str, lang: Lang) -> dict[str, Image.Image]:
    """The pages of a paper in grey, by the name under which they are kept."""
    pages = typeset.pictures([specimens.one_of_each(lang)[template]], at=specimens.AT, ppi=PPI)
    return {
        f"{template}.{lang}.{n}.png": Image.open(BytesIO(page)).convert("L")
        for n, page in enumerate(pages, 1)
        # The second copy of a notice differs from the first in one word.
        if template != "isolation_notice" or n <= len(pages) // 2
    }


def differs(one: Image.Image, other: Image.Image) -> bool:
    """Whether somebody would see that the two are not the same page."""
    if one.size != other.size:
        return True
    blurred = [picture.filter(ImageFilter.BoxBlur(1)) for picture in (one, other)]
    histogram = ImageChops.difference(*blurred).histogram()
    return sum(histogram[STEPS:]) > SHARE * one.width * one.height


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize("template", PAPERS)
def test_a_paper_looks_as_it_was_kept(template: str, lang: Lang, tmp_path: Path) -> None:
    pages = drawn(template, lang)
    assert sorted(pages) == sorted(p.name for p in KEPT.glob(f"{template}.{lang}.*.png"))
    for name, page in pages.items():
        assert (KEPT / name).stat().st_size <= LARGEST
        page.save(tmp_path / name)
        assert not differs(page, Image.open(KEPT / name).convert("L")), (
            f"compare {tmp_path / name} with {KEPT / name}"
        )


def test_a_moved_line_and_a_lost_word_are_seen() -> None:
    """The comparison can fail: a block shifted by 1.2 mm, and a page without one short line."""
    (page,) = drawn("release_notice", Lang.ZH).values()
    moved = page.copy()
    lines = page.crop((40, 240, 330, 300))
    moved.paste(lines, (42, 240))
    assert differs(page, moved)
    lost = page.copy()
    lost.paste(255, (46, 176, 120, 190))
    assert differs(page, lost)
    assert not differs(page, page.copy())


def keep_all() -> None:
    """Draw every picture anew."""
    KEPT.mkdir(exist_ok=True)
    for old in KEPT.glob("*.png"):
        old.unlink()
    for template in PAPERS:
        for lang in Lang:
            for name, page in drawn(template, lang).items():
                # Sixteen evenly spaced greys, so that the file is small and no grey is off by more than eight.
                page.point([round(v / 17) * 17 for v in range(256)]).save(KEPT / name, optimize=True)


if __name__ == "__main__":
    keep_all()
