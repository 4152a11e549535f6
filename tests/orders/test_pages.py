"""The pages of orders and rules, as their readers get them."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pypdf
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lianfang.accounts.rights import Role
from lianfang.concerns.models import PersonOfConcern
from lianfang.kernel import clock
from lianfang.kernel.ids import random_id
from lianfang.kernel.row_security import scope
from lianfang.orders import actions, queries
from lianfang.orders.models import Appeal, IsolationOrder, Lift, Serving
from tests.factories.accounts import client_for, client_of
from tests.factories.orders import ROOT, S1_ANCHOR, S1_END, S1_NOW, a_concern, a_draft, officer
from tests.factories.people import a_dwelling, a_household, a_person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from uuid import UUID


pytestmark = pytest.mark.django_db
COMMUNITY = f"{ROOT}.s510402001.c510402001003"


@pytest.fixture(autouse=True)
def at_s1() -> Iterator[None]:
    with clock.fixed(S1_NOW):
        yield


@pytest.fixture
def order(luo: UUID) -> IsolationOrder:
    return actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))


def text(answer: Any, status: int = 200) -> str:
    body = answer.content.decode()
    assert answer.status_code == status, body[:2000]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def rows(model: type) -> int:
    with scope(areas=[ROOT]):
        return model.objects.count()  # type: ignore[attr-defined, no-any-return]  # any model


def test_the_own_page_says_until_when_who_and_how_to_object(order: IsolationOrder, luo: UUID) -> None:
    page = text(client_of(luo).get("/me/order/"))
    for said in (
        "居家隔离",
        "还剩15天",
        "2020年2月13日",
        "2020年2月14日 00:00",
        order.order_no,
        "提出申诉",
        "从高风险地区返回",
        "行政复议",
        "防疫信息链",
        "规则原文尚未核对",
    ):
        assert said in page, said


def test_the_own_page_of_somebody_free(luo: UUID, order: IsolationOrder, household: list[UUID]) -> None:
    assert "可以自由出入" in text(client_of(household[1]).get("/me/order/"))
    with clock.fixed(S1_END):
        page = text(client_of(luo).get("/me/order/"))
    assert "可以自由出入" in page
    assert "已到期解除" in page


def test_the_person_objects(order: IsolationOrder, luo: UUID) -> None:
    client = client_of(luo)
    form = {"id": str(random_id()), "text": "我没有去过"}
    for _ in range(2):
        assert client.post(f"/me/order/{order.pk}/appeal/", form).status_code == 302
    assert rows(Appeal) == 1
    text(client.post(f"/me/order/{order.pk}/appeal/", {"id": str(random_id()), "text": ""}), 422)


def test_nobody_elses_order(order: IsolationOrder, household: list[UUID]) -> None:
    client = client_of(household[1])
    text(client.get(f"/me/order/{order.pk}/appeal/"), 404)


def an_arrival(**changes: object) -> dict[str, object]:
    return {
        "id": str(random_id()),
        "came_from": "4201",
        "left_at": "2020-01-29T09:00",
        "arrived_at": "2020-01-30T14:20",
        "transport": "car",
        "contact": "no",
    } | changes


def test_an_arrival_is_answered_at_once_and_restricts_nobody(luo: UUID) -> None:
    client = client_of(luo)
    page = text(client.post("/me/report/arrival/", an_arrival()))
    assert "由卫生人员在1月31日 15:15前判定" in page
    assert "重点地区名单" in page
    assert "演示规则：重点地区名单" in page
    with scope(areas=[ROOT]):
        assert queries.restrictions([luo], S1_NOW) == {}
    page = text(client.post("/me/report/arrival/", an_arrival(came_from="00")))
    assert "不需要采取任何措施" in page
    assert rows(PersonOfConcern) == 1


def test_a_report_under_an_order_names_the_order(order: IsolationOrder, luo: UUID) -> None:
    page = text(client_of(luo).post("/me/report/arrival/", an_arrival()))
    assert f"您在决定{order.order_no}之下，到2020年2月14日 00:00自动解除" in page


def test_symptoms_and_wrong_input(luo: UUID) -> None:
    client = client_of(luo)
    page = text(client.post("/me/report/symptoms/", {"id": str(random_id()), "temp_c": "37.8"}))
    assert "前判定" in page
    page = text(client.post("/me/report/symptoms/", {"id": str(random_id()), "temp_c": "36.5"}))
    assert "不需要采取任何措施" in page
    page = text(client.post("/me/report/symptoms/", {"id": str(random_id()), "temp_c": "50"}), 422)
    assert "34.0" in page


def test_by_proxy(luo: UUID) -> None:
    client = client_for(Role.GRID, COMMUNITY)
    url = f"/desk/orders/report/{luo}/arrival/"
    assert "我当面见到了本人" in text(client.get(url))
    assert "前判定" in text(client.post(url, an_arrival(met_in_person="on")))


def test_from_concern_to_signature_to_serving(luo: UUID, household: list[UUID]) -> None:
    concern = a_concern(luo)
    community, doctor = client_for(Role.COMMUNITY, COMMUNITY), client_for(Role.CDC)
    assert "提出隔离建议" in text(community.get(f"/desk/orders/concern/{concern}/"))
    form = {"id": str(random_id()), "anchor_at": "2020-01-30T14:20", "home_is_suitable": "on"}
    url = f"/desk/orders/concern/{concern}/propose/"
    text(community.get(url))
    assert community.post(url, form).status_code == 302
    desk = doctor.get("/desk/orders/")
    assert "从高风险地区返回" in text(desk)
    (proposal,) = set(re.findall(r"/desk/orders/proposal/([0-9a-f-]{36})/", desk.content.decode()))
    url = f"/desk/orders/proposal/{proposal}/"
    assert "2020年2月14日 00:00" in text(doctor.get(url))
    text(doctor.post(url, {"id": str(random_id())}), 422)
    assert rows(IsolationOrder) == 0
    assert doctor.post(url, {"id": str(random_id()), "confirm": "on"}).status_code == 302
    with scope(areas=[ROOT]):
        order = IsolationOrder.objects.get()
        assert order.anchor_at == S1_ANCHOR

    grid = client_for(Role.GRID, COMMUNITY)
    assert "罗小娟" in text(grid.get("/desk/orders/serving/"))
    assert "未落实" in text(grid.get(f"/desk/orders/{order.pk}/"))
    serving = {"id": str(random_id()), "served_at": "2020-01-30T15:15", "receipt": "signed"}
    page = text(grid.post(f"/desk/orders/{order.pk}/serve/", serving), 422)
    assert "还有1位需要照护的人没有落实照护" in page
    care = f"/desk/orders/{order.pk}/care/{household[2]}/"
    text(grid.get(care))
    assert grid.post(care, {"id": str(random_id()), "carer": str(household[1])}).status_code == 302
    assert grid.post(f"/desk/orders/{order.pk}/serve/", serving).status_code == 302
    assert rows(Serving) == 1
    assert "全部已送达" in text(grid.get("/desk/orders/serving/"))


def test_from_inquiry_to_signature_and_an_appeal_for_somebody(luo: UUID) -> None:
    doctor = client_for(Role.CDC)
    url = f"/desk/orders/person/{luo}/inquiry/"
    assert "密切接触者" in text(doctor.get(url))
    form = {"id": str(random_id()), "category": "close_contact", "anchor_at": "2020-01-29T10:00"}
    entered = doctor.post(url, form)
    text(doctor.post(url, form | {"id": str(random_id()), "anchor_at": "2020-01-31T10:00"}), 422)
    with scope(areas=[ROOT]):
        concern = PersonOfConcern.objects.get()
    assert "没有任何隔离决定" in text(doctor.get(f"/desk/orders/person/{luo}/"))
    # On to where it is signed; whoever leaves that page finds it again, from the first page and from the list.
    page = f"/desk/orders/concern/{concern.pk}/"
    assert entered.headers["Location"] == page
    shown = doctor.get(page)
    assert f'href="{page}sign/"' in shown.content.decode()
    assert "已核实" in text(shown)
    assert "否则失效" not in text(shown)
    assert "已核实的线索尚无决定" in text(doctor.get("/desk/"))
    community = client_for(Role.COMMUNITY, COMMUNITY)
    for reader in (doctor, community):
        listed = reader.get("/desk/orders/")
        assert "已核实，尚无决定" in text(listed)
        assert f'href="{page}"' in listed.content.decode()
    url = f"/desk/orders/concern/{concern.pk}/sign/"
    assert "14天" in text(doctor.get(url))
    assert doctor.post(url, {"id": str(random_id()), "confirm": "on"}).status_code == 302
    assert "密切接触者" in text(doctor.get(f"/desk/orders/person/{luo}/"))
    assert page not in doctor.get("/desk/orders/").content.decode()
    assert "已核实的线索尚无决定" not in text(doctor.get("/desk/"))
    with scope(areas=[ROOT]):
        order = IsolationOrder.objects.get()
    grid = client_for(Role.GRID, COMMUNITY)
    url = f"/desk/orders/{order.pk}/appeal/"
    assert grid.post(url, {"id": str(random_id()), "text": "她没有去过"}).status_code == 302
    with scope(areas=[ROOT]):
        assert Appeal.objects.get().on_behalf


@pytest.mark.parametrize("url", ["/desk/orders/", "/desk/orders/serving/"])
def test_a_list_asks_as_often_for_six_as_for_one(order: IsolationOrder, url: str) -> None:
    def asked() -> int:
        client = client_for(Role.COMMUNITY, COMMUNITY)
        client.get(url)
        with CaptureQueriesContext(connection) as asked:
            page = client.get(url)
        assert len(re.findall("/desk/orders/[0-9a-f]{8}-", page.content.decode())) == rows(IsolationOrder)
        return len(asked)

    one = asked()
    for i in range(5):
        home = a_dwelling(f"5-3-{i + 101:04d}")
        with scope(areas=[ROOT]):
            person = a_person("测试", area=home, numbered=False)
        with scope(areas=[ROOT]):
            actions.issue_isolation(a_draft(person), by=officer(Role.CDC))
    assert asked() == one


def test_the_list_of_checks_asks_as_often_for_three_as_for_one(order: IsolationOrder) -> None:
    def asked() -> int:
        with clock.fixed(S1_END):
            client = client_for(Role.MEDIC)
            client.get("/desk/orders/checks/")
            with CaptureQueriesContext(connection) as asked:
                page = client.get("/desk/orders/checks/")
        assert page.content.decode().count("/open/chain/entry/") == rows(IsolationOrder)
        return len(asked)

    one = asked()
    for i in range(2):
        with scope(areas=[ROOT]):
            person = a_person("测试", area=a_dwelling(f"5-3-{i + 101:04d}"), numbered=False)
        with scope(areas=[ROOT]):
            actions.issue_isolation(a_draft(person), by=officer(Role.CDC))
    assert asked() == one


def test_signing_asks_for_the_second_factor_again(luo: UUID) -> None:
    concern = a_concern(luo)
    doctor = client_for(Role.CDC)
    with clock.fixed(S1_NOW + timedelta(minutes=6)):
        answer = doctor.post(
            f"/desk/orders/concern/{concern}/sign/", {"id": str(random_id()), "confirm": "on"}
        )
    assert "动态验证码" in text(answer, 403)
    assert rows(IsolationOrder) == 0
    assert (
        doctor.post(
            f"/desk/orders/concern/{concern}/sign/", {"id": str(random_id()), "confirm": "on"}
        ).status_code
        == 302
    )
    assert rows(IsolationOrder) == 1


def test_lift_appeal_and_papers_of_the_end(order: IsolationOrder, luo: UUID) -> None:
    doctor, lead = client_for(Role.CDC), client_for(Role.CMD_LEAD)
    client_of(luo).post(f"/me/order/{order.pk}/appeal/", {"id": str(random_id()), "text": "我没有去过"})
    assert "我没有去过" in text(lead.get("/desk/orders/appeals/"))
    with scope(areas=[ROOT]):
        appeal = Appeal.objects.get()
    url = f"/desk/orders/appeals/{appeal.pk}/"
    text(lead.get(url))
    assert lead.post(url, {"id": str(random_id()), "granted": "no", "reasons": "票据相反"}).status_code == 302
    assert "维持决定" in text(doctor.get(f"/desk/orders/{order.pk}/"))
    url = f"/desk/orders/{order.pk}/lift/"
    assert "不能撤回" in text(doctor.get(url))
    assert doctor.post(url, {"id": str(random_id()), "reason": "误判"}).status_code == 302
    assert rows(Lift) == 1
    with clock.fixed(S1_END - timedelta(hours=3)):
        medic, street, doctor = client_for(Role.MEDIC), client_for(Role.STREET), client_for(Role.CDC)
        assert order.order_no in text(medic.get("/desk/orders/checks/"))
        assert medic.post(f"/desk/orders/{order.pk}/check/health/").status_code == 302
        assert street.post(f"/desk/orders/{order.pk}/check/street/").status_code == 302
        assert doctor.post(f"/desk/orders/{order.pk}/notice/").status_code == 302
        assert "-F06-" in text(doctor.get(f"/desk/orders/{order.pk}/"))


def test_a_duty_officer_takes_the_care(order: IsolationOrder, household: list[UUID]) -> None:
    duty = client_for(Role.CMD_DUTY)
    assert "未满14岁的孩子" in text(duty.get("/desk/orders/care/"))
    assert duty.post(f"/desk/orders/{order.pk}/accept/{household[2]}/").status_code == 302
    assert "每位需要照护的人都有照护人" in text(duty.get("/desk/orders/care/"))


@pytest.fixture
def neighbours(order: IsolationOrder) -> None:
    for i in range(4):
        a_household("邻居", area=a_dwelling(f"5-2-{i + 101:04d}"))


def printed_text(answer: Any) -> str:
    """The words of a PDF without its spaces."""
    pages = pypdf.PdfReader(BytesIO(answer.content)).pages
    return "".join("".join(p.extract_text() for p in pages).split())


@pytest.mark.parametrize("paper", ["notice", "door", "spoken"])
def test_papers_print(order: IsolationOrder, paper: str) -> None:
    answer = client_for(Role.COMMUNITY, COMMUNITY).get(f"/desk/orders/{order.pk}/print/{paper}/")
    assert answer.status_code == 200
    assert "已入账，尚未见证" in printed_text(answer)


def test_a_certificate_for_the_employer_waits_for_the_end(order: IsolationOrder) -> None:
    url = f"/desk/orders/{order.pk}/print/employer/"
    assert client_for(Role.COMMUNITY, COMMUNITY).get(url).status_code == 404
    with clock.fixed(S1_END):
        answer = client_for(Role.COMMUNITY, COMMUNITY).get(url)
    assert "已入账，尚未见证" in printed_text(answer)


def test_all_notices_in_one_run(order: IsolationOrder) -> None:
    answer = client_for(Role.COMMUNITY, COMMUNITY).get("/desk/orders/print/")
    assert answer.content.startswith(b"%PDF")


def test_a_print_run_asks_the_same_number_of_questions_whatever_its_size(district: None) -> None:
    from lianfang.people.models import ReadRecord

    def printed() -> tuple[int, int]:
        """Queries of one run, and readings recorded by it."""
        client, before = client_for(Role.CDC), rows(ReadRecord)
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/desk/orders/print/").content.startswith(b"%PDF")
        return len(captured), rows(ReadRecord) - before

    def ordered(n: int, at: datetime) -> None:
        homes = [a_household("测试甲", "测试乙", area=a_dwelling(f"{n}-1-{i + 101:04d}")) for i in range(n)]
        with scope(areas=[ROOT]):
            for home in homes:
                actions.issue_isolation(
                    a_draft(home[0], anchor_at=at), by=officer(Role.CDC, at=at, organ=None)
                )

    ordered(1, S1_NOW - timedelta(days=1))
    first, read_first = printed()
    ordered(5, S1_NOW)
    then, read_then = printed()
    assert (read_first, read_then) == (2, 12)
    assert then == first <= 40, (first, then)


def test_a_sheet_from_the_board_to_the_page_of_anybody(order: IsolationOrder, neighbours: None) -> None:
    from django.test import Client

    community = client_for(Role.COMMUNITY, COMMUNITY)
    answer = community.post(f"/desk/orders/{order.pk}/sheet/")
    assert answer.status_code == 302
    printed = community.get(answer["Location"])
    assert printed.content.startswith(b"%PDF")
    sheet = answer["Location"].split("/")[4]
    page = text(Client().get(f"/open/orders/sheet/{sheet}/"))
    assert "有效" in page
    assert "2单元" in page
    for secret in ("罗小娟", "0603", order.order_no):
        assert secret not in page
    assert "查无此单" in text(Client().get(f"/open/orders/sheet/{random_id()}/"), 404)
    with clock.fixed(S1_END):
        assert "已失效，请取下" in text(Client().get(f"/open/orders/sheet/{sheet}/"))
        keeper = client_for(Role.PROPERTY, COMMUNITY)
        assert "要取下的 1" in text(keeper.get("/desk/orders/sheets/"))
        assert keeper.post(f"/desk/orders/sheets/{sheet}/down/").status_code == 302
        assert "要取下的 0" in text(keeper.get("/desk/orders/sheets/"))


def test_every_page_that_names_an_order_shows_its_state_in_the_chain_and_leads_to_its_proof(
    order: IsolationOrder, luo: UUID
) -> None:
    link, own = f'href="/open/chain/entry/{order.entry_id}/"', client_of(luo)
    concern = a_concern(luo)
    pages = [
        own.get(f"/me/order/{order.pk}/appeal/"),
        own.post("/me/report/arrival/", an_arrival()),
        client_for(Role.CDC).get(f"/desk/orders/concern/{concern}/"),
        client_for(Role.CDC).get(f"/desk/orders/{order.pk}/"),
    ]
    with clock.fixed(S1_END):
        pages.append(client_for(Role.MEDIC).get("/desk/orders/checks/"))
    for page in pages:
        assert "已入账，尚未见证" in text(page), page.request["PATH_INFO"]
        assert link in page.content.decode(), page.request["PATH_INFO"]


def test_the_pages_of_an_order_say_what_the_chain_is(order: IsolationOrder) -> None:
    """Decision 14."""
    from django.test import Client

    for client, url in (
        (client_for(Role.CDC), f"/desk/orders/{order.pk}/"),
        (Client(), f"/open/orders/certificate/{order.pk}/"),
    ):
        assert text(client.get(url)).count("三方共同保管、共同签名") == 1, url


def test_an_employer_checks_dates_and_nothing_else(order: IsolationOrder) -> None:
    from django.test import Client

    page = text(Client().get(f"/open/orders/certificate/{order.pk}/"))
    assert "已入账，尚未见证" in page
    assert "证明属实" in page
    for secret in ("罗小娟", "高风险", order.order_no, str(order.entry_id)):
        assert secret not in page
    assert "查无此证明" in text(Client().get(f"/open/orders/certificate/{random_id()}/"), 404)


@pytest.mark.parametrize("role", [Role.POLICE, Role.GUARD, Role.PROPERTY, Role.AUDITOR, Role.SYSTEM_ADMIN])
def test_who_sees_no_orders(order: IsolationOrder, role: Role) -> None:
    client = client_for(role)
    for url in ("/desk/orders/", f"/desk/orders/{order.pk}/", f"/desk/orders/{order.pk}/print/notice/"):
        text(client.get(url), 403)


def test_the_rules_are_open_and_say_that_nobody_checked_them(district: None) -> None:
    from django.test import Client

    page = text(Client().get("/open/rules/"))
    assert "肺炎机制发〔2020〕5号" in page
    assert "未核对" in page
    assert "草稿" not in page
    assert "草稿" in text(client_for(Role.CDC).get("/desk/rules/"))


def test_english(order: IsolationOrder, luo: UUID) -> None:
    client = client_of(luo)
    client.cookies["django_language"] = "en"
    answer = client.get("/me/order/")
    assert "15 days left" in text(answer)
    main = answer.content.decode().partition("<main")[2].partition("</main>")[0]
    # Documents and organs keep the names they have.
    for name in (
        "攀枝花市东区演示规则：高风险地区返回人员",
        "《中华人民共和国传染病防治法》第三十九条、第四十一条",
        "区应急指挥部申诉小组",
        "区人民政府",
        "区人民法院立案庭",
        "区人民法院",
        "区司法局行政复议窗口",
        "本通知二维码页面，或电话提出",
    ):
        main = main.replace(name, "")
    assert not re.findall(r"[一-鿿]+", main)
