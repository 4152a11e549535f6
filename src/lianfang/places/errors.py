"""Refusals about places."""

from lianfang.kernel.errors import Refused


class NoSuchEdition(Refused):
    """There is no edition of that name for this district."""

    code = "places:no_such_edition"


class NotUnderThatPlace(Refused):
    """A place of this kind does not stand in a place of that kind."""

    code = "places:not_under_that_place"


class PlaceHasEnded(Refused):
    """The place is no longer in use, so nothing new can stand in it."""

    code = "places:place_has_ended"


class SuccessorMissing(Refused):
    """A code ceases in the new edition, and nobody has said where its places go."""

    code = "places:successor_missing"


class EditionNotNewer(Refused):
    """The edition is the one in force, or an older one."""

    code = "places:edition_not_newer"
