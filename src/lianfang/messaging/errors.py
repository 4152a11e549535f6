"""What messaging refuses, each with the code its sentence is looked up by."""

from __future__ import annotations

from lianfang.kernel.errors import Refused


class GlyphMissing(Refused):
    """No typeface holds a character of the paper. Nothing is printed: never a box in a name."""

    code = "messaging:glyph_missing"


class TooLongToReadAloud(Refused):
    """A sheet to be read to somebody holds more than a minute of speech."""

    code = "messaging:too_long_to_read_aloud"


class PlaceTooSmall(Refused):
    """A public sheet would point at fewer than five households; the next larger place is to be named."""

    code = "messaging:place_too_small"
