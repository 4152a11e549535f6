"""The one door into the chain: what an entry says, what it hides, and that its row stays."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from tests.factories.ledger import AT, an_actor, an_entry

from lianfang.kernel import ids
from lianfang.ledger import keys, sealing
from lianfang.ledger.errors import NoSuchEntry, RestoredOlder
from lianfang.ledger.models import CaseKey, Disclosures, Entry, Tree
from lianfang_chain.cbor import NotCanonical
from lianfang_chain.entry import Entry as ChainEntry

pytestmark = pytest.mark.django_db


def chain_entry(entry_id: Any) -> Any:
    return ChainEntry.parse(bytes(Entry.objects.get(pk=entry_id).data))


def test_an_entry_says_what_the_act_said_and_its_organ_signed_it() -> None:
    act_id = ids.new_id()
    entry_id = an_entry(act_id=act_id, terms={"days": 14, "rule": "cov"})
    entry = chain_entry(entry_id)
    entry.verify(keys.organ_signer("cdc").key)
    assert (entry.act.kind, entry.act.act_id, entry.act.organ) == ("orders:isolation:issued", act_id, "cdc")
    assert entry.act.terms == {"days": 14, "rule": "cov"}
    assert entry.act.issued_at == int(AT.timestamp())
    assert entry.act.scope_class == "community"
    assert Entry.objects.get(pk=entry_id).idx is None


def test_the_hour_is_rounded_down_for_orders_on_persons() -> None:
    entry = chain_entry(an_entry(act_id=ids.random_id(), hour=True))
    assert entry.act.issued_at == int(AT.replace(minute=0, second=0).timestamp())


def test_secrets_are_commitments_among_decoys_and_open_only_with_their_salt() -> None:
    entry_id = an_entry(secrets={"person": "罗小明", "door": "3-2-501"})
    row = Entry.objects.get(pk=entry_id)
    entry = chain_entry(entry_id)
    assert len(entry.act.commitments) == 4
    sealed = bytes(Disclosures.objects.get(pk=entry_id).sealed)
    for hidden in ("罗小明", "3-2-501", "officer-7"):
        assert hidden.encode() not in bytes(row.data)
        assert hidden.encode() not in sealed
    opened = sealing.open_sealed(entry_id, bytes(CaseKey.objects.get(pk=entry_id).sealed), sealed)
    assert opened.pop(-1).commitment == entry.act.officer
    assert {d.field: d.value for d in opened.values()} == {"person": "罗小明", "door": "3-2-501"}
    assert all(entry.act.commitments[position] == d.commitment for position, d in opened.items())


def test_two_entries_about_one_person_share_no_commitment() -> None:
    first, second = (chain_entry(an_entry(secrets={"person": "x"})) for _ in range(2))
    assert not set(first.act.commitments) & set(second.act.commitments)
    assert first.act.officer != second.act.officer


def test_a_later_entry_names_the_earlier_by_its_leaf_hash() -> None:
    first = an_entry()
    second = an_entry(kind="orders:order:lifted", prior=first)
    assert chain_entry(second).act.prior == bytes(Entry.objects.get(pk=first).leaf_hash)
    with pytest.raises(NoSuchEntry):
        an_entry(prior=ids.new_id())


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": "d510402.s510402002.c001.m1.b2.w1.h501"},
        {"scope": ""},
        {"kind": "Order"},
        {"basis": ""},
        {"terms": {"x": 1.5}},
        {"terms": {"x": "y" * 5_000}},
        {"organ": "../log"},
    ],
)
def test_what_may_not_stand_in_the_chain_is_refused_and_leaves_nothing(changes: Any) -> None:
    with pytest.raises((NotCanonical, ValueError)):
        an_entry(**changes)
    assert not Entry.objects.exists()
    assert not Disclosures.objects.exists()


@pytest.mark.parametrize("act_id", [ids.new_id(), UUID("c232ab00-9414-11ec-b3c8-9f6bdeced846"), UUID(int=7)])
def test_an_id_that_says_when_is_refused_where_only_the_hour_is_told(act_id: UUID) -> None:
    with pytest.raises(NotCanonical):
        an_entry(act_id=act_id, hour=True)
    assert not Entry.objects.exists()
    an_entry(act_id=act_id)


def test_text_is_brought_to_normal_form_before_it_is_signed() -> None:
    assert chain_entry(an_entry(terms={"place": "Cafe\u0301"})).act.terms == {"place": "Caf\u00e9"}


def test_a_restored_older_database_takes_no_restriction_but_still_frees() -> None:
    Tree.objects.create(suspended="witness residents holds 12")
    with pytest.raises(RestoredOlder):
        an_entry()
    assert not Entry.objects.exists()
    an_entry(kind="orders:order:lifted")
    assert Entry.objects.count() == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET kind = 'orders:order:lifted'",
        "UPDATE ledger_entry SET idx = 0, appended_at = appended_at + interval '1 hour'",
        "UPDATE ledger_entry SET data = data || '\\x00', leaf_hash = sha256('\\x00'::bytea || data || '\\x00')",
        "DELETE FROM ledger_entry",
        "INSERT INTO ledger_entry SELECT gen_random_uuid(), data || '\\x00', leaf_hash, kind, act_id, organ, scope,"
        " appended_at, NULL FROM ledger_entry",
        "UPDATE ledger_disclosures SET sealed = '\\x00'",
        "DELETE FROM ledger_disclosures",
        "DELETE FROM ledger_casekey",
        "SELECT set_config('lf.erasing', gen_random_uuid()::text, true); DELETE FROM ledger_disclosures",
    ],
)
def test_the_schema_refuses_what_goes_past_the_act(statement: Any) -> None:
    an_entry()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_an_index_is_given_once() -> None:
    entry_id = an_entry()
    Entry.objects.filter(pk=entry_id).update(idx=0)
    for value in (1, None):
        with pytest.raises(DatabaseError), transaction.atomic():
            Entry.objects.filter(pk=entry_id).update(idx=value)


def test_key_files_are_private_and_stay_the_same(settings: Any, tmp_path: Path) -> None:
    settings.LIANFANG_DATA = tmp_path
    key = keys.organ_signer("cdc-1").key
    file = tmp_path / "keys" / "organs" / "cdc-1.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [f.name for f in file.parent.iterdir()] == ["cdc-1.key"]
    keys._signer.cache_clear()
    assert keys.organ_signer("cdc-1").key == key


def test_the_actor_appears_under_a_pseudonym_only() -> None:
    by = an_actor()
    data = bytes(Entry.objects.get(pk=an_entry(by=by)).data)
    assert by.pseudonym.encode() not in data
    assert by.user_id.bytes not in data
