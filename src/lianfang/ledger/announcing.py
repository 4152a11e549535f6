"""New keys of organs are announced in the chain itself, signed by the key that is announced.

The announcement says what the organ is called, so that whoever checks a proof reads a name that its own key signed. A
name that changes comes with the next key: an entry goes on under the name its organ had.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from django.db import transaction

from lianfang.kernel import ids
from lianfang.kernel.actor import Actor
from lianfang_chain.entry import Entry as ChainEntry
from lianfang_chain.entry import organ_key_name
from lianfang_chain.note import ED25519, VerifierKey
from lianfang_chain.organs import Organ, Organs, listed_name

from . import actions, keys, publication
from .models import Entry, OrganKey
from .policy import WHOLE_CHAIN

if TYPE_CHECKING:
    from datetime import datetime

#: Chinese and English name of the organ with a code, empty where there is none. Organs are not the ledger's: whoever
#: runs it hands this in (`accounts.queries.public_names`).
Names: TypeAlias = Callable[[str], tuple[str, str]]


def unnamed(organ: str) -> tuple[str, str]:
    """For a chain whose organs have no names."""
    return "", ""


def succeed_key(organ: str, *, by: Actor, names: Names = unnamed) -> VerifierKey:
    """Give an organ its next key, said in the chain by the one before; the next round announces it.

    Cut off at any point it may be done again: a key that was made and not yet used is taken up.

    :raises FileNotFoundError: it has none
    """
    following = keys.next_organ_signer(organ)
    with transaction.atomic():
        # A key that is put away can no longer announce itself, and then nobody knows whose its entries are.
        if not OrganKey.objects.filter(vkey=str(keys.organ_signer(organ).key)).exists():
            _announce(organ, by.at, names)
        _say_next(organ, following.key, by=by)
    keys.succeed(organ)
    return following.key


def _say_next(organ: str, following: VerifierKey, *, by: Actor) -> None:
    actions.append(
        kind="ledger:key:succeeded",
        act_id=ids.new_id(),
        organ=organ,
        scope=WHOLE_CHAIN,
        basis=actions.CHAIN_RULES,
        terms={"organ": organ, "vkey": str(following)},
        secrets={},
        by=by,
    )


def note_policy(*, name: str, vkey: str, retired: str, by: Actor) -> None:
    """Say in the chain that a witness's key counts no more and another does: the trust file has a new line."""
    actions.append(
        kind="ledger:policy:changed",
        act_id=ids.new_id(),
        organ=by.organ,
        scope=WHOLE_CHAIN,
        basis=actions.CHAIN_RULES,
        terms={"witness": name, "vkey": vkey, "retired": retired},
        secrets={},
        by=by,
    )


def announce_new_keys(at: datetime, names: Names = unnamed) -> None:
    """Append an entry for each organ key that has none."""
    known = set(OrganKey.objects.values_list("vkey", flat=True))
    for organ in keys.organs_with_keys():
        if str(keys.organ_signer(organ).key) not in known:
            _announce(organ, at, names)


@transaction.atomic
def _announce(organ: str, at: datetime, names: Names) -> None:
    vkey = str(keys.organ_signer(organ).key)
    name, name_en = map(listed_name, names(organ))
    called = {"name": name, "name_en": name_en} if name and name_en else {"name": name} if name else {}
    entry = actions.append(
        kind="ledger:key:announced",
        act_id=ids.new_id(),
        organ=organ,
        scope=WHOLE_CHAIN,
        basis=actions.CHAIN_RULES,
        terms={"organ": organ, "vkey": vkey, **called},
        secrets={},
        by=_sequencer(organ, at),
    )
    OrganKey.objects.create(organ=organ, vkey=vkey, entry_id=entry, announced_at=at)


def publish_list() -> None:
    """Publish the list of the keys whose entries have their places, under the signature of the log."""
    rows = OrganKey.objects.filter(entry__idx__isnull=False).order_by("entry__idx")
    listed = tuple(
        # A key that was announced in a former chain goes on under the name of this one.
        Organ(
            organ,
            VerifierKey(organ_key_name(keys.origin(), organ), ED25519, VerifierKey.parse(vkey).public),
            index,
            *_called(entry_id),
        )
        for organ, vkey, index, entry_id in rows.values_list("organ", "vkey", "entry__idx", "entry_id")
        if index is not None  # for the types; the filter says it
    )
    publication.publish_organs(Organs(keys.origin(), listed).signed(keys.log_signer()))


@lru_cache(maxsize=4_096)  # asked each second, and an entry never changes
def _called(announcement: UUID) -> tuple[str, str]:
    data = Entry.objects.values_list("data", flat=True).get(pk=announcement)
    terms = ChainEntry.parse(bytes(data)).act.terms
    return str(terms.get("name", "")), str(terms.get("name_en", ""))


def _sequencer(organ: str, at: datetime) -> Actor:
    return Actor(
        user_id=UUID(int=0),
        pseudonym="sequencer",
        organ=organ,
        organ_kind="command",
        grants=frozenset(),
        at=at,
        purpose="chain",
        surface="sequencer",
        request_id=ids.new_id(),
    )
