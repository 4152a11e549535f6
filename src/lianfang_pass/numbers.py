"""The pass number `12345678-90`: eight digits and two check digits (ISO 7064 MOD 97-10)."""

from __future__ import annotations

from typing import Final

from lianfang_pass.errors import Rejected

DIGITS: Final = 8
LARGEST: Final = 10**DIGITS - 1


def pass_number(serial: int) -> str:
    """The number that is printed for a serial.

    :raises ValueError: the serial does not have at most eight digits
    """
    if not 0 <= serial <= LARGEST:
        raise ValueError("a serial has at most eight digits")
    return f"{serial:08d}-{98 - serial * 100 % 97:02d}"


def read_pass_number(text: str) -> str:
    """Return the number as printed, from what was typed: with or without dash and spaces.

    :raises Rejected: `number` - not ten digits; `check_digits` - one digit is wrong or two were swapped
    """
    digits = text.replace("-", "").replace(" ", "")
    if len(digits) != DIGITS + 2 or not (digits.isascii() and digits.isdigit()):
        raise Rejected("number")
    # Compared whole and not by the sum: 00, 01 and 99 would pass the sum in place of 97, 98 and 02.
    number = pass_number(int(digits[:DIGITS]))
    if number[-2:] != digits[DIGITS:]:
        raise Rejected("check_digits")
    return number
