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


class NotAKey(Refused):
    code = "gates:not_a_key"


class NumberUnknown(Refused):
    code = "gates:number_unknown"
