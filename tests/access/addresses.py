"""All addresses of the installation, as Django will resolve them; a new one is picked up by itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from django.urls import URLPattern, URLResolver, get_resolver

from lianfang.accounts.web import Surface, surface_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True)
class Address:
    """One URL pattern: where it is, what it runs, and what it says about itself."""

    route: str
    name: str
    view: Callable[..., Any]
    surface: Surface | None
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return "/" + self.route

    @property
    def methods(self) -> frozenset[str]:
        """Whether the view takes GET, judged by Django's own decorators."""
        # `require_POST` leaves no mark of its own; the closure holds the list it was given.
        view: Any = self.view
        while view is not None:
            for cell in getattr(view, "__closure__", None) or ():
                content = cell.cell_contents
                if isinstance(content, list) and content and all(isinstance(m, str) for m in content):
                    return frozenset(content)
            view = getattr(view, "__wrapped__", None)
        return frozenset({"GET", "HEAD", "POST"})


@cache
def addresses() -> tuple[Address, ...]:
    """Every address that leads to a view."""
    return tuple(_below(get_resolver("lianfang.config.urls").url_patterns, "", "", ()))


def _below(
    patterns: Iterable[URLPattern | URLResolver], before: str, namespace: str, arguments: tuple[str, ...]
) -> Iterable[Address]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        named = getattr(pattern.pattern, "regex", None) if not pattern.pattern.converters else None
        groups = tuple(named.groupindex) if named is not None else ()
        own = arguments + (tuple(pattern.pattern.converters) or groups)
        if isinstance(pattern, URLPattern):
            name = f"{namespace}{pattern.name}" if pattern.name else ""
            yield Address(route, name, pattern.callback, surface_of(pattern.callback), own)
        else:
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _below(pattern.url_patterns, route, inner, own)
