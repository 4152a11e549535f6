"""Telephone numbers as people write them."""

from __future__ import annotations

import re
from typing import Final

from .citizen_number import normal
from .errors import PhoneNotAcceptable

#: A mobile number, or a landline with area code; never required (children, elders).
_PHONE: Final = re.compile(r"1[0-9]{10}|0[0-9]{2,3}-?[0-9]{7,8}")


def tidy_phone(text: str) -> str:
    """A telephone number without the marks people write into it; nothing stays nothing.

    :raises PhoneNotAcceptable: neither a mobile number nor a landline
    """
    plain = re.sub(r"[()（）]", "", normal(text)).removeprefix("+86")
    if re.fullmatch(r"1[0-9]{2}-[0-9]{4}-[0-9]{4}", plain):
        plain = plain.replace("-", "")
    if plain and not _PHONE.fullmatch(plain):
        raise PhoneNotAcceptable()
    return plain
