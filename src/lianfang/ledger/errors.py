"""What the chain refuses to a person."""

from lianfang.kernel.errors import NotFound, Refused


class NoSuchEntry(NotFound):
    code = "ledger:no_such_entry"


class NothingToErase(Refused):
    code = "ledger:nothing_to_erase"


class NotWitnessedYet(Refused):
    """A proof needs a checkpoint with a quorum of witnesses, and there is none over this entry yet."""

    code = "ledger:not_witnessed_yet"


class RestoredOlder(Refused):
    """A witness holds more of the chain than this database: nothing that restricts is written (L-6)."""

    code = "ledger:restored_older"
