"""What every page's frame needs to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest


def context(request: HttpRequest) -> dict[str, object]:
    """Values for the base templates."""
    return {"demo": settings.DEMO}
