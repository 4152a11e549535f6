"""Base45 (RFC 9285) with the prefix of our codes, read strictly.

Strict means one text for one byte string: `GGW` (65,536), a lone character and lower case are refused.
"""

from typing import Final

from lianfang_pass.errors import Rejected

PREFIX: Final = "LF1:"
#: Longest code we read, prefix included: a version 40-L QR code in alphanumeric mode holds 4,296 characters.
MAX_CHARACTERS: Final = 4296

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_FOREIGN: Final = 0xFF
_VALUES: Final = bytes(_ALPHABET.index(chr(n)) if chr(n) in _ALPHABET else _FOREIGN for n in range(256))
_THREE: Final = 45 * 45
_LANE: Final = 4
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
        values = text.encode("ascii").translate(_VALUES)
    except UnicodeEncodeError:
        raise Rejected("base45") from None
    rest = len(values) % 3
    if rest == 1 or _FOREIGN in values:
        raise Rejected("base45")
    if rest:
        values += b"\0"
    # Every group in a lane of four bytes of one long number: three multiplications do the whole text.
    size = len(values) // 3 * _LANE
    total = 0
    for place, weight in enumerate((1, 45, _THREE)):
        lanes = bytearray(size)
        lanes[_LANE - 1 :: _LANE] = values[place::3]
        total += weight * int.from_bytes(lanes, "big")
    sums = total.to_bytes(size, "big")
    # A group is at most 44 + 45 · 44 + 2025 · 44 = 0x163F4, so what is above two bytes is a one.
    if b"\1" in sums[1::_LANE] or (rest and sums[-2]):
        raise Rejected("base45")
    out = bytearray(size // 2)
    out[0::2], out[1::2] = sums[2::_LANE], sums[3::_LANE]
    if rest:
        del out[-2]
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
