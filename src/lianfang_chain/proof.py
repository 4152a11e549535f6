"""Proofs that an entry is in the chain: the `.tlog-proof` file and the paper proof of one QR code.

The file (C2SP tlog-proof draft) is for machines and other people's software: index, path, cosigned
checkpoint; whoever checks it has the entry already. The paper proof carries the entry itself and, if the
holder wishes, some of its disclosures; note and root do not travel, they are computed:

    [1, entry, [disclosure...], index, size, path, log signature, [[witness, time, signature]...]]

`path` is the hashes one after the other, `witness` the place in the policy file counted from 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from .cbor import NotCanonical, decode, encode
from .checkpoint import Checkpoint, open_checkpoint
from .disclosure import Disclosure
from .entry import Entry
from .note import (
    MalformedNote,
    Note,
    NotSigned,
    Signature,
    UnknownWitness,
    VerifierKey,
    base64_of,
    bytes_of_base64,
    decimal,
    parse_note,
)
from .policy import Change, Policy
from .tree import NotProved, root_from_inclusion, verify_inclusion

__all__ = [
    "QR_PREFIX",
    "PaperProof",
    "Proved",
    "TlogProof",
    "Witnessed",
    "SHEET_PREFIX",
    "from_qr_text",
    "paper_proof_of",
    "sheet_text_of",
    "to_qr_text",
    "unpack_paper_proof",
    "verify_checkpoint",
    "verify_paper_proof",
    "verify_sheet_text",
    "verify_tlog_proof",
]

VERSION: Final = 1
MAX_PROOF_BYTES: Final = 8_192
MAX_PATH: Final = 63
FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"
QR_PREFIX: Final = "LFC1:"
SHEET_PREFIX: Final = "LFK1:"


@dataclass(frozen=True, slots=True)
class Proved:
    """What a verified proof says. `seen` are the witnesses, by policy name, with the instants they saw it; `quorum` is
    that of the witnesses in office at this size, which were those before `changed`, if that is a change."""

    checkpoint: Checkpoint
    index: int
    entry: Entry | None
    disclosed: tuple[Disclosure, ...]
    seen: tuple[tuple[str, int], ...]
    quorum: bool
    changed: Change | None = None

    @property
    def witnessed_at(self) -> int | None:
        """The instant by which a quorum can have seen it: the latest of the cosignatures."""
        return max((at for _, at in self.seen), default=None)


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A checkpoint that a log of the policy signed; `seen`, `quorum` and `changed` as in `Proved`."""

    checkpoint: Checkpoint
    seen: tuple[tuple[str, int], ...]
    quorum: bool
    changed: Change | None


@dataclass(frozen=True, slots=True)
class TlogProof:
    index: int
    path: tuple[bytes, ...]
    note: bytes
    extra: bytes = b""

    def __bytes__(self) -> bytes:
        lines = [FIRST_LINE]
        if self.extra:
            lines.append(f"extra {base64_of(self.extra)}")
        lines.append(f"index {self.index}")
        lines.extend(base64_of(h) for h in self.path)
        return ("\n".join(lines) + "\n\n").encode() + self.note

    @classmethod
    def parse(cls, data: bytes) -> TlogProof:
        """:raises MalformedNote: not a proof in the exact form; the note inside is parsed but not verified"""
        head, separator, note = data.partition(b"\n\n")
        if not separator or len(data) > 65_536:
            raise MalformedNote("no checkpoint, or too long")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise MalformedNote("not ASCII") from error
        if lines.pop(0) != FIRST_LINE:
            raise MalformedNote("not a tlog-proof")
        extra = b""
        if lines and lines[0].startswith("extra "):
            extra = bytes_of_base64(lines.pop(0)[6:])
        if not lines or not lines[0].startswith("index "):
            raise MalformedNote("no index")
        index = decimal(lines.pop(0)[6:])
        path = tuple(bytes_of_base64(line) for line in lines)
        if len(path) > MAX_PATH or any(len(h) != 32 for h in path):
            raise MalformedNote("not an inclusion path")
        parse_note(note)
        return cls(index, path, note, extra)


def verify_tlog_proof(data: bytes, leaf: bytes, policy: Policy) -> Proved:
    """Check a proof file for a leaf hash that the caller has computed from the record itself.

    Whether the quorum is met is part of the answer; whether to accept less is the caller's decision.

    :raises MalformedNote: not a proof
    :raises NotProved: the path does not lead to the root
    :raises NotSigned, UnknownWitness: see `verify_checkpoint`
    """
    proof = TlogProof.parse(data)
    checkpoint = Checkpoint.parse(parse_note(proof.note).text)
    verify_inclusion(leaf, proof.index, checkpoint.size, proof.path, checkpoint.root)
    found = verify_checkpoint(proof.note, policy)
    return Proved(checkpoint, proof.index, None, (), found.seen, found.quorum, found.changed)


def verify_checkpoint(note: bytes, policy: Policy) -> Witnessed:
    """Check who signed a checkpoint. Lines of keys that the policy does not name are passed over where a quorum is there
    without them; where it is not, they may be the rest of it.

    :raises MalformedNote: not a checkpoint
    :raises NotSigned: no log of the policy signed it, or a known signature is wrong
    :raises UnknownWitness: all that this policy can check is right and no quorum, and it does not name who else signed
    """
    log = policy.log_of(parse_note(note).text.split("\n")[0])
    if log is None:
        raise NotSigned("a log that the policy does not name")
    checkpoint, opened = open_checkpoint(note, log, others=policy.keys)
    seen = tuple((w.name, v.at) for w in policy.witnesses if (v := opened.by(w.key)) and v.at is not None)
    quorum = policy.at(checkpoint.size).met_by({name for name, _ in seen})
    known = {(key.name, key.key_id) for key in (log, *policy.keys)}
    unknown = [s.name for s in opened.note.signatures if (s.name, s.key_id) not in known]
    if unknown and not quorum:
        raise UnknownWitness(
            f"{unknown[0]} is not in this trust file, which may be older than the checkpoint"
        )
    return Witnessed(checkpoint, seen, quorum, policy.changed_after(checkpoint.size))


def _judged(policy: Policy, proved: Proved) -> Proved:
    size, names = proved.checkpoint.size, {name for name, _ in proved.seen}
    return replace(proved, quorum=policy.at(size).met_by(names), changed=policy.changed_after(size))


@dataclass(frozen=True, slots=True)
class PaperProof:
    entry: bytes
    disclosures: tuple[bytes, ...]
    index: int
    size: int
    path: tuple[bytes, ...]
    log_signature: bytes
    cosignatures: tuple[tuple[int, int, bytes], ...]

    def __bytes__(self) -> bytes:
        return encode(
            [
                VERSION,
                self.entry,
                list(self.disclosures),
                self.index,
                self.size,
                b"".join(self.path),
                self.log_signature,
                [[number, at, signature] for number, at, signature in self.cosignatures],
            ]
        )

    @classmethod
    def parse(cls, data: bytes) -> PaperProof:
        """:raises NotCanonical: not a paper proof in its one encoding"""
        match decode(data, max_bytes=MAX_PROOF_BYTES):
            case [int(version), bytes(entry), list(shown), int(index), int(size), bytes(path), bytes(log),
                  list(cosignatures)]:  # fmt: skip
                pass
            case _:
                raise NotCanonical("not a paper proof")
        # `match` takes True for an int; the numbers below must be numbers.
        if version != VERSION or any(isinstance(n, bool) for n in (version, index, size)):
            raise NotCanonical("not a paper proof of version 1")
        if len(path) % 32 or len(path) > MAX_PATH * 32 or len(log) != 64:
            raise NotCanonical("not an inclusion path or a log signature")
        if not all(isinstance(d, bytes) for d in shown):
            raise NotCanonical("not disclosures")
        return cls(
            entry,
            tuple(d for d in shown if isinstance(d, bytes)),
            index,
            size,
            tuple(path[i : i + 32] for i in range(0, len(path), 32)),
            log,
            tuple(_cosignature(item) for item in cosignatures),
        )


def _cosignature(item: object) -> tuple[int, int, bytes]:
    match item:
        case [int(number), int(at), bytes(signature)] if len(signature) == 64 and 0 <= at < 1 << 64:
            if not isinstance(number, bool) and not isinstance(at, bool):
                return number, at, signature
    raise NotCanonical("not a cosignature")


def paper_proof_of(
    entry: bytes,
    disclosures: Sequence[Disclosure],
    index: int,
    path: Sequence[bytes],
    note: bytes,
    policy: Policy,
) -> bytes:
    """Pack a proof from a checkpoint that is signed and cosigned already.

    :raises NotSigned: the log of the policy did not sign the note
    """
    log = policy.log_of(parse_note(note).text.split("\n")[0])
    if log is None:
        raise NotSigned("a log that the policy does not name")
    checkpoint, opened = open_checkpoint(note, log, others=policy.keys)
    by_log = opened.by(log)
    assert by_log is not None  # open_checkpoint says so
    cosignatures = []
    for number, witness in enumerate(policy.witnesses, start=1):
        verified = opened.by(witness.key)
        if verified is not None and verified.at is not None:
            cosignatures.append((number, verified.at, verified.signature.raw[8:]))
    shown = tuple(sorted(bytes(d) for d in disclosures))
    proof = PaperProof(
        entry, shown, index, checkpoint.size, tuple(path), by_log.signature.raw, tuple(cosignatures)
    )
    return bytes(proof)


def verify_paper_proof(data: bytes, policy: Policy) -> Proved:
    """Check a paper proof against the policy's logs, newest line last, and its witnesses.

    The organ's own signature on the entry is checked apart (`Entry.verify`), by who has the organs' keys.

    :raises NotCanonical: not a paper proof, or the entry inside is not one
    :raises NotSigned: no log of the policy signed it, or the signature of a witness is wrong
    :raises UnknownWitness: all that this policy can check is right, and it does not name one of the witnesses
    :raises NotProved: a disclosure to which the entry does not commit, or a path that fits no tree
    """
    proof = PaperProof.parse(data)
    entry = Entry.parse(proof.entry)
    disclosed = tuple(Disclosure.parse(d) for d in proof.disclosures)
    allowed = {*entry.act.commitments, entry.act.officer}
    if any(d.commitment not in allowed for d in disclosed):
        raise NotProved("a disclosure to which the entry does not commit")
    if len({d.field for d in disclosed}) != len(disclosed):
        raise NotProved("one field disclosed twice")
    root = root_from_inclusion(entry.leaf, proof.index, proof.size, proof.path)
    checkpoint = _signed_by(policy, proof, root)
    seen: dict[str, int] = {}
    unknown: list[int] = []
    for number, at, signature in proof.cosignatures:
        if number < 1:
            raise NotSigned(f"there is no witness {number}")
        if number > len(policy.witnesses):
            unknown.append(number)
            continue
        witness = policy.witnesses[number - 1]
        if witness.name in seen:
            raise NotSigned(f"{witness.name} twice")
        witness.key.verify(checkpoint.text, at.to_bytes(8, "big") + signature)
        seen[witness.name] = at
    if unknown:  # said last, when all that this file can check is right
        raise UnknownWitness(
            f"witness {unknown[0]} is not in this trust file, which may be older than the paper"
        )
    return _judged(
        policy, Proved(checkpoint, proof.index, entry, disclosed, tuple(seen.items()), quorum=False)
    )


def unpack_paper_proof(data: bytes, policy: Policy) -> tuple[bytes, bytes]:
    """The entry and the `.tlog-proof` (C2SP) that a paper proof holds, for software that reads these and not our CBOR.

    :raises NotCanonical, NotSigned, NotProved: as `verify_paper_proof`
    """
    proved, proof = verify_paper_proof(data, policy), PaperProof.parse(data)
    text = proved.checkpoint.text
    log = next(
        key
        for key, _ in policy.logs
        if key.name == proved.checkpoint.origin and _signed(key, proved.checkpoint, proof.log_signature)
    )
    witnesses = [
        (policy.witnesses[number - 1].key, at.to_bytes(8, "big") + raw)
        for number, at, raw in proof.cosignatures
    ]
    lines = [(log, proof.log_signature), *witnesses]
    note = Note(text, tuple(Signature(key.name, key.key_id, raw) for key, raw in lines))
    return proof.entry, bytes(TlogProof(proof.index, proof.path, bytes(note)))


def _signed_by(policy: Policy, proof: PaperProof, root: bytes) -> Checkpoint:
    """The proof does not name its log, so each log of the policy is tried; there is one, or a few after a
    change of key."""
    for log, _ in policy.logs:
        checkpoint = Checkpoint(log.name, proof.size, root)
        if _signed(log, checkpoint, proof.log_signature):
            return checkpoint
    raise NotSigned("no log of the policy signed this")


def _signed(log: VerifierKey, checkpoint: Checkpoint, signature: bytes) -> bool:
    try:
        log.verify(checkpoint.text, signature)
    except NotSigned:
        return False
    return True


_BASE45: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def sheet_text_of(note: bytes, log: VerifierKey) -> str:
    """A checkpoint as the code of a public sheet: [1, size, root, log signature], so that two sheets can be compared.

    :raises NotSigned: the log did not sign the note
    """
    checkpoint, opened = open_checkpoint(note, log)
    by_log = opened.by(log)
    assert by_log is not None  # open_checkpoint says so
    return to_qr_text(
        encode([VERSION, checkpoint.size, checkpoint.root, by_log.signature.raw]), prefix=SHEET_PREFIX
    )


def verify_sheet_text(text: str, policy: Policy) -> Checkpoint:
    """The checkpoint on a sheet, which a log of the policy signed. Whether others know it is another question.

    :raises NotCanonical: not such a text
    :raises NotSigned: no log of the policy signed it
    """
    match decode(from_qr_text(text, prefix=SHEET_PREFIX), max_bytes=256):
        case [int(version), int(size), bytes(root), bytes(signature)] if (
            len(root) == 32 and len(signature) == 64 and size >= 0
        ):
            if version != VERSION or isinstance(version, bool) or isinstance(size, bool):
                raise NotCanonical("not a checkpoint of version 1")
        case _:
            raise NotCanonical("not a checkpoint")
    for log, _ in policy.logs:
        checkpoint = Checkpoint(log.name, size, root)
        if _signed(log, checkpoint, signature):
            return checkpoint
    raise NotSigned("no log of the policy signed this")


def to_qr_text(data: bytes, *, prefix: str = QR_PREFIX) -> str:
    """Base45 (RFC 9285) behind a prefix: alphanumeric QR, which every scanner reads as text."""
    out = [prefix]
    for i in range(0, len(data) - 1, 2):
        rest, c = divmod(data[i] << 8 | data[i + 1], 45)
        e, d = divmod(rest, 45)
        out.append(_BASE45[c] + _BASE45[d] + _BASE45[e])
    if len(data) % 2:
        d, c = divmod(data[-1], 45)
        out.append(_BASE45[c] + _BASE45[d])
    return "".join(out)


def from_qr_text(text: str, *, prefix: str = QR_PREFIX) -> bytes:
    """:raises NotCanonical: another prefix, or not the one base45 form"""
    if not text.startswith(prefix) or len(text) > 2 * MAX_PROOF_BYTES:
        raise NotCanonical("not the QR text of a paper proof")
    digits = [_BASE45.find(c) for c in text[len(prefix) :]]
    if -1 in digits or len(digits) % 3 == 1:
        raise NotCanonical("not base45")
    out = bytearray()
    for i in range(0, len(digits), 3):
        group = digits[i : i + 3]
        number = sum(digit * 45**place for place, digit in enumerate(group))
        width = len(group) - 1
        if number >= 256**width:
            raise NotCanonical("not base45")
        out += number.to_bytes(width, "big")
    return bytes(out)
