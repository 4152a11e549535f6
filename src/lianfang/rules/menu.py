"""This room's entry in the menu."""

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from lianfang.accounts.menu import Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

DESK: Final["Sequence[Entry]"] = (Entry("rules:desk_rules", _("规则")),)
