"""Staff pages about posts: who sees what, in how many queries, and that each writes through its act."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from django.urls import reverse

from lianfang.accounts.rights import Role
from lianfang.gates import actions, forms, queries
from lianfang.gates.models import Backlog, Contact, Device, EnrolmentCode, Gate, HourCount
from lianfang.kernel import clock, ids
from lianfang_chain import cbor
from lianfang_pass.keys import PublicKey, private_key_from_seed
from lianfang_pass.numbers import pass_number
from tests.factories.accounts import COMMUNITY, an_organ, client_for
from tests.factories.places import a_compound, a_district

from .test_front import officer

if TYPE_CHECKING:
    from typing import Any

pytestmark = pytest.mark.django_db


def a_gate(name: str = "北门", *, area: str = COMMUNITY + ".m1k") -> Gate:
    draft = actions.GateDraft(
        id=ids.new_id(),
        name=name,
        kind="compound",
        area=area,
        shards=("510402001",),
        zones=("m1k",),
        phone="0812-1990001",
    )
    return actions.set_up_gate(draft, by=officer(clock.now()))


def a_device(gate: Gate, n: int = 1, **contact: Any) -> Device:
    point = PublicKey.of(private_key_from_seed(bytes(31) + bytes([n]))).point()
    device = Device.objects.create(id=ids.new_id(), gate=gate, point=point, enrolled_at=clock.now())
    if contact:
        Contact.objects.create(device=device, **contact)
    return device


def test_silent_posts_come_first_and_say_how_much_is_probably_unsent() -> None:
    now = clock.now()
    fresh, silent = a_gate("南门"), a_gate("北门")
    a_device(fresh, 1, last_at=now)
    a_device(silent, 2, last_at=now - timedelta(hours=5), highest_seq=10, stored=7)
    hour = (now - timedelta(hours=6)).replace(minute=0, second=0, microsecond=0)
    HourCount.objects.create(
        gate=silent, hour=hour, inward=True, verdict="ALLOW", reason="OK", passages=40, overrides=2, by_hand=0
    )
    page = client_for(Role.STREET, COMMUNITY.rsplit(".", 1)[0]).get(reverse("gates:posts")).content.decode()
    assert page.index("北门") < page.index("南门")
    assert "失联" in page
    row = re.sub(r"<[^>]+>|\s+", " ", page[page.index("北门") : page.index("南门")])
    assert re.search(r"\b200\b", row), row  # 40 an hour for five hours
    assert re.search(r"\b3\b", row), row  # ten written, seven stored


@pytest.mark.parametrize(
    ("silent_for", "withdrawn", "unsent", "missing"),
    [
        (timedelta(0), False, 4, 2),  # written to 13, sent to 9, of which 7 are here
        (timedelta(hours=71), False, 4, 2),
        (timedelta(hours=72), False, 0, 6),  # nobody waits for it any more
        (timedelta(0), True, 0, 6),
    ],
)
def test_what_a_device_wrote_and_did_not_send_is_unsent_while_it_lives_and_missing_when_it_is_dead(
    silent_for: timedelta, withdrawn: bool, unsent: int, missing: int
) -> None:
    now, gate = clock.now(), a_gate()
    device = a_device(gate, 1, last_at=now - silent_for, last_seq=13, highest_seq=9, stored=7)
    if withdrawn:
        actions.withdraw_device(device.pk, reason="丢失", by=officer(now))
    view = queries.devices_of(gate.pk, at=now)[0]
    assert (view.unsent, view.missing) == (unsent, missing)
    post = queries.posts(by=officer(now))[0]
    assert (post.unsent, post.missing) == (unsent, missing)
    page = client_for(Role.COMMUNITY, COMMUNITY).get(reverse("gates:post", args=[gate.pk])).content.decode()
    assert f"缺 {missing} 条" in page
    assert ("未传 4 条" in page) == bool(unsent)


def test_an_explanation_speaks_for_what_is_missing_then() -> None:
    now, gate = clock.now(), a_gate()
    device = a_device(gate, 1, last_at=now, last_seq=13, highest_seq=9, stored=7)
    actions.explain_missing(device.pk, why="断电", by=officer(now))
    assert queries.posts(by=officer(now))[0].missing == 0
    actions.withdraw_device(device.pk, reason="丢失", by=officer(now))
    assert queries.posts(by=officer(now))[0].missing == 4  # its last rows are another loss
    actions.explain_missing(device.pk, why="丢失", by=officer(now))
    assert queries.posts(by=officer(now))[0].missing == 0


def test_the_list_costs_the_same_queries_for_one_post_and_for_many(
    django_assert_max_num_queries: Any,
) -> None:
    client = client_for(Role.CMD_DUTY)
    client.get(reverse("gates:posts"))
    for n in range(30):
        a_device(a_gate(f"门{n}"), n + 1, last_at=clock.now())
    with django_assert_max_num_queries(16):
        client.get(reverse("gates:posts"))


def test_a_post_is_found_by_its_name_or_where_it_stands() -> None:
    for name in ("南门", "北门"):
        a_gate(name)
    client = client_for(Role.STREET, COMMUNITY.rsplit(".", 1)[0])

    def found(asked: str) -> list[str]:
        page = client.get(reverse("gates:posts"), {"q": asked}).content.decode()
        assert "未启用 2" in page  # the counts are of all posts, whatever was asked
        assert f"q={quote(asked)}" in page  # the page that comes every few seconds is of the same search
        return re.findall(r"(.门)</a>", page)

    assert sorted(found("")) == ["北门", "南门"]
    assert found("南门") == ["南门"]
    assert found("西门") == []


def test_posts_elsewhere_do_not_exist() -> None:
    gate = a_gate(area="d510402.s510402002.c510402002001.m1k")
    client = client_for(Role.COMMUNITY, COMMUNITY)
    for name in ("post", "enrol", "folder", "backlog"):
        assert client.get(reverse(f"gates:{name}", args=[gate.pk])).status_code == 404
    assert gate.name not in client.get(reverse("gates:posts")).content.decode()


def test_the_folder_prints_the_telephones_of_those_who_answer_for_the_place() -> None:
    gate = a_gate()
    here = an_organ("property", gate.area)
    here.name, here.phone = "和睦物业", "0812-1990042"
    here.save()
    elsewhere = an_organ("property", "d510402.s510402002")
    elsewhere.phone = "0812-1990043"
    elsewhere.save()
    page = client_for(Role.COMMUNITY, COMMUNITY).get(reverse("gates:folder", args=[gate.pk])).content.decode()
    assert "和睦物业" in page
    assert "0812-1990042" in page
    assert "0812-1990043" not in page


def test_the_enrolment_code_is_made_by_post_and_holds_what_a_device_needs() -> None:
    gate = a_gate()
    client = client_for(Role.COMMUNITY, COMMUNITY)
    address = reverse("gates:enrol", args=[gate.pk])
    assert "#enrol=" not in client.get(address).content.decode()
    assert not EnrolmentCode.objects.exists()
    page = client.post(address).content.decode()
    found = re.search(r"/gate/#enrol=([A-Za-z0-9_-]+)", page)
    assert found
    import base64

    body: Any = cbor.decode(base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)))
    assert body[1] == 1
    assert body[4] == gate.pk.bytes
    assert len(body[3]) == 32
    done = actions.enrol_device(
        body[2], PublicKey.of(private_key_from_seed(b"\x05" * 32)).cose(), at=clock.now()
    )
    assert done.gate == gate
    assert "<svg" in page


def test_a_guard_may_not_enrol() -> None:
    gate = a_gate()
    client = client_for(Role.GUARD, COMMUNITY)
    assert client.post(reverse("gates:enrol", args=[gate.pk])).status_code in {403, 404}
    assert not EnrolmentCode.objects.exists()


def test_withdrawing_and_explaining_need_a_reason() -> None:
    gate = a_gate()
    device = a_device(gate, 3, last_at=clock.now(), highest_seq=9, stored=4)
    client = client_for(Role.COMMUNITY, COMMUNITY)
    for name in ("withdraw", "explain"):
        client.post(reverse(f"gates:{name}", args=[gate.pk, device.pk]), {"why": ""})
    device.refresh_from_db()
    assert (device.withdrawn_at, device.missing_explained) == (None, "")
    client.post(reverse("gates:withdraw", args=[gate.pk, device.pk]), {"why": "丢失"})
    client.post(reverse("gates:explain", args=[gate.pk, device.pk]), {"why": "屏幕损坏"})
    device.refresh_from_db()
    assert device.withdrawn_reason == "丢失"
    assert device.missing_explained == "屏幕损坏"


@pytest.mark.parametrize(
    ("kind", "ways", "others"),
    [("road", ("去往别处", "回家"), ("进", "出")), ("compound", ("进", "出"), ("去往别处", "回家"))],
)
def test_paper_of_a_road_is_typed_in_and_shown_in_the_words_of_its_buttons(
    kind: str, ways: tuple[str, str], others: tuple[str, str]
) -> None:
    gate = a_gate()
    Gate.objects.filter(pk=gate.pk).update(kind=kind, zones=[] if kind == "road" else gate.zones)
    client, page = client_for(Role.COMMUNITY, COMMUNITY), reverse("gates:backlog", args=[gate.pk])
    empty = client.get(page).content.decode()
    assert [f'<option value="{n}"' in empty for n in "10"] == [True, True]
    assert all(f">{word}</option>" in empty for word in ways)
    for inward in "10":
        assert client.post(page, line(inward=inward)).status_code == 302
    typed = client.get(page).content.decode()
    assert all(f"<td>{word}</td>" in typed for word in ways)
    assert not any(f"<td>{word}</td>" in typed or f">{word}</option>" in typed for word in others)
    assert f">{'/'.join(ways)}</th>" in client.get(reverse("gates:folder", args=[gate.pk])).content.decode()


def line(**changes: str) -> dict[str, str]:
    day = clock.legal_day(clock.now() - timedelta(days=1)).isoformat()
    values = {
        "id": str(ids.new_id()), "day": day, "time": "0715", "inward": "1", "who": pass_number(12_345_678),
        "birth_year": "", "word": "", "verdict": "ALLOW_REG", "temperature": "",
    }  # fmt: skip
    return values | changes


@pytest.mark.parametrize(
    ("changes", "ok"),
    [
        ({}, True),
        ({"time": "7:15"}, True),
        ({"time": "715"}, True),
        ({"time": "2460"}, False),
        ({"who": "1234567899"}, False),
        ({"who": "5-2-603", "birth_year": "1939"}, True),
        ({"who": ""}, False),
        ({"who": "", "word": "救护"}, True),
        ({"day": "2019-01-01"}, False),
        ({"temperature": "37.6"}, True),
    ],
)
def test_a_line_of_the_paper_register(changes: dict[str, str], ok: bool) -> None:
    gate = a_gate()
    client = client_for(Role.GUARD, COMMUNITY)
    address = reverse("gates:backlog", args=[gate.pk])
    data = line(**changes)
    answer = client.post(address, data)
    assert answer.status_code == (302 if ok else 422), answer.content.decode()
    assert Backlog.objects.count() == ok
    if ok:
        assert client.post(address, data).status_code == 302  # the same line again
        assert Backlog.objects.count() == 1
        assert answer.headers["Location"].endswith(f"?day={data['day']}&inward=1")


def test_a_gate_is_set_up_where_the_officer_may() -> None:
    district = a_district()
    compound = a_compound()
    client = client_for(Role.CMD_DUTY, district)
    page = client.get(reverse("gates:new_gate"))
    assert compound in page.content.decode()
    data = {
        "id": str(ids.new_id()),
        "name": "东门",
        "kind": "compound",
        "place": compound,
        "phone": "0812-1990002",
    }
    assert client.post(reverse("gates:new_gate"), data).status_code == 302
    gate = Gate.objects.get()
    assert gate.zones == [compound.rsplit(".", 1)[-1]]
    assert gate.shards == [compound.split(".")[1][1:]]
    assert (
        forms.GateForm(data | {"kind": "compound", "place": "d1"}, places=[("d1", "x")]).is_valid() is False
    )


def test_every_page_opens_in_both_languages() -> None:
    gate = a_gate()
    a_device(gate, 4, last_at=clock.now(), highest_seq=9, stored=4)
    client = client_for(Role.COMMUNITY, COMMUNITY)
    for address in (
        reverse("gates:posts"),
        reverse("gates:new_gate"),
        *(reverse(f"gates:{name}", args=[gate.pk]) for name in ("post", "enrol", "folder", "backlog")),
    ):
        assert client.get(address).status_code == 200
        client.cookies["django_language"] = "en"
        english = client.get(address).content.decode()
        del client.cookies["django_language"]
        body = re.sub(r"<[^>]+>", "", english[english.index("<main") :])
        left = set(re.findall(r"[\u4e00-\u9fff]{2,}", body)) - {
            "北门",
            "可不填",
        }  # the latter stands in the shared form
        assert not left, (address, left)
