"""From the draft to the withdrawal on the pages, and what everybody reads without logging in."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pypdf
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from lianfang.accounts.rights import Role
from lianfang.announcements.models import Announcement, Publication, Review, Withdrawal
from lianfang.kernel import clock
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from lianfang.ledger import queries as ledger
from tests.factories.accounts import COMMUNITY, DISTRICT, STREET, client_for, client_of
from tests.factories.announcements import a_draft, a_published, reviewed
from tests.factories.people import a_dwelling, a_person
from tests.factories.places import a_compound, a_district

if TYPE_CHECKING:
    from uuid import UUID

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
LIST = "/open/announcements/"


@pytest.fixture(autouse=True)
def district() -> None:
    a_district()


def form(**changes: Any) -> dict[str, Any]:
    return {
        "id": str(new_id()), "kind": "announcement", "title": "关于检测点的通告", "body": "自明天起。\r\n南广场。",
        "basis": "第三十九条", "places": [STREET], "signatory": "主任 示例", "starts_at": "", "ends_at": "",
        "plain": "", "aloud": "请到南广场。", "title_en": "", "body_en": "", **changes,
    }  # fmt: skip


def page(client: Client, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status
    return answer.content.decode()


def at(name: str, text_id: UUID) -> str:
    return reverse(f"announcements:{name}", args=[text_id])


def test_from_the_draft_to_the_withdrawal() -> None:
    street, duty = client_for(Role.STREET, STREET), client_for(Role.CMD_DUTY)
    guard = client_for(Role.PROPERTY, COMMUNITY)
    assert "还没有公告" in page(street, reverse("announcements:desk"))
    assert "目前没有现行公告" in page(Client(), LIST)
    assert guard.post(reverse("announcements:draft"), form()).status_code == 403
    assert street.post(reverse("announcements:draft"), form(title="")).status_code == 422
    too_long = street.post(reverse("announcements:draft"), form(aloud="字" * 300))
    assert too_long.status_code == 422
    assert "75 秒" in too_long.content.decode()
    made = street.post(reverse("announcements:draft"), form())
    assert made.status_code == 302, made.content.decode()
    with scope(areas=[DISTRICT]):
        text = Announcement.objects.get()
    assert text.body == "自明天起。\n南广场。"
    own = made["Location"]
    assert "草稿，待审核" in page(street, own)
    assert at("review", text.pk) not in page(street, own)
    assert at("review", text.pk) in page(duty, own)
    assert "公告待合法性审核" in page(duty, "/desk/")
    assert "公告待合法性审核" not in page(street, "/desk/")
    assert page(guard, own, 404)
    assert page(Client(), at("open_one", text.pk), 404)
    returned = duty.post(at("review", text.pk), {"finding": "returned", "word": ""})
    assert returned.status_code == 422
    assert duty.post(at("review", text.pk), {"finding": "approved", "word": ""}).status_code == 302
    with scope(areas=[DISTRICT]):
        assert Review.objects.get().approved
    assert "公告待签发" in page(street, "/desk/")
    assert at("sign", text.pk) in page(street, own)
    assert at("sign", text.pk) not in page(duty, own)
    assert duty.post(at("sign", text.pk)).status_code == 403
    assert not Publication.objects.exists()
    assert street.post(at("sign", text.pk)).status_code == 302
    row = Publication.objects.get()
    shown = page(guard, own)
    assert "现行有效" in shown
    assert row.number in shown
    assert row.number in page(Client(), LIST)
    assert "关于检测点的通告" in page(guard, reverse("announcements:desk") + "?q=检测点")
    assert "没有找到" in page(guard, reverse("announcements:desk") + "?q=别的")
    lead = client_for(Role.CMD_LEAD)
    assert lead.post(at("withdraw", text.pk), {"reason": ""}).status_code == 422
    assert lead.post(at("withdraw", text.pk), {"reason": "地点有误"}).status_code == 302
    assert Withdrawal.objects.get().reason == "地点有误"
    shown = page(Client(), at("open_one", text.pk))
    assert "已撤回" in shown
    assert "地点有误" in shown
    assert "南广场" in shown
    listed = page(Client(), LIST)
    assert "目前没有现行公告" in listed
    assert listed.index("留档备查") < listed.index(row.number)


def test_the_file_anybody_downloads_has_the_hash_that_the_chain_holds() -> None:
    row = a_published(body="一\n二", title_en="On testing", body_en="One\nTwo", plain="简单说")
    answer = Client().get(at("text", row.pk))
    terms = ledger.entry_view(row.entry_id)["terms"]
    assert isinstance(terms, dict)
    assert sha256(answer.content).hexdigest() == terms["sha256"] == row.text_hash
    assert "public" in answer["Cache-Control"]
    shown = page(Client(), at("open_one", row.pk))
    assert row.text_hash in shown
    assert "已入账，尚未见证" in shown
    assert reverse("ledger:entry", args=[row.entry_id]) in shown
    assert "与信息链上的指纹不一致" not in shown
    assert "本文不设限制" in shown
    draft = a_draft()
    assert Client().get(at("text", draft.pk)).status_code == 404


def test_an_edited_row_is_said_on_the_page() -> None:
    row = a_published()
    with scope(areas=[DISTRICT]), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE announcements_announcement DISABLE TRIGGER USER")
        cursor.execute("UPDATE announcements_announcement SET body = '请到北广场。'")
    assert "与信息链上的指纹不一致" in page(Client(), at("open_one", row.pk))
    assert "与信息链上的指纹不一致" in page(client_for(Role.STREET, STREET), at("announcement", row.pk))


def test_english_where_it_is_given_with_the_chinese_below() -> None:
    row, plain = a_published(title_en="On testing", body_en="One\nTwo"), a_published()
    reader = Client()
    reader.post(reverse("language"), {"language": "en", "next": "/"})
    shown = page(reader, at("open_one", row.pk))
    assert "<h1>On testing</h1>" in shown
    assert "<p>One</p><p>Two</p>" in shown
    assert "自明天起" in shown
    assert "On testing" in page(reader, LIST)
    assert "自明天起" in page(reader, at("open_one", plain.pk))


def test_a_place_shows_what_is_said_for_it() -> None:
    here = a_published(title="这里的", places=(COMMUNITY,))
    other = "d510402.s510402001.c510402001004"
    a_published(title="那里的", places=(other,))
    shown = page(Client(), f"{LIST}?place={COMMUNITY}")
    assert "这里的" in shown
    assert "那里的" not in shown
    everywhere = page(Client(), f"{LIST}?place=nowhere")
    assert "这里的" in everywhere
    assert "那里的" in everywhere
    assert here.place_names[0] in page(Client(), at("open_one", here.pk))


def test_what_holds_where_a_resident_lives_stands_on_the_first_page() -> None:
    home = a_dwelling()
    person = a_person("测试甲", area=home)
    a_published(title="本小区的", places=(a_compound(),))
    a_published(title="别处的", places=("d510402.s510402001.c510402001004",))
    a_published(title="过去的", places=(COMMUNITY,), at=clock.now() - 2 * DAY, ends_at=clock.now() - DAY)
    shown = page(client_of(person), "/")
    assert "本小区的" in shown
    assert "别处的" not in shown
    assert "过去的" not in shown
    nobody = page(Client(), "/")
    assert "本小区的" not in nobody
    assert LIST in nobody
    assert LIST in page(Client(), "/open/")


def test_lists_and_pages_show_how_far_each_has_come_and_say_what_the_chain_is() -> None:
    """Decision 14: one sentence on every page that shows it."""
    made = a_published(title="入账的")
    desk = client_for(Role.STREET, STREET)
    for shown in (page(Client(), LIST), page(desk, reverse("announcements:desk"))):
        assert shown.count("已入账，尚未见证") == 1
    entry = reverse("ledger:entry", args=[made.entry_id])
    assert entry in page(desk, reverse("announcements:desk"))
    for url, client in (
        (f"{LIST}{made.announcement_id}/", Client()),
        (reverse("announcements:announcement", args=[made.announcement_id]), desk),
        (entry, Client()),
    ):
        assert "三方共同保管、共同签名" in page(client, url), url


def test_open_pages_ask_as_often_for_many_as_for_one() -> None:
    def asked() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as listing:
            page(Client(), LIST)
        with CaptureQueriesContext(connection) as desk:
            page(client, reverse("announcements:desk"))
        return len(listing), len(desk)

    client = client_for(Role.STREET, STREET)
    first = a_published()
    asked()
    before = asked()
    for n in range(6):
        a_published(supersedes=(first.pk,) if n == 0 else ())
        a_draft()
        reviewed(a_draft().pk)
    assert asked() == before
    assert max(before) <= 20


def test_long_lists_have_pages() -> None:
    for n in range(22):
        a_published(
            title=f"第{n}次", at=clock.now() - 3 * DAY + timedelta(minutes=n), ends_at=clock.now() - DAY
        )
    first, second = page(Client(), LIST), page(Client(), f"{LIST}?page=2")
    assert "第21次" in first
    assert "第1次" not in first
    assert "第1次" in second
    assert "第21次" not in second
    for odd in ("0", "-1", "x", "99999999", "²"):
        assert Client().get(f"{LIST}?page={odd}").status_code == 200


def _text_of(pdf: bytes) -> str:
    return "".join("".join(p.extract_text().split()) for p in pypdf.PdfReader(BytesIO(pdf)).pages)


def test_the_sheets_say_what_was_published() -> None:
    row = a_published(aloud="请各位居民到南广场检测。", ends_at=clock.now() + DAY)
    silent, draft = a_published(), a_draft()
    guard = client_for(Role.PROPERTY, COMMUNITY)
    sheet = guard.get(reverse("announcements:print", args=[row.pk, "sheet"]))
    assert sheet["Content-Type"] == "application/pdf"
    pdf = pypdf.PdfReader(BytesIO(sheet.content)).pages[0]
    assert (round(float(pdf.mediabox.width)), round(float(pdf.mediabox.height))) == (842, 1191)  # A3
    said = _text_of(sheet.content)
    for part in (
        "自明天起，检测点设在南广场。",
        row.text_hash[:8],
        "已入账，尚未见证",
        "到时自动失效",
        "本文不设限制",
    ):
        assert part in said, part
    aloud = guard.get(reverse("announcements:print", args=[row.pk, "loudspeaker"]))
    assert "请各位居民到南广场检测。" in _text_of(aloud.content)
    assert "约3秒" in _text_of(aloud.content)
    assert guard.get(reverse("announcements:print", args=[silent.pk, "loudspeaker"])).status_code == 404
    street = client_for(Role.STREET, STREET)
    assert street.get(reverse("announcements:print", args=[draft.pk, "sheet"])).status_code == 404
