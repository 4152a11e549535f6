"""Unsigned LEB128 in its shortest form, at most five bytes (docs/gates.md, "Status files")."""

from __future__ import annotations

from typing import Final

from lianfang_pass.errors import Rejected

LARGEST: Final = 2**35 - 1
_LONGEST: Final = 5


def write(number: int, out: bytearray) -> None:
    """Append `number`.

    :raises ValueError: negative or too large
    """
    if not 0 <= number <= LARGEST:
        raise ValueError("a varint holds 35 bits")
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def read(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at `at`, and where the next one begins.

    :raises Rejected: `varint` - cut short, too long, or not the shortest form
    """
    number = 0
    for i in range(_LONGEST):
        if at + i >= len(data):
            raise Rejected("varint")
        byte = data[at + i]
        number |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            if byte == 0 and i:
                raise Rejected("varint")
            return number, at + i + 1
    raise Rejected("varint")
