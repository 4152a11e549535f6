"""From 90 days after its end no office sees whose an order was; one is opened at a time, and the person reads why."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from lianfang.accounts.models import User
from lianfang.accounts.rights import Role
from lianfang.kernel import clock
from lianfang.kernel.errors import NotAllowed
from lianfang.kernel.ids import random_id
from lianfang.kernel.row_security import set_scope
from lianfang.orders import actions, policy, queries
from lianfang.orders.errors import FactorNotFresh, NoSuchNumber
from lianfang.orders.models import BoardSheet, IsolationOrder
from lianfang.people.errors import ReasonNeeded
from lianfang.people.models import Person, ReadRecord
from lianfang.places.queries import addresses as addresses_of
from tests.access.addresses import addresses
from tests.factories.accounts import client_for, log_in
from tests.factories.orders import ROOT, S1_END, S1_NOW, a_draft, officer, resident
from tests.factories.people import a_dwelling, a_household, a_person
from tests.orders.a_case import OVER_AT, TEXTS, a_case

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

pytestmark = pytest.mark.django_db
SECOND: Final = timedelta(seconds=1)
SEALED: Final = OVER_AT + policy.SEALED_AFTER
#: Of whoever the case is about; nobody else is called so or lives there.
NAME: Final = "欧阳小满"
DOOR: Final = "9-1-1604"
CHILD: Final = "欧阳豆豆"
REASON: Final = "行政诉讼，法院调取"
#: Pages about a person, who is named there; they must not name the order.
ABOUT_PERSON: Final = {"orders:person", "orders:inquiry", "orders:proxy_arrival", "orders:proxy_symptoms"}


@pytest.fixture
def order(district: None) -> IsolationOrder:
    """A case of somebody who lives with a child at a door of their own, over since `OVER_AT`."""
    for name in ("邻居甲", "邻居乙", "邻居丙", "邻居丁"):
        a_household(name)
    home, household = a_dwelling(DOOR), random_id()
    person = a_person(NAME, area=home, household_id=household, relation="户主")
    child = a_person(
        CHILD, area=home, household_id=household, relation="子女", born=S1_NOW.date() - timedelta(days=2000)
    )
    set_scope(areas=[ROOT])
    return a_case(person, child)


def staff_pages(order: IsolationOrder) -> list[tuple[str, str]]:
    """Every page of the desk of this room that is about this order, its evidence or its person, and the lists."""
    fills = {
        "order_id": order.pk,
        "proposal_id": order.proposal_id,
        "concern_id": order.evidence_id,
        "person_id": order.person_id,
        "sheet_id": BoardSheet.objects.get(order=order).pk,
        "appeal_id": order.appeals.get().pk,
        "dependant_id": Person.objects.get(name=CHILD).pk,
        "kind": "health",
    }
    found = []
    for address in addresses():
        if (
            not address.name.startswith("orders:")
            or "desk/" not in address.route
            or "GET" not in address.methods
        ):
            continue
        if "hold_id" in address.arguments:
            continue  # `test_holds_of_a_sealed_order_name_nobody`
        papers = (
            ("notice", "release", "employer", "door", "spoken") if "paper" in address.arguments else ("",)
        )
        for paper in papers:
            path = "/" + address.route.removeprefix("^").removesuffix("$")
            if paper:
                path = f"/desk/orders/{order.pk}/print/{paper}/"
            for argument in address.arguments:
                for kind in ("uuid", "slug"):
                    path = path.replace(f"<{kind}:{argument}>", str(fills.get(argument, "")))
            assert "<" not in path, path
            found.append((address.name, path))
    assert len(found) > 25
    return found


def naming(role: Role, order: IsolationOrder, at: datetime) -> set[str]:
    """The pages that say whose the order was: by name or door, on paper or on screen."""
    told = set()
    markers = (NAME, DOOR, addresses_of({order.area})[order.area], CHILD, TEXTS["carer"], TEXTS["lift"])
    with clock.fixed(at):
        client = client_for(role)
        for name, path in staff_pages(order):
            answer = client.get(path)
            if answer.status_code != 200:
                continue
            if answer["Content-Type"] == "application/pdf":
                told.add(name + path.partition("/print/")[2])
                continue
            page = answer.content.decode()
            if name in ABOUT_PERSON:
                if order.order_no in page or str(order.pk) in page:
                    told.add(name)
            elif any(marker in page for marker in markers):
                told.add(name)
    return told


@pytest.mark.parametrize("role", [Role.CDC, Role.COMMUNITY, Role.GRID, Role.STREET, Role.CMD_LEAD])
def test_no_page_says_whose_a_sealed_order_was(order: IsolationOrder, role: Role) -> None:
    before = naming(role, order, SEALED - SECOND)
    if role in (Role.CDC, Role.COMMUNITY, Role.GRID):  # so the search is one that finds
        assert {"orders:order", "orders:person"} <= before
    if role in (Role.CDC, Role.COMMUNITY):
        assert {"orders:printnotice/", "orders:printspoken/", "orders:concern", "orders:proposal"} <= before
        assert "orders:hold_for" in before
    # A board sheet names a place of five households and nobody.
    assert naming(role, order, SEALED) <= {"orders:print_sheet"}


def test_lists_of_ended_orders_show_the_number_alone(order: IsolationOrder) -> None:
    """One whose release papers nobody signed stays on two lists."""
    other = a_person("司马青", area=a_dwelling("9-2-1702"))
    set_scope(areas=[ROOT])
    late = actions.issue_isolation(a_draft(other), by=officer(Role.CDC))
    sealed = S1_END + policy.SEALED_AFTER
    for path, marker in (("/desk/orders/", "司马青"), ("/desk/orders/checks/", "9-2-1702")):
        with clock.fixed(sealed - SECOND):
            page = client_for(Role.CDC).get(path).content.decode()
            assert marker in page
            assert str(late.pk) in page
        with clock.fixed(sealed):
            page = client_for(Role.CDC).get(path).content.decode()
            assert str(late.pk) in page
            assert "司马青" not in page
            assert "9-2-1702" not in page
    assert not ReadRecord.objects.filter(person_id=other, at=sealed).exists()


def test_a_name_read_for_another_order_is_not_lent_to_a_sealed_one(luo: UUID) -> None:
    old = actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    at = S1_END + policy.SEALED_AFTER
    new = actions.issue_isolation(
        a_draft(luo, anchor_at=at - timedelta(hours=1)), by=officer(Role.CDC, at=at)
    )
    with clock.fixed(at):
        page = client_for(Role.CDC).get("/desk/orders/").content.decode()
        assert page.count("罗小娟") == 1
        assert str(new.pk) in page
        assert f'{old.pk}/">{old.order_no}' in page


def test_an_appeal_that_waits_keeps_it_open(luo: UUID) -> None:
    order = actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    objection = actions.AppealDraft(id=random_id(), order_id=order.pk, text="我不在场")
    actions.appeal(objection, by=resident(luo, at=S1_END))
    at = S1_END + policy.SEALED_AFTER
    view = queries.order(order.pk, by=officer(Role.CDC, at=at))
    assert view is not None
    assert view.shown_person == luo
    lead = officer(Role.CMD_LEAD, at=at)
    actions.decide_appeal(
        actions.DecisionDraft(id=random_id(), appeal_id=objection.id, granted=False, reasons="已核实"),
        by=lead,
    )
    view = queries.order(order.pk, by=officer(Role.CDC, at=at))
    assert view is not None
    assert view.shown_person is None


def test_a_gate_is_not_told_of_an_end_that_is_sealed(luo: UUID) -> None:
    actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    sealed = S1_END + policy.SEALED_AFTER
    assert queries.ended_without_notice([luo], sealed - SECOND) == {luo: [S1_END]}
    assert queries.ended_without_notice([luo], sealed) == {}


def test_the_person_sees_their_own_order_as_before(order: IsolationOrder) -> None:
    with clock.fixed(SEALED):
        person = log_in(User.objects.get(person_id=order.person_id))
        assert order.order_no in person.get("/me/order/").content.decode()
        assert person.get(f"/me/order/{order.pk}/hold/").status_code == 200


def test_one_is_opened_by_its_number_with_a_reason_that_the_person_reads(order: IsolationOrder) -> None:
    with clock.fixed(SEALED):
        desk = client_for(Role.COMMUNITY)
        page = desk.get(f"/desk/orders/{order.pk}/").content.decode()
        assert (address := f"/desk/orders/sealed/?no={order.order_no}") in page
        assert order.order_no in desk.get(address).content.decode()
        said = {"order_no": order.order_no, "reason": REASON}
        for wrong in ({**said, "reason": ""}, {**said, "order_no": order.order_no[:-1]}):
            answer = desk.post("/desk/orders/sealed/", wrong)
            assert answer.status_code == 422
            assert NAME not in answer.content.decode()
        assert not ReadRecord.objects.filter(reason=REASON).exists()
        opened = desk.post("/desk/orders/sealed/", said).content.decode()
        assert NAME in opened
        assert addresses_of({order.area})[order.area] in opened
        # Nothing stays open.
        assert NAME not in desk.get(f"/desk/orders/{order.pk}/").content.decode()
        assert desk.get(f"/desk/orders/{order.pk}/print/notice/").status_code == 404
        printed = desk.post("/desk/orders/sealed/", {**said, "with_notice": "on"})
        assert printed["Content-Type"] == "application/pdf"
        assert ReadRecord.objects.filter(person_id=order.person_id, reason=REASON).count() == 2
        reads = log_in(User.objects.get(person_id=order.person_id)).get("/me/reads/").content.decode()
        assert REASON in reads


def test_who_may_open_one(order: IsolationOrder) -> None:
    for role in set(Role) - {Role.CDC, Role.COMMUNITY, Role.SYSTEM, Role.RESIDENT}:
        with pytest.raises((NotAllowed, NoSuchNumber)):
            actions.open_identity(order.order_no, reason=REASON, by=officer(role, at=SEALED))
    by = officer(Role.CDC, at=SEALED, verified=False)
    with pytest.raises(FactorNotFresh):
        actions.open_identity(order.order_no, reason=REASON, by=by)
    with pytest.raises(ReasonNeeded):
        actions.open_identity(order.order_no, reason=" x ", by=officer(Role.CDC, at=SEALED))
    assert not ReadRecord.objects.filter(reason=REASON).exists()
    shown, person = actions.open_identity(order.order_no, reason=REASON, by=officer(Role.CDC, at=SEALED))
    assert (shown.id, person.name) == (order.pk, NAME)


def test_holds_of_a_sealed_order_name_nobody(order: IsolationOrder) -> None:
    draft = actions.HoldDraft(
        id=random_id(), order_id=order.pk, until=SEALED + timedelta(days=9), reason="复议"
    )
    hold = actions.hold_case(draft, by=officer(Role.COMMUNITY, at=SEALED - SECOND))
    path = f"/desk/orders/hold/{hold.pk}/withdraw/"
    for at, named in ((SEALED - SECOND, True), (SEALED, False)):
        with clock.fixed(at):
            assert (NAME in client_for(Role.COMMUNITY).get(path).content.decode()) is named
