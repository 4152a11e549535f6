"""Refusals of this room."""

from __future__ import annotations

from lianfang.kernel.errors import Refused


class NotAnAuditor(Refused):
    """The grant names somebody who holds no auditor's office over that area."""

    code = "audit:not_an_auditor"


class NoSuchOrder(Refused):
    """No order of this number in the area."""

    code = "audit:no_such_order"


class GrantOver(Refused):
    """The grant has ended, or has not begun."""

    code = "audit:grant_over"


class DrawnAlready(Refused):
    """One draw to a grant: nobody draws until the sample pleases."""

    code = "audit:drawn_already"


class NotInSubject(Refused):
    """The case is not part of what the grant is about, or not of the sample."""

    code = "audit:not_in_subject"
