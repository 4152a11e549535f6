"""This room's entries in the menu."""

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from lianfang.accounts.menu import Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

DESK: Final["Sequence[Entry]"] = (Entry("audit:desk", _("审计")), Entry("audit:give", _("审计授权")))
