"""A rule is compared, published by a second person and ended on its page; until then everybody reads "unverified"."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lianfang.accounts.rights import Role
from lianfang.kernel import clock
from lianfang.rules import actions
from lianfang.rules.models import Document
from tests.factories.accounts import client_for
from tests.factories.orders import a_rule_draft, an_incident, officer

pytestmark = pytest.mark.django_db
TODO = "现行规则文件未与原文核对"


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
