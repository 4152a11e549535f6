"""Announcements as lists and pages show them, in words; for other rooms' pages, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    return [line(view) for view in views]
