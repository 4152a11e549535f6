"""A post is corrected while its devices are out, and closed for good: what they hold then is still taken."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from lianfang.accounts.rights import Role
from lianfang.credentials import actions as credentials
from lianfang.gates import actions, jobs, queries
from lianfang.gates.errors import CodeNotValid, NoSuchGate
from lianfang.gates.models import Backlog, Device, Gate
from lianfang.kernel import clock, ids
from lianfang_pass.keys import PublicKey, private_key_from_seed
from tests.factories.accounts import COMMUNITY, client_for
from tests.factories.credentials import HOME, SHARD
from tests.factories.places import a_compound, a_district

from . import test_front, test_pages
from .asgi import request
from .test_front import enrolled, officer, run

if TYPE_CHECKING:
    from uuid import UUID

pytestmark = pytest.mark.django_db
NOW = clock.now()


def said(gate: Gate, **changes: str) -> dict[str, str]:
    return {"name": gate.name, "kind": gate.kind, "place": gate.area, "phone": gate.phone} | changes


def test_a_wrong_telephone_is_corrected_and_what_the_post_guards_stays() -> None:
    a_district()
    gate = test_pages.a_gate(area=a_compound())
    Gate.objects.filter(pk=gate.pk).update(zones=["m1k", "m2k"])  # more than the form can say
    page, client = reverse("gates:edit_gate", args=[gate.pk]), client_for(Role.CMD_DUTY, "d510402")
    assert gate.phone in client.get(page).content.decode()
    assert client.post(page, said(gate, phone="")).status_code == 422
    for _ in range(2):
        assert client.post(page, said(gate, name="南门", phone="0812-1990777")).status_code == 302
    row = Gate.objects.get()
    assert (row.name, row.phone, row.zones, row.shards) == (
        "南门",
        "0812-1990777",
        ["m1k", "m2k"],
        gate.shards,
    )
    credentials.open_shard("510402009", NOW)
    assert client.post(page, said(gate, kind="road")).status_code == 302
    assert set(Gate.objects.get().shards) > {"510402009"}  # a road gets the lists of all streets
    assert client_for(Role.GUARD, COMMUNITY).get(page).status_code in (403, 404)


def test_closing_asks_for_a_reason_and_a_tick_and_withdraws_the_devices() -> None:
    gate = test_pages.a_gate()
    device = test_pages.a_device(gate, 1, last_at=clock.now(), highest_seq=9, stored=4)
    offer = actions.open_enrolment(gate.pk, by=officer(clock.now()))
    page, client = reverse("gates:close_gate", args=[gate.pk]), client_for(Role.COMMUNITY, COMMUNITY)
    assert "1 台设备" in client.get(page).content.decode()
    for lacking in ({"why": "解封"}, {"sure": "on"}):
        assert client.post(page, lacking).status_code == 422
    assert queries.devices_in_use(gate.pk) == 1
    for why in ("解封", "又一次"):
        assert client.post(page, {"why": why, "sure": "on"}).status_code == 302
    device.refresh_from_db()
    assert (device.withdrawn_at is not None, device.withdrawn_reason) == (True, "解封")
    key = PublicKey.of(private_key_from_seed(b"\x05" * 32)).cose()
    with pytest.raises(CodeNotValid):
        actions.enrol_device(offer.code, key, at=clock.now())
    by = officer(clock.now())
    with pytest.raises(NoSuchGate):
        actions.open_enrolment(gate.pk, by=by)
    with pytest.raises(NoSuchGate):
        actions.set_up_gate(
            actions.GateDraft(
                id=gate.pk, name="北门", kind="road", area=gate.area, shards=(SHARD,), phone="1"
            ),
            by=by,
        )
    assert queries.posts(by=by) == []
    # What is missing of it is explained on its page, and its paper is typed in.
    listed = client.get(reverse("gates:posts")).content.decode()
    post = reverse("gates:post", args=[gate.pk])
    assert post in listed
    seen = client.get(post).content.decode()
    assert "撤销：解封" in seen
    assert "缺 5 条" in seen
    assert reverse("gates:enrol", args=[gate.pk]) not in seen
    assert client.get(reverse("gates:enrol", args=[gate.pk])).status_code == 404
    assert client.post(reverse("gates:backlog", args=[gate.pk]), test_pages.line()).status_code == 302
    assert Backlog.objects.count() == 1


def test_who_may_not_close_it() -> None:
    gate = test_pages.a_gate()
    page = reverse("gates:close_gate", args=[gate.pk])
    for role, area in ((Role.GUARD, COMMUNITY), (Role.COMMUNITY, "d510402.s510402002.c510402002001")):
        answer = client_for(role, area).post(page, {"why": "解封", "sure": "on"})
        assert answer.status_code in (403, 404)
    assert Gate.objects.get().closed_at is None
    with pytest.raises(IntegrityError, match="gate_is_closed_by_somebody_for_a_reason"), transaction.atomic():
        Gate.objects.update(closed_at=NOW)


def test_both_pages_are_in_english_too() -> None:
    gate = test_pages.a_gate()
    client = client_for(Role.COMMUNITY, COMMUNITY)
    client.cookies["django_language"] = "en"
    for name, words in (("edit_gate", "Correct the post"), ("close_gate", "Close the post")):
        page = client.get(reverse(f"gates:{name}", args=[gate.pk])).content.decode()
        assert words in page
        assert "卡口" not in page.replace(gate.name, "")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_passages")
def test_a_device_reads_what_its_own_post_is_called_now_and_a_closed_post_takes_what_it_holds() -> None:
    gate = test_front.a_gate()
    enrol = enrolled(gate)

    def change(act: Any) -> None:
        try:
            act()
        finally:
            connection.close()

    def corrected() -> None:
        draft = actions.GateDraft(
            id=gate.pk, name="东门", kind="compound", area=gate.area, shards=(SHARD, "510402009"), zones=(HOME,),
            phone="0812-1990777",
        )  # fmt: skip
        actions.set_up_gate(draft, by=officer())

    async def story() -> tuple[UUID | None, int]:
        device = await enrol()
        address = f"/api/v1/gates/{gate.pk}/post"
        first = await device.get(address)
        assert first.value() == {
            1: 1, 4: "北门", 5: [HOME], 6: [f"lf:s/{SHARD}"], 9: "0812-1990000", 10: "compound", 11: []
        }  # fmt: skip
        same = await request(
            "GET", address, headers=device.headers() | {"If-None-Match": first.headers["etag"]}
        )
        assert same.status == 304
        assert (await request("GET", address)).status == 401
        assert (await device.get(f"/api/v1/gates/{ids.new_id()}/post")).status == 404
        await asyncio.to_thread(change, corrected)
        now = (await device.get(address)).value()
        assert (now[4], now[9], now[6]) == ("东门", "0812-1990777", [f"lf:s/{SHARD}", "lf:s/510402009"])
        for _ in range(100):
            if (await device.get("/s/510402009")).status == 200:
                break
            await asyncio.sleep(0.1)
        assert (await device.get("/s/510402009")).status == 200
        batch = device.batch(1, [device.row(1)])
        await asyncio.to_thread(change, lambda: actions.close_gate(gate.pk, reason="解封", by=officer()))
        for _ in range(100):
            if (await device.get(address)).status == 401:
                break
            await asyncio.sleep(0.1)
        assert (await device.get(address)).status == 401
        assert device.receipt(await device.upload(batch)).covers(batch)
        return device.id, 1

    assert test_front.stored() == []
    taken = run(story)
    assert test_front.stored() == [taken]
    assert jobs.tally() == 1  # a row that waits here would be counted in another test, which has no such post
    assert Device.objects.get().withdrawn_at is not None
    assert queries.closed_posts(by=officer(clock.now() + timedelta(days=22))) == []


def test_a_line_typed_in_wrongly_stays_and_is_corrected_once_by_another() -> None:
    gate = test_pages.a_gate()
    address, client = reverse("gates:backlog", args=[gate.pk]), client_for(Role.GUARD, COMMUNITY)
    client.post(address, test_pages.line(who="5-2-603", birth_year="1939", word="救护", temperature="37.6"))
    wrong = Backlog.objects.get()
    page = client.get(f"{address}?corrects={wrong.pk}").content.decode()
    for value in ("5-2-603", "1939", "救护", "37.6", "0715", str(wrong.pk)):
        assert f'value="{value}"' in page
    right = test_pages.line(who="5-2-602", birth_year="1939", corrects=str(wrong.pk))
    for _ in range(2):
        assert client.post(address, right).status_code == 302
    line = Backlog.objects.get(corrects=wrong)
    assert (line.door, Backlog.objects.get(pk=wrong.pk).door) == ("5-2-602", "5-2-603")
    page = client.get(address).content.decode()
    assert page.count("已由新的一行代替") == page.count("更正这一行") == 1
    again = test_pages.line(who="5-2-601", corrects=str(wrong.pk))
    assert client.post(address, again).status_code == 422
    elsewhere = reverse("gates:backlog", args=[test_pages.a_gate("西门").pk])
    assert client.post(elsewhere, again | {"corrects": str(line.pk)}).status_code == 422
    assert client.get(f"{address}?corrects=x").status_code == 200
    assert Backlog.objects.count() == 2
