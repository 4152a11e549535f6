"""Organs: entered by whoever gives offices, one by one or all streets and communities of the divisions at once."""

from __future__ import annotations

import pytest
from django.utils.translation import override
from tests.factories.accounts import DISTRICT, STREET, a_user, an_officer, client_for
from tests.factories.places import a_compound, a_district

from lianfang.accounts import actions, queries
from lianfang.accounts.models import Office, Organ
from lianfang.accounts.rights import Role
from lianfang.kernel.errors import NotAllowed, NotFound, SameIdOtherContent
from lianfang.kernel.ids import new_id
from lianfang.places.policy import Kind
from lianfang.places.queries import standing_below

pytestmark = pytest.mark.django_db


def a_draft(**facts: str) -> actions.OrganDraft:
    known = {
        "code": "police-1",
        "name": "东区公安分局",
        "kind": "police",
        "area": DISTRICT,
    }
    return actions.OrganDraft(**{**known, **facts})


def test_the_same_organ_again_is_the_same_and_another_under_its_code_is_refused() -> None:
    by = an_officer(Role.SECURITY_ADMIN)
    assert actions.enter_organ(a_draft(), by=by) == actions.enter_organ(a_draft(), by=by)
    with pytest.raises(SameIdOtherContent):
        actions.enter_organ(a_draft(kind="health"), by=by)


def test_the_chain_calls_an_organ_by_its_name_and_in_english_by_its_kind() -> None:
    actions.enter_organ(a_draft(), by=an_officer(Role.SECURITY_ADMIN))
    for language in ("zh-hans", "en"):
        with override(language):  # whoever's page it is that asks
            assert queries.public_names("police-1") == ("东区公安分局", "Police")
            assert queries.public_names("system") == ("系统", "System")
            assert queries.public_names("nobody") == ("", "")


def test_nobody_enters_or_describes_a_body_where_they_give_no_office() -> None:
    elsewhere = an_officer(Role.STREET, STREET)
    with pytest.raises(NotAllowed):
        actions.enter_organ(a_draft(), by=elsewhere)
    actions.enter_organ(a_draft(), by=an_officer(Role.SECURITY_ADMIN))
    with pytest.raises(NotAllowed):
        actions.describe_organ("police-1", name="x", phone="", by=elsewhere)
    with pytest.raises(NotAllowed):
        actions.enter_divisions(DISTRICT, by=elsewhere)
    with pytest.raises(NotFound):
        queries.organ_seen("police-1", by=elsewhere)


def test_every_street_and_community_gets_its_body_once() -> None:
    a_district()
    by = an_officer(Role.SECURITY_ADMIN)
    divisions = standing_below(DISTRICT, kinds=[Kind.STREET, Kind.COMMUNITY])
    mine = next(d for d in divisions if d.kind is Kind.COMMUNITY)
    own = actions.enter_organ(a_draft(code="ours", name="我们社区", kind="community", area=mine.path), by=by)
    assert actions.enter_divisions(DISTRICT, by=by) == len(divisions) - 1
    assert actions.enter_divisions(DISTRICT, by=by) == 0
    entered = Organ.objects.filter(kind__in=["street", "community"])
    assert {o.area for o in entered} == {d.path for d in divisions}
    assert [o for o in entered if o.area == mine.path] == [own]
    assert all(o.level == o.kind for o in entered)
    named = {o.name for o in entered}
    assert {"炳草岗街道办事处", "银江镇人民政府"} <= named
    assert not [name for name in named if name.endswith("村居民委员会")]
    streets = {o.area: o for o in entered if o.kind == "street"}
    assert all(
        o.parent == streets[o.area.rpartition(".")[0]] for o in entered if o.kind == "community" and o != own
    )


def test_from_an_empty_list_of_bodies_to_a_community_worker_by_the_pages_alone() -> None:
    """What a new installation needs before anybody can import a roster."""
    a_district()
    compound = a_compound()
    client = client_for(Role.SECURITY_ADMIN)
    assert "登记街道、社区等单位" in client.get("/desk/").content.decode()
    assert "新登记" in client.post("/desk/offices/organs/divisions/", follow=True).content.decode()
    community = next(o for o in queries.organs(kind="community", covering=compound))
    assert "登记街道、社区等单位" not in client.get("/desk/").content.decode()
    page = client.get("/desk/offices/organs/").content.decode()
    assert community.name in page
    assert "没有电话" in page

    told = {"name": community.name, "phone": "0812-1990000"}
    assert client.post(f"/desk/offices/organs/{community.code}/", told).status_code == 302
    assert "0812-1990000" in client.get("/desk/offices/organs/").content.decode()

    # The security administrator admits the committee's worker, the street the company's.
    street = client_for(Role.STREET, compound.rpartition(".c")[0])
    company = {"code": "wuye-1", "name": "禾木物业", "kind": "property", "place": compound, "phone": ""}
    assert street.post("/desk/offices/organs/new/", company).status_code == 302
    for giver, role, organ, area in (
        (client, "community", community.code, ""), (street, "property", "wuye-1", compound),
    ):  # fmt: skip
        user = a_user()
        given = {
            "office_id": str(new_id()), "login": user.login, "role": role, "organ": organ, "area": area,
        }  # fmt: skip
        assert giver.post("/desk/offices/grant/", given).status_code == 302
        office = Office.objects.get(user=user)
        assert office.area == (area or community.area)


@pytest.mark.parametrize(
    "wrong", [{"code": "Police 1"}, {"place": "d999999"}, {"kind": "school"}, {"phone": "ask me"}]
)
def test_a_body_that_cannot_be(wrong: dict[str, str]) -> None:
    a_district()
    client = client_for(Role.SECURITY_ADMIN)
    right = {"code": "police-1", "name": "东区公安分局", "kind": "police", "place": DISTRICT, "phone": ""}
    assert client.post("/desk/offices/organs/new/", right | wrong).status_code == 422
    assert not Organ.objects.filter(kind="police").exists()
    assert client.post("/desk/offices/organs/new/", right).status_code == 302


def test_a_body_is_entered_by_those_who_give_its_offices() -> None:
    """A property company that could enter a "health" body would put words on papers that are not its own."""
    company = an_officer(Role.PROPERTY, STREET)
    for kind in ("health", "command", "police", "property"):
        with pytest.raises(NotAllowed):
            actions.enter_organ(a_draft(code=f"{kind}-9", kind=kind, area=STREET), by=company)
    assert queries.enterable_kinds(company) == []
    assert set(queries.enterable_kinds(an_officer(Role.STREET, STREET))) == {"community", "property"}
    by = an_officer(Role.SECURITY_ADMIN)
    assert set(Organ.Kind) - set(queries.enterable_kinds(by)) == {"property"}
    # Property companies are a street's to admit.
    with pytest.raises(NotAllowed):
        actions.enter_organ(a_draft(code="wuye-2", kind="property"), by=by)
