"""Publishing status files, rotating and withdrawing keys."""

from __future__ import annotations

import hashlib
import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from lianfang.credentials import actions, chain_rows, queries
from lianfang.credentials.actions import StatusChange
from lianfang.credentials.models import Digest, Key, KeyFile, Pass, Shard
from lianfang.kernel.actor import Grant
from lianfang.kernel.errors import NotAllowed
from lianfang.ledger import queries as ledger
from lianfang.ledger.models import Entry
from lianfang_pass import statuslist, tokens
from lianfang_pass.errors import Rejected
from lianfang_pass.keylist import Purpose, accept_key_list
from lianfang_pass.statuslist import ListStatus, Row
from tests.factories.credentials import AT, SHARD, a_draft, by, keys_held
from tests.factories.ledger import past_the_triggers

pytestmark = pytest.mark.django_db
END = AT + timedelta(days=9, minutes=30)
OPERATOR = frozenset({Grant("config:system:operate", "d510402")})


def held() -> statuslist.ShardState:
    files = queries.files(SHARD)
    assert files is not None
    return statuslist.accept_list(files.whole, files.until, uri=queries.uri(SHARD), keys=keys_held())


def test_a_suspension_reaches_list_until_list_and_delta_alike() -> None:
    actions.publish(SHARD, [], AT)
    before = held()
    actions.publish(SHARD, [StatusChange(4711, ListStatus.SUSPENDED, END)], AT + timedelta(seconds=5))
    whole = held()
    steps = queries.deltas_since(SHARD, before.version, limit=200)
    stepped = statuslist.accept_delta(steps[0][1], keys=keys_held(), held=before)
    for state in (whole, stepped):
        row = state.row(4711)
        # Ends travel in whole hours, rounded down: 04:30 becomes 04:00.
        assert row == Row(ListStatus.SUSPENDED, int((END - timedelta(minutes=30)).timestamp()))
        assert state.row(4712) == Row(ListStatus.VALID, None)
    assert stepped.version == whole.version == before.version + 1


def test_going_back_to_valid_leaves_nothing_behind() -> None:
    actions.publish(SHARD, [StatusChange(5, ListStatus.SUSPENDED, END)], AT)
    actions.publish(SHARD, [StatusChange(5, ListStatus.VALID)], AT)
    assert held().row(5) == Row(ListStatus.VALID, None)
    assert not held().ends


def test_versions_rise_by_one_and_a_list_never_claims_to_be_older_than_the_last() -> None:
    for seconds in (0, 10, -3600, 20):
        actions.publish(SHARD, [], AT + timedelta(seconds=seconds))
    versions = queries.deltas_since(SHARD, 0, limit=200)
    assert [v for v, _ in versions] == [2, 3, 4, 5]
    assert queries.versions()[SHARD] == 5
    assert held().signed_at == int((AT + timedelta(seconds=20)).timestamp())


def test_only_the_deltas_that_can_be_asked_for_are_kept() -> None:
    for n in range(statuslist.MOST_DELTAS + 5):
        actions.publish(SHARD, [], AT + timedelta(seconds=n))
    assert len(queries.deltas_since(SHARD, 0, limit=1000)) == statuslist.MOST_DELTAS


def test_a_shard_that_fills_grows_by_a_delta_as_well() -> None:
    actions.issue_pass(a_draft(), by=by())
    before = held()
    Shard.objects.update(used=32_767)
    actions.issue_pass(a_draft(), by=by())
    step = queries.deltas_since(SHARD, before.version, limit=200)[0][1]
    grown = statuslist.accept_delta(step, keys=keys_held(), held=before)
    assert grown.row(131_071) == Row(ListStatus.VALID, None)
    assert before.row(131_071) is None


def test_private_keys_lie_in_files_that_only_the_owner_reads() -> None:
    actions.issue_pass(a_draft(), by=by())
    folder = Path(settings.LIANFANG_DATA) / "keys" / "credentials"
    files = list(folder.glob("*.key"))
    assert files
    assert all(stat.S_IMODE(os.stat(file).st_mode) == 0o600 for file in files)
    numbers = {bytes.fromhex(file.read_text().strip()) for file in files}
    stored = {bytes(value) for row in Key.objects.all() for value in (row.thumbprint, row.point)}
    assert not any(number in value for number in numbers for value in stored)


def test_keys_follow_each_other_without_a_gap() -> None:
    """For a year, each day: what is signed now is accepted by a device that last synced a week ago."""
    week_old: list[tuple[int, bytes]] = []
    for day in range(100):
        at = AT + timedelta(days=day)
        actions.rotate_keys(at)
        listed = queries.key_list()
        assert listed is not None
        week_old.append(listed)
        root = queries.root_public()
        device = accept_key_list(week_old[max(0, day - 7)][1], root=root, thumbprint=root.thumbprint)
        issued = actions.issue_pass(a_draft(valid_from=at, valid_until=at + timedelta(days=31)), by=by(at))
        read = tokens.read_pass(issued.token)
        assert device.signed(read.token, Purpose.PASS, signed_at=read.claims.issued_at), day
        # And a pass that is about to end is accepted by a device that synced just now.
        if day >= 31:
            oldest = Pass.objects.order_by("issued_at")[day - 31]
            old = tokens.read_pass(queries.token(oldest.pk))
            assert keys_held().signed(old.token, Purpose.PASS, signed_at=old.claims.issued_at), day


def test_a_withdrawn_key_is_withdrawn_for_ever_and_replaced_at_once() -> None:
    issued = actions.issue_pass(a_draft(), by=by())
    key = Key.objects.get(purpose="pass")
    with pytest.raises(NotAllowed):
        actions.withdraw_key(bytes(key.thumbprint), by=by())
    before = keys_held()
    actions.withdraw_key(bytes(key.thumbprint), by=by(grants=OPERATOR))
    read = tokens.read_pass(issued.token)
    assert before.signed(read.token, Purpose.PASS, signed_at=read.claims.issued_at)
    assert not keys_held().signed(read.token, Purpose.PASS, signed_at=read.claims.issued_at)
    fresh = actions.issue_pass(a_draft(), by=by(AT + timedelta(minutes=1)))
    again = tokens.read_pass(fresh.token)
    assert keys_held().signed(again.token, Purpose.PASS, signed_at=again.claims.issued_at)
    # A list from before the withdrawal cannot bring it back.
    listed = queries.key_list()
    assert listed is not None
    root = queries.root_public()
    with pytest.raises(Rejected):
        accept_key_list(
            bytes(KeyFile.objects.order_by("version")[0].data),
            root=root, thumbprint=root.thumbprint, held=keys_held(),
        )  # fmt: skip


def test_an_index_is_free_again_only_long_after_the_end() -> None:
    issued = actions.issue_pass(a_draft(), by=by())
    actions.publish(SHARD, [StatusChange(issued.index, ListStatus.SUSPENDED, END)], AT)
    ended = AT + timedelta(days=31)
    assert actions.purge_passes(ended + timedelta(days=62)) == 0
    assert actions.purge_passes(ended + timedelta(days=62, seconds=1)) == 1
    assert held().row(issued.index) == Row(ListStatus.VALID, None)


def test_the_chain_holds_the_hash_of_each_published_list_once_an_hour() -> None:
    shards = [f"shard{n:02}" for n in range(30)]
    for shard in shards:
        actions.open_shard(shard, AT)

    def note(hours: float) -> int:
        return actions.note_published(by=by(at=AT + timedelta(hours=hours)))

    assert (note(0), note(0.1), note(1)) == (30, 0, 30)
    digests = Digest.objects.filter(shard_id=shards[-1]).order_by("hour")
    files = queries.files(shards[-1])
    assert files is not None
    assert [bytes(d.sha256) for d in digests] == [hashlib.sha256(files.whole).digest()] * 2
    said = ledger.entry_view(digests[0].entry_id)["terms"]
    assert isinstance(said, dict)
    assert said[shards[-1]] == f"1 {bytes(digests[0].sha256).hex()}"
    assert Entry.objects.filter(kind="credentials:status:published").count() == 4  # two for each hour
    assert chain_rows.chain_faults() == []


def test_a_digest_in_the_table_or_in_the_chain_alone_and_a_list_that_was_altered_are_found() -> None:
    """L-5, whatever was done past every act and trigger."""
    for shard in ("shard1", "shard2"):
        actions.open_shard(shard, AT)
    for hours in (0, 1):
        actions.note_published(by=by(at=AT + timedelta(hours=hours)))
    assert chain_rows.chain_faults() == []
    first, _, second = Digest.objects.order_by("pk")[:3]
    kind = "credentials:status:published"
    otherwise = f"{kind}: the chain does not say what the row of entry {{}} says"
    past_the_triggers("UPDATE credentials_digest SET version = 7 WHERE id = %s", first.pk)
    assert chain_rows.chain_faults() == [otherwise.format(first.entry_id)]
    past_the_triggers("DELETE FROM credentials_digest WHERE id = %s", first.pk)  # the other list's is left
    assert chain_rows.chain_faults() == [otherwise.format(first.entry_id)]
    past_the_triggers("DELETE FROM credentials_digest WHERE entry_id = %s", first.entry_id)
    assert chain_rows.chain_faults() == [f"entry {first.entry_id} ({kind}): there is no row of it"]
    past_the_triggers(
        "UPDATE credentials_version SET whole = whole || '\\x00'::bytea WHERE shard = %s", second.shard_id
    )
    assert chain_rows.chain_faults()[1:] == [
        f"list {second.shard_id}, version 1: it is not the one that was published"
    ]
