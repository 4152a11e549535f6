"""The doors (password, second factor, one-time codes) and the pages on which offices are given and ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import segno
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from lianfang.kernel import clock
from lianfang.kernel.errors import NotFound, Refused
from lianfang.kernel.surfaces import Rate, Repeat
from lianfang.places import queries as places
from lianfang.places.policy import Kind

from . import actions, factor, queries
from .errors import WrongCode
from .forms import (
    CodeForm,
    EndForm,
    LoginForm,
    NewOrganForm,
    OfficeForm,
    OfficerForm,
    OrganForm,
    PaperCodeForm,
    StartForm,
)
from .labels import ORGAN_KINDS, ROLES
from .models import LoginCode, User
from .rights import BY_TWO, Purpose, Right, Role
from .web import actor, remember_second_factor, surface

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from lianfang.kernel.actor import Actor

#: What an office may lie over, and what a body may.
_AREAS_OF_OFFICES: Final = (Kind.STREET, Kind.COMMUNITY, Kind.GRID, Kind.COMPOUND)
_AREAS_OF_ORGANS: Final = (Kind.DISTRICT, Kind.STREET, Kind.COMMUNITY, Kind.COMPOUND)
_BACKEND: Final = "django.contrib.auth.backends.ModelBackend"


def _next(request: HttpRequest, otherwise: str) -> str:
    """Where to go afterwards: only within this installation."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    allowed = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if allowed else otherwise


def _home(user: User) -> str:
    return "/desk/" if queries.offices_held(user.pk, clock.now()) else "/"


@never_cache
@surface(public=True, repeat=Repeat.SAME, rate=Rate.LOGIN)
def log_in(request: HttpRequest) -> HttpResponse:
    """Login name and password; whoever holds an office is asked for the second factor next."""
    form = LoginForm(request.POST or None)
    if form.is_valid():
        user = authenticate(request, **form.cleaned_data)
        if isinstance(user, User):
            login(request, user)
            return redirect(_next(request, _home(user)))
        # One sentence for a wrong name, a wrong password and a login that was shut.
        form.add_error(None, gettext("登录名或密码不对。连错 5 次，本机对该账号锁定 15 分钟。"))
    return render(
        request,
        "accounts/login.html",
        {"form": form, "next": _next(request, "")},
        status=422 if form.errors else 200,
    )


@never_cache
@surface(public=True, repeat=Repeat.SPENT, rate=Rate.CODE)
def start(request: HttpRequest) -> HttpResponse:
    """A new officer chooses a password with the start code, then sets up the second factor."""
    form = StartForm(request.POST or None)
    if form.is_valid():
        try:
            user = _started(form)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            login(request, user, backend=_BACKEND)
            return redirect("accounts:set_up")
    return render(request, "accounts/start.html", {"form": form}, status=422 if form.errors else 200)


def _started(form: StartForm) -> User:
    user = actions.start_with_code(
        form.cleaned_data["code"], password=form.cleaned_data["password"], at=clock.now()
    )
    user.refresh_from_db()
    return user


@never_cache
@surface(public=True, repeat=Repeat.SPENT, rate=Rate.CODE)
def set_up(request: HttpRequest) -> HttpResponse:
    """Show the secret of the code generator and confirm it by its first code."""
    user = request.user
    if not isinstance(user, User):
        return redirect("accounts:login")
    secret = actions.begin_second_factor(user.pk)
    form = CodeForm(request.POST or None)
    if form.is_valid():
        now = clock.now()
        if actions.second_factor_fits(user.pk, form.cleaned_data["code"], at=now):
            codes = actions.confirm_second_factor(user.pk, at=now)
            request.session.cycle_key()
            remember_second_factor(request, at=now)
            return render(request, "accounts/recovery_codes.html", {"codes": codes, "next": _home(user)})
        form.add_refusal(WrongCode(), field="code")
    address = factor.otpauth(secret, login=user.login, issuer=gettext("联防"))
    picture = segno.make(address, error="m").svg_inline(omitsize=True)
    return render(
        request,
        "accounts/set_up.html",
        {"form": form, "secret": factor.base32(secret), "picture": mark_safe(picture)},  # noqa: S308 - drawn by segno from our own text
        status=422 if form.errors else 200,
    )


@never_cache
@surface(public=True, repeat=Repeat.SPENT, rate=Rate.CODE)
def second_factor(request: HttpRequest) -> HttpResponse:
    """Ask a user who gave the password for the code."""
    user = request.user
    if not isinstance(user, User):
        return redirect("accounts:login")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        now = clock.now()
        if actions.second_factor_fits(user.pk, form.cleaned_data["code"], at=now):
            request.session.cycle_key()
            remember_second_factor(request, at=now)
            return redirect(_next(request, _home(user)))
        form.add_refusal(WrongCode(), field="code")
    return render(
        request,
        "accounts/second_factor.html",
        {"form": form, "next": _next(request, "")},
        status=422 if form.errors else 200,
    )


@require_POST
@surface(public=True, repeat=Repeat.SAME)
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session on this device."""
    at_desk = bool(request.session.get("verified_at"))
    logout(request)
    return redirect("accounts:login" if at_desk else "/")


@never_cache
@surface(public=True, repeat=Repeat.SPENT, rate=Rate.CODE)
def enter(request: HttpRequest) -> HttpResponse:
    """A resident types the code from the slip a grid worker gave them."""
    form = PaperCodeForm(request.POST or None)
    if form.is_valid():
        user = actions.use_code(form.cleaned_data["code"], way=LoginCode.Way.PAPER, at=clock.now())
        if user is not None:
            login(request, user, backend=_BACKEND)
            return redirect(_next(request, "/"))
        form.add_refusal(WrongCode(), field="code")
    return render(
        request,
        "accounts/enter.html",
        {"form": form, "next": _next(request, "")},
        status=422 if form.errors else 200,
    )


@never_cache
@surface(public=True)
def enter_by_link(request: HttpRequest, code: str) -> HttpResponse:
    """The QR code of the slip. Opening it only asks: chat programs open links before people do."""
    form = PaperCodeForm(initial={"code": code})
    return render(request, "accounts/enter_by_link.html", {"form": form, "code": code})


# -- offices ------------------------------------------------------------------------------------


@never_cache
@surface(right=Right.ACCOUNTS_OFFICE_SEE, purpose=Purpose.ADMINISTRATION)
def offices(request: HttpRequest) -> HttpResponse:
    """Who holds which office in my area, and until when."""
    by = actor(request)
    listed = queries.offices_listed(by)
    rows = [
        {
            "pk": office.pk,
            "login": office.user.login,
            "name": office.user.name,
            "pseudonym": office.user.pseudonym,
            "role": ROLES[Role(office.role)],
            "organ": office.organ.name,
            "area": office.area,
            "starts_at": office.starts_at,
            "ends_at": office.ends_at,
            "held": office.starts_at <= by.at < office.ends_at,
            "over": office.ends_at <= by.at,
        }
        for office in listed
    ]
    held = queries.offices_held(by.user_id, by.at)
    waiting = [
        {
            "pk": proposal.pk,
            "login": proposal.user.login,
            "name": proposal.user.name,
            "role": ROLES[Role(proposal.role)],
            "organ": proposal.organ.name,
            "proposed_by": proposal.proposed_by.pseudonym,
            "lapses_at": proposal.proposed_at + actions.PROPOSAL_LASTS,
            "confirmable": queries.confirmable(proposal, held, by=by),
        }
        for proposal in queries.proposals_waiting(by, since=by.at - actions.PROPOSAL_LASTS)
    ]
    may_grant = bool(by.areas(Right.ACCOUNTS_OFFICE_GRANT))
    return render(
        request, "accounts/offices.html", {"rows": rows, "waiting": waiting, "may_grant": may_grant}
    )


@never_cache
@surface(
    right=Right.ACCOUNTS_OFFICE_GRANT, purpose=Purpose.ADMINISTRATION, fresh_factor=True, repeat=Repeat.ANEW
)
def new_officer(request: HttpRequest) -> HttpResponse:
    """Enter somebody who has no login yet; shows the start code, a new one each time it is sent."""
    by = actor(request)
    form = OfficerForm(request.POST or None)
    if form.is_valid():
        try:
            user, code = actions.admit_officer(form.draft(), by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            return render(request, "accounts/start_code.html", {"login": user.login, "code": code})
    return render(request, "accounts/new_officer.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@surface(
    right=Right.ACCOUNTS_OFFICE_GRANT, purpose=Purpose.ADMINISTRATION, fresh_factor=True, repeat=Repeat.SAME
)
def grant(request: HttpRequest) -> HttpResponse:
    """Give an office."""
    by = actor(request)
    initial = {"login": request.GET.get("login", "")}
    form = OfficeForm(
        request.POST or None,
        initial=initial,
        roles=queries.grantable_roles(by),
        organs=queries.organs_within(by.areas(Right.ACCOUNTS_OFFICE_GRANT)),
        places=_places(by, *_AREAS_OF_OFFICES),
    )
    if form.is_valid():
        try:
            user_id = queries.user_id_of(form.cleaned_data["login"])
            if user_id is None:
                raise NotFound()
            draft = form.draft(user_id)
            give = actions.propose_office if draft.role in BY_TWO else actions.grant_office
            give(draft, by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            if draft.role in BY_TWO:
                said = gettext("已提出。24 小时内由另一位有权的人确认后生效，过时作废。")
            else:
                said = gettext("职务已授予，立即生效。")
            messages.success(request, said)
            return redirect("accounts:offices")
    return render(request, "accounts/grant.html", {"form": form}, status=422 if form.errors else 200)


def _places(by: Actor, *kinds: Kind) -> dict[str, str]:
    """Path → address of the places of these kinds over which `by` may give offices, by address."""
    found = places.addresses_below(by.areas(Right.ACCOUNTS_OFFICE_GRANT), kinds=kinds)
    return dict(sorted(found.items(), key=lambda row: row[1]))


@never_cache
@surface(right=Right.ACCOUNTS_OFFICE_SEE, purpose=Purpose.ADMINISTRATION)
def organs(request: HttpRequest) -> HttpResponse:
    """The bodies of my area, in whose name offices act."""
    by = actor(request)
    listed = queries.organs_within(by.areas(Right.ACCOUNTS_OFFICE_SEE))
    called = places.addresses({organ.area for organ in listed})
    kinds = queries.enterable_kinds(by)
    rows = [
        {
            "code": o.code,
            "name": o.name,
            "kind": ORGAN_KINDS[o.kind],
            "area": called[o.area],
            "phone": o.phone,
            "may_describe": o.kind in kinds,
        }
        for o in listed
    ]
    shown = {"rows": rows, "may_enter": bool(kinds), "divisions": {"street", "community"} <= set(kinds)}
    return render(request, "accounts/organs.html", shown)


@never_cache
@surface(
    right=Right.ACCOUNTS_OFFICE_GRANT, purpose=Purpose.ADMINISTRATION, fresh_factor=True, repeat=Repeat.SAME
)
def new_organ(request: HttpRequest) -> HttpResponse:
    """Enter a body."""
    by = actor(request)
    form = NewOrganForm(
        request.POST or None, kinds=queries.enterable_kinds(by), places=_places(by, *_AREAS_OF_ORGANS)
    )
    if form.is_valid():
        try:
            actions.enter_organ(form.draft(), by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, gettext("单位已登记，可以授予职务了。"))
            return redirect("accounts:organs")
    shown = {"form": form, "heading": gettext("新增单位")}
    return render(request, "accounts/organ.html", shown, status=422 if form.errors else 200)


@never_cache
@surface(
    right=Right.ACCOUNTS_OFFICE_GRANT, purpose=Purpose.ADMINISTRATION, fresh_factor=True, repeat=Repeat.SAME
)
def organ(request: HttpRequest, organ_code: str) -> HttpResponse:
    """Change a body's name or telephone."""
    by = actor(request)
    found = queries.organ_seen(organ_code, by=by)
    form = OrganForm(request.POST or None, initial={"name": found.name, "phone": found.phone})
    if form.is_valid():
        try:
            actions.describe_organ(organ_code, **form.cleaned_data, by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, gettext("已保存，以后打印的文书用新的名称和电话。"))
            return redirect("accounts:organs")
    shown = {"form": form, "heading": found.name}
    return render(request, "accounts/organ.html", shown, status=422 if form.errors else 200)


@require_POST
@surface(
    right=Right.ACCOUNTS_OFFICE_GRANT, purpose=Purpose.ADMINISTRATION, fresh_factor=True, repeat=Repeat.SAME
)
def enter_divisions(request: HttpRequest) -> HttpResponse:
    """Enter the offices of all streets and the committees of all communities that are missing."""
    by = actor(request)
    new = sum(actions.enter_divisions(area, by=by) for area in by.areas(Right.ACCOUNTS_OFFICE_GRANT))
    messages.success(request, gettext("新登记 {new} 个街道和社区，请逐个补上电话。").format(new=new))
    return redirect("accounts:organs")


@require_POST
@surface(
    right=Right.ACCOUNTS_OFFICE_CONFIRM, purpose=Purpose.ADMINISTRATION, fresh_factor=True, repeat=Repeat.SAME
)
def confirm(request: HttpRequest, proposed_id: UUID) -> HttpResponse:
    """Confirm a proposed office as the second person."""
    actions.confirm_office(proposed_id, by=actor(request))
    messages.success(request, gettext("已确认，职务生效。"))
    return redirect("accounts:offices")


@never_cache
@surface(
    right=Right.ACCOUNTS_OFFICE_GRANT, purpose=Purpose.ADMINISTRATION, fresh_factor=True, repeat=Repeat.SAME
)
def end(request: HttpRequest, office_id: UUID) -> HttpResponse:
    """Ask once more, then end an office."""
    by = actor(request)
    office = queries.office_seen(office_id, by=by)
    form = EndForm(request.POST or None)
    if form.is_valid():
        try:
            actions.revoke_office(office_id, reason=form.cleaned_data["reason"], by=by)
        except Refused as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, gettext("职务已结束。其下一次操作起即被拒绝。"))
            return redirect("accounts:offices")
    shown = {
        "login": office.user.login,
        "role": ROLES[Role(office.role)],
        "organ": office.organ.name,
        "ends_at": office.ends_at,
    }
    return render(
        request,
        "accounts/end.html",
        {"form": form, "office": shown, "office_id": office_id},
        status=422 if form.errors else 200,
    )


@never_cache
@require_POST
@surface(
    right=Right.ACCOUNTS_OFFICE_GRANT, purpose=Purpose.ADMINISTRATION, fresh_factor=True, repeat=Repeat.ANEW
)
def start_code(request: HttpRequest, office_id: UUID) -> HttpResponse:
    """A new start code for somebody who lost password or telephone; the old second factor ends."""
    by = actor(request)
    office = queries.office_seen(office_id, by=by)
    code = actions.start_anew(office.user_id, by=by)
    return render(request, "accounts/start_code.html", {"login": office.user.login, "code": code})
