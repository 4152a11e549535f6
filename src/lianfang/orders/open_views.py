"""What anybody may check: whether a public sheet still holds, whether a certificate is genuine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.cache import never_cache

from lianfang.accounts.web import actor, surface
from lianfang.places import queries as places

from . import proofs, sheets

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse


@never_cache
@surface(public=True)
def sheet(request: HttpRequest, sheet_id: UUID) -> HttpResponse:
    """Valid, no longer valid, or unknown; with the place and period of the sheet, never a person."""
    at = actor(request).at
    found = sheets.sheet(sheet_id, at)
    place = places.addresses([found.place]).get(found.place, "") if found else ""
    state = found.state if found else "unknown"
    return render(
        request,
        "orders/open_sheet.html",
        {"sheet": found, "place": place, "state": state},
        status=200 if found else 404,
    )


@never_cache
@surface(public=True)
def certificate(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Genuine or unknown; from which day to which day."""
    found = sheets.certificate(order_id)
    chain = proofs.line(found.entry_id) if found else None
    context = {"found": found, "chain": chain}
    return render(request, "orders/open_certificate.html", context, status=200 if found else 404)
