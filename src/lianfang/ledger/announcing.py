"""New keys of organs are announced in the chain itself, signed by the key that is announced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction

from lianfang.kernel import ids
from lianfang.kernel.actor import Actor
from lianfang_chain.entry import organ_key_name
from lianfang_chain.note import ED25519, VerifierKey
from lianfang_chain.organs import Organ, Organs

from . import actions, keys, publication
from .models import OrganKey

if TYPE_CHECKING:
    from datetime import datetime

#: The scope of what concerns the chain itself and no place.
WHOLE_CHAIN: Final = "d0"


def succeed_key(organ: str, *, by: Actor) -> VerifierKey:
    """Give an organ its next key, said in the chain by the one before; the next round announces it.

    Cut off at any point it may be done again: a key that was made and not yet used is taken up.

    :raises FileNotFoundError: it has none
    """
    following = keys.next_organ_signer(organ)
    actions.append(
        kind="ledger:key:succeeded",
        act_id=ids.new_id(),
        organ=organ,
        scope=WHOLE_CHAIN,
        basis=actions.CHAIN_RULES,
        terms={"organ": organ, "vkey": str(following.key)},
        secrets={},
        by=by,
    )
    keys.succeed(organ)
    return following.key


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


def announce_new_keys(at: datetime) -> None:
    """Append an entry for each organ key that has none."""
    known = set(OrganKey.objects.values_list("vkey", flat=True))
    for organ in keys.organs_with_keys():
        vkey = str(keys.organ_signer(organ).key)
        if vkey not in known:
            _announce(organ, vkey, at)


@transaction.atomic
def _announce(organ: str, vkey: str, at: datetime) -> None:
    entry = actions.append(
        kind="ledger:key:announced",
        act_id=ids.new_id(),
        organ=organ,
        scope=WHOLE_CHAIN,
        basis=actions.CHAIN_RULES,
        terms={"organ": organ, "vkey": vkey},
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
        )
        for organ, vkey, index in rows.values_list("organ", "vkey", "entry__idx")
        if index is not None  # for the types; the filter says it
    )
    publication.publish_organs(Organs(keys.origin(), listed).signed(keys.log_signer()))


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
