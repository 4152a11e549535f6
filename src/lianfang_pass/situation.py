"""The dimensions of the gate's decision, each with its values, as in `vectors/verdicts.json`."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class LifeExit(StrEnum):
    NO = "no"
    YES = "yes"


class Movement(StrEnum):
    """`HOME_*`: a gate of the own compound. `PLACE_OUT` is also homeward at a road checkpoint."""

    HOME_OUT = "home_out"
    HOME_IN = "home_in"
    PLACE_OUT = "place_out"
    PLACE_IN = "place_in"


class Proof(StrEnum):
    PAPER = "paper"
    PHONE = "phone"
    PHONE_STALE = "phone_stale"  # good pass, rotating code outside its window
    FOUND = "found"  # number, or door and birth year, found in the own compound's store
    BAD = "bad"
    NONE = "none"


class Term(StrEnum):
    IN_TERM = "in_term"
    EXPIRED = "expired"
    NOT_YET = "not_yet"


class Status(StrEnum):
    VALID = "valid"
    BEFORE_END = "before_end"
    AFTER_END = "after_end"
    NO_END = "no_end"
    INVALID = "invalid"
    REFER = "refer"


class Slip(StrEnum):
    NONE = "none"  # none, or one that does not count
    RELEASE = "release"
    LIFT = "lift"
    ORDER_OVER = "order_over"
    ORDER_RUNNING = "order_running"


class Evidence(StrEnum):
    DAY = "day"
    THREE_DAYS = "three_days"
    OLD = "old"  # or none at all


class Clock(StrEnum):
    SURE = "sure"
    DOUBT = "doubt"


class KeyList(StrEnum):
    CURRENT = "current"
    EXPIRED = "expired"


class Act(StrEnum):
    NONE = "none"
    QUOTA_USED = "quota_used"
    PERIMETER_LISTED = "perimeter_listed"
    PERIMETER_UNLISTED = "perimeter_unlisted"


class Clearance(StrEnum):
    NOT_ASKED = "not_asked"
    NOT_CLEARED = "not_cleared"  # class worker, at the own work site


class Temperature(StrEnum):
    NORMAL = "normal"
    HIGH = "high"


class Situation(NamedTuple):
    """One value of each dimension."""

    life_exit: LifeExit
    movement: Movement
    proof: Proof
    term: Term
    status: Status
    slip: Slip
    evidence: Evidence
    clock: Clock
    keys: KeyList
    act: Act
    clearance: Clearance
    temperature: Temperature

    @classmethod
    def read(cls, values: Mapping[str, object]) -> "Situation":
        """Parse plain values.

        :raises ValueError: a dimension is missing, unknown or has an unknown value
        """
        if set(values) != set(cls._fields):
            raise ValueError("not exactly the dimensions of a situation")
        text = {name: value for name, value in values.items() if isinstance(value, str)}
        if len(text) != len(values):
            raise ValueError("a value that is not text")
        return cls(
            life_exit=LifeExit(text["life_exit"]),
            movement=Movement(text["movement"]),
            proof=Proof(text["proof"]),
            term=Term(text["term"]),
            status=Status(text["status"]),
            slip=Slip(text["slip"]),
            evidence=Evidence(text["evidence"]),
            clock=Clock(text["clock"]),
            keys=KeyList(text["keys"]),
            act=Act(text["act"]),
            clearance=Clearance(text["clearance"]),
            temperature=Temperature(text["temperature"]),
        )
