"""A code that could not be trusted: kept sealed with its passage, opened one by one, forgotten with its day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.urls import reverse

from lianfang.accounts.rights import Right, Role
from lianfang.gates import jobs, kept_codes
from lianfang.gates.errors import NoSuchCode
from lianfang.gates.models import CodeReading, HourCount, KeptCode
from lianfang.kernel import ids
from lianfang.kernel.actor import Grant
from lianfang_pass.verdict import Verdict
from tests.factories.accounts import client_for
from tests.factories.credentials import by

from .test_front import NOW, a_gate, enrolled, run, stored

if TYPE_CHECKING:
    from typing import Any

    from lianfang.gates.models import Gate

    from .asgi import FakeDevice

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_passages")]
#: As long as a code may be: what a forger writes is not always ours.
FORGED = "LF1:" + "5-2-603 LXM " * 85


def duty(*, area: str = "d510402") -> Any:
    return by(NOW, grants=frozenset({Grant(Right.GATES_CODE_OPEN, area), Grant(Right.GATES_POST_SEE, area)}))


def passed(gate: Gate, *codes: str | None) -> FakeDevice:
    """A device of the gate has sent a row for each, with this code or none, and the rows are counted."""
    enrol = enrolled(gate)

    async def story() -> FakeDevice:
        device = await enrol()
        rows = [
            device.row(seq, verdict=Verdict.CALL, reason="SIGNATURE_BAD", proof="bad", cti=None, code=code)
            for seq, code in enumerate(codes, 1)
        ]
        answer = await device.upload(device.batch(1, rows))
        assert answer.status == 201, answer.value()
        return device

    device: FakeDevice = run(story)
    while jobs.tally():
        pass
    return device


def test_a_forged_code_is_kept_and_command_reads_it_with_a_reason_each_time() -> None:
    gate = a_gate()
    passed(gate, FORGED, None, "x")
    assert sum(h.passages for h in HourCount.objects.filter(reason="SIGNATURE_BAD")) == 3
    noted = {row.seq: row for row in KeptCode.objects.all()}
    assert sorted(noted) == [1, 3]
    assert kept_codes.count_of(gate, at=NOW) == 2
    with connection.cursor() as cursor:
        for table in ("gates_keptcode", "gates_passage", "gates_hourcount"):
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            assert "LXM" not in cursor.fetchone()[0]  # it lies nowhere in clear
    for _ in range(2):
        assert kept_codes.open_code(noted[1].pk, gate_id=gate.pk, reason="核查", by=duty()) == FORGED
    assert [(r.seq, r.reason) for r in CodeReading.objects.all()] == [(1, "核查")] * 2
    views = {v.id: len(v.readings) for v in kept_codes.codes_of(gate, by=duty())}
    assert views == {noted[1].pk: 2, noted[3].pk: 0}


def test_who_may_not_reads_nothing_and_leaves_no_record() -> None:
    gate = a_gate()
    passed(gate, FORGED)
    code = KeptCode.objects.get().pk
    elsewhere = duty(area="d510402.s510402009")
    only_sees = by(NOW, grants=frozenset({Grant(Right.GATES_POST_SEE, "d510402")}))
    for who in (elsewhere, only_sees):
        assert kept_codes.codes_of(gate, by=who) == []
        with pytest.raises(NoSuchCode):
            kept_codes.open_code(code, gate_id=gate.pk, reason="x", by=who)
    with pytest.raises(NoSuchCode):
        kept_codes.open_code(code, gate_id=ids.new_id(), reason="x", by=duty())
    assert not CodeReading.objects.exists()


def test_on_the_page_all_see_how_many_and_command_opens() -> None:
    gate = a_gate()
    passed(gate, "<script>" + FORGED[:900])
    code = KeptCode.objects.get().pk
    page, opening = reverse("gates:post", args=[gate.pk]), reverse("gates:open_code", args=[gate.pk, code])
    street = client_for(Role.STREET, "d510402.s510402003")
    assert "留存 1 个" in street.get(page).content.decode()
    assert opening not in street.get(page).content.decode()
    assert street.post(opening, {"why": "核查"}).status_code == 403
    command = client_for(Role.CMD_DUTY)
    assert opening in command.get(page).content.decode()
    assert command.post(opening, {"why": ""}).status_code == 422
    assert not CodeReading.objects.exists()
    shown = command.post(opening, {"why": "核查"})
    assert "&lt;script&gt;LF1:5-2-603 LXM" in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert CodeReading.objects.count() == 1
    assert "查看" in command.get(page).content.decode()


def test_what_is_noted_of_a_code_is_forgotten_with_the_day_of_its_passage() -> None:
    gate = a_gate()
    passed(gate, FORGED)
    code = KeptCode.objects.get().pk
    jobs.drop_old(NOW + timedelta(days=21))
    assert KeptCode.objects.exists()
    assert stored()
    kept_codes.open_code(code, gate_id=gate.pk, reason="核查", by=duty())
    jobs.drop_old(NOW + timedelta(days=23))
    assert not stored()
    assert not KeptCode.objects.exists()
    assert CodeReading.objects.count() == 1  # who opened it is known for good
    with pytest.raises(NoSuchCode):
        kept_codes.open_code(code, gate_id=gate.pk, reason="核查", by=duty())
    jobs.ensure_partitions(NOW)


def test_a_code_longer_than_a_row_takes_is_no_row_of_ours() -> None:
    """What a device sealed wrongly is stored and counted as unreadable, and no code is noted."""
    gate = a_gate()
    passed(gate, "é" * 512, "é" * 512 + "x")
    assert [row.seq for row in KeptCode.objects.all()] == [1]
    assert HourCount.objects.get(reason="UNOPENED").passages == 1
