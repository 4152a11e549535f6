"""Lift a suspension that nobody can prove: every witness shows what it holds, and none of it is more than is stored here.

A suspension stands on a checkpoint that the log signed (`held_evidence`). Where that is gone or never was, and no
witness holds one, the database is not older than anything, and the district need not wait for it. Nor need it wait for
one party whose computer is off for weeks: a quorum must be heard, and who was not heard is named in the chain. Should
that one show more later, the chain is suspended again, with proof.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from lianfang.kernel import ids
from lianfang_chain.checkpoint import Checkpoint as TreeHead
from lianfang_chain.checkpoint import open_checkpoint
from lianfang_chain.client import Unreachable, held_by
from lianfang_chain.note import MalformedNote, NotSigned

from . import actions, held_evidence, keys, parties, publication
from .models import Checkpoint, FormerChain, Tree
from .policy import WHOLE_CHAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path
    from uuid import UUID

    from lianfang.kernel.actor import Actor

    from .policy import WitnessKey


class StillSuspended(Exception):
    """Somebody shows more than this database has, or somebody was not heard. Nothing was changed."""


def over_http(witness: WitnessKey) -> TreeHead | None:
    """What a witness shows on its monitoring path.

    :raises StillSuspended: it does not answer, or shows nothing that it and the log signed
    """
    try:
        return held_by(witness.url, keys.log_key(), witness.key)
    except (Unreachable, NotSigned) as error:
        raise StillSuspended(f"{witness.name} was not heard: {error}") from error


def in_folder(witness: WitnessKey, folder: Path) -> TreeHead | None:
    """What a witness of this machine holds, while its program is stopped.

    :raises StillSuspended: there is something that it and the log did not sign
    """
    try:
        head, opened = open_checkpoint((folder / "held").read_bytes(), keys.log_key(), others=(witness.key,))
    except FileNotFoundError:
        return None
    except (MalformedNote, NotSigned) as error:
        raise StillSuspended(f"{witness.name}: {folder / 'held'}: {error}") from error
    if opened.by(witness.key) is None:
        raise StillSuspended(f"{witness.name}: {folder / 'held'}: not signed by its key")
    return head


@transaction.atomic
def lift_unproved(
    *, look: Callable[[WitnessKey], TreeHead | None], without: Collection[str] = (), reason: str, by: Actor
) -> UUID:
    """Lift the suspension and say so in the chain; returns the notice. Those in `without` are not looked at.

    :raises StillSuspended: see the class
    """
    tree = Tree.objects.select_for_update().get(pk=1)
    if not tree.suspended:
        raise StillSuspended("the chain is not suspended")
    if FormerChain.objects.filter(origin=keys.origin()).exists():
        raise StillSuspended("this chain has ended and a new one is being begun")
    for who, head in _all_shown(look, _heard(without)):
        if not held_evidence.is_ours(head):
            raise StillSuspended(f"{who} {head.size} entries, signed by the log: reconcile with them")
    last = Checkpoint.objects.order_by("-size").first()
    terms: dict[str, str | int] = {"recovered": 0, "size": last.size if last else 0, "reason": reason}
    if without:
        terms["not_heard"] = ",".join(sorted(without))
    tree.suspended, tree.suspended_at = "", None
    tree.save()
    return actions.append(
        kind="ledger:chain:reconciled",
        act_id=ids.new_id(),
        organ=by.organ,
        scope=WHOLE_CHAIN,
        basis=actions.CHAIN_RULES,
        terms=terms,
        secrets={},
        by=by,
    )


def _heard(without: Collection[str]) -> list[WitnessKey]:
    """The witnesses but those: a quorum by the trust file, so that nothing that was proved to anybody is missed."""
    witnesses = parties.witnesses()
    if unknown := set(without) - {witness.name for witness in witnesses}:
        raise StillSuspended(f"no witness {', '.join(sorted(unknown))}")
    heard = [witness for witness in witnesses if witness.name not in without]
    if not parties.policy().met_by({witness.name for witness in heard}):
        raise StillSuspended("those who are left are no quorum")
    return heard


def _all_shown(
    look: Callable[[WitnessKey], TreeHead | None], heard: list[WitnessKey]
) -> list[tuple[str, TreeHead]]:
    shown = [(f"{witness} has shown", head) for witness, head in held_evidence.more()]
    if note := publication.published_checkpoint():
        try:
            shown.append(("the published checkpoint has", open_checkpoint(note, keys.log_key())[0]))
        except (MalformedNote, NotSigned) as error:
            raise StillSuspended(f"the published checkpoint: {error}") from error
    held = [(f"{witness.name} holds", look(witness)) for witness in heard]
    return shown + [(who, head) for who, head in held if head is not None]
