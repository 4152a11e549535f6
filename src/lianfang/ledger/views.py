"""The chain as everybody may read it: checkpoint, hash tiles, trust files, and two pages in plain words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from lianfang.kernel import clock
from lianfang.kernel.surfaces import open_to_all
from lianfang_chain.checkpoint import Checkpoint
from lianfang_chain.note import MalformedNote, parse_note
from lianfang_chain.proof import to_qr_text
from lianfang_chain.tiles import ENTRIES, parse_tile_path
from lianfang_chain.words import SCOPES, words_of

from . import board, former, held_evidence, later, parties, publication, queries, serving
from .errors import NoSuchEntry, NotWitnessedYet
from .labels import ANYBODY, COMMAND, PARTY, party, to_do

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest

_READERS: Final = ((_("居民和值守人员"), ANYBODY), (_("物业、社区"), PARTY), (_("指挥部"), COMMAND))
_TEXT = "text/plain; charset=utf-8"
#: A full tile never changes, so whoever has it may keep it for ever.
_FOR_EVER = "public, max-age=31536000, immutable"


def _plain(content: bytes | str, *, cache: str = "no-cache", kind: str = _TEXT) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Cache-Control"] = cache
    # The offline verifier and other people's tools may come from anywhere; nothing here is secret.
    response["Access-Control-Allow-Origin"] = "*"
    return response


@require_safe
@transaction.non_atomic_requests
@open_to_all
def checkpoint(request: HttpRequest) -> HttpResponse:
    """What the log says of itself, with the cosignatures that are known."""
    note = queries.latest_checkpoint()
    if not note:
        raise Http404
    return _plain(note)


@require_safe
@open_to_all
def checkpoint_of(request: HttpRequest, size: int) -> HttpResponse:
    """The checkpoint of one size, for whoever holds it on paper or kept it."""
    try:
        return _plain(queries.checkpoint_note(size))
    except NoSuchEntry as error:
        raise Http404 from error


@require_safe
@open_to_all
def consistency(request: HttpRequest, old: int, new: int) -> HttpResponse:
    """That the tree of one size is the beginning of the other's (the form of C2SP tlog-witness)."""
    try:
        return _plain(queries.consistency(old, new))
    except NoSuchEntry as error:
        raise Http404 from error


@require_safe
@transaction.non_atomic_requests
@open_to_all
def tile(request: HttpRequest, path: str) -> HttpResponse:
    """A tile for everybody, an entry bundle for witnesses."""
    try:
        wanted = parse_tile_path(f"tile/{path}")
        witness = None
        if wanted.level == ENTRIES:
            witness = serving.witness_of(request.headers.get("Authorization", ""), clock.now())
            if witness is None:
                return HttpResponse("entries are for the witnesses\n", status=403, content_type=_TEXT)
        content = publication.read(wanted)
    except (MalformedNote, FileNotFoundError) as error:
        raise Http404 from error
    if witness is not None:
        content = serving.bundle_for(witness, content, width=wanted.width)
        return _plain(content, cache="private, no-store", kind="application/octet-stream")
    return _plain(content, cache=_FOR_EVER, kind="application/octet-stream")


@require_safe
@open_to_all
def policy(request: HttpRequest) -> HttpResponse:
    """The trust file."""
    return _plain(queries.policy_text())


@require_safe
@open_to_all
def strict_policy(request: HttpRequest) -> HttpResponse:
    """The auditor's trust file."""
    return _plain(queries.strict_policy_text())


@require_safe
@open_to_all
def policy_at(request: HttpRequest, size: int) -> HttpResponse:
    """The trust file for papers whose checkpoint has so many entries."""
    return _plain(queries.policy_text_at(size))


@require_safe
@open_to_all
def strict_policy_at(request: HttpRequest, size: int) -> HttpResponse:
    """The auditor's, of the same time."""
    return _plain(queries.policy_text_at(size, strict=True))


@require_safe
@open_to_all
def policy_change(request: HttpRequest, index: int) -> HttpResponse:
    """That a witness took the place of another with this entry, for who has the trust file before it."""
    try:
        return _plain(to_qr_text(queries.change_proof(index)))
    except (NoSuchEntry, NotWitnessedYet) as error:
        raise Http404 from error


@require_safe
@open_to_all
def later_entries(request: HttpRequest, leaf: str, fingerprint: str) -> HttpResponse:
    """What came after an entry, for who holds it: its leaf hash is everybody's, the SHA-256 of its bytes is not."""
    try:
        found = later.later_than(later.held_by(bytes.fromhex(leaf), bytes.fromhex(fingerprint)))
    except (NoSuchEntry, ValueError) as error:
        raise Http404 from error
    proofs = queries.proofs([one.id for one in found])
    said = [
        {
            "index": one.index,
            "kind": one.kind,
            "at": one.issued_at,
            "proof": to_qr_text(proofs[one.id]) if one.id in proofs else None,
        }
        for one in found
    ]
    return _plain(json.dumps({"size": later.size(), "later": said}), kind="application/json")


@require_safe
@open_to_all
def organs(request: HttpRequest) -> HttpResponse:
    """The organs' keys, signed by the log."""
    note = queries.organs_list()
    if not note:
        raise Http404
    return _plain(note)


@require_safe
@open_to_all
def former_file(request: HttpRequest, ended: str, path: str) -> HttpResponse:
    """A chain that has ended: what proved its end, its checkpoints, hash tiles, organs and trust file."""
    try:
        content, is_tile = former.content(ended, path)
    except NoSuchEntry as error:
        raise Http404 from error
    return _plain(content, cache=_FOR_EVER, kind="application/octet-stream") if is_tile else _plain(content)


@require_safe
@transaction.non_atomic_requests
@open_to_all
def alarms(request: HttpRequest) -> HttpResponse:
    """What is wrong with the chain, for gates and for other people's programs; asks the database nothing."""
    found = [
        {"code": alarm.code, "since": int(alarm.since.timestamp()), "witness": alarm.facts.get("witness", "")}
        for alarm in board.shown()
    ]
    return _plain(json.dumps(found), kind="application/json")


@require_safe
@transaction.non_atomic_requests
@open_to_all
def fork_evidence(request: HttpRequest, witness: str) -> HttpResponse:
    """What proves that this log told two stories, as a witness wrote it down."""
    text = held_evidence.fork_of(witness)
    if text is None:
        raise Http404
    return _plain(text)


@require_safe
@open_to_all
def overview(request: HttpRequest) -> HttpResponse:
    """The chain's state in plain words."""
    at = clock.now()
    found = [*queries.alarms(at), *board.of_the_worker()]
    proved = held_evidence.forks()
    note = queries.latest_checkpoint()
    head = Checkpoint.parse(parse_note(note).text) if note else None
    states = {state.witness: state for state in queries.witness_states()}
    return render(
        request,
        "ledger/overview.html",
        {
            "head": head,
            "root": head.root.hex() if head else "",
            "alarms": [
                (
                    alarm,
                    party(str(alarm.facts.get("witness", ""))),
                    [(who, line) for who, reader in _READERS if (line := to_do(alarm.code, reader))],
                )
                for alarm in found
            ],
            "damaged": any(alarm.code == "damaged" for alarm in board.shown()),
            "former": queries.former_chains(),
            "witnesses": [(party(w.name), states.get(w.name), w.name in proved) for w in parties.witnesses()],
        },
    )


@require_safe
@open_to_all
def entry(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """How far one entry has come. Its id is on the papers of its case and nowhere else."""
    try:
        state = queries.state_of(entry_id)
        view = queries.entry_view(entry_id)
        after = later.later_than(entry_id)
    except NoSuchEntry as error:
        raise Http404 from error
    return render(
        request,
        "ledger/entry.html",
        {
            "entry_id": entry_id,
            "state": state,
            "kind": words_of(str(view["kind"])),
            "scope": SCOPES[str(view["scope_class"])],
            "signed": queries.signer_of(entry_id),
            "organ_code": view["organ"],
            "later": [(one, words_of(one.kind), queries.instant(one.issued_at)) for one in after],
        },
    )


@require_safe
@open_to_all
def tlog_proof(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """The proof file for other people's software."""
    try:
        return _plain(queries.tlog_proof(entry_id))
    except NoSuchEntry as error:
        raise Http404 from error
    except NotWitnessedYet:
        return render(request, "ledger/not_yet.html", {"entry_id": entry_id}, status=409)


@require_safe
@open_to_all
def entry_file(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """The entry's bytes, whose hash is the leaf that the proof file is about."""
    try:
        data = queries.entry_bytes(entry_id)
    except NoSuchEntry as error:
        raise Http404 from error
    return HttpResponse(data, content_type="application/cbor")


@require_safe
@open_to_all
def paper_proof(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """The text of the paper proof's QR code, without personal disclosures."""
    try:
        return _plain(to_qr_text(queries.proof(entry_id)))
    except NoSuchEntry as error:
        raise Http404 from error
    except NotWitnessedYet:
        return render(request, "ledger/not_yet.html", {"entry_id": entry_id}, status=409)
