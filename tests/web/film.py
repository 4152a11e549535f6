"""Films for Chromium's fake camera: a page, held before a cheap camera, tilted, dim and noisy."""

from __future__ import annotations

import io
import random  # noqa: TID251 - a generator with a given seed, so that a film is the same each time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import segno
from PIL import Image, ImageFilter

from lianfang.messaging import specimens, typeset
from tests.pictures import qr_code

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SIZE: Final = (1280, 720)


def code_image(text: str, *, border: int = 4, scale: int = 8) -> Image.Image:
    """The QR code of a text, level M where it fits a pass and L above."""
    drawn = segno.make_qr(text, error="M" if len(text) < 400 else "L", boost_error=False)
    buffer = io.BytesIO()
    drawn.save(buffer, kind="png", scale=scale, border=border)
    return Image.open(io.BytesIO(buffer.getvalue())).convert("L")


def held_up(picture: bytes, *, around: float = 0.12) -> Image.Image:
    """The part of a drawn page that is held before a camera: its code, and a bit of what stands around it."""
    page = Image.open(io.BytesIO(picture)).convert("L")
    at = qr_code(page).position
    left, top = at.top_left.x, at.top_left.y
    width = at.top_right.x - left
    more = round(width * around)
    return page.crop((left - more, top - more, left + width + more, top + width + more))


def card(text: str) -> Image.Image:
    """Our own paper pass with this code, as printed at 300 dots to the inch."""
    paper = replace(specimens.pass_card(), token=text)
    (page,) = typeset.pictures([paper], at=specimens.AT, ppi=300)
    return held_up(page)


def frame(
    page: Image.Image, *, fill: float, tilt: float, lean: float, light: float, contrast: float, noise: float,
    blur: float, rng: random.Random,
) -> Image.Image:  # fmt: skip
    """One picture of the page: `fill` of the height, turned by `tilt` degrees, leaning by `lean` of its width."""
    side = round(SIZE[1] * fill)
    shown = page.convert("L").resize((side, round(side * page.height / page.width)), Image.Resampling.LANCZOS)
    w, h = shown.size
    ground = Image.new("L", SIZE, 200)
    ground.paste(shown, ((SIZE[0] - w) // 2, (SIZE[1] - h) // 2))
    ground = ground.rotate(tilt, Image.Resampling.BICUBIC, fillcolor=200)
    d = lean * w
    corners = (0, 0, d * 0.3, SIZE[1], SIZE[0], SIZE[1] - d * 0.2, SIZE[0] - d, d * 0.4)
    ground = ground.transform(SIZE, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC)
    if blur:
        ground = ground.filter(ImageFilter.GaussianBlur(blur))
    grain = Image.frombytes("L", SIZE, rng.randbytes(SIZE[0] * SIZE[1]))
    dim = ground.point([round(light + (v - 128) * contrast) for v in range(256)])
    return Image.blend(dim, grain, noise)


def film(
    path: Path,
    pages: Sequence[Image.Image],
    *,
    seed: int = 1,
    dim: bool = False,
    each: int = 8,
    still: int = 1,
) -> None:
    """Write an .mjpeg in which each page is held up for `each` pictures, none like the other, each `still` times."""
    rng = random.Random(seed)
    with path.open("wb") as out:
        for page in pages:
            for _ in range(each):
                picture = frame(
                    page,
                    fill=rng.uniform(0.72, 0.85),
                    tilt=rng.uniform(-15, 15),
                    lean=rng.uniform(0.0, 0.08),
                    light=85 if dim else 128,
                    contrast=0.5 if dim else 0.8,
                    noise=0.12 if dim else 0.05,
                    blur=rng.uniform(0.4, 1.0),
                    rng=rng,
                )
                drawn = io.BytesIO()
                picture.convert("RGB").save(drawn, "JPEG", quality=80)
                out.write(drawn.getvalue() * still)
