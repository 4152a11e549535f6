"""Who may see a page: every view says so with `surface`, and a view that does not say is refused.

A view runs inside one transaction (ATOMIC_REQUESTS). Before it runs, the offices held at this instant are
read, the right is checked, and PostgreSQL is told which persons' rows may be seen. Nothing is cached
between requests, so an office that ended is gone at the next one (A-5).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, cast
from uuid import UUID

from django import forms
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver
from django.utils.http import urlencode

from lianfang.kernel import clock
from lianfang.kernel.actor import Actor
from lianfang.kernel.errors import NotAllowed, NotFound, Refused
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import set_scope
from lianfang.kernel.surfaces import Rate, Repeat

from . import actions, queries, rates
from .models import SecondFactor, User
from .rights import HELD_BY, PURPOSES, Purpose, Right, Role, Scope
from .saying import sentence

if TYPE_CHECKING:
    from .models import Office

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

#: Before an order is issued the second factor must be younger than this (T23).
FRESH: Final = timedelta(minutes=5)
#: When the second factor was last given, in the session.
VERIFIED_AT: Final = "verified_at"
#: The field in which the code comes along when it is asked for in the middle of an act.
CODE_FIELD: Final = "second_factor_code"


class Audience(StrEnum):
    """Who a page is for."""

    PUBLIC = "public"
    RESIDENT = "resident"
    STAFF = "staff"
    SIGNED_IN = "signed_in"
    DEVICE = "device"  # proves itself by its own credential, which the view checks


def _is_post(request: HttpRequest) -> bool:
    return request.method == "POST"


#: The rate class of a view that names none.
_RATES: Final = {Audience.PUBLIC: Rate.PUBLIC, Audience.DEVICE: Rate.DEVICE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """What a view has declared about itself.

    :ivar name: `room.view`, or `room.module.view`; what a reading of a person records as where it was read
    :ivar rights: any one of them opens the page; empty is "every officer" for staff pages
    :ivar fresh_factor: writing takes a second factor younger than five minutes
    :ivar repeat: what the same request does once more; `READS` takes no POST
    :ivar rate: how often one party may ask
    :ivar counts: which requests count for it; those by POST if nothing is said
    """

    name: str
    audience: Audience
    rights: frozenset[Right]
    purpose: Purpose
    fresh_factor: bool = False
    repeat: Repeat = Repeat.READS
    rate: Rate = Rate.PAGE
    counts: Callable[[HttpRequest], bool] = _is_post

    def roles(self) -> frozenset[Role]:
        """The roles to which this page can open."""
        if self.audience == Audience.STAFF and not self.rights:
            return frozenset(r for r in Role if r not in (Role.RESIDENT, Role.SYSTEM))
        held = {role for right in self.rights for role, s in HELD_BY[right].items() if s == Scope.AREA}
        return frozenset(role for role in held if self.purpose in PURPOSES[role]) - {Role.SYSTEM}


def surface(
    *,
    right: Right | Collection[Right] | None = None,
    purpose: Purpose | None = None,
    public: bool = False,
    resident: bool = False,
    staff: bool = False,
    signed_in: bool = False,
    device: bool = False,
    fresh_factor: bool = False,
    repeat: Repeat = Repeat.READS,
    rate: Rate | None = None,
    counts: Callable[[HttpRequest], bool] = _is_post,
) -> Callable[[View[P]], View[P]]:
    """Say who may open a view and what for. Exactly one audience: a right (or several, any of which will
    do), `public`, `resident`, `staff` (any officer), `signed_in` (either) or `device`.

    A view that does not say what a repeat does only reads, and is refused every POST.

    :raises ImproperlyConfigured: no audience or two; or personal pages without a purpose
    """
    rights = frozenset([right] if isinstance(right, Right) else right or ())
    chosen = [
        audience
        for audience, wanted in (
            (Audience.PUBLIC, public),
            (Audience.RESIDENT, resident),
            (Audience.STAFF, staff or bool(rights)),
            (Audience.SIGNED_IN, signed_in),
            (Audience.DEVICE, device),
        )
        if wanted
    ]
    if len(chosen) != 1:
        raise ImproperlyConfigured(f"a surface has one audience, not {chosen}")
    (audience,) = chosen
    if purpose is None and audience in (Audience.RESIDENT, Audience.STAFF):
        raise ImproperlyConfigured("a surface that may show persons names its purpose")

    def mark(view: View[P]) -> View[P]:
        # Two views of one room may share a name when they stand in different modules.
        module = view.__module__.removeprefix("lianfang.").removesuffix(".views")
        declared = Surface(
            name=f"{module}.{view.__name__}",
            audience=audience,
            rights=rights,
            purpose=purpose or Purpose.PUBLIC_INFORMATION,
            fresh_factor=fresh_factor,
            repeat=repeat,
            rate=rate or _RATES.get(audience, Rate.PAGE),
            counts=counts,
        )

        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if repeat is Repeat.READS and request.method not in ("GET", "HEAD"):
                return HttpResponseNotAllowed(["GET", "HEAD"])
            return _admit(declared, request) or view(request, *args, **kwargs)

        guarded.surface = declared  # type: ignore[attr-defined]  # a mark on the function
        return cast("View[P]", guarded)

    return mark


def actor(request: HttpRequest, *, purpose: Purpose | None = None) -> Actor:
    """Who acts in this request, as the surface admitted them; an unknown visitor on public pages.

    :param purpose: another than the surface's, chosen by the person on the page
    :raises NotAllowed: none of the offices held has that purpose
    """
    by: Actor = request.lianfang_actor  # type: ignore[attr-defined]  # set by `_admit`
    if purpose is None or purpose == by.purpose:
        return by
    offices: list[Office] = request.lianfang_offices  # type: ignore[attr-defined]  # set by `_admit`
    own = by.person_id is not None and purpose in PURPOSES[Role.RESIDENT]
    fitting = [o for o in offices if purpose in PURPOSES[Role(o.role)]]
    if not fitting and not own:
        raise NotAllowed(purpose=str(purpose))
    return replace(by, purpose=purpose, grants=queries.grants_of(fitting))


def surface_of(view: object) -> Surface | None:
    """What the view declared; None if nothing, and then it is refused."""
    declared = getattr(view, "surface", None)
    if isinstance(declared, Surface):
        return declared
    if getattr(view, "open_to_all", False):
        module = str(getattr(view, "__module__", ""))
        return Surface(
            name=f"{module.removeprefix('lianfang.').split('.')[0]}.{getattr(view, '__name__', 'view')}",
            audience=Audience.PUBLIC,
            rights=frozenset(),
            purpose=Purpose.PUBLIC_INFORMATION,
            rate=Rate.PUBLIC,
        )
    return None


def with_surface(
    patterns: Collection[URLPattern | URLResolver], **declared: Any
) -> list[URLPattern | URLResolver]:
    """The same URL patterns, every view of them under one surface; for views we cannot decorate (an API)."""
    wrapped: list[URLPattern | URLResolver] = []
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            pattern.callback = surface(**declared)(pattern.callback)
        else:
            with_surface(pattern.url_patterns, **declared)
        wrapped.append(pattern)
    return wrapped


# -- admission ----------------------------------------------------------------------------------


def _admit(declared: Surface, request: HttpRequest) -> HttpResponse | None:
    """Let the request in, or answer for the view. Sets the actor and the scope of rows."""
    at = clock.now()
    user = request.user if request.user.is_authenticated else None
    if declared.audience in (Audience.PUBLIC, Audience.DEVICE):
        if isinstance(user, User):
            # A public page is the same for everyone; the actor still says who wrote, when somebody did.
            _set(request, _build(declared, user, [], request, at), [])
        else:
            anybody = queries.anyone(
                at, surface=declared.name, purpose=declared.purpose, request_id=_request_id(request)
            )
            _set(request, anybody, [])
        _scope(areas=(), persons=())
        return None
    if not isinstance(user, User):
        return _to_login(declared, request)

    offices = queries.offices_held(user.pk, at)
    as_officer = declared.audience == Audience.STAFF or (declared.audience == Audience.SIGNED_IN and offices)
    if as_officer and offices and _verified_at(request) is None:
        return _to_second_factor(user, request)
    if declared.audience == Audience.RESIDENT and user.person_id is None:
        raise NotAllowed()
    carrying = _carrying(declared, offices)
    if declared.audience == Audience.STAFF and not carrying:
        raise NotAllowed(right=",".join(sorted(declared.rights)))
    by = _build(declared, user, carrying if as_officer else [], request, at)
    if declared.fresh_factor and request.method == "POST":
        if (asked := _ask_again(user, request, by)) is not None:
            return asked
        by = replace(by, verified_at=_verified_at(request))
    _set(request, by, offices)
    _scope(
        areas=queries.person_areas(by) if as_officer else (),
        persons=[user.person_id] if user.person_id is not None else (),
    )
    return None


def _carrying(declared: Surface, offices: list[Office]) -> list[Office]:
    """The offices that count on this surface: their role has its purpose, and one carries its right.

    The office that carries the right comes first: in its organ's name the act is done.
    """
    fitting = [o for o in offices if declared.purpose in PURPOSES[Role(o.role)]]
    if not declared.rights:
        return fitting
    opening = [o for o in fitting if any(_holds(o, right) for right in declared.rights)]
    return opening + [o for o in fitting if o not in opening] if opening else []


def _holds(office: Office, right: Right) -> bool:
    return HELD_BY[right].get(Role(office.role)) == Scope.AREA


def _build(declared: Surface, user: User, offices: list[Office], request: HttpRequest, at: datetime) -> Actor:
    first = offices[0].organ if offices else None
    return Actor(
        user_id=user.pk,
        pseudonym=user.pseudonym,
        organ=first.code if first else "",
        organ_kind=first.kind if first else "",
        grants=queries.grants_of(offices),
        at=at,
        purpose=declared.purpose,
        surface=declared.name,
        request_id=_request_id(request),
        person_id=user.person_id,
        verified_at=_verified_at(request),
    )


def _set(request: HttpRequest, by: Actor, offices: list[Office]) -> None:
    request.lianfang_actor = by  # type: ignore[attr-defined]  # read by `actor`
    request.lianfang_offices = offices  # type: ignore[attr-defined]  # read by `actor`


def _scope(*, areas: Collection[str], persons: Collection[UUID]) -> None:
    # A view outside ATOMIC_REQUESTS (streams, gates) opens its own transaction with `row_security.scope`.
    if connection.in_atomic_block:
        set_scope(areas=areas, persons=persons)


def _request_id(request: HttpRequest) -> UUID:
    known: UUID | None = getattr(request, "lianfang_request_id", None)
    if known is None:
        known = new_id()
        request.lianfang_request_id = known  # type: ignore[attr-defined]  # one per request
    return known


def _verified_at(request: HttpRequest) -> datetime | None:
    given = request.session.get(VERIFIED_AT)
    return datetime.fromisoformat(given) if given else None


def remember_second_factor(request: HttpRequest, *, at: datetime) -> None:
    """Note in the session that the second factor was given now."""
    request.session[VERIFIED_AT] = at.isoformat()


def _to_login(declared: Surface, request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"code": "accounts:log_in"}, status=401)
    door = "accounts:enter" if declared.audience == Audience.RESIDENT else "accounts:login"
    return _redirect_with_next(door, request)


def _to_second_factor(user: User, request: HttpRequest) -> HttpResponse:
    confirmed = SecondFactor.objects.filter(user=user).exclude(confirmed_at=None).exists()
    return _redirect_with_next("accounts:second_factor" if confirmed else "accounts:set_up", request)


def _redirect_with_next(name: str, request: HttpRequest) -> HttpResponse:
    answer = redirect(name)
    answer["Location"] += "?" + urlencode({"next": request.get_full_path()})
    return answer


def _ask_again(user: User, request: HttpRequest, by: Actor) -> HttpResponse | None:
    """None if the second factor is fresh, or its code came along and fits; else the page that asks.

    The page carries the fields that were filled in, so nothing has to be typed twice.
    """
    wrong = False
    if CODE_FIELD in request.POST:
        if actions.second_factor_fits(user.pk, request.POST[CODE_FIELD], at=by.at):
            remember_second_factor(request, at=by.at)
            return None
        wrong = True
    elif by.verified_at is not None and by.at - by.verified_at < FRESH:
        return None
    filled = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in (CODE_FIELD, "csrfmiddlewaretoken")
        for value in values
    ]
    return render(
        request, "accounts/again.html", {"filled": filled, "wrong": wrong, "field": CODE_FIELD}, status=403
    )


# -- middleware ---------------------------------------------------------------------------------


class SurfaceMiddleware:
    """Refuses views that declare nothing, asked too often; turns refusals into pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        """:raises ImproperlyConfigured: the view says not who may open it, so nobody may"""
        declared = surface_of(view)
        if declared is None:
            raise ImproperlyConfigured(f"{request.resolver_match} has no surface")
        if getattr(view, "open_to_all", False):
            _set(request, queries.anyone(clock.now(), surface=declared.name), [])
        # Here, outside the view's transaction: the count stays when the view refuses.
        if declared.rate in rates.LIMITS and declared.counts(request):
            return too_often(request, declared.rate)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The transaction is rolled back already; say what was refused and what to do."""
        if not isinstance(error, Refused):
            return None
        status = 404 if isinstance(error, NotFound) else 403 if isinstance(error, NotAllowed) else 422
        said = sentence(error)
        if request.path.startswith("/api/"):
            return JsonResponse({"code": error.code, "facts": error.facts, "sentence": said}, status=status)
        return render(request, f"{status}.html", {"sentence": said}, status=status)


def too_often(request: HttpRequest, rate: Rate) -> HttpResponse | None:
    """Count this request for its party; the page that says when to try again, if it is one too many."""
    at = clock.now()
    user = request.user
    party = f"user {user.pk}" if user.is_authenticated else f"address {request.META.get('REMOTE_ADDR', '')}"
    free_at = rates.until(rate, party, at=at)
    if free_at is None:
        return None
    answer: HttpResponse
    if request.path.startswith("/api/"):
        answer = JsonResponse({"code": "accounts:too_often"}, status=429)
    else:
        answer = render(request, "429.html", {"free_at": free_at}, status=429)
    answer["Retry-After"] = str(max(1, int((free_at - at).total_seconds()) + 1))
    return answer


class RefusableForm(forms.Form):
    """A form that can show why the act refused."""

    def add_refusal(self, refusal: Refused, *, field: str | None = None) -> None:
        """Put the sentence of the refusal above the form, or beside a field."""
        self.add_error(field, sentence(refusal))
