"""Reading claim maps strictly: exactly the keys that are known, each of exactly its type and range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lianfang_chain import cbor
from lianfang_pass.errors import Rejected

if TYPE_CHECKING:
    from lianfang_pass.cose import Sign1

# CWT claims (RFC 8392 §3.1)
ISS, SUB, AUD, EXP, NBF, IAT, CTI = 1, 2, 3, 4, 5, 6, 7
CNF: Final = 8  # RFC 8747
CNONCE: Final = 39
STATUS, TTL, STATUS_LIST = 65535, 65534, 65533  # Token Status List draft
# Ours: keys below -65536 are for private use (RFC 8392 §9.1).
LF, VERSION, DELTA, UNTIL, KEYS, RECEIPT, RULES, WITHDRAWN = (
    -65537,
    -65538,
    -65539,
    -65540,
    -65541,
    -65542,
    -65543,
    -65544,
)
ISSUER: Final = "LF"
#: 2100-01-01T00:00Z. No instant of ours lies beyond; it keeps arithmetic far from every overflow.
LAST_INSTANT: Final = 4_102_444_800


class Claims:
    """A map as it was decoded, whose entries are taken out one by one; what is left over is refused."""

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise Rejected("claims")
        self._left: dict[object, cbor.Value] = value

    @classmethod
    def of(cls, token: Sign1, *, max_bytes: int = cbor.MAX_BYTES) -> Claims:
        """The claims of a token from us.

        :raises Rejected: `cbor`, `claims`, `iss`
        """
        try:
            claims = cls(cbor.decode(token.payload, max_bytes=max_bytes))
        except cbor.NotCanonical:
            raise Rejected("cbor") from None
        if claims.text(ISS) != ISSUER:
            raise Rejected("iss")
        return claims

    def has(self, key: int | str) -> bool:
        return key in self._left

    def take(self, key: int | str) -> cbor.Value:
        if key not in self._left:
            raise Rejected("claims")
        return self._left.pop(key)

    def number(self, key: int | str, *, least: int = 0, most: int = LAST_INSTANT) -> int:
        value = self._left.pop(key, None)
        if type(value) is not int or not least <= value <= most:
            raise Rejected("claims")
        return value

    def maybe_number(self, key: int | str, *, least: int = 0, most: int = LAST_INSTANT) -> int | None:
        return self.number(key, least=least, most=most) if key in self._left else None

    def text(self, key: int | str, *, least: int = 1, most: int = 200) -> str:
        value = self._left.pop(key, None)
        if not isinstance(value, str) or not least <= len(value) <= most:
            raise Rejected("claims")
        return value

    def raw(self, key: int | str, *, least: int = 0, most: int = cbor.MAX_BYTES) -> bytes:
        value = self._left.pop(key, None)
        if not isinstance(value, bytes) or not least <= len(value) <= most:
            raise Rejected("claims")
        return value

    def items(self, key: int | str, *, most: int) -> list[cbor.Value]:
        value = self._left.pop(key, None)
        if not isinstance(value, list) or len(value) > most:
            raise Rejected("claims")
        return value

    def inner(self, key: int | str) -> Claims:
        return Claims(self.take(key))

    def done(self) -> None:
        """:raises Rejected: `claims` - something is left that we do not know"""
        if self._left:
            raise Rejected("claims")


def texts(values: list[cbor.Value], *, most: int) -> tuple[str, ...]:
    """A list of short texts.

    :raises Rejected: `claims`
    """
    found = []
    for value in values:
        if not isinstance(value, str) or not 1 <= len(value) <= most:
            raise Rejected("claims")
        found.append(value)
    return tuple(found)
