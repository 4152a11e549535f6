"""Admission to pages: who is let in, with which rows in sight, and how soon an ended office is felt."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidTag
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client
from django.urls import include, path
from tests.factories.accounts import (
    COMMUNITY,
    DISTRICT,
    a_user,
    an_office,
    an_officer,
    client_for,
    client_of,
    log_in,
)

from lianfang.accounts import actions, factor
from lianfang.accounts.models import SecondFactor
from lianfang.accounts.rights import Purpose, Right, Role
from lianfang.accounts.web import VERIFIED_AT, actor, surface
from lianfang.kernel import clock
from lianfang.kernel.errors import NotAllowed, NotFound
from lianfang.kernel.ids import new_id
from lianfang.kernel.surfaces import Repeat, open_to_all

if TYPE_CHECKING:
    from lianfang.accounts.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def _what_is_seen(request: HttpRequest) -> JsonResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lf.areas', true), current_setting('lf.persons', true)")
        areas, persons = cursor.fetchone()
    by = actor(request)
    return JsonResponse(
        {
            "areas": areas or "",
            "persons": persons or "",
            "organ_kind": by.organ_kind,
            "purpose": by.purpose,
            "surface": by.surface,
            "may_issue": bool(by.areas(Right.ORDERS_ISOLATION_ISSUE)),
        }
    )


@surface(right=Right.ORDERS_ISOLATION_ISSUE, purpose=Purpose.ISOLATION, fresh_factor=True, repeat=Repeat.SAME)
def issue(request: HttpRequest) -> HttpResponse:
    return _what_is_seen(request)


@surface(right=Right.PEOPLE_PERSON_READ, purpose=Purpose.REGISTER_KEEPING)
def register(request: HttpRequest) -> HttpResponse:
    return _what_is_seen(request)


@surface(staff=True, purpose=Purpose.ADMINISTRATION)
def anybody_with_an_office(request: HttpRequest) -> HttpResponse:
    return _what_is_seen(request)


@surface(resident=True, purpose=Purpose.OWN_DATA)
def mine(request: HttpRequest) -> HttpResponse:
    return _what_is_seen(request)


@surface(public=True)
def seen_by_all(request: HttpRequest) -> HttpResponse:
    return _what_is_seen(request)


@open_to_all
def below_accounts(request: HttpRequest) -> HttpResponse:
    return HttpResponse("open")


def says_nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse("must not be seen")


@surface(public=True)
def finds_nothing(request: HttpRequest) -> HttpResponse:
    raise NotFound()


urlpatterns = [
    path("issue/", issue),
    path("register/", register),
    path("staff/", anybody_with_an_office),
    path("mine/", mine),
    path("all/", seen_by_all),
    path("below/", below_accounts),
    path("nothing/", says_nothing),
    path("lost/", finds_nothing),
    path("api/lost/", finds_nothing),
    path("language/", seen_by_all, name="language"),
    path("", include("lianfang.accounts.urls")),
]


def with_code_generator(user: User) -> bytes:
    secret = b"12345678901234567890"
    actions.set_second_factor(user.pk, secret, at=clock.now())
    return secret


def code_of(secret: bytes, *, steps: int = 0) -> str:
    return factor.code_at(secret, factor.step_of(clock.now()) + steps)


def test_a_view_that_says_nothing_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="has no surface"):
        Client().get("/nothing/")
    assert Client().get("/below/").content == b"open"


@pytest.mark.parametrize(
    "declared",
    [
        {},
        {"public": True, "staff": True},
        {"right": Right.RULES_RULE_SEE, "resident": True},
        {"staff": True},
        {"right": Right.RULES_RULE_SEE},
    ],
)
def test_a_surface_that_is_half_said_does_not_load(declared: dict[str, object]) -> None:
    with pytest.raises(ImproperlyConfigured):
        surface(**declared)(says_nothing)  # type: ignore[arg-type]  # wrong on purpose


def test_whoever_has_not_logged_in_is_led_to_the_right_door() -> None:
    assert Client().get("/issue/?a=1")["Location"] == "/login/?next=%2Fissue%2F%3Fa%3D1"
    assert Client().get("/mine/")["Location"] == "/enter/?next=%2Fmine%2F"


@pytest.mark.parametrize("role", [r for r in Role if r not in (Role.RESIDENT, Role.SYSTEM)])
def test_only_the_roles_of_the_right_are_let_in(role: Role) -> None:
    client = client_for(role)
    assert client.get("/issue/").status_code == (200 if role == Role.CDC else 403)
    assert client.get("/staff/").status_code == 200
    assert client.get("/mine/").status_code == 403


def test_without_the_second_factor_no_staff_page_opens() -> None:
    office = an_office(Role.CDC)
    client = log_in(office.user, verified=False)
    assert client.get("/issue/")["Location"].startswith("/login/set-up/")
    with_code_generator(office.user)
    assert client.get("/issue/")["Location"].startswith("/login/second-factor/")


def test_rows_in_sight_are_those_of_the_offices() -> None:
    seen = client_for(Role.COMMUNITY, COMMUNITY).get("/register/").json()
    assert (seen["areas"], seen["persons"]) == (COMMUNITY, "")
    assert seen["organ_kind"] == "community"
    assert seen["surface"] == "tests.register" or seen["surface"].endswith(".register")


@pytest.mark.parametrize(
    "role", [Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDITOR, Role.GUARD, Role.PROPERTY]
)
def test_an_administrators_area_opens_no_row(role: Role) -> None:
    assert client_for(role).get("/staff/").json()["areas"] == ""


def test_a_resident_sees_the_own_row_only() -> None:
    person = new_id()
    seen = client_of(person).get("/mine/").json()
    assert (seen["areas"], seen["persons"]) == ("", str(person))


def test_a_public_page_sees_no_row_whoever_looks() -> None:
    for client in (Client(), client_for(Role.CDC), client_of(new_id())):
        seen = client.get("/all/").json()
        assert (seen["areas"], seen["persons"], seen["may_issue"]) == ("", "", False)


def test_an_office_with_another_purpose_lends_nothing_here() -> None:
    """Somebody who is health officer of the district and helps in one community as grid worker."""
    office = an_office(Role.CDC)
    an_office(Role.GRID, COMMUNITY, user=office.user)
    client = log_in(office.user)
    seen = client.get("/register/").json()
    # Keeping the register is no purpose of a health officer: only the grid worker's community is in sight.
    assert (seen["areas"], seen["may_issue"]) == (COMMUNITY, False)
    assert client.get("/issue/").json()["areas"] == DISTRICT


def test_an_ended_office_is_felt_by_the_next_request() -> None:
    office = an_office(Role.CDC)
    client = log_in(office.user)
    assert client.get("/issue/").status_code == 200
    by = replace(an_officer(Role.SECURITY_ADMIN, at=clock.now()), at=clock.now())
    actions.revoke_office(office.pk, reason="调离", by=by)
    assert client.get("/issue/").status_code == 403


def test_a_shut_login_ends_its_sessions() -> None:
    office = an_office(Role.CDC)
    client = log_in(office.user)
    actions.shut_out(office.user.pk, by=an_officer(Role.SECURITY_ADMIN, at=clock.now()))
    assert client.get("/issue/")["Location"].startswith("/login/")


def test_an_office_that_runs_out_is_gone_at_its_end() -> None:
    office = an_office(Role.CDC)
    client = log_in(office.user)
    with clock.fixed(office.ends_at - timedelta(seconds=1)):
        assert client.get("/issue/").status_code == 200
    with clock.fixed(office.ends_at):
        assert client.get("/issue/").status_code == 403


def test_an_order_takes_a_second_factor_younger_than_five_minutes() -> None:
    office = an_office(Role.CDC)
    client = log_in(office.user)
    secret = with_code_generator(office.user)
    assert client.post("/issue/").status_code == 200
    session = client.session
    session[VERIFIED_AT] = (clock.now() - timedelta(minutes=5)).isoformat()
    session.save()

    asked = client.post("/issue/", {"reason": "密接", "persons": ["1", "2"]})
    assert asked.status_code == 403
    for kept in ('name="reason" value="密接"', 'name="persons" value="1"', 'name="persons" value="2"'):
        assert kept in asked.content.decode()
    assert client.post("/issue/", {"second_factor_code": "000000"}).status_code == 403
    code = code_of(secret)
    assert client.post("/issue/", {"second_factor_code": code}).status_code == 200
    # From now on it is fresh, and the same code opens nothing again.
    assert client.post("/issue/").status_code == 200
    assert not actions.second_factor_fits(office.user.pk, code, at=clock.now())


def test_five_wrong_codes_close_the_generator_for_a_while() -> None:
    user = a_user()
    secret = with_code_generator(user)
    now = clock.now()
    for _ in range(actions.FACTOR_FAILURES):
        assert not actions.second_factor_fits(user.pk, "000000", at=now)
    assert not actions.second_factor_fits(user.pk, code_of(secret), at=now)
    later = now + actions.FACTOR_BLOCKED
    with clock.fixed(later):
        assert actions.second_factor_fits(user.pk, code_of(secret), at=later)


def test_the_secret_is_sealed_for_its_owner() -> None:
    one, other = a_user(), a_user()
    secret = with_code_generator(one)
    with_code_generator(other)
    row = SecondFactor.objects.get(user=one)
    assert secret not in bytes(row.sealed_secret)
    SecondFactor.objects.filter(user=other).update(sealed_secret=row.sealed_secret)
    with pytest.raises(InvalidTag):
        actions.second_factor_fits(other.pk, code_of(secret), at=clock.now())


def test_a_refusal_is_a_page_or_an_answer_for_machines() -> None:
    page = Client().get("/lost/")
    assert page.status_code == 404
    assert "不在您的辖区内" in page.content.decode()
    answer = Client().get("/api/lost/")
    assert (answer.status_code, answer.json()["code"]) == (404, "kernel:not_found")


def test_a_purpose_the_roles_lack_is_refused() -> None:
    office = an_office(Role.PROPERTY)
    request = HttpRequest()
    request.user = office.user
    request.lianfang_actor = an_officer(Role.PROPERTY)  # type: ignore[attr-defined]  # as `surface` sets it
    request.lianfang_offices = [office]  # type: ignore[attr-defined]  # as `surface` sets it
    with pytest.raises(NotAllowed):
        actor(request, purpose=Purpose.CASE_INQUIRY)
    assert actor(request, purpose=Purpose.GATE).purpose == Purpose.GATE
