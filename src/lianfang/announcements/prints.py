"""Announcements on paper: the A3 sheet for boards with its proof, and the text for a loudspeaker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.urls import reverse

from lianfang.ledger import queries as ledger
from lianfang.messaging.codes import Code, Correction
from lianfang.messaging.papers import AnnouncementSheet, ChainLine, LoudspeakerSheet, Words
from lianfang_chain.proof import to_qr_text

from . import policy
from .labels import KINDS_ON_PAPER
from .policy import CURRENT

if TYPE_CHECKING:
    from lianfang.messaging.press import Press

    from .models import Publication
    from .queries import View

#: Millimetres of the two codes, at A3. A proof in a tree of a million has 141 modules with its white: 0.64 mm each.
CHECK_MM: Final = 60
PROOF_MM: Final = 90


def sheet(view: View, press: Press) -> AnnouncementSheet:
    """The sheet for a notice board, of a published announcement."""
    row, text = _published(view), view.text
    proof = ledger.proofs([row.entry_id]).get(row.entry_id)
    return AnnouncementSheet(
        kind=Words(*KINDS_ON_PAPER[policy.Kind(text.kind)]),
        number=row.number,
        title=Words(text.title, text.title_en),
        body=Words(text.body, text.body_en),
        plain=text.plain,
        basis=text.basis,
        places="、".join(row.place_names),
        organ=row.organ_name,
        signatory=text.signatory,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        supersedes=tuple(row.superseded_numbers),
        published_at=row.published_at,
        is_current=view.state in CURRENT,
        text_hash=row.text_hash,
        chain=_line(row),
        check=Code(_address(view, press), mm=CHECK_MM, correction=Correction.Q),
        proof=Code(to_qr_text(proof), mm=PROOF_MM, correction=Correction.L) if proof else None,
        check_domain=press.domain,
        lang=press.lang,
        demo=press.demo,
    )


def loudspeaker(view: View, press: Press) -> LoudspeakerSheet:
    """What is read out, in large print."""
    row, text = _published(view), view.text
    return LoudspeakerSheet(
        number=row.number,
        title=text.title,
        aloud=text.aloud,
        places="、".join(row.place_names),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        chain=_line(row),
        lang=press.lang,
        demo=press.demo,
    )


def _published(view: View) -> Publication:
    assert view.publication is not None, "drafts are not printed"
    return view.publication


def _line(row: Publication) -> ChainLine:
    state = ledger.newest_states([row.entry_id])[row.entry_id]
    return ChainLine(state.index, state.quorum, len(state.witnesses), state.of)


def _address(view: View, press: Press) -> str:
    return press.base_url + reverse("announcements:open_one", args=[view.text.pk])
