"""A passage as the device writes it, the batch it sends, and the receipt that lets it forget.

Forms: docs/gates.md, "Passages and receipts".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lianfang_chain import cbor
from lianfang_pass import cose, sealing
from lianfang_pass.claims import EXP, IAT, ISS, ISSUER, RECEIPT, WITHDRAWN, Claims
from lianfang_pass.errors import Rejected
from lianfang_pass.keylist import Purpose
from lianfang_pass.keys import PublicKey, kid_of
from lianfang_pass.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric import ec

    from lianfang_pass.keylist import KeyList

FORMAT: Final = 1
SEAL_INFO: Final = b"lf-passage/1"
DEVICE_SIZE: Final = 16
MOST_ROWS: Final = 500
#: A code that could not be trusted is kept up to so many bytes of UTF-8.
MOST_CODE: Final = 1_024
#: 400 without a code; with one, that and the head of its entry.
MAX_ROW: Final = 400 + MOST_CODE + 4
MAX_BATCH: Final = 65_535
RECEIPT_HEADERS: Final = frozenset({cose.ALG, cose.KID})
#: Verdicts travel as their place in this list, never re-ordered.
VERDICTS: Final = (Verdict.ALLOW, Verdict.ALLOW_REG, Verdict.CALL, Verdict.DENY)

_FORMAT, _DEVICE, _FROM_SEQ, _ROWS = 1, 2, 3, 4
_R_DEVICE, _R_FROM, _R_TO, _R_HASH = 1, 2, 3, 4
(
    _SEQ,
    _GATE,
    _AT,
    _INWARD,
    _VERDICT,
    _REASON,
    _CTI,
    _LIST_VERSION,
    _PROOF,
    _OVERRIDE,
    _TEMPERATURE,
    _BY_HAND,
    _GUARD,
    _RULES_VERSION,
    _CODE,
) = range(1, 16)
_DOOR, _BIRTH_YEAR, _ID_SEEN = 1, 2, 3


@dataclass(frozen=True)
class ByHand:
    """What a guard entered where no code was read: never a document number."""

    door: str
    birth_year: int | None
    id_seen: bool


@dataclass(frozen=True)
class Passage:
    """One crossing. No name, phone, document number, photo or position; but a code that could not be trusted says
    what its maker wrote, and is kept as it was read.
    """

    seq: int
    gate: bytes
    at: int  # the device's own clock
    inward: bool
    verdict: Verdict
    reason: str
    list_version: int
    proof: str
    cti: bytes | None = None
    override: str | None = None  # why the guard decided otherwise, or the one word of a life exit
    temperature: int | None = None  # tenths of a degree, only at or above the threshold
    by_hand: ByHand | None = None
    guard: str | None = None  # pseudonym of the shift's guard
    rules_version: int = 0
    code: str | None = None  # read at the gate, with a bad signature or of an unknown key


@dataclass(frozen=True)
class Batch:
    device: bytes
    from_seq: int
    rows: tuple[bytes, ...]

    @property
    def to_seq(self) -> int:
        return self.from_seq + len(self.rows) - 1


@dataclass(frozen=True)
class Receipt:
    device: bytes
    from_seq: int
    to_seq: int
    rows_hash: bytes
    signed_at: int

    def covers(self, batch: Batch) -> bool:
        """Whether the device may forget these rows (G-3): compared with the hash it computes itself."""
        return (self.device, self.from_seq, self.to_seq, self.rows_hash) == (
            batch.device,
            batch.from_seq,
            batch.to_seq,
            rows_hash(batch.rows),
        )


def aad(device: bytes, seq: int) -> bytes:
    """What binds a sealed row to its key: the device and the sequence number."""
    return cbor.encode([device, seq])


def encode_passage(passage: Passage) -> bytes:
    row: dict[int, cbor.Value] = {
        _SEQ: passage.seq,
        _GATE: passage.gate,
        _AT: passage.at,
        _INWARD: passage.inward,
        _VERDICT: VERDICTS.index(passage.verdict),
        _REASON: passage.reason,
        _LIST_VERSION: passage.list_version,
        _PROOF: passage.proof,
        _RULES_VERSION: passage.rules_version,
    }
    for key, value in (
        (_CTI, passage.cti),
        (_OVERRIDE, passage.override),
        (_TEMPERATURE, passage.temperature),
        (_GUARD, passage.guard),
        (_CODE, passage.code),
    ):
        if value is not None:
            row[key] = value
    if passage.by_hand is not None:
        hand: dict[int, cbor.Value] = {_DOOR: passage.by_hand.door, _ID_SEEN: passage.by_hand.id_seen}
        if passage.by_hand.birth_year is not None:
            hand[_BIRTH_YEAR] = passage.by_hand.birth_year
        row[_BY_HAND] = hand
    return cbor.encode(row)


def decode_passage(data: bytes) -> Passage:
    """:raises Rejected: not a passage of ours"""
    try:
        row = Claims(cbor.decode(data, max_bytes=MAX_ROW))
    except cbor.NotCanonical:
        raise Rejected("cbor") from None
    inward = row.take(_INWARD)
    if not isinstance(inward, bool):
        raise Rejected("claims")
    passage = Passage(
        seq=row.number(_SEQ, least=1),
        gate=row.raw(_GATE, least=16, most=16),
        at=row.number(_AT),
        inward=inward,
        verdict=VERDICTS[row.number(_VERDICT, most=3)],
        reason=row.text(_REASON, most=24),
        cti=row.raw(_CTI, least=8, most=8) if row.has(_CTI) else None,
        list_version=row.number(_LIST_VERSION),
        proof=row.text(_PROOF, most=12),
        override=row.text(_OVERRIDE, most=60) if row.has(_OVERRIDE) else None,
        temperature=row.maybe_number(_TEMPERATURE, least=300, most=450),
        by_hand=_by_hand(row.inner(_BY_HAND)) if row.has(_BY_HAND) else None,
        guard=row.text(_GUARD, most=24) if row.has(_GUARD) else None,
        rules_version=row.number(_RULES_VERSION),
        code=row.text(_CODE, most=MOST_CODE) if row.has(_CODE) else None,
    )
    row.done()
    if passage.code is not None and len(passage.code.encode()) > MOST_CODE:
        raise Rejected("claims")
    return passage


def _by_hand(hand: Claims) -> ByHand:
    id_seen = hand.take(_ID_SEEN)
    if not isinstance(id_seen, bool):
        raise Rejected("claims")
    found = ByHand(hand.text(_DOOR, most=32), hand.maybe_number(_BIRTH_YEAR, least=1880, most=2100), id_seen)
    hand.done()
    return found


def seal_passage(
    passage: Passage, *, device: bytes, to: PublicKey, ephemeral: ec.EllipticCurvePrivateKey
) -> bytes:
    """Seal a row when it is written; the device itself cannot read it back."""
    return sealing.seal(
        encode_passage(passage), to, info=SEAL_INFO, aad=aad(device, passage.seq), ephemeral=ephemeral
    )


def open_passage(sealed: bytes, private: ec.EllipticCurvePrivateKey, *, device: bytes, seq: int) -> Passage:
    """Open the row that is stored under this key.

    :raises Rejected: `sealed`, or a row that says it is another one
    """
    passage = decode_passage(sealing.unseal(sealed, private, info=SEAL_INFO, aad=aad(device, seq)))
    if passage.seq != seq:
        raise Rejected("seq")
    return passage


def encode_batch(batch: Batch) -> bytes:
    return cbor.encode(
        {_FORMAT: FORMAT, _DEVICE: batch.device, _FROM_SEQ: batch.from_seq, _ROWS: list(batch.rows)}
    )


def decode_batch(data: bytes) -> Batch:
    """Read the body of an upload. The rows are sealed and are not opened here.

    :raises Rejected: not a batch of ours
    """
    try:
        body = Claims(cbor.decode(data, max_bytes=MAX_BATCH))
    except cbor.NotCanonical:
        raise Rejected("cbor") from None
    if body.number(_FORMAT) != FORMAT:
        raise Rejected("format")
    rows = body.items(_ROWS, most=MOST_ROWS)
    least = sealing.ENCAPSULATED + sealing.TAG
    sealed = tuple(row for row in rows if isinstance(row, bytes) and least < len(row) <= MAX_ROW)
    if not rows or len(sealed) != len(rows):
        raise Rejected("claims")
    batch = Batch(
        body.raw(_DEVICE, least=DEVICE_SIZE, most=DEVICE_SIZE), body.number(_FROM_SEQ, least=1), sealed
    )
    body.done()
    return batch


def rows_hash(rows: Sequence[bytes]) -> bytes:
    """SHA-256 of the rows as a CBOR array, so that no two lists of rows share it."""
    return hashlib.sha256(cbor.encode_list_of_bytes(rows)).digest()


def sign_receipt(batch: Batch, *, at: int, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Say with a key of purpose `receipt` that these rows are stored, durably."""
    body: dict[int, cbor.Value] = {
        _R_DEVICE: batch.device,
        _R_FROM: batch.from_seq,
        _R_TO: batch.to_seq,
        _R_HASH: rows_hash(batch.rows),
    }
    return cose.sign1({cose.KID: kid_of(key)}, {ISS: ISSUER, IAT: at, RECEIPT: body}, key=key)


def accept_receipt(data: bytes, *, keys: KeyList) -> Receipt:
    """:raises Rejected: not a receipt signed by a key of that purpose"""
    token = cose.read1(data, protected_keys=RECEIPT_HEADERS)
    claims = Claims.of(token)
    signed_at = claims.number(IAT)
    if not keys.signed(token, Purpose.RECEIPT, signed_at=signed_at):
        raise Rejected("signature")
    body = claims.inner(RECEIPT)
    claims.done()
    receipt = Receipt(
        body.raw(_R_DEVICE, least=DEVICE_SIZE, most=DEVICE_SIZE),
        body.number(_R_FROM, least=1),
        body.number(_R_TO, least=1),
        body.raw(_R_HASH, least=32, most=32),
        signed_at,
    )
    body.done()
    return receipt


def sign_time(at: int, *, key: ec.EllipticCurvePrivateKey) -> bytes:
    """The server's time, in every answer, signed with a key of purpose `receipt`."""
    return cose.sign1({cose.KID: kid_of(key)}, {ISS: ISSUER, IAT: at, EXP: at + 86_400}, key=key)


def accept_time(data: bytes, *, keys: KeyList) -> int:
    """:raises Rejected: not a time signed by a key of purpose `receipt`"""
    token = cose.read1(data, protected_keys=RECEIPT_HEADERS)
    claims = Claims.of(token)
    at = claims.number(IAT)
    claims.number(EXP)
    claims.done()
    if not keys.signed(token, Purpose.RECEIPT, signed_at=at):
        raise Rejected("signature")
    return at


def sign_withdrawal(device: bytes, *, at: int, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Tell a device that it is withdrawn: what it holds of a compound it deletes on this word and on no other (T40)."""
    return cose.sign1({cose.KID: kid_of(key)}, {ISS: ISSUER, IAT: at, WITHDRAWN: device}, key=key)


def accept_withdrawal(data: bytes, *, device: bytes, keys: KeyList) -> int:
    """When it was said that this device is withdrawn.

    :raises Rejected: not said with a key of purpose `receipt`, or said of another device
    """
    token = cose.read1(data, protected_keys=RECEIPT_HEADERS)
    claims = Claims.of(token)
    at = claims.number(IAT)
    of = claims.raw(WITHDRAWN, least=DEVICE_SIZE, most=DEVICE_SIZE)
    claims.done()
    if not keys.signed(token, Purpose.RECEIPT, signed_at=at):
        raise Rejected("signature")
    if of != device:
        raise Rejected("device")
    return at
