"""What anybody reads without logging in: the announcements of an area, one of them, and the file its hash is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control

from lianfang.accounts.web import actor, surface
from lianfang.ledger import queries as ledger

from . import policy, queries
from .lines import line, lines
from .views import page_of

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest

#: Seconds for which a browser need not ask again: a withdrawal is on every phone within a minute. Kept by the browser
#: alone, as each page carries the reader's own form for the language.
_FRESH = 60


@cache_control(private=True, max_age=_FRESH)
@surface(public=True)
def listed(request: HttpRequest) -> HttpResponse:
    """What holds first, then what did, for everywhere or for one street or community."""
    at, page = actor(request).at, page_of(request)
    choices = queries.divisions()
    place = request.GET.get("place", "")
    place = place if place in choices else ""
    past, more = queries.past(at, place=place, page=page)
    current = queries.current(at, place=place) if page == 1 else []
    shown = lines([*current, *past])
    return render(
        request,
        "announcements/open_list.html",
        {
            "current": shown[: len(current)],
            "past": shown[len(current) :],
            "places": choices.items(),
            "place": place,
            "page": page,
            "next": page + 1 if more else None,
        },
    )


@cache_control(private=True, max_age=_FRESH)
@surface(public=True)
def shown(request: HttpRequest, announcement_id: UUID) -> HttpResponse:
    """One announcement: its text, whether it holds, and how to check that it is what was published."""
    view = queries.published(announcement_id, actor(request).at)
    assert view.publication is not None, "only published ones are found"
    text = view.text
    in_english = get_language() == "en" and bool(text.body_en)
    context = {
        "row": line(view),
        "body": (text.body_en if in_english else text.body).split("\n"),
        "body_lang": "en" if in_english else "zh-Hans",
        "title": text.title_en if in_english and text.title_en else text.title,
        "original": text.body.split("\n") if in_english else [],
        "where": view.publication.place_names,
        "chain": ledger.newest_states([view.publication.entry_id])[view.publication.entry_id],
        "intact": queries.is_as_published(view),
    }
    return render(request, "announcements/open_one.html", context)


@cache_control(public=True, max_age=_FRESH)
@surface(public=True)
def text_file(request: HttpRequest, announcement_id: UUID) -> HttpResponse:
    """The published text as one file: its SHA-256 is what the chain holds."""
    view = queries.published(announcement_id, actor(request).at)
    assert view.publication is not None, "only published ones are found"
    content = policy.published_text(queries.text_of(view.text, view.publication))
    answer = HttpResponse(content, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="announcement-{announcement_id}.txt"'
    return answer
