"""What the parties are called on the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_stubs_ext import StrPromise

_PARTIES: Final[Mapping[str, StrPromise]] = {
    "residents": _("居民"),
    "property": _("物业"),
    "community": _("社区"),
}


def party(witness: str) -> StrPromise | str:
    """The party whose witness this is; a later key of the same party has a number behind the name."""
    return _PARTIES.get(witness.partition("-")[0], witness)
