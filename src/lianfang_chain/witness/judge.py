"""What a witness answers to `add-checkpoint`, row by row as the specification has it, and why it alarms.

The witness cosigns only after it has fetched and re-hashed what is new and has stored it. A checkpoint with
the log's signature that does not fit the own history is a fork, whatever the client says about it: both notes
are kept, and nothing is cosigned for this log any more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from lianfang_chain.checkpoint import Checkpoint, EmptyTreeRoot, open_checkpoint
from lianfang_chain.client import SIZE_TYPE, Unreachable
from lianfang_chain.evidence import ForkEvidence
from lianfang_chain.note import MalformedNote, NotSigned, Signature, Signer, parse_note
from lianfang_chain.submission import AddCheckpoint
from lianfang_chain.tiles import TileHashes
from lianfang_chain.tree import NotProved, consistency_proof, root_of, verify_consistency

from .mirror import ALL_PLACES, NotAdmitted, Read, fetch_new
from .store import DamagedFolder, Store

__all__ = ["Lights", "Reply", "Witness"]

TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: str
    content_type: str = TEXT


@dataclass
class Lights:
    """What the status page shows besides the store."""

    cosigned_at: int | None = None
    asked_at: int | None = None
    trouble: str = ""  # the last reason for which a checkpoint was not cosigned, until one is
    status: int = 200
    #: Entries of which the log gave no bytes: since the start, or, to a witness of all places, in the last try.
    withheld: int = 0
    #: The log did not let us read the entries when it last asked.
    not_admitted: bool = False
    #: By how many seconds this computer's clock is ahead of the log's server, behind it if negative (`watch`).
    clock_off: int = 0
    #: Since when the published checkpoint has had too few signatures, and whose are not there (`watch`).
    alone_since: int | None = None
    not_signed: tuple[str, ...] = ()


@dataclass
class Witness:
    """One witness of one log. Calls are taken one after the other; `store` is never changed elsewhere.

    :raises DamagedFolder: the own signature under what is held is not one
    """

    store: Store
    signer: Signer
    read: Read
    now: Callable[[], int]
    places: Sequence[str] = (ALL_PLACES,)
    lights: Lights = field(default_factory=Lights)

    def __post_init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        held, own = self.store.held, self.signer.key
        if held is None:
            return
        try:
            _, opened = open_checkpoint(self.store.note, self.store.log, others=(own,))
        except NotSigned as error:
            raise DamagedFolder(f"held: {error}") from error
        if opened.by(own) is None:
            # A new key in an old folder: what is held is cosigned anew, or the log could not read where we are.
            self.store.sign_anew(self._signed(self.store.note, self.signer.cosign(held.text, at=self.now())))

    @property
    def of_all_places(self) -> bool:
        """Whether nothing may be withheld from it."""
        return ALL_PLACES in self.places

    def add_checkpoint(self, body: bytes) -> Reply:
        """Answer one submission. A 200 is given only for what is on the disk."""
        with self._one_at_a_time:
            self.lights.asked_at = self.now()
            try:
                reply = self._add(body)
            except OSError as error:  # a full or failing disk: not stored, so not cosigned
                reply = Reply(500, f"not stored: {error}\n")
            self._remember(reply)
            return reply

    def _remember(self, reply: Reply) -> None:
        """A 409 only says where we are; what troubled us before still does."""
        if reply.status != 409:
            self.lights.status = reply.status
            self.lights.trouble = "" if reply.status == 200 else reply.body.strip()

    def _add(self, body: bytes) -> Reply:
        log = self.store.log
        try:
            request = AddCheckpoint.parse(body)
            note = parse_note(request.note)
            if note.text.split("\n")[0] != log.name:
                return Reply(404, "unknown origin\n")
            checkpoint, _ = open_checkpoint(request.note, log)
        except NotSigned as error:
            return Reply(403, f"{error}\n")
        except EmptyTreeRoot as error:
            return Reply(422, f"{error}\n")
        except MalformedNote as error:
            return Reply(400, f"{error}\n")
        if request.old > checkpoint.size:
            return Reply(400, "old is larger than the checkpoint\n")
        held = self.store.size
        # Asked about the past, we look it up: a signed root that our history never had is a fork even when
        # the client only meant to ask where we are.
        fits = checkpoint.size > held or self.store.root_at(checkpoint.size) == checkpoint.root
        if not fits:
            self._keep(self._against_the_past(checkpoint, request.note))
        if request.old != held:
            return Reply(409, f"{held}\n", SIZE_TYPE)
        if not fits:
            return Reply(422, "fork: another root was signed for this size\n")
        if self.store.evidence:
            return Reply(422, "fork: this log has told two stories and is not cosigned any more\n")
        return self._advance(request, checkpoint)

    def _advance(self, request: AddCheckpoint, checkpoint: Checkpoint) -> Reply:
        old_root = self.store.root_at(request.old)
        try:
            verify_consistency(request.old, checkpoint.size, old_root, checkpoint.root, request.proof)
        except NotProved as error:
            self._investigate(checkpoint, request.note)
            return Reply(422, f"{error}\n")
        with self.store.step():
            return self._hold_what_is_new(request, checkpoint)

    def _hold_what_is_new(self, request: AddCheckpoint, checkpoint: Checkpoint) -> Reply:
        edge = self.store.edge()
        try:
            withheld = fetch_new(edge, checkpoint, self.read, self.places, self.store.add)
        except (NotProved, MalformedNote) as error:
            return Reply(422, f"the log serves something else than it signed: {error}\n")
        except NotAdmitted as error:
            self.lights.not_admitted = True
            return Reply(503, f"the log does not let us read: is our clock right? {error}\n")
        except Unreachable as error:
            self.lights.not_admitted = False
            return Reply(503, f"the log does not let us fetch what is new: {error}\n")
        if withheld and self.of_all_places:
            self.lights.withheld = withheld
            return Reply(422, f"{withheld} entries are withheld from a witness of all places\n")
        at = self.now()
        line = self.signer.cosign(checkpoint.text, at=at)
        self.store.advance(checkpoint, self._signed(request.note, line), edge)
        self.lights.cosigned_at, self.lights.not_admitted = at, False
        self.lights.withheld = 0 if self.of_all_places else self.lights.withheld + withheld
        return Reply(200, line.line)

    def _signed(self, note: bytes, line: Signature) -> bytes:
        """The log's line and ours alone: others' lines were not looked at."""
        signed = parse_note(note)
        by_log = [
            s for s in signed.signatures if (s.name, s.key_id) == (self.store.log.name, self.store.log.key_id)
        ]
        return bytes(type(signed)(signed.text, (by_log[0], line)))

    def _against_the_past(self, checkpoint: Checkpoint, note: bytes) -> ForkEvidence:
        held = self.store.size
        root = self.store.root_at(checkpoint.size)
        proof = consistency_proof(checkpoint.size, held, self.store)
        return ForkEvidence(note, self.store.note, root, tuple(proof))

    def _investigate(self, checkpoint: Checkpoint, note: bytes) -> None:
        """The proof for a larger tree is wrong. Is it the client's mistake, or another history?

        The log's own tiles for that tree tell: they lead to the signed root, and either they begin with our
        history or they do not.
        """
        held = self.store.size
        tiles = TileHashes(checkpoint.size, self.read)
        try:
            theirs = root_of(held, tiles)
            proof = consistency_proof(held, checkpoint.size, tiles)
            verify_consistency(held, checkpoint.size, theirs, checkpoint.root, proof)
        except (Unreachable, NotProved):
            return
        if self.store.held and theirs != self.store.held.root:
            self._keep(ForkEvidence(self.store.note, note, theirs, tuple(proof)))

    def _keep(self, evidence: ForkEvidence) -> None:
        try:
            evidence.verify(self.store.log)  # what is written down convinces others too
        except NotProved as error:  # no two stories: the hashes on our disk are not those of what we cosigned
            raise DamagedFolder(f"hashes: they do not lead to the root that was cosigned: {error}") from error
        self.store.keep_evidence(evidence)
