"""Issuing, revoking, replacing passes; the schema behind them; slips."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from lianfang.credentials import actions, queries
from lianfang.credentials.errors import LastsTooLong, PassAlreadyRevoked, TooManyPhones
from lianfang.credentials.models import IndexStatus, Pass
from lianfang.kernel import ids
from lianfang.kernel.errors import SameIdOtherContent
from lianfang_pass import base45, tokens
from lianfang_pass.keylist import Purpose
from lianfang_pass.keys import PublicKey, private_key_from_seed
from lianfang_pass.numbers import read_pass_number
from tests.factories.credentials import AT, SHARD, a_draft, by, keys_held

pytestmark = pytest.mark.django_db
PHONE = PublicKey.of(private_key_from_seed(b"\x01" * 32)).point()


def test_an_issued_pass_verifies_and_says_what_the_draft_said() -> None:
    draft = a_draft()
    issued = actions.issue_pass(draft, by=by())
    read = tokens.read_pass(base45.from_text(issued.text))
    assert keys_held().signed(read.token, Purpose.PASS, signed_at=read.claims.issued_at)
    assert read.claims.identity == tokens.Identity("5-2-603", 1, "LXM", 1988)
    assert read.claims.index == issued.index
    assert read.claims.list_uri == queries.uri(SHARD)
    assert read.claims.flags == tokens.Flag.PAPER
    assert read_pass_number(issued.pass_no) == issued.pass_no
    assert queries.token(issued.pass_id) == issued.token


def test_the_same_draft_gives_the_same_pass_and_another_is_refused() -> None:
    draft = a_draft()
    first = actions.issue_pass(draft, by=by())
    assert actions.issue_pass(draft, by=by(AT + timedelta(hours=1))) == first
    with pytest.raises(SameIdOtherContent):
        actions.issue_pass(a_draft(id=draft.id), by=by())
    assert Pass.objects.count() == 1


def test_a_pass_lives_at_most_31_days() -> None:
    with pytest.raises(LastsTooLong):
        actions.issue_pass(a_draft(valid_until=AT + timedelta(days=31, seconds=1)), by=by())
    assert not Pass.objects.exists()


def test_a_third_phone_is_refused_and_a_lost_one_makes_room() -> None:
    holder = ids.new_id()
    issued = []
    for n in (1, 2):
        point = PublicKey.of(private_key_from_seed(bytes([n]) * 32)).point()
        issued.append(actions.issue_pass(a_draft(holder_id=holder, channel="phone", cnf=point), by=by()))
    third = PublicKey.of(private_key_from_seed(b"\x03" * 32)).point()
    with pytest.raises(TooManyPhones):
        actions.issue_pass(a_draft(holder_id=holder, channel="phone", cnf=third), by=by())
    actions.revoke_pass(issued[0].pass_id, reason="lost", by=by())
    assert actions.issue_pass(a_draft(holder_id=holder, channel="phone", cnf=third), by=by())


def test_revoking_keeps_the_first_reason() -> None:
    issued = actions.issue_pass(a_draft(), by=by())
    actions.revoke_pass(issued.pass_id, reason="lost", by=by())
    with pytest.raises(PassAlreadyRevoked):
        actions.revoke_pass(issued.pass_id, reason="other", by=by())
    assert queries.pass_by_number(issued.pass_no).revoked_reason == "lost"


def test_a_household_pass_gives_way_to_personal_ones() -> None:
    household = ids.new_id()
    shared = actions.issue_pass(a_draft(holder_id=household, kind="H", member_no=None), by=by())
    members = [a_draft(member_no=n) for n in (1, 2, 3)]
    issued = actions.replace_household_pass(household, members, by=by())
    assert len(issued) == 3
    assert queries.pass_by_number(shared.pass_no).revoked_at == AT
    assert all(p.revoked_at is None for p in queries.passes_of([m.holder_id for m in members]))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("pass_ends_after_it_begins", {"valid_until": AT}),
        ("pass_lives_at_most_31_days", {"valid_until": AT + timedelta(days=31, seconds=1)}),
        ("pass_number_is_ten_digits", {"pass_no": "12345678901"}),
        ("pass_on_a_phone_has_its_key", {"channel": "phone"}),
        ("pass_on_a_phone_has_its_key", {"cnf": PHONE}),
        ("pass_class_is_known", {"kind": "Z"}),
        ("pass_channel_is_known", {"channel": "air"}),
        ("pass_is_revoked_for_a_reason", {"revoked_at": AT}),
    ],
)
def test_the_schema_refuses_past_the_act(name: str, change: dict[str, Any]) -> None:
    issued = actions.issue_pass(a_draft(), by=by())
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Pass.objects.filter(pk=issued.pass_id).update(**change)


def test_an_index_has_one_holder_and_a_suspension_alone_has_an_end() -> None:
    first = actions.issue_pass(a_draft(), by=by())
    second = actions.issue_pass(a_draft(), by=by())
    with pytest.raises(IntegrityError, match="pass_index_has_one_holder"), transaction.atomic():
        Pass.objects.filter(pk=second.pass_id).update(index=first.index)
    with pytest.raises(IntegrityError, match="only_a_suspension_has_an_end"), transaction.atomic():
        IndexStatus.objects.create(shard_id=SHARD, index=1, status=1, until=AT)
    with pytest.raises(IntegrityError, match="status_is_not_valid"), transaction.atomic():
        IndexStatus.objects.create(shard_id=SHARD, index=1, status=0)


@pytest.mark.parametrize("kind", ["R", "L", "O"])
def test_slips_verify_and_begin_when_they_should(kind: str) -> None:
    start, end = AT - timedelta(hours=2), AT + timedelta(days=9)
    lifted = AT if kind == "L" else None
    text = actions.sign_slip(
        actions.SlipFacts(
            kind=kind, order_no="DEMO-1", door="5-2-603", member_no=1, initials="LXM", birth_year=1988,
            start=start, end=end, nbf=lifted,
        ),
        AT,
    )  # fmt: skip
    read = tokens.read_slip(base45.from_text(text))
    assert keys_held().signed(read.token, Purpose.SLIP, signed_at=read.claims.issued_at)
    assert not keys_held().signed(read.token, Purpose.PASS, signed_at=read.claims.issued_at)
    expected = {"R": end, "L": AT, "O": start}[kind]
    assert read.claims.not_before == int(expected.timestamp())


@pytest.mark.django_db(transaction=True)
def test_the_same_draft_five_times_at_once_makes_one_pass() -> None:
    actions.publish(SHARD, [], AT)
    draft = a_draft()
    results: list[object] = []

    def issue() -> None:
        try:
            results.append(actions.issue_pass(draft, by=by()))
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=issue) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Pass.objects.count() == 1
    assert len(set(map(repr, results))) == 1
