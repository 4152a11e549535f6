"""Refusals of this room."""

from __future__ import annotations

from lianfang.kernel.errors import Refused


class LoginTaken(Refused):
    """Another user logs in under this name."""

    code = "accounts:login_taken"


class OfficeOutsideOrgan(Refused):
    """The area does not lie in that of the organ."""

    code = "accounts:office_outside_organ"


class WrongOrgan(Refused):
    """An organ of this kind has no such office."""

    code = "accounts:wrong_organ"


class PeriodIsNone(Refused):
    """The office would end before it begins, or last longer than a year."""

    code = "accounts:period_is_none"


class TakesTwoPersons(Refused):
    """The office carries the power to sign or export: propose it, and somebody else confirms."""

    code = "accounts:takes_two_persons"


class AnotherMustConfirm(Refused):
    """Neither who proposed the office nor who would hold it confirms it."""

    code = "accounts:another_must_confirm"


class ProposalLapsed(Refused):
    """It was not confirmed within a day, or who proposed it could no longer give it."""

    code = "accounts:proposal_lapsed"


class OfficesMustBeApart(Refused):
    """The user holds an office that must not be in the same hand at the same time."""

    code = "accounts:offices_must_be_apart"


class OfficeAlreadyOver(Refused):
    """The office has ended; there is nothing to end."""

    code = "accounts:office_already_over"


class WrongCode(Refused):
    """The code is wrong, used or too old. Which of the three is not said."""

    code = "accounts:wrong_code"


class SystemInUse(Refused):
    """Offices exist already: the first-run page is closed for good."""

    code = "accounts:system_in_use"


class WeakPassword(Refused):
    """The password is short, common or only digits."""

    code = "accounts:weak_password"
