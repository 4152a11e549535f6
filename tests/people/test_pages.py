"""Pages about people: who sees what, what is recorded, and that each works without script."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from lianfang.accounts.rights import Role
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import scope
from lianfang.people.actions import rosters
from lianfang.people.models import Correction, ImportRun, Person, ReadRecord
from lianfang.places.queries import at_level
from tests.factories.accounts import client_for, client_of
from tests.factories.people import DISTRICT, a_dwelling, a_household, a_person, an_actor
from tests.factories.rosters import a_roster, as_xlsx

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def _community() -> str:
    return at_level(a_dwelling(), "community") or ""


@pytest.fixture
def worker(db: None) -> Client:
    return client_for(Role.COMMUNITY, _community())


def test_a_search_shows_and_records(worker: Client) -> None:
    pk = a_person("罗小娟", phone="19900000001")
    for q in ("罗", "小娟", "lxj", "5-2-603", "19900000001"):
        page = worker.post("/desk/people/", {"q": q})
        assert "罗小娟" in page.content.decode(), q
    assert ReadRecord.objects.filter(person_id=pk).count() == 5
    assert {tuple(r.fields) for r in ReadRecord.objects.all()} == {("name",)}


def test_nobody_outside_the_area_changes_a_byte(worker: Client) -> None:
    def answer() -> bytes:
        page = worker.post("/desk/people/", {"q": "马秀兰"}).content
        return re.sub(rb'(csrfmiddlewaretoken" value=|nonce=)"[^"]+"', b"", page)

    before = answer()
    a_person("马秀兰", area=a_dwelling("1-1-0101", community="d510402.s510402002.c510402002001"))
    assert answer() == before
    assert not ReadRecord.objects.exists()


def test_a_number_is_masked_until_a_reason_is_given(worker: Client) -> None:
    pk = a_person("罗小娟")
    with scope(areas=[DISTRICT]):
        from lianfang.people.sealing import unseal

        number = unseal(Person.objects.get().id_sealed, of=pk, field="id_no")  # type: ignore[arg-type]  # has one
    page = worker.get(f"/desk/people/{pk}/").content.decode()
    assert number not in page
    assert f"＊＊＊{number[-2:]}" in page
    assert worker.post(f"/desk/people/{pk}/", {"reason": ""}).status_code == 422
    shown = worker.post(f"/desk/people/{pk}/", {"reason": "与居民核对证件"}).content.decode()
    assert number in shown
    last = ReadRecord.objects.order_by("-pk").first()
    assert last is not None
    assert "id_no" in last.fields
    assert last.reason == "与居民核对证件"


def test_the_grid_worker_is_not_offered_the_number() -> None:
    pk = a_person("罗小娟")
    grid = client_for(Role.GRID, _community())
    assert "查看完整证件号码" not in grid.get(f"/desk/people/{pk}/").content.decode()
    assert grid.post(f"/desk/people/{pk}/", {"reason": "核对证件"}).status_code == 403


@pytest.mark.parametrize(
    "role", [Role.GUARD, Role.PROPERTY, Role.STREET, Role.CMD_LEAD, Role.AUDITOR, Role.SYSTEM_ADMIN]
)
def test_other_roles_see_nobody(role: Role) -> None:
    pk = a_person("罗小娟")
    browser = client_for(role, DISTRICT)
    for page in (browser.post("/desk/people/", {"q": "罗"}), browser.get(f"/desk/people/{pk}/")):
        assert page.status_code == 403
        assert "罗小娟" not in page.content.decode()


def test_the_health_office_searches_for_an_inquiry() -> None:
    pk = a_person("罗小娟")
    cdc = client_for(Role.CDC, DISTRICT)
    assert "罗小娟" in cdc.post("/desk/people/inquiry/", {"q": "罗"}).content.decode()
    assert cdc.get(f"/desk/people/inquiry/{pk}/").status_code == 200
    assert {r.purpose for r in ReadRecord.objects.filter(person_id=pk)} == {"case_inquiry"}


def test_a_page_holds_fifty_and_the_next_the_rest(worker: Client) -> None:
    with scope(areas=[_community()]):
        rosters.import_roster(
            as_xlsx(a_roster(130)),
            community=_community(),
            filename="a.xlsx",
            by=an_actor(Role.COMMUNITY, _community()),
        )
        compound = Person.objects.first()
        assert compound is not None
        path = at_level(compound.area, "compound")
    seen: list[str] = []
    after = ""
    for _ in range(3):
        page = worker.post(f"/desk/people/at/{path}/", {"after": after}).content.decode()
        ids = re.findall(r"/desk/people/([0-9a-f-]{36})/", page)
        assert len(ids) <= 50
        seen += ids
        found = re.search(r'name="after" value="([^"]+)"', page)
        after = found[1] if found else ""
    assert len(seen) == len(set(seen)) == 130
    assert after == ""
    assert ReadRecord.objects.count() == 130


def test_the_own_household_and_who_looked(worker: Client) -> None:
    mother, _, child = a_household()
    me = client_of(mother)
    assert "还没有人看过" in me.get("/me/reads/").content.decode()
    worker.get(f"/desk/people/{mother}/")
    page = me.get("/me/reads/").content.decode()
    assert "户档登记" in page
    assert page.count('<article class="lf-card">') == 1
    worker.get(f"/desk/people/{mother}/")
    worker.post(f"/desk/people/{mother}/", {"reason": "核对证件"})
    page = me.get("/me/reads/").content.decode()
    assert page.count('<article class="lf-card">') == 2
    assert "2 次" in page
    assert "核对证件" in page
    for third in ("陈志强", "陈念"):
        assert third not in page
    own = me.get("/me/household/").content.decode()
    assert "罗小娟" in own
    assert "陈志强" in own
    assert ReadRecord.objects.filter(person_id=child).count() == 4


def test_a_resident_sees_no_neighbour() -> None:
    mother = a_household()[0]
    a_person("王伟", area=a_dwelling("5-2-0604"))
    page = client_of(mother).get("/me/household/").content.decode()
    assert "王伟" not in page


def test_asked_corrected_and_answered(worker: Client) -> None:
    pk = a_person("罗小娟", phone="19900000001")
    me = client_of(pk)
    form = me.get("/me/correct/phone/").content.decode()
    hidden = dict(re.findall(r'name="(id|base)" value="([^"]+)"', form))
    assert (
        me.post("/me/correct/phone/", {**hidden, "value": "19900000002", "reason": "换号"}).status_code == 302
    )
    correction = Correction.objects.get()
    assert "19900000002" in worker.get("/desk/people/corrections/").content.decode()
    worker.post(f"/desk/people/corrections/{correction.pk}/", {"accept": "1"})
    assert "19900000002" in me.get("/me/household/").content.decode()


def test_a_roster_goes_from_page_to_page(worker: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from lianfang.people import jobs

    started: list[str] = []
    monkeypatch.setattr(jobs.import_roster, "defer", lambda run_id: started.append(run_id))
    upload = SimpleUploadedFile("名册.xlsx", as_xlsx(a_roster(7), title="居民花名册"))
    first = "导入本社区的名册"  # what a community begins with, and has done for good afterwards
    assert first in worker.get("/desk/").content.decode()
    sent = worker.post("/desk/import/", {"id": str(new_id()), "community": _community(), "file": upload})
    assert sent.status_code == 302
    page = worker.get(sent["Location"]).content.decode()
    chosen = dict(re.findall(r'<select name="(column_\d+)".*?<option value="(\w+)" selected', page, re.S))
    assert len(chosen) == 11
    assert worker.post(sent["Location"], {**chosen, "compound": ""}).status_code == 302
    assert started == [str(ImportRun.objects.get().pk)]
    busy = worker.get(sent["Location"])
    assert busy["Refresh"] == "2"
    monkeypatch.setattr(jobs, "progress_of", lambda run_id: (lambda done, total: None, lambda: None))
    jobs.import_roster(started[0])
    assert "确认导入" in worker.get(sent["Location"]).content.decode()
    worker.post(sent["Location"] + "write/")
    jobs.import_roster(started[0])
    assert "已导入" in worker.get(sent["Location"]).content.decode()
    assert first not in worker.get("/desk/").content.decode()
    with scope(areas=[DISTRICT]):
        assert Person.objects.count() == 7


def test_a_bad_file_is_explained_on_the_page(worker: Client) -> None:
    bad = SimpleUploadedFile("a.xlsx", b"PK\x03\x04 nothing")
    page = worker.post("/desk/import/", {"id": str(new_id()), "community": _community(), "file": bad})
    assert page.status_code == 422
    assert "文件已损坏" in page.content.decode()
    assert not ImportRun.objects.exists()


def test_a_person_is_registered_at_the_door(worker: Client) -> None:
    area = a_dwelling("5-2-0701")
    page = worker.get(f"/desk/people/at/{area}/new/").content.decode()
    hidden = re.search(r'name="id" value="([^"]+)"', page)
    assert hidden
    done = worker.post(
        f"/desk/people/at/{area}/new/",
        {"id": hidden[1], "name": "吴德昌", "birth_date": "1938-01-02", "care": ["no_smartphone"]},
    )
    assert done.status_code == 302
    assert "吴德昌" in worker.get(done["Location"]).content.decode()
