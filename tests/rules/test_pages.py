"""A rule is compared, published by a second person and ended on its page; until then everybody reads "unverified"."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lianfang.accounts.rights import Role
from lianfang.kernel import clock
from lianfang.kernel.ids import new_id
from lianfang.rules import actions, queries
from lianfang.rules.models import Document
from tests.factories.accounts import client_for
from tests.factories.orders import ROOT, a_rule_draft, an_incident, officer

pytestmark = pytest.mark.django_db
TODO = "现行规则文件未与原文核对"
DRAFTED = "区指挥部第7号通告"
HOME = ROOT


@pytest.fixture(autouse=True)
def _incident() -> None:
    an_incident(at=clock.now())


def test_a_named_person_compares_it_with_the_official_text() -> None:
    doctor = client_for(Role.CDC)
    assert TODO in doctor.get("/desk/").content.decode()
    caps = Document.objects.get(kind="caps")
    page = f"/desk/rules/{caps.pk}/"
    assert page in doctor.get("/desk/rules/").content.decode()
    assert page not in doctor.get("/open/rules/").content.decode()
    shown = doctor.get(page).content.decode()
    for part in ("一次最多天数", "居家隔离", "21", "未核对", f"{page}verify/"):
        assert part in shown
    assert doctor.post(f"{page}verify/", {"verified_by": ""}).status_code == 422
    assert doctor.post(f"{page}verify/", {"verified_by": "王医生，区疾控"}).status_code == 302
    after = doctor.get(page).content.decode()
    assert "王医生，区疾控" in after
    assert f"{page}verify/" not in after
    assert "王医生，区疾控" in client_for(Role.GRID).get("/desk/rules/").content.decode()
    for rule in Document.objects.filter(verified_by=""):
        doctor.post(f"/desk/rules/{rule.pk}/verify/", {"verified_by": "王医生"})
    assert TODO not in doctor.get("/desk/").content.decode()


def test_a_draft_is_published_by_another_person_and_ended_once() -> None:
    today = clock.legal_day(clock.now())
    draft = a_rule_draft(effective_from=today, effective_to=None)
    author = client_for(Role.CDC)
    actions.draft_document(draft, by=officer(Role.CDC, at=clock.now()))
    page = f"/desk/rules/{draft.id}/"
    assert "草稿，未生效" in author.get(page).content.decode()
    leader = client_for(Role.CMD_LEAD)
    assert leader.post(f"{page}publish/", {"act": "1"}).status_code == 302
    assert f"{page}end/" in leader.get(page).content.decode()
    last = today + timedelta(days=7)
    assert leader.post(f"{page}end/", {"last_day": last.isoformat()}).status_code == 302
    assert Document.objects.get(pk=draft.id).effective_to == last
    refused = leader.post(f"{page}end/", {"last_day": (last + timedelta(days=1)).isoformat()})
    assert "不能改动" in refused.content.decode()


@pytest.mark.parametrize("act", ["verify", "publish", "end"])
def test_who_publishes_no_rules_only_reads(act: str) -> None:
    page = f"/desk/rules/{Document.objects.get(kind='caps').pk}/"
    grid = client_for(Role.GRID)
    assert f"{page}{act}/" not in grid.get(page).content.decode()
    assert grid.get(f"{page}{act}/").status_code == 403


RULE = {
    "title": "区指挥部第7号通告", "document_no": "7号", "source": "区政府网", "reason": "close_contact",
    "measure": "home_isolation", "days": "7", "anchor_counts_as": "0", "release_at": "start_of_next_day",
    "legal_basis": "传染病防治法第三十九条",
}  # fmt: skip


def test_a_term_is_drafted_on_the_page_and_rules_once_another_person_has_published_it() -> None:
    today = clock.legal_day(clock.now())
    author, leader = client_for(Role.CDC), client_for(Role.CMD_LEAD)
    form = RULE | {"id": str(new_id()), "effective_from": today.isoformat()}
    halves = author.post("/desk/rules/new/isolation/", form | {"follow_on_measure": "home_monitoring"})
    assert "要一起填" in halves.content.decode()
    sent = author.post("/desk/rules/new/isolation/", form)
    page = sent.headers["Location"]
    assert (
        author.post("/desk/rules/new/isolation/", form).headers["Location"] == page
    )  # sent twice, kept once
    before = queries.isolation_rule(reason="close_contact", area=HOME, on=today)
    assert before is None or before.origin.title != DRAFTED
    assert "规则草稿待发布" not in author.get("/desk/").content.decode()
    assert "规则草稿待发布" in leader.get("/desk/").content.decode()
    assert "另一人" in author.post(f"{page}publish/", {"act": "1"}).content.decode()
    # What ran before is ended first, with its last day.
    for other in Document.objects.in_force(today).filter(subject="close_contact", jurisdiction="510402"):
        assert "请先结束那份文件" in leader.post(f"{page}publish/", {"act": "1"}).content.decode()
        yesterday = (today - timedelta(days=1)).isoformat()
        assert leader.post(f"/desk/rules/{other.pk}/end/", {"last_day": yesterday}).status_code == 302
    assert leader.post(f"{page}publish/", {"act": "1"}).status_code == 302
    rule = queries.isolation_rule(reason="close_contact", area=HOME, on=today)
    assert rule is not None
    assert (rule.days, rule.anchor_event, rule.origin.title) == (7, "last_exposure", DRAFTED)
    shown = leader.get(page).content.decode()
    for words in ("密切接触者", "末次接触", "最后一天过后的零点"):
        assert words in shown
    assert "start_of_next_day" not in shown
    like = author.get(f"/desk/rules/new/isolation/?like={page.split('/')[-2]}").content.decode()
    assert 'value="区指挥部第7号通告"' in like
    for nonsense in ("x" * 36, "1", ""):
        assert author.get("/desk/rules/new/isolation/", {"like": nonsense}).status_code == 200


def test_a_list_of_areas_is_written_line_by_line() -> None:
    today = clock.legal_day(clock.now())
    author, leader = client_for(Role.CDC), client_for(Role.CMD_LEAD)
    form = {
        "id": str(new_id()), "title": "名单", "source": "区指挥部", "effective_from": today.isoformat(),
        "look_back_days": "21", "areas": "4201 湖北省武汉市 高\n3303 温州市 不知道",
    }  # fmt: skip
    assert "第2行读不懂" in author.post("/desk/rules/new/areas/", form).content.decode()
    sent = author.post(
        "/desk/rules/new/areas/", form | {"areas": "4201 湖北省武汉市 高\n\n3303 浙江省 温州市 中"}
    )
    for other in Document.objects.filter(kind="listed_areas").exclude(published_at=None):
        actions.end_document(
            other.pk, last_day=today - timedelta(days=1), by=officer(Role.CDC, at=clock.now())
        )
    assert leader.post(f"{sent.headers['Location']}publish/", {"act": "1"}).status_code == 302
    found = queries.listed_area("330302", today, area=HOME)
    assert found is not None
    assert (found.name, found.level, found.reason) == ("浙江省温州市", "medium", "area_returnee_medium")
    assert (
        "4201 湖北省武汉市 高"
        in author.get(
            f"/desk/rules/new/areas/?like={sent.headers['Location'].split('/')[-2]}"
        ).content.decode()
    )
