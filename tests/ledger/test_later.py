"""A paper says what was so. What came after can be asked by who holds the entry, and by nobody else."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from django.db import connection
from tests.factories.ledger import AT, an_entry

from lianfang.ledger import later, queries, sequencer
from lianfang.ledger.models import Entry
from lianfang_chain.entry import Entry as ChainEntry
from lianfang_chain.policy import Policy
from lianfang_chain.proof import from_qr_text, verify_paper_proof

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(parties: Any) -> Any:
    """An order, an appeal that was won, which names the appeal; a longer order; and another's order with its lift."""
    order = an_entry()
    appeal = an_entry(kind="orders:appeal:raised", prior=order)
    won = an_entry(kind="orders:appeal:won", prior=appeal)
    other = an_entry()
    an_entry(kind="orders:order:lifted", prior=other)
    sequencer.run_once(AT)
    return order, appeal, won, other


def address(entry_id: Any) -> str:
    data = queries.entry_bytes(entry_id)
    return f"/open/chain/later/{ChainEntry.parse(data).leaf.hex()}/{hashlib.sha256(data).hexdigest()}"


def test_who_holds_an_entry_learns_what_named_it_since(case: Any, client: Any) -> None:
    order, appeal, won, _ = case
    waiting = an_entry(kind="orders:order:lifted", prior=order)
    said = json.loads(client.get(address(order)).text)
    assert [one["kind"] for one in said["later"]] == [
        "orders:appeal:raised",
        "orders:appeal:won",
        "orders:order:lifted",
    ]
    # Each comes with its own proof, but for the one that nobody has seen yet.
    policy = Policy.parse(queries.policy_text())
    for one, entry_id in zip(said["later"][:2], (appeal, won), strict=True):
        proved = verify_paper_proof(from_qr_text(one["proof"]), policy)
        assert proved.entry is not None
        assert (proved.quorum, proved.entry.data) == (True, queries.entry_bytes(entry_id))
        assert one["index"] == proved.index
    assert (said["later"][2]["index"], said["later"][2]["proof"]) == (None, None)
    assert said["size"] == Entry.objects.filter(idx__isnull=False).count()
    assert [one.id for one in later.later_than(order)] == [appeal, won, waiting]
    assert later.later_than(won) == []


def test_who_has_the_public_hash_alone_learns_nothing(case: Any, client: Any) -> None:
    order, _, _, other = case
    right, wrong = address(order), address(other)
    assert client.get(right).status_code == 200
    leaf, fingerprint = right.rsplit("/", 2)[1:]
    for guess in ("00" * 32, leaf, wrong.rsplit("/", 1)[1], "zz" * 32, fingerprint[:-2]):
        assert client.get(f"/open/chain/later/{leaf}/{guess}").status_code == 404, guess
    assert client.get(f"/open/chain/later/{'00' * 32}/{fingerprint}").status_code == 404


def test_the_digests_of_the_journal_are_no_answer_to_each_other(parties: Any) -> None:
    first = an_entry(kind="accounts:read_log:batch")
    an_entry(kind="accounts:read_log:batch", prior=first)
    assert later.later_than(first) == []


def test_the_entry_page_names_them(case: Any, client: Any) -> None:
    order, appeal, won, other = case
    page = client.get(f"/open/chain/entry/{order}/").text
    assert f"/open/chain/entry/{appeal}/" in page
    assert f"/open/chain/entry/{won}/" in page
    assert "之后有记录指向它" in page
    assert f"/open/chain/entry/{other}/" not in page
    assert "没有之后的记录指向它" in client.get(f"/open/chain/entry/{won}/").text


def test_entries_are_found_by_the_index_and_not_one_after_the_other(case: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN SELECT id FROM ledger_entry WHERE {later._NAMING}", [[b"\x00" * 32]])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "entry_by_prior" in plan
    assert "Index Cond" in plan  # by the hash itself, not by reading the whole index


def test_the_prior_lies_where_the_index_looks(case: Any) -> None:
    """At every length of what stands before it, with one and without."""
    order = case[0]
    for days in (0, 23, 24, 255, 256, 65_536, 2**40):
        for secrets in ({}, {"person": "x"}, {f"f{n}": "x" for n in range(9)}):
            named = an_entry(terms={"days": days}, secrets=secrets, prior=order)
            free = an_entry(terms={"days": days}, secrets=secrets)
            found = {one.id for one in later.later_than(order)}
            assert named in found
            assert free not in found
            assert later.later_than(named) == []


def test_one_question_is_asked_for_each_step_of_the_case(case: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(4):  # the entry, what names it, what names these two
        later.later_than(case[0])
