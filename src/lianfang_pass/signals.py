"""What a gate tells besides passages: a call for help, a handover, a fork of the chain (docs/gates.md, "Signals").

A signal is sealed when it is written, numbered in an order of its own, and travels and is receipted like a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lianfang_chain import cbor
from lianfang_pass import sealing
from lianfang_pass.claims import Claims
from lianfang_pass.errors import Rejected
from lianfang_pass.passages import MAX_ROW, aad

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric import ec

    from lianfang_pass.keys import PublicKey

SEAL_INFO: Final = b"lf-signal/1"
_SEQ, _GATE, _AT, _KIND, _FACTS = range(1, 6)
#: Of a guard's number, and of whatever else a signal names, in characters.
LONGEST_NAME: Final = 24
_MOST_COUNTS: Final = 12


class SignalKind(StrEnum):
    HELP = "help"
    HANDOVER = "handover"
    LIST_OLD = "list_old"
    FORK = "fork"
    ADMITTED = "admitted"


@dataclass(frozen=True)
class Signal:
    """One thing said by a gate. `facts`: names are pseudonyms or fingerprints, everything else is a count."""

    seq: int
    gate: bytes
    at: int  # the device's own clock
    kind: SignalKind
    facts: Mapping[str, str | int]


#: The facts that are names; every other fact is a number.
_NAMES: Final[Mapping[SignalKind, frozenset[str]]] = {
    SignalKind.HELP: frozenset({"guard"}),
    SignalKind.HANDOVER: frozenset({"from", "to"}),
    SignalKind.LIST_OLD: frozenset(),
    # Size and beginning of the root of the checkpoint that the gate holds, and of what it was told instead.
    SignalKind.FORK: frozenset({"held", "told"}),
    # A guard who is not on the post's list, who admitted them, and why.
    SignalKind.ADMITTED: frozenset({"guard", "by", "why"}),
}


def encode_signal(signal: Signal) -> bytes:
    facts: dict[str, cbor.Value] = dict(signal.facts)
    return cbor.encode(
        {
            _SEQ: signal.seq,
            _GATE: signal.gate,
            _AT: signal.at,
            _KIND: signal.kind.value,
            _FACTS: facts,
        }
    )


def decode_signal(data: bytes) -> Signal:
    """:raises Rejected: not a signal of ours"""
    try:
        row = Claims(cbor.decode(data, max_bytes=MAX_ROW))
    except cbor.NotCanonical:
        raise Rejected("cbor") from None
    seq, gate, at = row.number(_SEQ, least=1), row.raw(_GATE, least=16, most=16), row.number(_AT)
    try:
        kind = SignalKind(row.text(_KIND, most=12))
    except ValueError:
        raise Rejected("claims") from None
    facts = _facts(kind, row.take(_FACTS))
    row.done()
    return Signal(seq, gate, at, kind, facts)


def _facts(kind: SignalKind, value: cbor.Value) -> dict[str, str | int]:
    given = Claims(value)
    assert isinstance(value, dict)
    found: dict[str, str | int] = {
        name: given.text(name, least=0 if kind is SignalKind.HELP else 1, most=LONGEST_NAME)
        for name in sorted(_NAMES[kind])
    }
    counts = [name for name in value if name not in found]
    if kind is not SignalKind.HANDOVER or len(counts) > _MOST_COUNTS:
        given.done()
    for name in counts:
        if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME:
            raise Rejected("claims")
        found[name] = given.number(name)
    given.done()
    if kind is SignalKind.HANDOVER and "unsent" not in found:
        raise Rejected("claims")
    return found


def seal_signal(
    signal: Signal, *, device: bytes, to: PublicKey, ephemeral: ec.EllipticCurvePrivateKey
) -> bytes:
    """Seal a signal when it is written; the device itself cannot read it back."""
    return sealing.seal(
        encode_signal(signal), to, info=SEAL_INFO, aad=aad(device, signal.seq), ephemeral=ephemeral
    )


def open_signal(sealed: bytes, private: ec.EllipticCurvePrivateKey, *, device: bytes, seq: int) -> Signal:
    """Open the signal that came under this number.

    :raises Rejected: `sealed`, or a signal that says it is another one
    """
    signal = decode_signal(sealing.unseal(sealed, private, info=SEAL_INFO, aad=aad(device, seq)))
    if signal.seq != seq:
        raise Rejected("seq")
    return signal
