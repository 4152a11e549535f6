"""The mark of a page that anyone may see, for rooms that lie below `accounts` and so cannot name a right.

Every other page says through `accounts.web.surface` who may see it. A page without either is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    View = TypeVar("View", bound=Callable[..., object])
else:
    View = TypeVar("View")


def open_to_all(view: View) -> View:
    """Mark a view as open to anyone. It runs with no rights and sees no row about a person."""
    view.open_to_all = True  # type: ignore[attr-defined]  # a mark on the function, read by accounts.web
    return view
