"""What a gate of a compound may look up: whoever lives there, with or without a card (passes.md §5.3).

The second documented deviation of trust.md §1.1: number, index, door, initials and birth year, and nothing else.
The device looks up by whole number, or by whole door and birth year, and lists nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lianfang.accounts import queries as accounts
from lianfang.credentials import queries as credentials
from lianfang.kernel import row_security
from lianfang.people import queries as people
from lianfang.places.policy import Kind, at_level
from lianfang_pass.signals import LONGEST_NAME

from .models import Gate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from uuid import UUID

    from lianfang.credentials.queries import PassView
    from lianfang.people.queries import PassFacts
    from lianfang_chain import cbor

#: More than live in the largest place that one post guards.
_MOST: Final = 100_000


def content(zones: tuple[str, ...], area: str, at: datetime) -> Mapping[int, cbor.Value]:
    """The file of a gate's own store (docs/gates.md); empty where it guards no compound.

    Cards in their term; residents without one, by the pass on their phone or the card of their household; and cards
    that ended or were withdrawn in the last 31 days. KNOWN: of who never had a pass no list speaks, so at the own gate
    an order of theirs is seen only by its slip. A card belongs to the notice of an order.
    """
    found = credentials.compound_store(zones, at) if zones else []
    lasting = [p for p in found if p.revoked_at is None and at < p.valid_until]
    cards = [p for p in lasting if p.channel != "phone"]
    shown = {p.id for p in cards}
    over = [p for p in found if p.channel != "phone" and p.id not in shown]
    carded = {p.holder_id for p in cards if p.kind == "P"}
    return {
        1: 1,
        2: [_card(p) for p in cards],
        3: _residents(_living(zones, area, without=carded), found, lasting) if zones else [],
        4: [[*_card(p), int(min(p.revoked_at or p.valid_until, p.valid_until).timestamp())] for p in over],
    }


def post(gate_id: UUID, at: datetime) -> Mapping[int, cbor.Value]:
    """What a device is told of its own post, when it enrols and ever after: name, compounds, lists, phone, kind, and the
    numbers of its guards (F12).
    """
    gate = Gate.objects.get(pk=gate_id)
    guards: list[cbor.Value] = [n for n in accounts.guard_numbers(gate.area, at) if len(n) <= LONGEST_NAME]
    uris: list[cbor.Value] = [credentials.uri(shard) for shard in gate.shards]
    return {1: 1, 4: gate.name, 5: list(gate.zones), 6: uris, 9: gate.phone, 10: gate.kind, 11: guards}


def _card(p: PassView) -> list[cbor.Value]:
    return [
        p.pass_no,
        credentials.uri(p.shard),
        p.index,
        p.kind,
        p.door,
        p.member_no,
        p.initials,
        p.birth_year,
    ]


def _living(zones: tuple[str, ...], area: str, *, without: set[UUID]) -> dict[UUID, PassFacts]:
    with row_security.scope(areas=(area,)):
        facts = people.pass_facts(pk for pk in people.persons_within(area, limit=_MOST) if pk not in without)
    return {
        pk: fact
        for pk, fact in facts.items()
        if fact.door and (at_level(fact.area, Kind.COMPOUND) or "").rpartition(".")[2] in zones
    }


def _residents(
    living: Mapping[UUID, PassFacts], found: Iterable[PassView], lasting: Iterable[PassView]
) -> list[cbor.Value]:
    """One row for each of them. Where lists speak of them: by the newest personal pass, that of a phone that fell
    silent too, else by the card of the household.
    """
    own = {p.holder_id: p for p in sorted(found, key=_newest) if p.kind == "P" and p.revoked_at is None}
    shared = {p.holder_id: p for p in sorted(lasting, key=_newest) if p.kind == "H"}
    rows: list[tuple[str, int, UUID, list[cbor.Value]]] = []
    for pk, fact in living.items():
        by = own.get(pk) or (shared.get(fact.household_id) if fact.household_id else None)
        row: list[cbor.Value] = [fact.door, fact.member_no or None, fact.initials, fact.birth_year or None]
        row += [credentials.uri(by.shard), by.index, by.kind] if by else [None, None, "P"]
        rows.append((fact.door, fact.member_no, pk, row))
    return [row for *_, row in sorted(rows, key=lambda r: r[:3])]


def _newest(p: PassView) -> tuple[datetime, UUID]:
    return p.issued_at, p.id
