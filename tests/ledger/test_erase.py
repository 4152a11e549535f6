"""Erasure: values, salts and key go, the tree and a notice stay, and nothing can be guessed afterwards."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from tests.factories.ledger import AT, an_actor, an_entry

from lianfang.kernel import ids
from lianfang.ledger import actions, fsck, queries, sealing, sequencer
from lianfang.ledger.errors import NoSuchEntry, NothingToErase
from lianfang.ledger.models import CaseKey, Disclosures, Entry
from lianfang_chain.disclosure import Disclosure as Opened
from lianfang_chain.entry import Entry as ChainEntry

pytestmark = pytest.mark.django_db
PHONES = [f"1990000{n:04}" for n in range(10_000)]


def erase(entry_id: Any, **changes: Any) -> Any:
    return actions.erase(
        entry_id, **{"reason": "term over", "basis": "个人信息保护法第四十七条", "by": an_actor(), **changes}
    )


def case_key(entry_id: Any) -> bytes:
    return bytes(CaseKey.objects.get(pk=entry_id).sealed)


def opened_with(key: bytes, entry_id: Any) -> dict[int, Opened]:
    return sealing.open_sealed(entry_id, key, bytes(Disclosures.objects.get(pk=entry_id).sealed))


def guessed(data: Any, salt: Any) -> Any:
    """Which of all test phones the entry commits to, for somebody who knows or guesses the salt."""
    commitments = set(ChainEntry.parse(bytes(data)).act.commitments)
    return [p for p in PHONES if Opened(salt, "phone", p).commitment in commitments]


def test_an_erased_value_cannot_be_guessed_and_before_it_could_with_the_salt() -> None:
    entry_id = an_entry(secrets={"phone": "19900004321"})
    row = Entry.objects.get(pk=entry_id)
    salt = next(d.salt for d in opened_with(case_key(entry_id), entry_id).values() if d.field == "phone")
    assert guessed(row.data, salt) == ["19900004321"]  # so the list below is one that would find it

    erase(entry_id)
    assert guessed(row.data, hashlib.sha256(b"wrong").digest()[:16]) == []
    with connection.cursor() as cursor:
        for table in ("ledger_entry", "ledger_disclosures", "ledger_casekey"):
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", [f"%{salt.hex()}%"])
            assert cursor.fetchone() == (0,)


def test_a_case_whose_id_said_when_is_erased_and_its_notice_says_the_same_id() -> None:
    """Ids of before were of version 7; what is new is refused, what stands there can go."""
    entry_id = an_entry(act_id=(act_id := ids.new_id()))
    notice = ChainEntry.parse(bytes(Entry.objects.get(pk=erase(entry_id)).data)).act
    assert notice.act_id == act_id
    assert notice.issued_at % 3_600 == 0
    assert queries.erasures_of([entry_id])


def test_the_entry_stays_and_a_notice_follows_it() -> None:
    entry_id = an_entry()
    before = bytes(Entry.objects.get(pk=entry_id).data)
    notice = ChainEntry.parse(bytes(Entry.objects.get(pk=erase(entry_id)).data))
    assert bytes(Entry.objects.get(pk=entry_id).data) == before
    assert notice.act.kind == "ledger:disclosures:erased"
    assert notice.act.prior == bytes(Entry.objects.get(pk=entry_id).leaf_hash)
    assert not Disclosures.objects.filter(pk=entry_id).exists()
    assert not CaseKey.objects.filter(pk=entry_id).exists()


def test_what_is_kept_is_sealed_anew_so_the_old_key_opens_nothing() -> None:
    entry_id = an_entry(secrets={"person": "a", "phone": "19900004321"})
    old_key = case_key(entry_id)
    position = next(p for p, d in opened_with(old_key, entry_id).items() if d.field == "phone")
    erase(entry_id, positions=[position])
    left = opened_with(case_key(entry_id), entry_id)
    assert sorted(d.field for d in left.values()) == ["officer", "person"]
    assert position not in left
    assert opened_with(old_key, entry_id) == {}


def test_nothing_is_erased_twice_and_nothing_that_is_not_there() -> None:
    entry_id = an_entry()
    erase(entry_id)
    with pytest.raises(NothingToErase):
        erase(entry_id)
    with pytest.raises(NoSuchEntry):
        erase(an_actor().user_id)
    assert Entry.objects.count() == 2


def everything_kept(folder: Path) -> list[bytes]:
    """Every row of every table as text, bytes written as hex, and every file of the data folder but the keys."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'"
        )
        tables = [name for (name,) in cursor.fetchall()]
        kept = []
        for table in tables:
            cursor.execute(f"SELECT t::text FROM {table} t")
            kept += [row.encode() for (row,) in cursor.fetchall()]
    return kept + [f.read_bytes() for f in folder.rglob("*") if f.is_file() and "keys" not in f.parts]


def test_no_marker_of_the_person_is_left_in_tables_files_logs_or_what_is_handed_out(
    parties: Any, chain: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Before the erasure the same search finds it, in what is handed out; afterwards it is nowhere (D-2, L-3)."""
    caplog.set_level("DEBUG")
    marker = hashlib.sha256(b"marker").hexdigest()[:20]
    entry_id = an_entry(secrets={"phone": marker, "person": marker + "p"})
    sequencer.run_once(AT)
    salts = [d.salt for d in queries.disclosures_of(entry_id).values()]
    before = queries.proof(entry_id, ("phone", "person"))
    assert marker.encode() in before
    wanted = [marker.encode(), marker.encode().hex().encode(), *salts, *(s.hex().encode() for s in salts)]
    sealed = [bytes(Disclosures.objects.get(pk=entry_id).sealed), case_key(entry_id)]
    traces = [*sealed, *(s.hex().encode() for s in sealed)]
    # The search is one that finds: what was sealed is in the tables until it is erased.
    assert any(trace in kept for trace in traces for kept in everything_kept(chain))

    erase(entry_id)
    sequencer.run_once(AT)
    handed_out = [
        queries.proof(entry_id, ("phone", "person")),
        queries.tlog_proof(entry_id),
        queries.entry_bytes(entry_id),
        json.dumps(queries.entry_view(entry_id)).encode(),
        caplog.text.encode(),
    ]
    for kept in [*everything_kept(chain), *handed_out]:
        for trace in [*wanted, *traces]:
            assert trace not in kept, trace
    assert fsck.check().sound
    # The paper that the person kept still proves it: intended, and theirs to destroy.
    assert marker in {d.value for d in queries.proved(before).disclosed}
