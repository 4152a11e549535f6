"""Publishing status files, rotating and withdrawing keys."""

from __future__ import annotations

import hashlib
import os
import stat
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

from lianfang.credentials import actions, chain_rows, queries
from lianfang.credentials.actions import StatusChange
from lianfang.credentials.models import Destruction, Digest, Key, KeyFile, Pass, Shard, WorkGrant
from lianfang.kernel.actor import Grant
from lianfang.kernel.clock import legal_day, start_of_legal_day
from lianfang.kernel.errors import NotAllowed
from lianfang.kernel.ids import new_id
from lianfang.ledger import actions as ledger_actions
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


def purge(at: datetime) -> int:
    return actions.purge_passes(by=by(at=at))


def test_an_index_is_free_again_only_long_after_the_end() -> None:
    """62 days, and the rest of the legal day: a day's passes go together."""
    issued = actions.issue_pass(a_draft(), by=by())
    actions.publish(SHARD, [StatusChange(issued.index, ListStatus.SUSPENDED, END)], AT)
    kept = start_of_legal_day(legal_day(AT + timedelta(days=31)) + timedelta(days=1)) + timedelta(days=62)
    assert kept - (AT + timedelta(days=31)) < timedelta(days=63)
    assert purge(kept - timedelta(seconds=1)) == 0
    assert purge(kept) == 1
    assert held().row(issued.index) == Row(ListStatus.VALID, None)


def test_what_was_purged_stands_in_the_chain_as_the_count_of_a_day() -> None:
    holder = new_id()
    day = legal_day(AT + timedelta(days=31))
    for hours in (0, 1, 2):
        actions.issue_pass(
            a_draft(holder_id=new_id(), valid_until=AT + timedelta(days=31, minutes=-hours)), by=by()
        )
    actions.grant_work(
        actions.WorkGrantDraft(
            id=new_id(),
            holder_id=holder,
            kind="W",
            shard=SHARD,
            zones=("m",),
            valid_until=AT + timedelta(days=31),
        ),
        by=by(),
    )
    late = actions.issue_pass(
        a_draft(holder_id=new_id(), valid_from=AT + timedelta(days=2), valid_until=AT + timedelta(days=33)),
        by=by(),
    )
    at = start_of_legal_day(day + timedelta(days=1)) + timedelta(days=62)
    assert [purge(at), purge(at), purge(at + timedelta(hours=20))] == [4, 0, 0]
    [(_, said)] = ledger.terms_of_kind("credentials:passes:destroyed")
    assert said == {"count": 4, "until": str(day + timedelta(days=1)), "reason": "term"}
    assert chain_rows.chain_faults() == []
    assert Pass.objects.get().pk == late.pass_id
    assert not WorkGrant.objects.exists()
    assert purge(at + timedelta(days=2)) == 1
    assert chain_rows.chain_faults() == []
    with pytest.raises(IntegrityError, match="credentials_rows_stay"), transaction.atomic():
        Destruction.objects.update(count=5)


def test_a_purge_in_the_table_or_in_the_chain_alone_is_found() -> None:
    actions.issue_pass(a_draft(), by=by())
    assert purge(AT + timedelta(days=94)) == 1
    kind, made = "credentials:passes:destroyed", Destruction.objects.get()
    past_the_triggers("UPDATE credentials_destruction SET count = 2")
    assert chain_rows.chain_faults() == [
        f"{kind}: the chain does not say what the row of entry {made.entry_id} says"
    ]
    past_the_triggers("DELETE FROM credentials_destruction")
    assert chain_rows.chain_faults() == [f"entry {made.entry_id} ({kind}): there is no row of it"]


def test_a_ledger_fault_keeps_the_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    actions.issue_pass(a_draft(), by=by())

    def broken(**_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(ledger_actions, "append", broken)
    with pytest.raises(ConnectionError):
        purge(AT + timedelta(days=94))
    assert Pass.objects.count() == 1


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
