"""Many passes at once: as good as one by one, and nobody's neighbour can be told by an index."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import IntegrityError, transaction

from lianfang.credentials import actions, queries
from lianfang.credentials.bulk import issue_passes
from lianfang.credentials.errors import LastsTooLong
from lianfang.credentials.models import Pass, Shard
from lianfang.kernel import ids
from lianfang_pass import tokens
from lianfang_pass.keylist import Purpose
from lianfang_pass.keys import PublicKey, private_key_from_seed
from tests.factories.credentials import AT, SHARD, a_draft, by, keys_held

pytestmark = pytest.mark.django_db


def test_they_verify_like_any_other_pass() -> None:
    drafts = [a_draft(member_no=n) for n in range(1, 20)]
    assert issue_passes(drafts, by=by()) == 19
    for draft in drafts:
        read = tokens.read_pass(queries.token(draft.id))
        assert keys_held().signed(read.token, Purpose.PASS, signed_at=read.claims.issued_at)
        assert read.claims.identity == tokens.Identity("5-2-603", draft.member_no, "LXM", 1988)
        assert read.claims.flags == tokens.Flag.PAPER


def test_indexes_are_random_unique_and_leave_half_of_the_shard_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lianfang.credentials.actions._FIRST_SIZE", 1024)
    issue_passes([a_draft() for _ in range(700)], by=by())
    shard = Shard.objects.get(pk=SHARD)
    indexes = list(Pass.objects.order_by("id").values_list("index", flat=True))
    assert shard.used == len(set(indexes)) == 700
    assert shard.size == 2048
    assert max(indexes) < shard.size
    assert 0.4 < sum(a < b for a, b in pairwise(indexes)) / 700 < 0.6
    files = queries.files(SHARD)
    assert files is not None
    assert files.version == 2


def test_the_publisher_has_to_look_only_at_holders_under_order() -> None:
    restricted, free = a_draft(), a_draft()
    issue_passes([restricted, free], suspended={restricted.holder_id}, by=by())
    assert [p.holder_id for p in queries.unsettled()] == [restricted.holder_id]


def test_long_lives_other_shards_and_phones_are_refused() -> None:
    phone = PublicKey.of(private_key_from_seed(b"\x01" * 32)).point()
    with pytest.raises(LastsTooLong):
        issue_passes([a_draft(), a_draft(valid_until=AT + timedelta(days=31, seconds=1))], by=by())
    with pytest.raises(ValueError, match="one shard"):
        issue_passes([a_draft(), a_draft(shard="510402009")], by=by())
    with pytest.raises(ValueError, match="on paper"):
        issue_passes([a_draft(channel="phone", cnf=phone)], by=by())
    assert not Pass.objects.exists()


def test_an_id_used_before_refuses_all() -> None:
    first = a_draft(id=ids.new_id())
    actions.issue_pass(first, by=by())
    with pytest.raises(IntegrityError), transaction.atomic():
        issue_passes([a_draft(), a_draft(id=first.id)], by=by())
    assert Pass.objects.count() == 1
