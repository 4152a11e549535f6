"""Deterministic CBOR: one value has exactly one byte string, and everything else is refused.

The rules are the core deterministic encoding of RFC 8949 §4.2.1: shortest heads, definite lengths, map
keys sorted by their encoded bytes. On top of that we allow only what our entries, proofs and passes need:
64-bit integers, byte strings, text in Unicode normal form C, lists, maps, tags, booleans and null. No
floats, no undefined, no other simple value.

The codec is our own rather than cbor2's, for two reasons measured in the tests: cbor2's canonical mode
sorts keys by length first (RFC 7049), which differs from RFC 8949 once a map holds both 24 and -1, and its
decoder turns tags into Python objects before anybody can compare the bytes. The tests use cbor2 as the
independent second implementation.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, Union

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "Key",
    "NotCanonical",
    "Tag",
    "Value",
    "decode",
    "encode",
    "encode_bytes",
    "encode_list_of_bytes",
]

MAX_BYTES: Final = 65_535  # an entry of a tiled log is at most this long (tlog-tiles, uint16 length)
MAX_DEPTH: Final = 16  # our deepest structure, a paper proof, has five levels

_UINT, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG, _SIMPLE = range(8)
#: By the low bits of a head: how many bytes its argument takes, and the least that needs so many.
_WIDTHS: Final = {25: (2, 1 << 8), 26: (4, 1 << 16), 27: (8, 1 << 32)}
_KEY_TYPES: Final = frozenset({int, str, bytes})
_SIMPLE_VALUES: Final[Mapping[int, bool | None]] = {20: False, 21: True, 22: None}


class NotCanonical(ValueError):
    """The value has no deterministic encoding, or the bytes are not the one encoding of any value."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tagged value, e.g. 18 for COSE_Sign1. The meaning of the number is the reader's business."""

    number: int
    value: Value


Key: TypeAlias = int | str | bytes
Value: TypeAlias = Union[
    bool, int, str, bytes, "Sequence[Value]", "Mapping[int, Value]", "Mapping[str, Value]",
    "Mapping[Key, Value]", Tag, None
]  # fmt: skip


def encode(value: Value) -> bytes:
    """Return the one deterministic encoding of `value`.

    Text must already be in normal form C: a signature covers what its maker saw, so nothing is changed here.

    :raises NotCanonical: a type, a range or a text that has no encoding under our rules, or deeper than
        `MAX_DEPTH`
    """
    return _encoded(value, 0)


def decode(data: bytes, *, max_bytes: int = MAX_BYTES) -> Value:
    """Return the value whose one encoding is `data`; `encode(decode(data)) == data` holds always.

    Lists come back as `list`, maps as `dict`. Whatever the bytes are, the only exception is NotCanonical.

    :raises NotCanonical: too long, cut short, trailing bytes, a longer head than needed, an unsorted or
        repeated key, an indefinite length, a float, text that is not UTF-8 in normal form C, too deep
    """
    if len(data) > max_bytes:
        raise NotCanonical(f"{len(data)} bytes, at most {max_bytes} are read")
    data = bytes(data)
    try:
        value, end = _read(data, 0, 0)
    except IndexError:
        raise NotCanonical("cut short") from None
    if end != len(data):
        raise NotCanonical(f"{len(data) - end} bytes follow the value")
    return value


def encode_bytes(data: bytes) -> bytes:
    """As `encode`, for a byte string: the short way for what is signed or hashed again and again."""
    return _head(_BYTES, len(data)) + data


def encode_list_of_bytes(items: Sequence[bytes]) -> bytes:
    """As `encode`, for a list of byte strings."""
    return b"".join([_head(_LIST, len(items)), *map(encode_bytes, items)])


#: Heads of arguments below 256, by major type: nearly all there are.
_SHORT_HEADS: Final = tuple(
    tuple(bytes((major << 5 | n,)) if n < 24 else bytes((major << 5 | 24, n)) for n in range(1 << 8))
    for major in range(8)
)


def _head(major: int, argument: int) -> bytes:
    if argument < 1 << 8:
        return _SHORT_HEADS[major][argument]
    if argument < 1 << 16:
        return bytes((major << 5 | 25,)) + argument.to_bytes(2, "big")
    if argument < 1 << 32:
        return bytes((major << 5 | 26,)) + argument.to_bytes(4, "big")
    if argument < 1 << 64:
        return bytes((major << 5 | 27,)) + argument.to_bytes(8, "big")
    raise NotCanonical("an integer of more than 64 bits")


def _encoded(value: Value, depth: int) -> bytes:
    if depth > MAX_DEPTH:
        raise NotCanonical(f"more than {MAX_DEPTH} levels")
    # The frequent ones first; `dict` and `list` before the abstract classes, which are slow to ask.
    if isinstance(value, (bytes, bytearray)):
        return _head(_BYTES, len(value)) + value
    if isinstance(value, str):
        text = _utf8(value)
        return _head(_TEXT, len(text)) + text
    if isinstance(value, bool):  # before int: a bool is an int in Python
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _head(_UINT, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
    if isinstance(value, (dict, Mapping)):
        return _encoded_map(value, depth + 1)
    if isinstance(value, memoryview):  # a sequence, too
        return _encoded(bytes(value), depth)
    if isinstance(value, (list, tuple, Sequence)):
        return b"".join([_head(_LIST, len(value)), *[_encoded(item, depth + 1) for item in value]])
    if value is None:
        return b"\xf6"
    if isinstance(value, Tag):
        if isinstance(value.number, bool) or not isinstance(value.number, int) or value.number < 0:
            raise NotCanonical("a tag number is a natural number")
        return _head(_TAG, value.number) + _encoded(value.value, depth + 1)
    raise NotCanonical(f"a value of type {type(value).__name__}")


def _encoded_map(value: Mapping[Any, Value], depth: int) -> bytes:
    pairs = []
    for key, item in value.items():
        if isinstance(key, bool) or not isinstance(key, (int, str, bytes)):
            raise NotCanonical(f"a map key of type {type(key).__name__}")
        pairs.append((_encoded(key, depth), _encoded(item, depth)))
    pairs.sort()  # no two keys of a map have the same encoding, so the values are never compared
    return b"".join([_head(_MAP, len(pairs)), *[part for pair in pairs for part in pair]])


def _utf8(text: str) -> bytes:
    if text.isascii():  # which is in normal form C
        return text.encode("ascii")
    if not unicodedata.is_normalized("NFC", text):
        raise NotCanonical("text that is not in normal form C")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotCanonical("text that has no UTF-8") from error


def _read(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    """Read one value that begins at `at`; return it with the offset behind it.

    :raises IndexError: cut short before the value
    """
    first = data[at]
    at += 1
    if first < 24:  # most keys and many values: a number in one byte
        return first, at
    major, argument = first >> 5, first & 0x1F
    if argument > 23 and major != _SIMPLE:
        if argument > 24:
            argument, at = _read_argument(data, at, argument)
        else:
            argument = data[at]
            at += 1
            if argument < 24:
                raise NotCanonical("a longer head than needed")
    # Every string byte, list item and map pair takes at least one byte more, so a length that the data
    # cannot hold is refused before anything is set aside for it.
    if _BYTES <= major <= _TEXT:
        end = at + argument
        if end > len(data):
            raise NotCanonical("cut short")
        text = data[at:end]
        if major == _BYTES:
            return text, end
        # Ascii is in normal form C.
        return text.decode("ascii") if text.isascii() else _read_text(text), end
    if major == _UINT:
        return argument, at
    if major == _NEGATIVE:
        return -1 - argument, at
    if major == _SIMPLE:
        if argument not in _SIMPLE_VALUES:
            raise NotCanonical("a float, a break or an unknown simple value")
        return _SIMPLE_VALUES[argument], at
    if major == _TAG:
        tagged, at = _read(data, at, _below(depth))
        return Tag(argument, tagged), at
    if at + argument > len(data):
        raise NotCanonical("cut short")
    if not argument:
        return ([] if major == _LIST else {}), at
    depth = _below(depth)
    if major == _MAP:
        return _read_map(data, at, argument, depth)
    items: list[Value] = []
    for _ in range(argument):
        item, at = _read(data, at, depth)
        items.append(item)
    return items, at


def _below(depth: int) -> int:
    """The depth of what stands in a value at `depth`."""
    if depth >= MAX_DEPTH:
        raise NotCanonical(f"more than {MAX_DEPTH} levels")
    return depth + 1


def _read_argument(data: bytes, at: int, info: int) -> tuple[int, int]:
    """The argument that stands in the two bytes or more behind a head."""
    if info > 27:
        raise NotCanonical("an indefinite length or a reserved head")
    width, least = _WIDTHS[info]
    end = at + width
    if end > len(data):
        raise NotCanonical("cut short")
    argument = int.from_bytes(data[at:end], "big")
    if argument < least:
        raise NotCanonical("a longer head than needed")
    return argument, end


def _read_text(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotCanonical("text that is not UTF-8") from error
    if not unicodedata.is_normalized("NFC", text):
        raise NotCanonical("text that is not in normal form C")
    return text


def _read_map(data: bytes, at: int, pairs: int, depth: int) -> tuple[Value, int]:
    result: dict[Key, Value] = {}
    previous = b""
    for _ in range(pairs):
        start = at
        if data[at] < 24:  # as in `_read`, without the call: so are nearly all keys of ours
            key: Value = data[at]
            at += 1
        else:
            key, at = _read(data, at, depth)
            if type(key) not in _KEY_TYPES:
                raise NotCanonical("a map key that is no integer, text or byte string")
        encoded = data[start:at]
        if encoded <= previous:  # no encoding is empty, so the first key always passes
            raise NotCanonical("map keys that are repeated or not sorted")
        previous = encoded
        result[key], at = _read(data, at, depth)  # type: ignore[index]  # checked above
    return result, at
