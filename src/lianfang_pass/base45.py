"""Base45 (RFC 9285) with the prefix of our codes, read strictly.

Strict means one text for one byte string: `GGW` (65,536), a lone character and lower case are refused.
"""

from typing import Final

from lianfang_pass.errors import Rejected

PREFIX: Final = "LF1:"
#: Longest code we read, prefix included: a version 40-L QR code in alphanumeric mode holds 4,296 characters.
MAX_CHARACTERS: Final = 4296

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUE: Final = {character: value for value, character in enumerate(_ALPHABET)}
_THREE: Final = 45 * 45
_PAIRS: Final = [a + b for b in _ALPHABET for a in _ALPHABET]  # index = first + 45 · second


def encode(data: bytes) -> str:
    """Return the Base45 text of `data`, without prefix."""
    out = []
    for i in range(0, len(data) - 1, 2):
        high, low = divmod(data[i] << 8 | data[i + 1], _THREE)
        out.append(_PAIRS[low] + _ALPHABET[high])
    if len(data) % 2:
        out.append(_PAIRS[data[-1]])
    return "".join(out)


def decode(text: str) -> bytes:
    """Return the bytes whose Base45 text is `text`.

    :raises Rejected: `base45` - a foreign character, a group that stands for no bytes, an impossible length
    """
    try:
        values = [_VALUE[character] for character in text]
    except KeyError:
        raise Rejected("base45") from None
    rest = len(values) % 3
    if rest == 1:
        raise Rejected("base45")
    whole = len(values) - rest
    out = bytearray()
    for a, b, c in zip(values[0:whole:3], values[1:whole:3], values[2:whole:3], strict=True):
        number = a + 45 * b + _THREE * c
        if number > 0xFFFF:
            raise Rejected("base45")
        out += number.to_bytes(2, "big")
    if rest:
        number = values[-2] + 45 * values[-1]
        if number > 0xFF:
            raise Rejected("base45")
        out.append(number)
    return bytes(out)


def to_text(token: bytes) -> str:
    """The text of the QR code of a token."""
    return PREFIX + encode(token)


def from_text(text: str) -> bytes:
    """The token of a scanned text. Line ends that a keyboard scanner adds are cut off, nothing else.

    :raises Rejected: `prefix`, `base45`
    """
    text = text.rstrip("\r\n")
    if not text.startswith(PREFIX) or len(text) > MAX_CHARACTERS:
        raise Rejected("prefix")
    return decode(text[len(PREFIX) :])
