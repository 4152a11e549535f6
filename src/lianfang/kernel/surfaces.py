"""What an address says of itself besides who may open it: how often, what a repeat does; and the mark of a page
that anyone may see, for rooms that lie below `accounts` and so cannot name a right.

Every other page says through `accounts.web.surface` who may see it. A page without either is refused.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    View = TypeVar("View", bound=Callable[..., object])
else:
    View = TypeVar("View")


class Repeat(StrEnum):
    """What the same request does when it comes once more (trust.md 5.5d, the idempotency class)."""

    READS = "reads"  # GET alone: changes nothing but the record of readings
    ASKS = "asks"  # also by POST changes nothing else: what is sought shall not stand in an address (N-1)
    SAME = "same"  # leaves what the first made: by the client's id, or because the state is reached
    SPENT = "spent"  # the first used something up, a one-time code; the second is refused
    ANEW = "anew"  # makes another, and what it replaces ends


class Rate(StrEnum):
    """How often one party may ask (trust.md 5.5d, the rate class). The limits: `accounts.rates`."""

    PUBLIC = "public"  # pages and files that are the same for everybody, which caches may serve
    PAGE = "page"  # pages behind a login
    DEVICE = "device"  # gates: the protocol itself bounds them (one long poll, batches of 500 rows)
    LOGIN = "login"
    CODE = "code"
    EXACT_SEARCH = "exact_search"
    REPORT = "report"


def open_to_all(view: View) -> View:
    """Mark a view as open to anyone. It runs with no rights and sees no row about a person."""
    view.open_to_all = True  # type: ignore[attr-defined]  # a mark on the function, read by accounts.web
    return view
