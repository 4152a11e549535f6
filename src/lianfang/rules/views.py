"""The documents as everybody may read them, and as officers see them with their drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from lianfang.accounts.rights import Purpose, Right
from lianfang.accounts.web import actor, surface

from . import queries
from .errors import NoIncident
from .policy import Kind, Measure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse
    from django_stubs_ext import StrPromise

_KINDS: Final[Mapping[str, StrPromise]] = {
    Kind.ISOLATION: _("隔离期限"),
    Kind.COMPETENCE: _("决定权限"),
    Kind.REASONS: _("理由目录"),
    Kind.CAPS: _("时长和数量上限"),
    Kind.REMEDIES: _("救济途径"),
    Kind.LISTED_AREAS: _("重点地区名单"),
    Kind.WORDING: _("告知书用语"),
    Kind.GUIDANCE: _("指引"),
}
_MEASURES: Final[Mapping[str, StrPromise]] = {
    Measure.HOME_ISOLATION: _("居家隔离"),
    Measure.FACILITY_ISOLATION: _("集中隔离"),
    Measure.HOME_MONITORING: _("居家健康监测"),
}


def _page(request: HttpRequest, *, published_only: bool) -> HttpResponse:
    on = actor(request).legal_day
    try:
        catalogue = queries.catalogue(on)
    except NoIncident:
        catalogue = None

    def subject(code: str) -> str:
        reason = catalogue.find(code) if catalogue else None
        if reason is None:
            return code
        return reason.en if get_language() == "en" and reason.en else reason.zh

    rows = [
        {
            "line": line,
            "kind": _KINDS[line.kind],
            "subject": subject(line.subject) if line.kind == Kind.ISOLATION else "",
            "measure": _MEASURES.get(line.measure, ""),
            "follow_on": _MEASURES.get(line.follow_on_measure, ""),
        }
        for line in queries.lines(on=on, published_only=published_only)
    ]
    return render(request, "rules/rules.html", {"rows": rows})


@surface(public=True)
def open_rules(request: HttpRequest) -> HttpResponse:
    """The published documents."""
    return _page(request, published_only=True)


@surface(right=Right.RULES_RULE_SEE, purpose=Purpose.ADMINISTRATION)
def desk_rules(request: HttpRequest) -> HttpResponse:
    """All documents, drafts among them."""
    return _page(request, published_only=False)
