"""The first entry of the desk's menu."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from lianfang.accounts.menu import Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

DESK: Final[Sequence[Entry]] = (Entry("desk", _("今天")),)
