"""What pages that print share: where the codes on a paper lead, its language, and the answer that is a PDF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import get_language

from . import typeset
from .papers import Lang

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.http import HttpRequest

    from .papers import Paper


@dataclass(frozen=True, slots=True)
class Press:
    """Where the installation is reached, in which language it prints, and whether it is a demonstration."""

    base_url: str
    lang: Lang
    demo: bool

    @property
    def domain(self) -> str:
        """The name that people compare with the one that opens: without the port."""
        return urlsplit(self.base_url).hostname or ""


def language() -> Lang:
    """Of a paper that this reader asks for; Chinese always counts, so it is never left out."""
    return Lang.BOTH if get_language() == "en" else Lang.ZH


def press_for(request: HttpRequest) -> Press:
    """As this page was reached, and in its reader's language."""
    return Press(f"{request.scheme}://{request.get_host()}", language(), settings.DEMO)


def as_pdf(papers: Iterable[Paper], name: str, *, at: datetime) -> HttpResponse:
    """The papers one behind the other, to be looked at or saved under that name."""
    answer = HttpResponse(typeset.bundle(papers, at=at), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return answer
