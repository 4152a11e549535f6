"""Logging in: password and second factor, start codes, slips for residents, lock-out, and what is not told."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from tests.factories.accounts import AT, COMMUNITY, a_user, an_office, an_officer, client_for, log_in

from lianfang.accounts import actions, factor
from lianfang.accounts.errors import LoginTaken, WeakPassword, WrongCode
from lianfang.accounts.models import LoginCode, User
from lianfang.accounts.rights import Role
from lianfang.kernel import clock
from lianfang.kernel.errors import NotAllowed
from lianfang.kernel.ids import new_id

pytestmark = [pytest.mark.django_db, pytest.mark.urls("lianfang.config.urls")]
PASSWORD = "correct horse battery"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    """Appendix B, the SHA-1 rows, last six of eight digits."""
    assert factor.code_at(b"12345678901234567890", seconds // factor.PERIOD) == code


def test_a_code_counts_one_step_to_either_side_and_once() -> None:
    secret = b"12345678901234567890"
    step = factor.step_of(AT)
    for offset, fits in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        found = factor.matching_step(secret, factor.code_at(secret, step + offset), at=AT, after=0)
        assert (found == step + offset) is fits
    assert factor.matching_step(secret, factor.code_at(secret, step), at=AT, after=step) is None


def _officer() -> tuple[User, bytes]:
    office = an_office(Role.CDC)
    office.user.set_password(PASSWORD)
    office.user.save()
    secret = b"12345678901234567890"
    actions.set_second_factor(office.user.pk, secret, at=clock.now())
    return office.user, secret


def _answer(content: bytes) -> str:
    """The page without what differs from request to request anyway."""
    return re.sub(
        r'(name="csrfmiddlewaretoken" value|name="login" value|nonce)="[^"]*"', "", content.decode()
    )


def test_password_then_second_factor_then_the_desk() -> None:
    user, secret = _officer()
    client = Client()
    first = client.post("/login/", {"login": user.login, "password": PASSWORD, "next": "/desk/offices/"})
    assert first["Location"] == "/desk/offices/"
    second = client.get("/desk/")
    assert second["Location"] == "/login/second-factor/?next=%2Fdesk%2F"
    assert client.post(second["Location"], {"code": "000000"}).status_code == 422
    code = factor.code_at(secret, factor.step_of(clock.now()))
    done = client.post(second["Location"], {"code": code, "next": "/desk/"})
    assert done["Location"] == "/desk/"
    assert client.get("/desk/").status_code == 200


def test_the_way_on_never_leads_elsewhere() -> None:
    user, _ = _officer()
    for there in ("https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"):
        done = Client().post("/login/", {"login": user.login, "password": PASSWORD, "next": there})
        assert done["Location"] == "/desk/"


def test_a_wrong_name_and_a_wrong_password_get_the_same_answer() -> None:
    user, _ = _officer()
    shut = a_user()
    shut.set_password(PASSWORD)
    shut.is_active = False
    shut.save()
    answers = set()
    for n, (name, password) in enumerate(
        [(user.login, "wrong"), ("nobody-at-all", "wrong"), (shut.login, PASSWORD)]
    ):
        page = Client(REMOTE_ADDR=f"198.51.100.{n}").post("/login/", {"login": name, "password": password})
        answers.add(_answer(page.content))
    assert len(answers) == 1


@pytest.mark.parametrize("known", [True, False])
def test_five_wrong_passwords_lock_this_name_at_this_address_only(known: bool) -> None:
    user, _ = _officer()
    name = user.login if known else "nobody-at-all"
    here, there = "198.51.100.1", "198.51.100.2"
    for _ in range(5):
        last = Client(REMOTE_ADDR=here).post("/login/", {"login": name, "password": "wrong"})
    assert last.status_code == 429
    assert "15 分钟" in last.content.decode()
    good = {"login": user.login, "password": PASSWORD}
    assert Client(REMOTE_ADDR=there).post("/login/", good).status_code == 302
    assert Client(REMOTE_ADDR=here).post("/login/", good).status_code == (429 if known else 302)


def test_a_new_officer_starts_with_a_code_and_ends_with_a_second_factor() -> None:
    by = an_officer(Role.SECURITY_ADMIN, at=clock.now())
    draft = actions.UserDraft(user_id=new_id(), login="zhou.min", name="周敏")
    user, code = actions.admit_officer(draft, by=by)
    an_office(Role.CDC, user=user)
    client = Client()
    weak = client.post("/login/start/", {"code": code, "password": "123456789012", "again": "123456789012"})
    assert weak.status_code == 422
    spoken = f"{code[:5].lower()}-{code[5:]}"
    done = client.post("/login/start/", {"code": spoken, "password": PASSWORD, "again": PASSWORD})
    assert done["Location"] == "/login/set-up/"
    page = client.get("/login/set-up/")
    secret = actions.begin_second_factor(user.pk)
    assert factor.base32(secret) in page.content.decode()
    assert client.get("/desk/")["Location"].startswith("/login/set-up/")
    finished = client.post("/login/set-up/", {"code": factor.code_at(secret, factor.step_of(clock.now()))})
    recovery = re.findall(r'<li class="lf-code">(\w+)</li>', finished.content.decode())
    assert len(recovery) == actions.RECOVERY_CODES
    assert client.get("/desk/").status_code == 200
    # Each recovery code opens once; the start code never again; the secret is shown never again.
    assert actions.second_factor_fits(user.pk, recovery[0], at=clock.now())
    assert not actions.second_factor_fits(user.pk, recovery[0], at=clock.now())
    assert (
        Client().post("/login/start/", {"code": code, "password": PASSWORD, "again": PASSWORD}).status_code
        == 422
    )
    assert client.get("/login/set-up/").status_code == 403


def test_starting_anew_ends_what_was_before() -> None:
    user, secret = _officer()
    client = log_in(user)
    code = actions.start_anew(user.pk, by=an_officer(Role.SECURITY_ADMIN, at=clock.now()))
    assert client.get("/desk/")["Location"].startswith("/login/?")
    now = clock.now()
    assert not actions.second_factor_fits(user.pk, factor.code_at(secret, factor.step_of(now)), at=now)
    assert actions.start_with_code(code, password=PASSWORD, at=now) == user


@pytest.mark.parametrize("role", [Role.COMMUNITY, Role.CDC, Role.GUARD])
def test_nobody_starts_an_officer_anew_whom_they_could_not_appoint(role: Role) -> None:
    user, _ = _officer()
    with pytest.raises(NotAllowed):
        actions.start_anew(user.pk, by=an_officer(role, at=clock.now()))


def test_a_taken_login_is_refused() -> None:
    user, _ = _officer()
    draft = actions.UserDraft(user_id=new_id(), login=user.login, name="另一人")
    with pytest.raises(LoginTaken):
        actions.create_user(draft, by=an_officer(Role.SECURITY_ADMIN))


def test_a_slip_logs_a_resident_in_once_until_it_is_old() -> None:
    person, by = new_id(), an_officer(Role.GRID, COMMUNITY, at=clock.now())
    code = actions.issue_paper_code(person, COMMUNITY, by=by)
    client = Client()
    assert client.get(f"/enter/{code}/").status_code == 200  # a chat program opened the link
    assert LoginCode.objects.get().used_at is None
    assert client.post("/enter/", {"code": code}).status_code == 302
    assert User.objects.get(person_id=person).pk == client.get("/").wsgi_request.user.pk
    assert Client().post("/enter/", {"code": code}).status_code == 422
    another = actions.issue_paper_code(person, COMMUNITY, by=by)
    with clock.fixed(by.at + actions.PAPER_CODE_LASTS):
        assert actions.use_code(another, way="paper", at=clock.now()) is None


def test_a_new_slip_ends_the_one_before() -> None:
    person, by = new_id(), an_officer(Role.GRID, COMMUNITY)
    before = actions.issue_paper_code(person, COMMUNITY, by=by)
    after = actions.issue_paper_code(person, COMMUNITY, by=by)
    assert actions.use_code(before, way="paper", at=AT) is None
    assert actions.use_code(after, way="start", at=AT) is None
    assert actions.use_code(after, way="paper", at=AT) is not None


def test_a_slip_is_handed_out_only_at_home() -> None:
    elsewhere = an_officer(Role.GRID, "d510402.s510402001.c510402001004")
    with pytest.raises(NotAllowed):
        actions.issue_paper_code(new_id(), COMMUNITY, by=elsewhere)
    with pytest.raises(NotAllowed):
        actions.issue_paper_code(new_id(), COMMUNITY, by=an_officer(Role.PROPERTY, COMMUNITY))


def test_no_code_stands_in_the_database() -> None:
    by = an_officer(Role.GRID, COMMUNITY)
    code = actions.issue_paper_code(new_id(), COMMUNITY, by=by)
    assert code not in repr(LoginCode.objects.values())


def test_weak_passwords_are_refused_and_the_code_stays_good() -> None:
    by = an_officer(Role.SECURITY_ADMIN)
    _, code = actions.admit_officer(actions.UserDraft(user_id=new_id(), login="li.na", name="李娜"), by=by)
    for weak in ("short", "123456789012345", "password1234"):
        with pytest.raises((WeakPassword, WrongCode)):
            actions.start_with_code(code, password=weak, at=AT)
    assert actions.start_with_code(code, password=PASSWORD, at=AT).login == "li.na"


def test_logging_out_ends_the_session() -> None:
    client = client_for(Role.CDC)
    assert client.get("/desk/").status_code == 200
    assert client.get("/login/out/").status_code == 405
    client.post("/login/out/")
    assert client.get("/desk/").status_code == 302


def test_codes_are_sent_back_after_their_time() -> None:
    by = an_officer(Role.SECURITY_ADMIN)
    _, code = actions.admit_officer(actions.UserDraft(user_id=new_id(), login="he.jun", name="何军"), by=by)
    with pytest.raises(WrongCode):
        actions.start_with_code(code, password=PASSWORD, at=AT + timedelta(hours=72))
