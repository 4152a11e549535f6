"""What every page's frame needs to know, and in which language it speaks."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Literal, cast
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.urls import resolve, reverse
from django.utils import translation

from lianfang.accounts.rights import Role
from lianfang.accounts.web import Audience, surface_of
from lianfang.ledger import board
from lianfang.ledger.labels import ANYBODY, COMMAND, PARTY, to_do

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from django.http import HttpRequest, HttpResponse
    from django_stubs_ext import StrPromise

    from lianfang.accounts.menu import Entry, Todo
    from lianfang.accounts.queries import HeldOffice
    from lianfang.accounts.web import Surface
    from lianfang.kernel.actor import Actor
    from lianfang.ledger.queries import Alarm

LANGUAGE_COOKIE: Final = "django_language"


def context(request: HttpRequest) -> dict[str, object]:
    """Values for the base templates: `demo` and `shell`. Costs no query."""
    by: Actor | None = getattr(request, "lianfang_actor", None)
    offices: list[HeldOffice] = getattr(request, "lianfang_offices", [])
    desk = request.path.startswith("/desk/")
    english = translation.get_language() == "en"
    # A resident is one of the three parties; the own first page and own pages say what its witness's page says.
    party = desk and _answers_for_chain(offices)
    alarm = _chain_alarm(answers=party or (by is not None and by.person_id is not None and _own(request)))
    return {
        "demo": settings.DEMO,
        "shell": {
            "lang": "en" if english else "zh-Hans",
            "english": english,
            "base": "desk.html"
            if desk
            else "open.html"
            if request.path.startswith("/open/")
            else "phone.html",
            "home": "/desk/" if desk else "/",
            "menu": menu("DESK", by, offices, here=request.path) if desk and by else [],
            "person": person_menu(by, offices, request) if desk and by else [],
            "organ": next((o.organ.name for o in offices if by and o.organ.code == by.organ), ""),
            "pseudonym": by.pseudonym if by else "",
            "chain_alarm": alarm,
            "chain_alarm_to_do": to_do(alarm.code, _reader(offices) if party else ANYBODY) if alarm else "",
            "chain_evidence": reverse("ledger:fork_evidence", args=[alarm.facts["witness"]])
            if alarm and alarm.code == "fork" and "witness" in alarm.facts
            else "",
        },
    }


#: The command, the three parties and those who look after system and evidence see every alarm of the chain.
_SEE_CHAIN_ALARMS: Final = frozenset(
    {
        Role.PROPERTY, Role.COMMUNITY, Role.STREET, Role.CDC, Role.CMD_DUTY, Role.CMD_LEAD, Role.AUDITOR,
        Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN,
    }
)  # fmt: skip


def _chain_alarm(*, answers: bool) -> Alarm | None:
    """A fork is told to everybody, on every page; what else is wrong, to those who answer for the chain."""
    return next((alarm for alarm in board.shown() if answers or alarm.code == "fork"), None)


def _own(request: HttpRequest) -> bool:
    return request.path == "/" or request.path.startswith("/me/")


def _reader(offices: Sequence[HeldOffice]) -> str:
    """Who reads the alarm: a party with a witness of its own, or those who look after the system."""
    held = {Role(office.role) for office in offices}
    return PARTY if held <= {Role.PROPERTY, Role.COMMUNITY} else COMMAND


def _answers_for_chain(offices: Sequence[HeldOffice]) -> bool:
    return any(Role(office.role) in _SEE_CHAIN_ALARMS for office in offices)


def menu(
    which: Literal["DESK", "PHONE"], by: Actor, offices: Sequence[HeldOffice] = (), *, here: str = ""
) -> list[dict[str, object]]:
    """The entries of all rooms that open for this actor, in the order of the rooms, lowest first."""
    shown = [(url, label) for url, label, declared in _entries(which) if _opens(declared, by, offices)]
    # The longest address that begins the path is where one is; `/desk/` begins them all.
    longest = max((url for url, _ in shown if here.startswith(url)), key=len, default="")
    return [{"url": url, "label": str(label), "here": url == longest} for url, label in shown]


#: Stands for a person while an address is looked up once, to learn its surface.
_NOBODY: Final = UUID(int=0)


def person_menu(by: Actor, offices: Sequence[HeldOffice], request: HttpRequest) -> list[dict[str, object]]:
    """On the page of a person: what all rooms offer to do for that person, as far as it opens for this actor."""
    match = request.resolver_match
    person_id = match.kwargs.get("person_id") if match else None
    if person_id is None:
        return []
    return [
        {"url": reverse(name, args=[person_id]), "label": str(label)}
        for name, label, declared in _person_entries()
        if _opens(declared, by, offices)
    ]


@cache
def _person_entries() -> list[tuple[str, StrPromise, Surface]]:
    """:raises NoReverseMatch: an entry leads to an address that is not there; LookupError: to one without a surface"""
    own: list[Entry] = [entry for entries in _declared("PERSON") for entry in cast("list[Entry]", entries)]
    return [(e.url_name, e.label, _surface_at(e.url_name, reverse(e.url_name, args=[_NOBODY]))) for e in own]


def _opens(declared: Surface, by: Actor, offices: Sequence[HeldOffice]) -> bool:
    if declared.audience == Audience.STAFF:
        return any(Role(office.role) in declared.roles() for office in offices)
    if declared.audience == Audience.RESIDENT:
        return by.person_id is not None
    return True


@cache
def _entries(which: str) -> list[tuple[str, StrPromise, Surface]]:
    """:raises NoReverseMatch: an entry leads to an address that is not there; LookupError: to one without a surface"""
    own: list[Entry] = [entry for entries in _declared(which) for entry in cast("list[Entry]", entries)]
    return [(reverse(e.url_name), e.label, _surface_at(e.url_name, reverse(e.url_name))) for e in own]


def _surface_at(url_name: str, url: str) -> Surface:
    declared = surface_of(resolve(url).func)
    if declared is None:
        raise LookupError(f"{url_name} has no surface")
    return declared


def _declared(name: str) -> Iterator[object]:
    """What the rooms' `menu.py` declare under this name, lowest room first; the house itself before them."""
    for room in ["config", *reversed(settings.ROOMS)]:
        module = f"lianfang.{room}.menu"
        if apps.is_installed(f"lianfang.{room}") and find_spec(module) is not None:
            found = getattr(import_module(module), name, None)
            if found is not None:
                yield found


def todos(by: Actor) -> list[Todo]:
    """What waits for this officer in all rooms, the most urgent first; each room asks a bounded number of queries."""
    waiting = [todo for ask in _declared("todo") for todo in cast("Callable[[Actor], list[Todo]]", ask)(by)]
    return sorted(waiting, key=lambda t: (t.due_at is None, t.due_at or by.at))


class LanguageMiddleware:
    """Chinese, unless the reader chose English on a page (kept in a cookie).

    What the browser prefers does not count: phones bought abroad would greet their owners in English.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(LANGUAGE_COOKIE, "")
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response
