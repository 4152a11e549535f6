"""Announcements as lists and pages show them, in words; for other rooms' pages, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lianfang.ledger import queries as ledger

from .labels import KINDS, STATES, TONES
from .policy import CURRENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .queries import View


def line(view: View) -> dict[str, object]:
    """One announcement as lists and pages show it, in words."""
    return {
        "view": view,
        "text": view.text,
        "published": view.publication,
        "kind": KINDS[view.text.kind],
        "state": STATES[view.state],
        "tone": TONES[view.state],
        "is_current": view.state in CURRENT,
        "title_en": view.text.title_en,
    }


def lines(views: Iterable[View]) -> list[dict[str, object]]:
    """Many, each with how far its publication has come in the chain; nothing is asked for where none is published."""
    shown = list(views)
    entries = [view.publication.entry_id for view in shown if view.publication]
    chain = ledger.newest_states(entries) if entries else {}
    return [line(v) | {"chain": v.publication and chain[v.publication.entry_id]} for v in shown]
