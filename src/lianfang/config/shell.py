"""What every page's frame needs to know, and in which language it speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils import translation

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

LANGUAGE_COOKIE: Final = "django_language"


def context(request: HttpRequest) -> dict[str, object]:
    """Values for the base templates."""
    return {"demo": settings.DEMO}


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
