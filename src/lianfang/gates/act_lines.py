"""Quota and perimeter acts as lists show them, with their words and how far each has come in the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lianfang.ledger import queries as ledger
from lianfang.places import queries as places

from .labels import ACT_STAGES, ACTS, CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .queries import ActView


def lines(views: Iterable[ActView]) -> list[dict[str, object]]:
    """A known number of queries for any number of acts."""
    found = list(views)
    where = places.addresses([view.act.area for view in found])
    newest = [view.lift or view.signature for view in found]
    chain = ledger.newest_states([said.entry_id for said in newest if said])
    return [
        {
            "view": view,
            "entry_id": said and said.entry_id,
            "chain": said and chain[said.entry_id],
            "act": view.act,
            "kind": ACTS[view.act.kind],
            "stage": ACT_STAGES[view.stage],
            "where": where.get(view.act.area, view.act.area),
            "classes": [CLASSES[letter] for letter in view.act.classes],
        }
        for view, said in zip(found, newest, strict=True)
    ]
