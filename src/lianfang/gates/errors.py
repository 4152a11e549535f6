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


class NotAKey(Refused):
    code = "gates:not_a_key"


class NumberUnknown(Refused):
    code = "gates:number_unknown"


class NotAtHome(Refused):
    """The person has no dwelling in a compound, so no gate is theirs."""

    code = "gates:not_at_home"


class UnderOrder(Refused):
    """An order is in force; the pass asked for would say otherwise."""

    code = "gates:under_order"


class PhoneProofBad(Refused):
    """What the phone sent does not prove that it holds the key."""

    code = "gates:phone_proof_bad"
