"""The front: enrolment, lists by long poll, passages exactly once with receipts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from lianfang.accounts.rights import Right, Role
from lianfang.config.islands import WEB
from lianfang.credentials import actions as credentials
from lianfang.credentials.actions import StatusChange
from lianfang.gates import actions, front, jobs, policy, queries
from lianfang.gates.chain_rows import chain_faults
from lianfang.gates.labels import OVERRIDE_WORDS
from lianfang.gates.models import Backlog, Conflict, Contact, Device, Gate, HourCount, OverrideCount
from lianfang.kernel import clock, ids
from lianfang.kernel.actor import Grant
from lianfang.kernel.clock import legal_day
from lianfang.ledger import queries as ledger
from lianfang_pass.errors import Rejected
from lianfang_pass.passages import Batch, accept_withdrawal, decode_batch
from lianfang_pass.statuslist import ListStatus, Row
from lianfang_pass.verdict import Verdict
from tests.factories.accounts import client_for
from tests.factories.credentials import HOME, SHARD, a_draft, by

from .asgi import FakeDevice, Trouble, request

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_passages")]
OTHER_DEVICE = UUID(int=77)
AREA = "d510402.s510402003.c510402003001.m1k"
NOW = clock.now()


def officer(at: datetime = NOW) -> Any:
    rights = (Right.GATES_DEVICE_ENROL, Right.GATES_BACKLOG_ENTER, Right.GATES_POST_SEE)
    return by(at, grants=frozenset(Grant(right, "d510402") for right in rights))


def a_gate() -> Gate:
    credentials.rotate_keys(NOW - timedelta(days=1))
    credentials.publish(SHARD, [], NOW)
    jobs.ensure_partitions(NOW)
    draft = actions.GateDraft(
        id=ids.new_id(),
        name="北门",
        kind="compound",
        area=AREA,
        shards=(SHARD,),
        zones=(HOME,),
        phone="0812-1990000",
    )
    return actions.set_up_gate(draft, by=officer())


def run(story: Callable[[], Awaitable[Any]]) -> Any:
    """Run a story against the front on a loop of its own, and stop the front afterwards."""

    async def whole() -> Any:
        try:
            return await story()
        finally:
            await front.state.stop()

    return asyncio.run(whole())


def enrolled(gate: Gate, seed: bytes = b"\x07" * 32) -> Callable[[], Awaitable[FakeDevice]]:
    offer = actions.open_enrolment(gate.pk, by=officer())

    async def enrol() -> FakeDevice:
        device = FakeDevice(seed)
        assert (await device.enrol(offer.code, offer.thumbprint)).status == 201
        return device

    return enrol


def stored() -> list[tuple[UUID, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT device, seq FROM gates_passage ORDER BY device, seq")
        return list(cursor.fetchall())


def test_a_device_of_a_road_gets_the_list_of_a_street_whose_first_pass_came_after_it_was_enrolled() -> None:
    gate = a_gate()
    Gate.objects.filter(pk=gate.pk).update(kind="road", zones=[])
    enrol = enrolled(gate)
    later = "510402009"

    def first_pass() -> None:
        try:
            credentials.publish(later, [], NOW)
            jobs.widen_lists()
        finally:
            connection.close()

    async def story() -> None:
        device = await enrol()
        before = await device.get(f"/api/v1/gates/{gate.pk}/post")
        assert before.value()[6] == [f"lf:s/{SHARD}"]
        assert (await device.get(f"/s/{later}")).status == 404
        await asyncio.to_thread(first_pass)
        await asyncio.sleep(1.5)
        after = await device.get(f"/api/v1/gates/{gate.pk}/post")
        assert after.value()[6] == [f"lf:s/{SHARD}", f"lf:s/{later}"]
        assert (await device.get(f"/s/{later}")).status == 200

    run(story)


# --- enrolment -------------------------------------------------------------------------------------------


def test_a_device_enrols_once_and_may_repeat_itself() -> None:
    gate = a_gate()
    offer = actions.open_enrolment(gate.pk, by=officer())

    async def story() -> None:
        first, other = FakeDevice(b"\x07" * 32), FakeDevice(b"\x08" * 32)
        one = await first.enrol(offer.code, offer.thumbprint)
        again = await first.enrol(offer.code, offer.thumbprint)
        assert (one.status, again.status) == (201, 201)
        assert one.value()[2] == again.value()[2]
        assert one.value()[5] == [HOME]
        assert (await other.enrol(offer.code, offer.thumbprint)).status == 409
        assert (await other.enrol(b"\x00" * 16, offer.thumbprint)).status == 403

    run(story)
    assert Device.objects.count() == 1


def test_a_code_dies_after_15_minutes() -> None:
    gate = a_gate()
    offer = actions.open_enrolment(gate.pk, by=officer(NOW - timedelta(minutes=15, seconds=1)))

    async def story() -> None:
        assert (await FakeDevice(b"\x07" * 32).enrol(offer.code, offer.thumbprint)).status == 403

    run(story)


# --- lists -----------------------------------------------------------------------------------------------


def test_only_enrolled_devices_get_the_lists_of_their_own_gate() -> None:
    enrol = enrolled(a_gate())
    credentials.publish("510402009", [], NOW)

    async def story() -> None:
        device = await enrol()
        assert (await device.get(f"/s/{SHARD}")).status == 200
        assert (await device.get("/s/510402009")).status == 404
        assert (await request("GET", f"/s/{SHARD}")).status == 401
        forged = device.headers()
        device.seed = b"\x09" * 32
        assert (await device.get(f"/s/{SHARD}")).status == 401
        assert forged != device.headers()
        assert (await request("GET", "/keys")).status == 200

    run(story)


def test_a_clock_that_is_off_is_told_the_time_and_then_served() -> None:
    enrol = enrolled(a_gate())

    async def story() -> None:
        device = await enrol()
        for wrong in (-400 * 86_400, 301, 3600):
            device.offset = wrong
            refused = await device.get(f"/s/{SHARD}")
            assert refused.status == 401
            assert refused.value()[1] == "time"
            now = int(clock.now().timestamp())
            device.offset = device.server_time(refused) - now
            assert (await device.get(f"/s/{SHARD}")).status == 200

    run(story)


def test_a_change_reaches_a_waiting_gate_at_once_by_delta() -> None:
    enrol = enrolled(a_gate())
    end = NOW + timedelta(days=3)

    async def story() -> float:
        device = await enrol()
        before = await device.sync()
        waiting = asyncio.create_task(device.sync(wait=20))
        await asyncio.sleep(0.3)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.to_thread(publish)
        after = await asyncio.wait_for(waiting, 10)
        took = loop.time() - began
        assert after.version == before.version + 1
        row = after.row(4711)
        assert row is not None
        assert row.status is ListStatus.SUSPENDED
        assert row.end is not None
        assert 0 <= int(end.timestamp()) - row.end < 3600
        return took

    def publish() -> None:
        try:
            credentials.publish(SHARD, [StatusChange(4711, ListStatus.SUSPENDED, end)], NOW)
        finally:
            connection.close()

    assert run(story) < 1


def test_a_gate_that_was_long_away_takes_the_whole_list() -> None:
    enrol = enrolled(a_gate())
    for _ in range(205):
        credentials.publish(SHARD, [StatusChange(9, ListStatus.INVALID)], NOW)

    async def story() -> None:
        device = await enrol()
        answer = await device.get(f"/s/{SHARD}/d", query="v=1&wait=0")
        assert answer.status == 410
        assert (await device.get(f"/s/{SHARD}/d", query="v=999999")).status == 304
        assert (await device.get(f"/s/{SHARD}/d", query="v=x")).status == 400
        assert (await device.sync()).row(9) == Row(ListStatus.INVALID, None)
        assert (await device.get(f"/s/{SHARD}/d", query=f"v={device.held.version}")).status == 304  # type: ignore[union-attr]  # synced above

    run(story)


def test_the_compound_store_holds_the_own_compound_only() -> None:
    gate = a_gate()
    mine = credentials.issue_pass(a_draft(valid_from=NOW, valid_until=NOW + timedelta(days=31)), by=by(NOW))
    credentials.issue_pass(
        a_draft(zones=("m2",), valid_from=NOW, valid_until=NOW + timedelta(days=31)), by=by(NOW)
    )
    enrol = enrolled(gate)

    async def story() -> None:
        device = await enrol()
        rows = (await device.get(f"/api/v1/gates/{gate.pk}/compound")).value()[2]
        assert [row[0] for row in rows] == [mine.pass_no]
        assert rows[0][4:] == ["5-2-603", 1, "LXM", 1988]
        assert (await device.get(f"/api/v1/gates/{ids.new_id()}/compound")).status == 404

    run(story)


# --- passages --------------------------------------------------------------------------------------------


def test_a_batch_is_stored_once_and_the_receipt_covers_it() -> None:
    enrol = enrolled(a_gate())

    async def story() -> FakeDevice:
        device = await enrol()
        batch = device.batch(1, [device.row(seq) for seq in range(1, 6)])
        answers = [await device.upload(batch) for _ in range(3)]
        assert [a.status for a in answers] == [201] * 3
        assert all(device.receipt(a).covers(batch) for a in answers)
        assert not device.receipt(answers[0]).covers(device.batch(1, list(batch.rows[:4])))
        return device

    device = run(story)
    assert stored() == [(device.id, seq) for seq in range(1, 6)]
    contact = Contact.objects.get()
    assert (contact.highest_seq, contact.stored) == (5, 5)


def test_the_same_number_with_other_bytes_is_kept_and_raised_and_the_rest_is_stored() -> None:
    enrol = enrolled(a_gate())

    async def story() -> FakeDevice:
        device = await enrol()
        await device.upload(device.batch(1, [device.row(1), device.row(2)]))
        device.seed = device.seed  # the same device; only the content differs
        other = device.batch(2, [device.row(2, reason="LIST_OLD"), device.row(3)])
        answer = await device.upload(other)
        assert answer.status == 409
        assert answer.value()[3] == [2]
        with pytest.raises(Rejected):
            device.receipt(answer)
        return device

    device = run(story)
    assert stored() == [(device.id, 1), (device.id, 2), (device.id, 3)]
    assert [(c.seq, bytes(c.sealed) != b"") for c in Conflict.objects.all()] == [(2, True)]


def test_identical_batches_at_once_are_stored_once() -> None:
    enrol = enrolled(a_gate())

    async def story() -> FakeDevice:
        device = await enrol()
        for start in range(1, 50, 5):
            batch = device.batch(start, [device.row(seq) for seq in range(start, start + 5)])
            answers = await asyncio.gather(*(device.upload(batch) for _ in range(5)))
            assert all(device.receipt(a).covers(batch) for a in answers)
        return device

    device = run(story)
    assert stored() == [(device.id, seq) for seq in range(1, 51)]
    assert Contact.objects.get().stored == 50


def test_batches_cut_otherwise_than_before_fill_what_was_free_between() -> None:
    """A device that was started anew cuts its unsent rows otherwise; another request may run beside it."""
    enrol = enrolled(a_gate())

    async def story() -> FakeDevice:
        device = await enrol()

        def batch(first: int, last: int) -> Batch:
            return device.batch(first, [device.row(seq) for seq in range(first, last + 1)])

        for cut in (batch(3, 4), batch(7, 8), batch(1, 10), batch(4, 7), batch(9, 12)):
            assert device.receipt(await device.upload(cut)).covers(cut)
        for begin in range(20, 100, 10):
            at_once = [batch(begin, begin + 5), batch(begin + 3, begin + 9), batch(begin + 1, begin + 2)]
            answers = await asyncio.gather(*(device.upload(cut) for cut in at_once))
            assert all(device.receipt(a).covers(cut) for a, cut in zip(answers, at_once, strict=True))
        return device

    device = run(story)
    assert stored() == [(device.id, seq) for seq in (*range(1, 13), *range(20, 100))]
    contact = Contact.objects.get()
    assert (contact.highest_seq, contact.stored) == (99, 92)
    while jobs.tally():
        pass
    assert sum(hour.passages for hour in HourCount.objects.all()) == 92


def test_a_cut_body_and_a_body_of_something_else_change_nothing() -> None:
    enrol = enrolled(a_gate())

    async def story() -> None:
        device = await enrol()
        batch = device.batch(1, [device.row(1)])
        assert (await device.upload(batch, trouble=Trouble.CUT)).status == 400
        path = f"/api/v1/gates/{device.gate}/passages"
        for body, status in ((b"", 400), (b"<html>", 400), (b"\xa0", 400), (b"x" * 70_000, 413)):
            answer = await request("POST", path, headers=device.headers(), body=body)
            assert answer.status == status
        stranger = device.batch(1, [device.row(1)])
        answer = await request("POST", path, headers=device.headers(), body=_with_device(stranger, bytes(16)))
        assert answer.status == 400
        assert (await request("POST", path, body=b"")).status == 401

    run(story)
    assert stored() == []


def _with_device(batch: Any, device: bytes) -> bytes:
    from lianfang_pass.passages import encode_batch

    body = encode_batch(Batch(device, batch.from_seq, batch.rows))
    assert decode_batch(body).device == device
    return body


def test_a_record_made_while_entitled_is_stored_after_the_device_was_withdrawn() -> None:
    gate = a_gate()
    enrol = enrolled(gate)

    def withdraw(device: UUID) -> None:
        try:
            actions.withdraw_device(device, reason="lost", by=officer())
        finally:
            connection.close()

    async def story() -> FakeDevice:
        device = await enrol()
        batch = device.batch(1, [device.row(1)])
        assert device.id is not None
        await asyncio.to_thread(withdraw, device.id)
        await asyncio.sleep(1.5)
        told = await device.get(f"/s/{SHARD}")
        assert told.status == 401
        # Signed, of this device: on no other word does it delete what it holds.
        assert device.keys is not None
        assert accept_withdrawal(told.value()[3], device=device.id.bytes, keys=device.keys)
        answer = await device.upload(batch)
        assert device.receipt(answer).covers(batch)
        return device

    device = run(story)
    assert stored() == [(device.id, 1)]


def test_hours_are_counted_from_the_sealed_rows_once() -> None:
    enrol = enrolled(a_gate())
    at = int(NOW.timestamp()) - 60

    async def story() -> None:
        device = await enrol()
        rows = [
            device.row(1, at=at, inward=True),
            device.row(2, at=at, inward=True, verdict=Verdict.CALL, reason="NO_PASS", override="medicine"),
            device.row(3, at=at, inward=True),
        ]
        batch = device.batch(1, rows)
        await device.upload(batch)
        await device.upload(batch)

    run(story)
    assert jobs.tally() == 1
    assert jobs.tally() == 0
    counted = {(h.verdict, h.reason): (h.passages, h.overrides) for h in HourCount.objects.all()}
    assert counted == {("ALLOW", "OK"): (2, 0), ("CALL", "NO_PASS"): (1, 1)}


def test_the_word_of_a_life_exit_is_no_override() -> None:
    enrol = enrolled(a_gate())
    life = {"verdict": Verdict.ALLOW_REG, "reason": "LIFE_EXIT", "proof": "none", "cti": None}

    async def story() -> None:
        device = await enrol()
        rows = [device.row(1, override="fire", **life), device.row(2, override=None, **life)]
        rows.append(device.row(3, verdict=Verdict.CALL, reason="NO_PASS", override="fire"))
        await device.upload(device.batch(1, rows))

    run(story)
    jobs.tally()
    counted = {(h.reason): (h.passages, h.overrides) for h in HourCount.objects.filter(inward=True)}
    assert counted == {"LIFE_EXIT": (1, 0), "NO_PASS": (1, 1)}
    assert sum(h.overrides for h in HourCount.objects.all()) == 1


def test_a_day_is_forgotten_by_dropping_its_partition() -> None:
    enrol = enrolled(a_gate())

    async def story() -> None:
        device = await enrol()
        await device.upload(device.batch(1, [device.row(1)]))

    run(story)
    jobs.tally()
    today = f"gates_passage_{legal_day(NOW):%Y%m%d}"
    assert today not in jobs.drop_old(NOW + timedelta(days=21))
    assert stored()
    before = len(list(ledger.terms_of_kind("gates:passages:destroyed")))
    dropped = jobs.drop_old(NOW + timedelta(days=23))
    assert today in dropped
    assert not stored()
    assert jobs.drop_old(NOW + timedelta(days=23)) == []
    [(_, said)] = list(ledger.terms_of_kind("gates:passages:destroyed"))[before:]
    assert chain_faults() == []
    assert said == {"count": len(dropped), "until": f"{legal_day(NOW + timedelta(days=2))}", "reason": "term"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM gates_passage_key")
        assert cursor.fetchone() == (0,)
    assert HourCount.objects.count() == 1
    jobs.ensure_partitions(NOW)


def test_what_lies_in_the_partition_of_other_days_is_forgotten_too_and_only_that() -> None:
    """No partition was made for these days; the younger row stays as it was received."""
    rows = {1: NOW - timedelta(days=300), 2: NOW - timedelta(days=290)}
    with connection.cursor() as cursor:
        for seq, at in rows.items():
            cursor.execute(
                "INSERT INTO gates_passage (device, seq, gate, received_at, sealed)"
                " VALUES (%s, %s, %s, %s, 'sealed')",
                [OTHER_DEVICE, seq, OTHER_DEVICE, at],
            )
            cursor.execute("INSERT INTO gates_passage_key VALUES (%s, int8range(%s, %s, '[]'), %s)",
                           [OTHER_DEVICE, seq, seq, at])  # fmt: skip
    jobs.drop_old(rows[1] + timedelta(days=21))
    assert stored() == [(OTHER_DEVICE, 1), (OTHER_DEVICE, 2)]
    jobs.drop_old(rows[1] + timedelta(days=23))
    assert stored() == [(OTHER_DEVICE, 2)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT lower(seqs) FROM gates_passage_key")
        assert cursor.fetchall() == [(2,)]
        cursor.execute("SELECT sealed FROM gates_passage_other")
        assert [bytes(sealed) for (sealed,) in cursor.fetchall()] == [b"sealed"]
    jobs.drop_old(rows[2] + timedelta(days=23))
    assert stored() == []
    jobs.ensure_partitions(NOW)


def test_lines_of_paper_and_explained_conflicts_are_forgotten_with_their_passages() -> None:
    gate = a_gate()
    device = Device.objects.create(id=ids.new_id(), gate=gate, point=b"\x04" * 65, enrolled_at=NOW)
    old, young = NOW - timedelta(days=22), NOW - timedelta(days=20)

    def a_line(passed_at: datetime, **more: Any) -> Backlog:
        values = {"inward": True, "verdict": "ALLOW", "door": "5-2-603", "birth_year": 1939} | more
        return Backlog.objects.create(
            id=ids.new_id(), gate=gate, passed_at=passed_at, entered_at=NOW, entered_by=ids.new_id(), **values
        )

    first = a_line(old)
    second = a_line(old, corrects=first)
    kept = a_line(young, corrects=second)
    for seq, at, explained in ((1, old, "x"), (2, old, ""), (3, young, "x")):
        Conflict.objects.create(
            device=device, seq=seq, row_hash=b"h", sealed=b"s", received_at=at, explained=explained
        )
    assert [row.pk for row in queries.backlog_of(gate.pk, at=NOW)] == [kept.pk]
    jobs.keep(NOW)
    assert [(row.pk, row.corrects_id) for row in Backlog.objects.all()] == [(kept.pk, None)]
    assert sorted(Conflict.objects.values_list("seq", flat=True)) == [2, 3]


def test_what_was_received_stays_as_received() -> None:
    enrol = enrolled(a_gate())

    async def story() -> None:
        device = await enrol()
        await device.upload(device.batch(1, [device.row(1)]))

    run(story)
    for statement in (
        "UPDATE gates_passage SET sealed = 'x'",
        "DELETE FROM gates_passage",
        "UPDATE gates_passage_key SET received_at = now()",
    ):
        with (
            pytest.raises(IntegrityError, match="stays_as_received"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_a_device_says_how_far_it_has_written_and_what_it_did_not_send_is_known() -> None:
    """It dies with its last rows: without its word nothing would be missing, as no later row shows the gap."""
    gate = a_gate()
    enrol = enrolled(gate)

    def post(at: datetime = NOW) -> tuple[int, int]:
        found = queries.posts(by=officer(at))[0]
        return found.unsent, found.missing

    async def story() -> FakeDevice:
        device = await enrol()
        rows = [device.row(seq) for seq in range(1, 10)]
        await device.upload(device.batch(1, rows[:5]))
        for last in ("9", "7", None):  # an older client, or another process of ours, says less or nothing
            said = f"&last={last}" if last else ""
            assert (await device.get(f"/s/{SHARD}/d", query=f"v=99&wait=0{said}")).status == 304
        for bad in ("", "-1", "+9", "09", "9.0", "٩", "1" + "0" * 15, "9&last=9"):
            answer = await device.get(f"/s/{SHARD}/d", query=f"v=99&wait=0&last={bad}")
            assert answer.status == 400, bad
        return device

    device = run(story)
    assert Contact.objects.get(device_id=device.id).last_seq == 9
    assert post() == (4, 0)
    assert device.id is not None
    actions.withdraw_device(device.id, reason="lost", by=officer())
    assert post() == (0, 4)
    actions.explain_missing(device.id, why="屏幕损坏", by=officer())
    assert post() == (0, 0)

    async def found_again() -> None:
        await device.upload(device.batch(6, [device.row(seq) for seq in (6, 7)]))

    run(found_again)
    view = queries.devices_of(gate.pk, at=NOW)[0]
    assert (view.missing, view.missing_explained) == (2, "屏幕损坏")


def test_command_sees_when_a_post_was_last_heard_of_and_whether_its_list_is_new() -> None:
    enrol = enrolled(a_gate())

    async def story() -> FakeDevice:
        device = await enrol()
        await device.sync()
        assert await device.sync()  # with the newest version in hand
        return device

    device = run(story)  # stopping the front writes down what it remembers
    contact = Contact.objects.get(device_id=device.id)
    assert device.held is not None
    assert contact.list_version == device.held.version
    assert contact.list_at is not None
    assert contact.last_at >= NOW


def test_what_guards_decided_otherwise_is_counted_by_reason_and_guard_and_of_nobody_who_passed() -> None:
    enrol = enrolled(a_gate())
    call = {"verdict": Verdict.CALL, "reason": "NO_PASS", "guard": "G-07"}

    async def story() -> None:
        device = await enrol()
        rows = [
            device.row(1, override="就医取药", **call),
            device.row(2, override="就医取药", **call),
            device.row(3, override="罗小娟 5-2-603", **call),  # a word that no gate offers may name somebody
            device.row(4, verdict=Verdict.ALLOW_REG, reason="PASS_INVALID", override="未放行", guard="G-08"),
            device.row(
                5, verdict=Verdict.ALLOW_REG, reason="LIFE_EXIT", proof="none", cti=None, override="火灾"
            ),
            device.row(6, **call),
        ]
        batch = device.batch(1, rows)
        await device.upload(batch)
        await device.upload(batch)

    run(story)
    assert (jobs.tally(), jobs.tally()) == (1, 0)
    counted = OverrideCount.objects.values_list("verdict", "word", "guard", "passages")
    assert sorted(counted) == [
        ("ALLOW_REG", "未放行", "G-08", 1),
        ("CALL", "其他", "G-07", 1),
        ("CALL", "就医取药", "G-07", 2),
    ]
    page = reverse("gates:post", args=[Gate.objects.get().pk])
    seen = client_for(Role.COMMUNITY, AREA.rpartition(".")[0]).get(page).content.decode()
    for word in ("G-07", "就医取药", "登记放行的没有放行", "其他原因"):
        assert word in seen
    # A guard and the property company see no colleague's counts.
    for role in (Role.GUARD, Role.PROPERTY):
        assert "G-07" not in client_for(role, AREA).get(page).content.decode()
    jobs.drop_old_lines(NOW + timedelta(days=23))
    assert not OverrideCount.objects.exists()


def test_the_reasons_counted_are_those_a_gate_offers() -> None:
    words = dict(
        re.findall(r'^  (reason_\w+): \["([^"]+)"', (WEB / "src/gate/words.ts").read_text(), re.MULTILINE)
    )
    offered = re.findall(r'^  "(reason_\w+)",', (WEB / "src/gate/verdict_view.ts").read_text(), re.MULTILINE)
    (turned,) = re.findall(r'TURNED_AWAY = "([^"]+)"', (WEB / "src/gate/post.ts").read_text())
    assert (*(words[name] for name in offered), turned) == policy.OVERRIDES
    assert {*policy.OVERRIDES, policy.OTHER_WORD} == OVERRIDE_WORDS.keys()
