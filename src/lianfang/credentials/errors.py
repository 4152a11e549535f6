"""Refusals of this room."""

from lianfang.kernel.errors import NotFound, Refused


class NoSuchPass(NotFound):
    code = "credentials:no_such_pass"


class TooManyPhones(Refused):
    code = "credentials:too_many_phones"


class PassAlreadyRevoked(Refused):
    code = "credentials:pass_already_revoked"


class LastsTooLong(Refused):
    code = "credentials:lasts_too_long"


class NoSuchKey(NotFound):
    code = "credentials:no_such_key"
