"""L-5: what the chain says of itself and what tables and files say, whatever was done past every act and trigger."""

from __future__ import annotations

from typing import Any

import pytest
from tests.factories.ledger import AT, an_actor, an_entry, past_the_triggers

from lianfang.kernel import ids
from lianfang.ledger import (
    actions,
    announcing,
    chain_rows,
    fsck,
    keys,
    queries,
    restart,
    sequencer,
)
from lianfang.ledger.models import CaseKey, Disclosures, Entry, FormerChain, OrganKey
from lianfang.ledger.policy import WHOLE_CHAIN
from lianfang_chain.note import COSIGNATURE, Signer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("chain")]


def faults() -> list[str]:
    return chain_rows.chain_faults()


def test_the_key_of_an_organ_in_the_table_or_in_the_chain_alone_is_found() -> None:
    an_entry()
    sequencer.run_once(AT)
    assert faults() == []
    row, other = OrganKey.objects.get(), an_entry()
    past_the_triggers("UPDATE ledger_organkey SET organ = 'police' WHERE id = %s", row.pk)
    assert faults() == [f"key of police: entry {row.entry_id} does not announce it"]
    past_the_triggers("UPDATE ledger_organkey SET organ = 'cdc', entry_id = %s WHERE id = %s", other, row.pk)
    lone = f"entry {row.entry_id}: there is no row of the key of cdc that it announces"
    assert faults() == [f"key of cdc: entry {other} does not announce it", lone]
    past_the_triggers("DELETE FROM ledger_organkey WHERE id = %s", row.pk)
    assert faults() == [lone]
    assert lone in fsck.check().problems


def test_a_succession_that_nobody_took_up_is_found() -> None:
    an_entry()
    sequencer.run_once(AT)
    announcing.succeed_key("cdc", by=an_actor())
    assert faults() == []  # it is the organ's now and waits for the next round
    sequencer.run_once(AT)
    assert faults() == []
    keys.next_organ_signer("cdc")
    entry = actions.append(
        kind="ledger:key:succeeded", act_id=ids.new_id(), organ="cdc", scope=WHOLE_CHAIN,
        basis=actions.CHAIN_RULES, terms={"organ": "cdc", "vkey": str(keys.next_organ_signer("cdc").key)},
        secrets={}, by=an_actor(),
    )  # fmt: skip
    (fault,) = faults()
    assert fault.startswith(f"entry {entry}: cdc does not sign with the key that was to follow")
    announcing.succeed_key("cdc", by=an_actor())
    sequencer.run_once(AT)
    assert faults() == []


def test_the_witnesses_that_count_are_those_that_the_chain_names(settings: Any) -> None:
    first, then, other = (
        str(Signer(f"x.example/{n}", COSIGNATURE, ids.random_bytes(32)).key) for n in ("a", "b", "c")
    )
    before = {"name": "residents", "vkey": first, "retired": "2020-02-13"}
    after = {"name": "residents-2", "vkey": then}
    settings.LIANFANG_WITNESSES = [{"name": "residents", "vkey": first}]
    assert faults() == []
    settings.LIANFANG_WITNESSES = [before, after]
    assert faults() == [f"witness {first}: it is retired, and the chain does not say so"]
    announcing.note_policy(name="residents-2", vkey=then, retired=first, by=an_actor())
    assert faults() == []
    entry = Entry.objects.get(kind="ledger:policy:changed").pk
    said = [f"entry {entry}: the witnesses are not those that it says"]
    for lines in (
        [{"name": "residents", "vkey": first}, after],
        [before],
        [before, {**after, "vkey": other}],
        [],
    ):
        settings.LIANFANG_WITNESSES = lines
        assert faults() == said


def test_a_chain_that_ended_stands_in_the_table_and_in_the_chain() -> None:
    an_entry()
    sequencer.run_once(AT)
    former = restart.begin(
        restart.Proved("key", b"evidence", 1, bytes(32)),
        origin="x.example/chain/2",
        reason="x",
        by=an_actor(),
    )
    assert faults() == []
    fault = [f"chain {former.origin}: that it ended stands in the table or in the chain, not in both"]
    past_the_triggers("UPDATE ledger_formerchain SET evidence = 'other' WHERE origin = %s", former.origin)
    assert faults() == fault
    past_the_triggers("DELETE FROM ledger_formercheckpoint WHERE chain_id = %s", former.origin)
    past_the_triggers("DELETE FROM ledger_formerchain WHERE origin = %s", former.origin)
    assert faults() == fault
    FormerChain.objects.create(origin="made.up", vkey="x", evidence="y", continued_as="z", ended_at=AT)
    assert len(faults()) == 2


class TestErasures:
    def test_details_that_are_gone_without_a_notice_are_found(self) -> None:
        kept, taken = an_entry(), an_entry()
        assert faults() == []
        actions.erase(kept, reason="term", basis="x", by=an_actor())
        assert faults() == []
        fault = [f"1 entries: their details cannot be opened, and no notice says so; the first is {taken}"]
        sealed = bytes(Disclosures.objects.get(pk=taken).sealed)
        past_the_triggers("UPDATE ledger_disclosures SET sealed = '' WHERE entry_id = %s", taken)
        assert faults() == fault
        past_the_triggers("UPDATE ledger_disclosures SET sealed = %s WHERE entry_id = %s", sealed, taken)
        assert faults() == []
        past_the_triggers("DELETE FROM ledger_casekey WHERE entry_id = %s", taken)
        assert faults() == fault
        past_the_triggers("DELETE FROM ledger_disclosures WHERE entry_id = %s", taken)
        assert faults() == fault

    def test_details_that_a_notice_says_are_erased_and_that_are_there_are_found(self) -> None:
        """As a restore of both tables from an old copy would leave them."""
        entry_id = an_entry(secrets={"person": "a", "phone": "19900004321"})
        columns = "(entry_id, sealed)"
        copies = [
            (f"INSERT INTO {table} {columns} VALUES (%s, %s)", model.objects.get(pk=entry_id).sealed)
            for table, model in (
                ("ledger_casekey", CaseKey),
                ("ledger_disclosures", Disclosures),
            )
        ]
        position = next(p for p, d in queries.disclosures_of(entry_id).items() if d.field == "phone")
        actions.erase(entry_id, positions=[position], reason="term", basis="x", by=an_actor())
        assert faults() == []
        actions.erase(entry_id, reason="term", basis="x", by=an_actor())
        assert faults() == []
        for sql, sealed in copies:
            past_the_triggers(sql, entry_id, bytes(sealed))
        assert faults() == [f"entry {entry_id}: details are there that the chain says were erased"]
