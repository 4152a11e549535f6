"""Deterministic CBOR: one value, one byte string; cbor2 is the second implementation."""

import unicodedata
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sizes import size

from lianfang_chain.cbor import MAX_DEPTH, NotCanonical, Tag, decode, encode

nfc_text = st.text(max_size=12).map(lambda text: unicodedata.normalize("NFC", text))
integers = st.integers(min_value=-(2**64), max_value=2**64 - 1)
leaves = st.none() | st.booleans() | integers | nfc_text | st.binary(max_size=40)
keys = integers | nfc_text | st.binary(max_size=8)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(keys, inner, max_size=5)
        | st.builds(Tag, st.integers(min_value=32, max_value=2**64 - 1), inner)
    ),
    max_leaves=20,
)


def as_cbor2(value: Any) -> Any:
    """The same value in cbor2's own types, maps in the order of RFC 8949."""
    if isinstance(value, Tag):
        return cbor2.CBORTag(value.number, as_cbor2(value.value))
    if isinstance(value, list):
        return [as_cbor2(item) for item in value]
    if isinstance(value, dict):
        return {key: as_cbor2(value[key]) for key in sorted(value, key=cbor2.dumps)}
    return value


@given(values)
def test_what_is_encoded_decodes_to_itself_and_cbor2_writes_the_same_bytes(value: Any) -> None:
    data = encode(value)
    assert decode(data) == value
    assert cbor2.dumps(as_cbor2(value)) == data


@given(st.binary(max_size=64))
@settings(max_examples=size("fuzz_examples"))
def test_any_bytes_are_refused_or_are_the_one_encoding(data: Any) -> None:
    try:
        value = decode(data)
    except NotCanonical:
        return
    assert encode(value) == data


@given(values, st.data())
@settings(max_examples=300)
def test_a_changed_encoding_is_refused_or_is_another_value(value: Any, data: Any) -> None:
    raw = bytearray(encode(value))
    place = data.draw(st.integers(min_value=0, max_value=len(raw) - 1))
    raw[place] ^= data.draw(st.integers(min_value=1, max_value=255))
    try:
        other = decode(bytes(raw))
    except NotCanonical:
        return
    assert encode(other) == bytes(raw) != encode(value)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("", "cut short"),
        ("18", "cut short"),
        ("1817", "longer head"),
        ("190018", "longer head"),
        ("1900ff", "longer head"),
        ("1a0000ffff", "longer head"),
        ("1b00000000ffffffff", "longer head"),
        ("580161", "longer head"),
        ("0000", "follow"),
        ("5f4100ff", "indefinite"),
        ("9fff", "indefinite"),
        ("bfff", "indefinite"),
        ("f93c00", "float"),
        ("fb3ff0000000000000", "float"),
        ("f7", "simple"),
        ("f814", "simple"),
        ("ff", "break"),
        ("a2010101 02".replace(" ", ""), "repeated"),
        ("a202010101", "sorted"),
        ("a2200118 1801".replace(" ", ""), "sorted"),  # length first, as RFC 7049 had it
        ("a1f500", "map key"),
        ("a18000", "map key"),
        ("6161cc81", "follow"),
        ("6365cc81", "normal form"),
        ("61ff", "UTF-8"),
        ("63eda080", "UTF-8"),
        ("5bffffffffffffffff00", "cut short"),
        ("9bffffffffffffffff00", "cut short"),
        ("bbffffffffffffffff00", "cut short"),
    ],
)
def test_each_way_of_not_being_canonical_is_named(data: Any, why: Any) -> None:
    with pytest.raises(NotCanonical, match=why):
        decode(bytes.fromhex(data))


def test_keys_are_sorted_bytewise_where_cbor2_sorts_by_length() -> None:
    assert encode({-1: 0, 24: 0}).hex() == "a2" + "181800" + "2000"
    assert cbor2.dumps({-1: 0, 24: 0}, canonical=True).hex() == "a2" + "2000" + "181800"


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        2**64,
        -(2**64) - 1,
        "e\u0301",
        "\ud800",
        {True: 1},
        {(): 1},
        {1, 2},
        object(),
        Tag(-1, 0),
        Tag(True, 0),
    ],
)
def test_what_has_no_encoding_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        encode(value)


def test_depth_is_bounded_both_ways() -> None:
    nested: list[Any] = []
    for _ in range(MAX_DEPTH):
        nested = [nested]
    assert decode(encode(nested)) == nested
    with pytest.raises(NotCanonical):
        encode([nested])
    with pytest.raises(NotCanonical):
        decode(b"\x81" * 60_000 + b"\x80")
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(NotCanonical):
        encode(loop)


def test_more_bytes_than_allowed_are_not_read() -> None:
    assert decode(encode(b"x" * 100), max_bytes=102)
    with pytest.raises(NotCanonical, match="at most"):
        decode(encode(b"x" * 100), max_bytes=101)
