"""Draws the two-dimensional codes on papers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from typing import Final

import segno

#: The standard lets a maker try eight masks and keep the prettiest. All eight are read alike; trying one
#: makes 500 papers seven times cheaper and the picture of a given text always the same.
_MASK: Final = 4

#: What a camera needs to find the code: four modules of white on each side (ISO/IEC 18004).
_QUIET_ZONE: Final = 4


class Correction(StrEnum):
    """How much of a code may be lost: 7, 15, 25, 30 per cent."""

    L = "L"
    M = "M"
    Q = "Q"
    H = "H"


@dataclass(frozen=True, slots=True)
class Code:
    """A code on a paper: what it says, its width in millimetres with the white around it, its correction."""

    content: str | bytes
    mm: int = 40
    correction: Correction = Correction.M

    def svg(self) -> str:
        """The code as a picture of vectors, black on its own white."""
        made = segno.make(
            self.content, error=self.correction.value, mask=_MASK, boost_error=False, micro=False
        )
        out = BytesIO()
        made.save(
            out, kind="svg", border=_QUIET_ZONE, xmldecl=False, svgclass=None, lineclass=None, light="#fff"
        )
        return out.getvalue().decode("ascii")
