"""The one door into the chain, and the erasure of what an entry committed to."""

from __future__ import annotations

import logging
import unicodedata
from typing import TYPE_CHECKING, Final, TypeVar

import psycopg
from django.db import connection, transaction

from lianfang.kernel import ids
from lianfang.kernel.points import point
from lianfang_chain.cbor import NotCanonical
from lianfang_chain.disclosure import commit, commit_officer
from lianfang_chain.entry import Act, sign_entry
from lianfang_chain.tree import leaf_hash

from . import keys, sealing
from .errors import NoSuchEntry, NothingToErase, RestoredOlder
from .kinds import frees
from .models import CaseKey, Disclosures, Entry
from .policy import PublicScope, may_be_named

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from uuid import UUID

    from lianfang.kernel.actor import Actor
    from lianfang_chain.disclosure import Disclosure

log_ = logging.getLogger("lianfang.chain")

#: What an entry names as its basis when the chain itself asks for it: keys, digests, a new beginning.
CHAIN_RULES: Final = "防疫信息链规则"
# Three inserts in one call (migrations 0003 and 0005). It is prepared once on each connection and its parameters go
# apart and in binary: as a text, which Django would make of it, it costs both sides nearly twice as much, measured.
_APPEND: Final = "SELECT ledger_append(%b, %b, %b, %b, %t, %b, %t, %t::ltree, %b, %b, %b)"


def append(
    *,
    kind: str,
    act_id: UUID,
    organ: str,
    scope: str,
    basis: str,
    terms: Mapping[str, str | int],
    secrets: Mapping[str, str | int],
    by: Actor,
    prior: UUID | None = None,
    hour: bool = False,
) -> UUID:
    """Write the entry of an act, inside the act's own transaction; returns the entry's id.

    When the act's transaction commits, the entry is durable and will stand in the chain; when it rolls back,
    there was no entry. `terms` are public for ever; `secrets` appear as salted commitments, the values sealed
    beside. `hour` rounds the instant down to the hour, for orders on persons and what follows from them.
    Neither the sequencer nor a witness is waited for.

    :raises RestoredOlder: a witness holds a longer chain than this database, and the act restricts
    :raises KeyUnusable: the organ's key is not what was written; or the key that seals, and the act restricts
    :raises NoSuchEntry: `prior` is no entry
    :raises NotCanonical: a field outside its form, a scope that names a dwelling, or a place below a community that
        did not come from `people.queries.public_scope`, more than 4,096 bytes, with `hour` an act id that is not random
        (`kernel.ids.random_id`): a UUID version 7 says the millisecond; the caller's mistake, not the user's
    """
    if not may_be_named(scope):
        raise NotCanonical("a small place whose households nobody counted (people.queries.public_scope)")
    # A notice of erasure repeats an id that stands in the chain already, older ones with their instant.
    if hour and kind != "ledger:disclosures:erased" and act_id.version != 4:
        raise NotCanonical("the id of an act on a person that is not random (kernel.ids.random_id)")
    point("ledger.append.before")
    entry_id = ids.new_id()
    commitments = commit({_nfc(name): _nfc(value) for name, value in secrets.items()}, ids.random_bytes)
    officer = commit_officer(by.pseudonym, ids.random_bytes)
    issued_at = int(by.at.timestamp())
    act = Act(
        kind=kind,
        act_id=act_id,
        issued_at=issued_at - issued_at % 3600 if hour else issued_at,
        organ=organ,
        scope=scope,
        basis=_nfc(basis),
        terms={_nfc(name): _nfc(value) for name, value in terms.items()},
        commitments=commitments.hashes,
        prior=None if prior is None else _leaf_of(prior),
        officer=officer.commitment,
    )
    data = sign_entry(act, keys.organ_signer(organ))
    disclosures = {sealing.OFFICER_POSITION: officer, **commitments.disclosures}
    try:
        sealed_key, sealed = sealing.seal(entry_id, disclosures)
    except keys.KeyUnusable:
        if not frees(kind):
            raise
        # Nobody stays shut in for a file (O-9). What the entry committed to cannot be shown to anybody; `fsck` counts it.
        log_.exception("an act that frees is recorded without its details")
        sealed_key, sealed = sealing.shut(entry_id, disclosures)
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            _APPEND,
            [
                frees(kind), entry_id, data, leaf_hash(data), kind, act_id, organ, scope, by.at,
                sealed_key, sealed,
            ],
            prepare=True,
        )  # fmt: skip
        (written,) = cursor.fetchone() or (False,)
    if not written:
        raise RestoredOlder
    point("ledger.append.after_insert")
    return entry_id


def _leaf_of(entry_id: UUID) -> bytes:
    leaf = Entry.objects.filter(pk=entry_id).values_list("leaf_hash", flat=True).first()
    if leaf is None:
        raise NoSuchEntry
    return bytes(leaf)


_Fact = TypeVar("_Fact", str, "str | int")


def _nfc(value: _Fact) -> _Fact:
    """Text in normal form C, as the encoding wants it; numbers as they are."""
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


@transaction.atomic
def erase(
    entry_id: UUID, *, positions: Collection[int] | None = None, reason: str, basis: str, by: Actor
) -> UUID:
    """Delete disclosures of an entry, with their key, and leave a notice in the chain; returns the notice's id.

    The entry stays and the tree stays valid; its commitments can no longer be linked to anything, not even in
    a backup that holds the rows, because what remains is sealed under a new key and the old one is gone.
    Without `positions`, everything goes, the officer too; so does everything whose key was lost, for nobody can
    seal the rest anew.

    :raises NoSuchEntry: no such entry
    :raises NothingToErase: none of these is there any more
    """
    entry = Entry.objects.filter(pk=entry_id).first()
    if entry is None:
        raise NoSuchEntry
    key = CaseKey.objects.select_for_update().filter(pk=entry_id).first()
    row = Disclosures.objects.filter(pk=entry_id).first()
    if key is None or row is None:
        raise NothingToErase
    try:
        opened = sealing.open_sealed(entry_id, bytes(key.sealed), bytes(row.sealed))
    except sealing.Closed:
        held = sealing.positions(bytes(row.sealed))
        gone = sorted(held) if positions is None or {*held} & {*positions} else []
        kept = {}
    else:
        gone = sorted(opened if positions is None else opened.keys() & set(positions))
        kept = {position: disclosure for position, disclosure in opened.items() if position not in gone}
    if not gone:
        raise NothingToErase
    replace_disclosures(entry_id, kept)
    return append(
        kind="ledger:disclosures:erased",
        act_id=entry.act_id,
        organ=by.organ,
        scope=PublicScope(entry.scope),  # it stands in the chain already
        basis=basis,
        terms={"positions": ",".join(map(str, gone)), "reason": reason},
        secrets={},
        prior=entry_id,
        by=by,
        hour=True,
    )


def replace_disclosures(entry_id: UUID, kept: Mapping[int, Disclosure]) -> None:
    """What is kept is sealed under a fresh key; the rows before are gone with theirs. Call it inside a transaction."""
    with connection.cursor() as cursor:
        # The triggers let rows go for this entry only, and only until the transaction ends.
        cursor.execute("SELECT set_config('lf.erasing', %s, true)", [str(entry_id)])
        cursor.execute("DELETE FROM ledger_disclosures WHERE entry_id = %s", [entry_id])
        cursor.execute("DELETE FROM ledger_casekey WHERE entry_id = %s", [entry_id])
        cursor.execute("SELECT set_config('lf.erasing', '', true)")
    if kept:
        sealed_key, sealed = sealing.seal(entry_id, kept)
        CaseKey.objects.create(entry_id=entry_id, sealed=sealed_key)
        Disclosures.objects.create(entry_id=entry_id, sealed=sealed)
