"""The first run of an empty system, once and never again; and the demonstration's logins only where it is one."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client, override_settings

from lianfang.accounts import actions, queries
from lianfang.accounts.errors import SystemInUse
from lianfang.accounts.models import Office
from lianfang.accounts.rights import Role
from lianfang.kernel import clock
from lianfang.kernel.errors import NotAllowed
from lianfang.places.actions import SHIPPED
from lianfang.rules.queries import incident
from tests.factories.accounts import an_office

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def data(tmp_path: Path, settings: object) -> Path:
    settings.LIANFANG_DATA = tmp_path  # type: ignore[attr-defined]  # pytest-django's settings
    return tmp_path


def _filled(token: str) -> dict[str, str]:
    filled = {
        "token": token,
        "name_zh": "新型冠状病毒肺炎疫情",
        "name_en": "COVID-19 outbreak",
        "incident_code": "NCP2020",
        "disease": "covid19",
        "edition": SHIPPED[0][0],
    }
    for role in ("cdc", "cmd_lead", "security_admin"):
        filled |= {
            f"{role}_login": role.replace("_", "."),
            f"{role}_name": "周敏",
            f"{role}_password": PASSWORD,
        }
    return filled


def test_the_page_opens_only_with_the_printed_token(data: Path) -> None:
    token = actions.first_run_token(data)
    assert token == actions.first_run_token(data)
    assert (data / "keys" / "web" / "first-run.token").stat().st_mode & 0o777 == 0o600
    for wrong in ("", "?token=", "?token=ABC"):
        assert Client().get(f"/first-run/{wrong}").status_code == 404
    assert Client().get(f"/first-run/?token={token}").status_code == 200


def test_it_founds_the_system_and_closes_for_good(data: Path) -> None:
    token = actions.first_run_token(data)
    assert token is not None
    weak = Client().post("/first-run/", _filled(token) | {"cdc_password": "123456789012"})
    assert weak.status_code == 422
    assert not queries.in_use(), "a refused founding leaves nothing"

    done = Client().post("/first-run/", _filled(token))
    assert done["Location"] == "/login/", done.content.decode()
    held = {o.role: o for o in Office.objects.select_related("organ")}
    assert set(held) == {"cdc", "cmd_lead", "security_admin"}
    assert held["cdc"].organ.kind == "health"
    assert incident().area == held["cdc"].area
    assert (held["cdc"].ends_at - held["cdc"].starts_at).days == 30

    assert actions.first_run_token(data) is None
    assert not (data / "keys" / "web" / "first-run.token").exists()
    assert Client().post("/first-run/", _filled(token)).status_code == 404
    with pytest.raises(SystemInUse):
        actions.found_system([], [], at=clock.now())
    login = Client().post("/login/", {"login": "cdc", "password": PASSWORD})
    assert login["Location"] == "/desk/"


def test_the_demonstrations_codes_are_shown_nowhere_else() -> None:
    office = an_office(Role.CDC)
    actions.set_second_factor(office.user.pk, b"12345678901234567890", at=clock.now())
    assert Client().get("/open/demo/").status_code == 404
    with pytest.raises(NotAllowed):
        actions.demo_code(office.user.login)
    with pytest.raises(NotAllowed):
        actions.start_demo_logins([], [], at=clock.now())
    with override_settings(DEMO=True):
        page = Client().get("/open/demo/").content.decode()
        code = actions.demo_code(office.user.login)
        assert code in page
        assert actions.second_factor_fits(office.user.pk, code, at=clock.now())
        assert actions.demo_code(office.user.login) != code


def test_the_demonstration_says_so_on_every_shell() -> None:
    with override_settings(DEMO=True):
        for path in ("/", "/login/", "/open/demo/"):
            assert "DEMO" in Client().get(path).content.decode()
    assert "DEMO" not in Client().get("/").content.decode()


def test_headers_are_tight() -> None:
    response = Client().get("/login/")
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    for directive in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert directive in policy
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert "no-store" in response["Cache-Control"]
    cookie = response.cookies["csrftoken"]
    assert cookie["samesite"] == "Lax"
    assert settings.SESSION_COOKIE_HTTPONLY
