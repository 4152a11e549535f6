"""Calls for help and handovers: kept once, receipted, seen at once, answered by somebody with a name."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from lianfang.accounts.rights import Right, Role
from lianfang.gates import actions, jobs, menu, queries
from lianfang.gates.errors import NoSuchSignal
from lianfang.gates.models import Signal
from lianfang.kernel import clock, ids
from lianfang.kernel.actor import Grant
from lianfang_chain import cbor
from lianfang_pass.errors import Rejected
from lianfang_pass.signals import Signal as Said
from lianfang_pass.signals import SignalKind, decode_signal, encode_signal
from tests.factories.accounts import an_office, client_for
from tests.factories.credentials import by

from .asgi import FakeDevice, Trouble
from .test_front import AREA, NOW, a_gate, enrolled, run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_passages")]
HANDOVER = {"from": "G7", "to": "G8", "unsent": 3, "ALLOW": 61, "DENY": 1}


def responsible(area: str = AREA) -> Any:
    rights = (Right.GATES_HELP_ANSWER, Right.GATES_POST_SEE)
    return by(clock.now(), grants=frozenset(Grant(right, area) for right in rights))


def told(*signals: tuple[SignalKind, dict[str, Any]]) -> FakeDevice:
    enrol = enrolled(a_gate())

    async def story() -> FakeDevice:
        device = await enrol()
        rows = [device.signal(n, kind, **facts) for n, (kind, facts) in enumerate(signals, 1)]
        answer = await device.tell(device.batch(1, rows))
        assert device.receipt(answer).covers(device.batch(1, rows))
        return device

    device: FakeDevice = run(story)
    return device


def test_a_signal_is_kept_once_whatever_is_repeated_and_the_receipt_covers_it() -> None:
    enrol = enrolled(a_gate())

    async def story() -> None:
        device = await enrol()
        batch = device.batch(1, [device.signal(1), device.signal(2, SignalKind.HANDOVER, **HANDOVER)])
        assert (await device.tell(batch, trouble=Trouble.CUT)).status == 400
        for _ in range(3):
            assert device.receipt(await device.tell(batch)).covers(batch)
        assert not device.receipt(await device.tell(batch)).covers(device.batch(1, [batch.rows[0]]))
        # A lost answer, and in the meantime a third signal: the device sends all three from the first on.
        more = device.batch(1, [*batch.rows, device.signal(3)])
        assert device.receipt(await device.tell(more)).covers(more)

    run(story)
    assert [(s.seq, s.kind) for s in Signal.objects.order_by("seq")] == [
        (1, "help"),
        (2, "handover"),
        (3, "help"),
    ]


def test_other_bytes_under_a_used_number_are_kept_too_no_call_is_refused() -> None:
    enrol = enrolled(a_gate())

    async def story() -> None:
        device = await enrol()
        for guard in ("G7", "G9"):
            batch = device.batch(1, [device.signal(1, guard=guard)])
            assert device.receipt(await device.tell(batch)).covers(batch)
        garbage = device.batch(2, [b"x" * 100])
        assert device.receipt(await device.tell(garbage)).covers(garbage)
        strange = device.batch(1, [device.signal(1)])
        device.id = device.gate
        assert (await device.tell(strange)).status in (400, 401)

    run(story)
    assert sorted((s.seq, s.kind) for s in Signal.objects.all()) == [
        (1, "help"),
        (1, "help"),
        (2, "unopened"),
    ]


def test_a_call_is_on_the_pages_of_those_responsible_until_one_of_them_answers() -> None:
    told((SignalKind.HELP, {"guard": "G7"}))
    guard, officer = client_for(Role.GUARD, AREA), client_for(Role.STREET, "d510402.s510402003")
    page = reverse("gates:posts")
    assert "还没有人应答" in guard.get(page).content.decode()
    shown = officer.get(page).content.decode()
    address = reverse("gates:answer", args=[Signal.objects.get().pk])
    assert address in shown
    assert "卡口求助" in officer.get("/desk/").content.decode()
    assert guard.post(address).status_code == 403
    elsewhere = client_for(Role.COMMUNITY, "d510402.s510402002.c510402002001")
    assert elsewhere.post(address).status_code == 404
    assert officer.post(address).status_code == 302
    signal = Signal.objects.get()
    assert signal.answered_at is not None
    assert "street" in signal.answered_as
    after = officer.get(page).content.decode()
    assert signal.answered_as in after
    assert "我来应答" not in after
    assert "卡口求助" not in officer.get("/desk/").content.decode()


def test_the_first_answer_stays() -> None:
    told((SignalKind.HELP, {"guard": "G7"}), (SignalKind.HANDOVER, HANDOVER))
    call, handover = Signal.objects.order_by("seq")
    first = actions.answer_signal(call.pk, by=responsible()).answered_at
    assert actions.answer_signal(call.pk, by=responsible()).answered_at == first
    with pytest.raises(NoSuchSignal):
        actions.answer_signal(handover.pk, by=responsible())
    assert queries.unanswered(by=responsible()) == []
    assert [t for t in menu.todo(responsible()) if "求助" in t.title] == []


def test_the_open_page_is_sent_again_only_when_something_changed() -> None:
    told((SignalKind.HELP, {"guard": "G7"}))
    officer, page = client_for(Role.STREET, "d510402.s510402003"), reverse("gates:posts")
    asked = {"HX-Request": "true"}
    part = officer.get(page, headers=asked).content.decode()
    seen = part.split("?seen=")[1].split('"')[0]
    assert officer.get(page, {"seen": seen}, headers=asked).status_code in (204, 200)  # 200 across a minute
    actions.answer_signal(Signal.objects.get().pk, by=responsible())
    assert officer.get(page, {"seen": seen}, headers=asked).status_code == 200


def cells(page: str, begins: str) -> list[str]:
    """What the row of a table says that begins with this word, cell by cell; badges as their words."""
    row = page[page.index(f"<td>{begins}</td>") :].split("</tr>")[0]
    return [re.sub("<[^>]+>", "", cell).strip() for cell in re.findall("<td>(.*?)</td>", row, re.DOTALL)]


def test_a_handover_stands_on_the_posts_page_with_all_that_was_said() -> None:
    device = told(
        (SignalKind.HANDOVER, HANDOVER),
        (SignalKind.HANDOVER, {"from": "G8", "to": "G9", "unsent": 0, "issues": 2, "masks": 40, "thermometer": 1}),
        (SignalKind.HANDOVER, {"from": "G9", "to": "G1", "unsent": 0, "issues": 0, "masks": 0, "thermometer": 0}),
    )  # fmt: skip
    client, address = client_for(Role.GUARD, AREA), reverse("gates:post", args=[device.gate])
    page = client.get(address).content.decode()
    assert cells(page, "G7") == ["G7", "G8", "61", "0", "0", "1", "3", "—", "—", "—"]
    assert cells(page, "G8") == ["G8", "G9", "0", "0", "0", "0", "0", "2", "40", "可用"]
    assert cells(page, "G9") == ["G9", "G1", "0", "0", "0", "0", "0", "0", "0", "不可用"]
    assert page.index("<td>G9</td>") < page.index("<td>G8</td>") < page.index("<td>G7</td>")
    client.cookies["django_language"] = "en"
    english = client.get(address).content.decode()
    assert cells(english, "G9")[-1] == "broken"
    assert "Masks left" in english


def test_who_was_admitted_without_being_on_the_list_stands_on_the_posts_page() -> None:
    device = told((SignalKind.ADMITTED, {"guard": "R4WXKB", "by": "K7QXZA", "why": "代班"}))
    client, address = client_for(Role.GUARD, AREA), reverse("gates:post", args=[device.gate])
    page = client.get(address).content.decode()
    assert "R4WXKB，准许人 K7QXZA：代班" in page.replace("</span>", "")
    client.cookies["django_language"] = "en"
    assert "R4WXKB, admitted by K7QXZA" in client.get(address).content.decode()
    assert queries.admitted_to(ids.new_id()) == []


def test_a_device_is_told_the_numbers_of_who_guards_its_post_now_and_of_nobody_else() -> None:
    enrol = enrolled(a_gate())
    over = [an_office(Role.GUARD, area) for area in (AREA, AREA.rpartition(".")[0])]
    an_office(Role.GUARD, "d510402.s510402003.c510402003001.m2k")
    an_office(Role.PROPERTY, AREA)
    an_office(Role.GUARD, AREA, ends_at=clock.now())

    async def story() -> list[str]:
        device = await enrol()
        answer = await device.get(f"/api/v1/gates/{device.gate}/post")
        numbers: list[str] = answer.value()[11]
        assert not any((name := office.user.name) and name.encode() in answer.body for office in over)
        return numbers

    assert run(story) == sorted(office.user.pseudonym for office in over)


def test_a_post_without_a_handover_says_so() -> None:
    device = told((SignalKind.HELP, {"guard": "G7"}))
    page = client_for(Role.GUARD, AREA).get(reverse("gates:post", args=[device.gate])).content.decode()
    assert "还没有收到交接班记录" in page


@pytest.mark.parametrize(
    ("said", "lacks"),
    [
        ([{"masks": 0, "thermometer": 0}], ["thermometer", "masks"]),
        ([{"masks": 1, "thermometer": 1}], []),
        ([{}], []),
        ([{"thermometer": 0}, {"masks": 5}], ["thermometer"]),  # who left it empty did not say that it works
        ([{"thermometer": 0}, {"thermometer": 1}], []),
        ([{"masks": 50}, {"masks": 0}], ["masks"]),
    ],
)
def test_what_a_post_lacks_by_the_last_word_is_amber_among_the_posts(
    said: list[dict[str, int]], lacks: list[str]
) -> None:
    told(*((SignalKind.HANDOVER, HANDOVER | facts) for facts in said))
    (post,) = queries.posts(by=responsible())
    assert list(post.lacks) == lacks
    page = client_for(Role.GUARD, AREA).get(reverse("gates:posts")).content.decode()
    words = {"thermometer": "体温枪不可用", "masks": "没有口罩"}
    for lack, word in words.items():
        amber = f'<span class="badge bg-yellow text-dark">{word}'
        assert page.count(amber) == (2 if lack in lacks else 0), (
            lack
        )  # in the summary, and in the row of the post


def test_what_was_told_stays_as_told_and_a_call_until_it_is_answered() -> None:
    told((SignalKind.HELP, {"guard": "G7"}), (SignalKind.HANDOVER, HANDOVER))

    def refused(statement: str, name: str) -> None:
        with pytest.raises(IntegrityError, match=name), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)

    refused("UPDATE gates_signal SET kind = 'handover' WHERE kind = 'help'", "signal_stays_as_received")
    refused("UPDATE gates_signal SET facts = '{}'", "signal_stays_as_received")
    refused("DELETE FROM gates_signal WHERE kind = 'help'", "call_stays_until_answered")
    refused("UPDATE gates_signal SET answered_at = now()", "signal_is_answered_by_somebody")
    refused("UPDATE gates_signal SET kind = 'x', id = id", "signal_stays_as_received")
    assert jobs.drop_old_signals(NOW + timedelta(days=30)) == 1
    actions.answer_signal(Signal.objects.get().pk, by=responsible())
    refused("UPDATE gates_signal SET answered_as = 'somebody else'", "signal_stays_as_received")
    assert jobs.drop_old_signals(NOW + timedelta(days=30)) == 1


@pytest.mark.parametrize(
    ("kind", "facts", "ok"),
    [
        ("help", {"guard": ""}, True),
        ("help", {}, False),
        ("help", {"guard": "G7", "name": 1}, False),
        ("handover", HANDOVER, True),
        ("handover", {"from": "G7", "to": "G8"}, False),
        ("handover", {"from": "", "to": "G8", "unsent": 0}, False),
        ("handover", {"from": "G7", "to": "x" * 25, "unsent": 0}, False),
        ("handover", {"from": "G7", "to": "G8", "unsent": 0, "ALLOW": "1"}, False),
        ("handover", {"from": "G7", "to": "G8", "unsent": 0, **{f"n{n}": n for n in range(12)}}, False),
        ("list_old", {}, True),
        ("list_old", {"x": 1}, False),
        ("gossip", {}, False),
    ],
)
def test_a_signal_is_read_strictly(kind: str, facts: Any, ok: bool) -> None:
    data = cbor.encode({1: 1, 2: bytes(16), 3: 1_580_875_200, 4: kind, 5: facts})
    if ok:
        signal = decode_signal(data)
        assert signal == Said(1, bytes(16), 1_580_875_200, SignalKind(kind), facts)
        assert encode_signal(signal) == data
    else:
        with pytest.raises(Rejected):
            decode_signal(data)


def test_a_fork_that_a_gate_saw_waits_for_an_answer_with_both_fingerprints() -> None:
    told((SignalKind.FORK, {"held": "257 0a1b2c3d4e5f", "told": "257 ffff2c3d4e5f"}))
    page = client_for(Role.COMMUNITY, AREA).get(reverse("gates:posts")).content.decode()
    assert "信息链对不上" in page
    assert "卡口所存 257 0a1b2c3d4e5f，服务器所说 257 ffff2c3d4e5f" in page
    assert len(queries.unanswered(by=responsible())) == 1
