"""Refusals of this room."""

from __future__ import annotations

from lianfang.kernel.errors import Refused


class InTheFuture(Refused):
    """Something is said to have happened later than now."""

    code = "concerns:in_the_future"


class LeftAfterArrival(Refused):
    """Nobody arrives before leaving."""

    code = "concerns:left_after_arrival"


class TemperatureOutOfRange(Refused):
    """Not a temperature of a living person."""

    code = "concerns:temperature_out_of_range"


class AlreadyDecided(Refused):
    """Another officer decided this concern."""

    code = "concerns:already_decided"


class HasLapsed(Refused):
    """The 24 hours are over; a new report is needed."""

    code = "concerns:has_lapsed"


class NoSuchCategory(Refused):
    """Not a reason of the catalogue in force."""

    code = "concerns:no_such_category"
