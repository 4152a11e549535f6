"""The pages that belong to no room: the two starts, the language, the first run, the demonstration's logins."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, Final

import segno
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from django import forms
from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from lianfang.accounts import actions as accounts
from lianfang.accounts import queries
from lianfang.accounts.labels import ROLES
from lianfang.accounts.rights import Purpose, Right, Role
from lianfang.accounts.web import RefusableForm, actor, surface
from lianfang.announcements import queries as announcements
from lianfang.announcements.lines import lines
from lianfang.kernel import clock
from lianfang.kernel.errors import NotFound, Refused
from lianfang.kernel.surfaces import Rate, Repeat
from lianfang.people import queries as people
from lianfang.places.actions import shipped_editions

from . import shell
from .founding import FIRST, Founding, found

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest


#: So many announcements stand on a resident's first page; the list has the others.
_NEWEST: Final = 3


@never_cache
@surface(public=True)
def start(request: HttpRequest) -> HttpResponse:
    """Where a resident begins: what this phone can do now, one purpose behind each line."""
    by = actor(request)
    context = {
        "entries": shell.menu("PHONE", by),
        "known": by.person_id is not None,
        "announced": lines(announcements.for_resident(by=by)[:_NEWEST]),
    }
    return render(request, "start.html", context)


@never_cache
@surface(staff=True, purpose=Purpose.ADMINISTRATION)
def desk(request: HttpRequest) -> HttpResponse:
    """Where an officer begins: what waits today."""
    by = actor(request)
    waiting = shell.todos(by)
    late = [todo for todo in waiting if todo.due_at is not None and todo.due_at <= by.at]
    return render(request, "start_desk.html", {"todos": waiting, "late": late})


@require_POST
@surface(public=True, repeat=Repeat.SAME)
def language(request: HttpRequest) -> HttpResponse:
    """Speak the chosen language on this device."""
    wanted = request.POST.get("next", "/")
    fine = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    response = redirect(wanted if fine else "/")
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        response.set_cookie(
            shell.LANGUAGE_COOKIE,
            chosen,
            max_age=365 * 86400,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
        )
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its cookie: the page is old, or the program wiped its storage (WeChat does)."""
    sentence = gettext("页面已过期，没有提交。请返回上一页，刷新后重新填写。")
    return render(request, "403.html", {"sentence": sentence}, status=403)


class FirstRunForm(RefusableForm):
    """Incident, district, and three officers with their first passwords."""

    token = forms.CharField(widget=forms.HiddenInput)
    name_zh = forms.CharField(label=_("事件名称"), max_length=80, initial=_("新型冠状病毒肺炎疫情"))
    name_en = forms.CharField(label=_("事件英文名称"), max_length=80, initial="COVID-19 outbreak")
    incident_code = forms.RegexField(
        r"^[A-Z0-9]{2,16}$", label=_("事件代号"), initial="NCP2020", help_text=_("2 至 16 个大写字母或数字。")
    )
    disease = forms.CharField(
        label=_("病种代码"),
        max_length=32,
        initial="covid19",
        help_text=_("随附的规则只有 covid19；其他病种的规则须另行录入并发布。"),
    )
    edition = forms.ChoiceField(label=_("行政区划"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["edition"] = forms.ChoiceField(
            label=_("行政区划"),
            choices=[
                (edition, _("{name}（{code}），截至 {as_of}").format(name=name, code=code, as_of=as_of))
                for edition, name, code, as_of in shipped_editions()
            ],
        )
        for role in FIRST:
            self.fields[f"{role}_login"] = forms.RegexField(
                r"^[a-z0-9][a-z0-9._-]{2,63}$",
                label=_("登录名"),
                help_text=_("3 至 64 个小写字母、数字、点或短横；不要用手机号。"),
                widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
            )
            self.fields[f"{role}_name"] = forms.CharField(
                label=_("姓名"),
                max_length=64,
                widget=forms.TextInput(attrs={"autocomplete": "off"}),
            )
            self.fields[f"{role}_password"] = forms.CharField(
                label=_("密码"),
                help_text=_("至少 12 个字符，不用常见密码。"),
                widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
            )

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The visible fields as the page shows them: the incident, then one officer after the other."""
        shown: dict[str, list[forms.BoundField]] = {"": [], **{role: [] for role in FIRST}}
        for field in self.visible_fields():
            shown[next((role for role in FIRST if field.name.startswith(f"{role}_")), "")].append(field)
        return [
            (str(ROLES[Role(role)]) if role else gettext("事件和辖区"), fields)
            for role, fields in shown.items()
        ]

    def draft(self) -> Founding:
        given = self.cleaned_data
        return Founding(
            incident_code=given["incident_code"],
            disease=given["disease"],
            name_zh=given["name_zh"],
            name_en=given["name_en"],
            edition=given["edition"],
            officers={
                role: (given[f"{role}_login"], given[f"{role}_name"], given[f"{role}_password"])
                for role in FIRST
            },
        )


@never_cache
@surface(public=True, repeat=Repeat.SPENT, rate=Rate.CODE)
def first_run(request: HttpRequest) -> HttpResponse:
    """Begin an empty system. Opens only with the token that the first start printed; afterwards never again."""
    expected = accounts.first_run_token(settings.LIANFANG_DATA)
    given = request.POST.get("token") or request.GET.get("token") or ""
    if expected is None or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Http404
    form = FirstRunForm(request.POST or None, initial={"token": given})
    if form.is_valid():
        try:
            found(form.draft(), at=clock.now())
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            return redirect("accounts:login")
    return render(request, "first_run.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@surface(public=True)
def demo(request: HttpRequest) -> HttpResponse:
    """The demonstration's logins with the codes of this half minute; no such page elsewhere."""
    if not settings.DEMO:
        raise Http404
    rows = [
        {"login": login, "role": ROLES[Role(role)], "code": accounts.demo_code(login)}
        for login, role in queries.demo_logins()
    ]
    return render(request, "demo.html", {"rows": rows})


_AUTHORITY: Final = settings.LIANFANG_DATA / "keys" / "tls" / "authority.crt"
_SLIP: Final = "accounts:enter_by_link"


@never_cache
@require_POST
@surface(right=Right.ACCOUNTS_LOGIN_CODE_ISSUE, purpose=Purpose.REGISTER_KEEPING, repeat=Repeat.ANEW)
def login_slip(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """A slip with a one-time code for a resident's phone, to be printed or scanned from the screen."""
    by = actor(request)
    found_person = people.person_refs([person_id]).get(person_id)
    if found_person is None:
        raise NotFound()
    code = accounts.issue_paper_code(person_id, found_person.area, by=by)
    address = request.build_absolute_uri(reverse(_SLIP, args=[code]))
    picture = segno.make(address, error="m").svg_inline(omitsize=True)
    return render(request, "login_slip.html", {"code": code, "picture": mark_safe(picture)})  # noqa: S308 - drawn by segno from our own address


@surface(public=True)
def public(request: HttpRequest) -> HttpResponse:
    """Where anybody begins: the chain, the verifier, the rules; the certificate of the local authority."""
    return render(request, "start_open.html", {"authority": _AUTHORITY.exists()})


@surface(public=True)
def authority(request: HttpRequest) -> HttpResponse:
    """The local authority's certificate, and how a phone is told to trust it (TLS without a bought certificate)."""
    if not _AUTHORITY.exists():
        raise Http404
    if "file" in request.GET:
        answer = HttpResponse(_AUTHORITY.read_bytes(), content_type="application/x-x509-ca-cert")
        answer["Content-Disposition"] = 'attachment; filename="lianfang-authority.crt"'
        return answer
    certificate = x509.load_pem_x509_certificate(_AUTHORITY.read_bytes())
    digest = certificate.fingerprint(hashes.SHA256()).hex().upper()
    shown = " ".join(digest[i : i + 4] for i in range(0, len(digest), 4))
    return render(request, "authority.html", {"fingerprint": shown})


urlpatterns = [
    path("open/", public, name="open"),
    path("open/authority/", authority, name="authority"),
    path("", start, name="start"),
    path("desk/", desk, name="desk"),
    path("language/", language, name="language"),
    path("first-run/", first_run, name="first_run"),
    path("open/demo/", demo, name="demo"),
    path("desk/people/<uuid:person_id>/login-slip/", login_slip, name="login_slip"),
]
