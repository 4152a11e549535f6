"""Refusals of this room."""

from lianfang.kernel.errors import NotFound, Refused


class NoSuchGate(NotFound):
    code = "gates:no_such_gate"


class NoSuchDevice(NotFound):
    code = "gates:no_such_device"


class CodeNotValid(Refused):
    code = "gates:code_not_valid"


class CodeUsedByAnother(Refused):
    code = "gates:code_used_by_another"


class NoSuchSignal(NotFound):
    code = "gates:no_such_signal"


class NoSuchTicket(NotFound):
    code = "gates:no_such_ticket"


class NoSuchCode(NotFound):
    code = "gates:no_such_code"


class NoSuchLine(NotFound):
    code = "gates:no_such_line"


class LineIsCorrected(Refused):
    """A line of a paper register is corrected once; the next correction is of the line in its place."""

    code = "gates:line_is_corrected"


class NotAnExport(Refused):
    """The file is not one that a gate's device wrote."""

    code = "gates:not_an_export"


class NoSuchAct(NotFound):
    code = "gates:no_such_act"


class OwnProposal(Refused):
    """Who proposed does not sign."""

    code = "gates:own_proposal"


class ActOver(Refused):
    code = "gates:act_over"


class ActTooLong(Refused):
    code = "gates:act_too_long"


class NoCompounds(Refused):
    code = "gates:no_compounds"


class TooManyActs(Refused):
    code = "gates:too_many_acts"


class AgesOutOfBounds(Refused):
    code = "gates:ages_out_of_bounds"


class AgesAsBefore(Refused):
    """An act that changes nothing."""

    code = "gates:ages_as_before"


class NotAKey(Refused):
    code = "gates:not_a_key"


class NumberUnknown(Refused):
    code = "gates:number_unknown"


class NotAtHome(Refused):
    """The person has no dwelling in a compound, so no gate is theirs."""

    code = "gates:not_at_home"


class NobodyWithoutPass(Refused):
    """Everybody of the compound has a card that lasts another week."""

    code = "gates:nobody_without_pass"


class NoSuchRound(NotFound):
    code = "gates:no_such_round"


class UnderOrder(Refused):
    """An order is in force; the pass asked for would say otherwise."""

    code = "gates:under_order"


class PhoneProofBad(Refused):
    """What the phone sent does not prove that it holds the key."""

    code = "gates:phone_proof_bad"


class NoWorkPlaces(Refused):
    """A pass for work names one to eight compounds of one street: their gates have one list."""

    code = "gates:no_work_places"


class EndsTooLate(Refused):
    """A pass lives at most 31 days, and ends after it begins."""

    code = "gates:ends_too_late"
