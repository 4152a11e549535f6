"""Status files of a shard: whole list, until list and deltas; what a gate holds after reading them.

Forms: docs/gates.md, "Status files" (Token Status List, two bits, and two files of our own for the ends).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from lianfang_pass import cose, varint
from lianfang_pass.claims import (
    DELTA,
    EXP,
    IAT,
    ISS,
    ISSUER,
    STATUS_LIST,
    SUB,
    TTL,
    UNTIL,
    VERSION,
    Claims,
)
from lianfang_pass.errors import Rejected
from lianfang_pass.keylist import FILE_HEADERS, Purpose
from lianfang_pass.keys import kid_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric import ec

    from lianfang_chain import cbor
    from lianfang_pass.keylist import KeyList

LIST_TYPE: Final = "application/statuslist+cwt"
UNTIL_TYPE: Final = "application/lf-until+cwt"
DELTA_TYPE: Final = "application/lf-delta+cwt"
LIFE: Final = 30 * 86_400
ONLINE_TTL: Final = 25
#: More changes than this are not worth a chain of deltas: the gate takes the whole list.
MOST_DELTAS: Final = 200
MAX_BYTES: Final = 8 * 1024 * 1024
MAX_INFLATED: Final = 16 * 1024 * 1024
FORMAT: Final = 1

#: 2020-01-01T00:00Z, the zero of the hours that ends are counted in.
HOURS_FROM: Final = 1_577_836_800
END_UNKNOWN: Final = 0

_FORMAT, _FROM, _TO, _CHANGES = 1, 2, 3, 4
_COUNT, _ENDS = 2, 3


class ListStatus(IntEnum):
    VALID = 0
    INVALID = 1
    SUSPENDED = 2  # an order is in force; no other cause
    REFER = 3  # data missing: the pass must be re-issued


#: By their two bits.
_STATUSES: Final = tuple(ListStatus)


@dataclass(frozen=True)
class Change:
    """What one index is from now on. `end` only with SUSPENDED: epoch seconds, or None if not known."""

    index: int
    status: ListStatus
    end: int | None = None


class Row(NamedTuple):
    """What the files say of one index."""

    status: ListStatus
    end: int | None


@dataclass(frozen=True)
class ShardState:
    """What a gate holds of one shard: statuses, ends, and how fresh they are."""

    uri: str
    version: int
    signed_at: int  # of the list or of the last delta applied
    bits: bytes = field(repr=False)
    ends: Mapping[int, int] = field(repr=False)

    def row(self, index: int) -> Row | None:
        """The row of an index, or None: the list does not reach that far."""
        at, shift = divmod(index, 4)
        if not 0 <= at < len(self.bits):
            return None
        status = _STATUSES[self.bits[at] >> 2 * shift & 3]
        return Row(status, self.ends.get(index) if status is ListStatus.SUSPENDED else None)


def hours(end: int | None) -> int:
    """The end as it travels: whole hours, rounded down so that a gate may free early and never late."""
    if end is None:
        return END_UNKNOWN
    if end < HOURS_FROM:
        raise ValueError("an end before 2020")
    return 1 + (end - HOURS_FROM) // 3600


def end_of(travelled: int) -> int | None:
    """The instant of an end that travelled, in epoch seconds."""
    return None if travelled == END_UNKNOWN else HOURS_FROM + (travelled - 1) * 3600


def pack(statuses: Mapping[int, ListStatus], size: int) -> bytes:
    """Two bits per index, index 0 in the lowest bits of the first byte; what is not named is VALID."""
    out = bytearray((size + 3) // 4)
    for index, status in statuses.items():
        at, shift = divmod(index, 4)
        out[at] |= int(status) << 2 * shift
    return bytes(out)


# --- writing ---------------------------------------------------------------------------------------------


def sign_list(
    bits: bytes, *, uri: str, version: int, at: int, key: ec.EllipticCurvePrivateKey, level: int = 6
) -> bytes:
    """Sign the whole list with a key of purpose `statuslist`."""
    return _sign(
        LIST_TYPE,
        {
            SUB: uri,
            IAT: at,
            EXP: at + LIFE,
            TTL: ONLINE_TTL,
            STATUS_LIST: {"bits": 2, "lst": zlib.compress(bits, level)},
            VERSION: version,
        },
        key,
    )


def sign_until(
    ends: Mapping[int, int | None],
    *,
    uri: str,
    version: int,
    at: int,
    key: ec.EllipticCurvePrivateKey,
    level: int = 6,
) -> bytes:
    """Sign the ends of all suspended indexes with a key of purpose `statuslist`."""
    body = bytearray()
    before = -1
    for index in sorted(ends):
        varint.write(index - before - 1, body)
        varint.write(hours(ends[index]), body)
        before = index
    until: dict[int, cbor.Value] = {
        _FORMAT: FORMAT,
        _COUNT: len(ends),
        _ENDS: zlib.compress(bytes(body), level),
    }
    return _sign(UNTIL_TYPE, {SUB: uri, IAT: at, EXP: at + LIFE, VERSION: version, UNTIL: until}, key)


def sign_delta(
    changes: Sequence[Change],
    *,
    uri: str,
    from_version: int,
    to_version: int,
    at: int,
    key: ec.EllipticCurvePrivateKey,
) -> bytes:
    """Sign the step from one version to the next with a key of purpose `delta`."""
    body = bytearray()
    before = -1
    for change in sorted(changes, key=lambda change: change.index):
        varint.write((change.index - before - 1) * 4 + change.status, body)
        if change.status is ListStatus.SUSPENDED:
            varint.write(hours(change.end), body)
        before = change.index
    delta: dict[int, cbor.Value] = {
        _FORMAT: FORMAT,
        _FROM: from_version,
        _TO: to_version,
        _CHANGES: bytes(body),
    }
    return _sign(DELTA_TYPE, {SUB: uri, IAT: at, EXP: at + LIFE, DELTA: delta}, key)


def _sign(kind: str, claims: dict[int, cbor.Value], key: ec.EllipticCurvePrivateKey) -> bytes:
    head: dict[int, cbor.Value] = {cose.KID: kid_of(key), cose.TYP: kind}
    return cose.sign1(head, {ISS: ISSUER, **claims}, key=key)


# --- reading ---------------------------------------------------------------------------------------------


def accept_list(
    whole: bytes, until: bytes, *, uri: str, keys: KeyList, held: ShardState | None = None
) -> ShardState:
    """Read a whole list and the until list of the same version in place of what is held.

    :raises Rejected: form, `signature`, `uri`, `pair` - not of one version, `rollback`
    """
    list_version, list_at, claims = _open(whole, LIST_TYPE, Purpose.STATUSLIST, uri=uri, keys=keys)
    if claims.number(TTL) < 0:
        raise Rejected("claims")
    status_list = claims.inner(STATUS_LIST)
    claims.done()
    if status_list.number("bits", most=8) != 2:
        raise Rejected("format")
    bits = _inflate(status_list.raw("lst", most=MAX_BYTES))
    status_list.done()

    until_version, until_at, claims = _open(until, UNTIL_TYPE, Purpose.STATUSLIST, uri=uri, keys=keys)
    body = claims.inner(UNTIL)
    claims.done()
    if body.number(_FORMAT) != FORMAT:
        raise Rejected("format")
    ends = _read_ends(body.number(_COUNT), _inflate(body.raw(_ENDS, most=MAX_BYTES)))
    body.done()

    if list_version != until_version:
        raise Rejected("pair")
    if held is not None and list_version <= held.version:
        raise Rejected("rollback")
    return ShardState(uri, list_version, min(list_at, until_at), bits, ends)


def accept_delta(data: bytes, *, keys: KeyList, held: ShardState) -> ShardState:
    """Apply a delta to what is held.

    :raises Rejected: form, `signature`, `uri`, `gap` - it begins after the version held, `rollback`
    """
    token = _token(data, DELTA_TYPE)
    claims = Claims.of(token, max_bytes=MAX_BYTES)
    signed_at = claims.number(IAT)
    if not keys.signed(token, Purpose.DELTA, signed_at=signed_at):
        raise Rejected("signature")
    _uri(claims, held.uri)
    claims.number(EXP)
    body = claims.inner(DELTA)
    claims.done()
    if body.number(_FORMAT) != FORMAT:
        raise Rejected("format")
    begins, ends_at = body.number(_FROM), body.number(_TO)
    changes = read_changes(body.raw(_CHANGES, most=MAX_BYTES))
    body.done()
    if begins > held.version:
        raise Rejected("gap")
    if begins < held.version or ends_at <= held.version:
        raise Rejected("rollback")
    return apply(changes, held, version=ends_at, signed_at=signed_at)


def apply(changes: Sequence[Change], held: ShardState, *, version: int, signed_at: int) -> ShardState:
    """The state after these changes.

    :raises Rejected: `index` - a change beyond four times what is held and 65,536: no shard grows like that
    """
    bits = bytearray(held.bits)
    ends = dict(held.ends)
    for change in changes:
        at, shift = divmod(change.index, 4)
        if at >= len(bits):
            if at > 4 * len(bits) + 65_536:
                raise Rejected("index")
            bits.extend(bytes(at + 1 - len(bits)))
        bits[at] = bits[at] & ~(3 << 2 * shift) | change.status << 2 * shift
        ends.pop(change.index, None)
        if change.status is ListStatus.SUSPENDED and change.end is not None:
            ends[change.index] = change.end
    return ShardState(held.uri, version, max(held.signed_at, signed_at), bytes(bits), ends)


def read_changes(data: bytes) -> list[Change]:
    """:raises Rejected: `varint`"""
    changes = []
    at, index = 0, -1
    while at < len(data):
        number, at = varint.read(data, at)
        index += 1 + (number >> 2)
        status = _STATUSES[number & 3]
        end = None
        if status is ListStatus.SUSPENDED:
            travelled, at = varint.read(data, at)
            end = end_of(travelled)
        changes.append(Change(index, status, end))
    return changes


def _read_ends(count: int, data: bytes) -> dict[int, int]:
    ends = {}
    at, index = 0, -1
    for _ in range(count):
        gap, at = varint.read(data, at)
        travelled, at = varint.read(data, at)
        index += 1 + gap
        end = end_of(travelled)
        if end is not None:
            ends[index] = end
    if at != len(data):
        raise Rejected("varint")
    return ends


def _open(data: bytes, kind: str, purpose: Purpose, *, uri: str, keys: KeyList) -> tuple[int, int, Claims]:
    token = _token(data, kind)
    claims = Claims.of(token, max_bytes=MAX_BYTES)
    signed_at = claims.number(IAT)
    if not keys.signed(token, purpose, signed_at=signed_at):
        raise Rejected("signature")
    _uri(claims, uri)
    claims.number(EXP)
    return claims.number(VERSION), signed_at, claims


def _token(data: bytes, kind: str) -> cose.Sign1:
    token = cose.read1(data, protected_keys=FILE_HEADERS, max_bytes=MAX_BYTES)
    if token.protected[cose.TYP] != kind:
        raise Rejected("typ")
    return token


def _uri(claims: Claims, uri: str) -> None:
    if claims.text(SUB) != uri:
        raise Rejected("uri")


def _inflate(data: bytes) -> bytes:
    """One zlib stream, whole, nothing behind it, and no larger than a shard can be."""
    inflater = zlib.decompressobj()
    try:
        out = inflater.decompress(data, MAX_INFLATED)
    except zlib.error:
        raise Rejected("zlib") from None
    if not inflater.eof or inflater.unused_data:
        raise Rejected("zlib")
    return out
