"""Refusals of this room."""

from lianfang.kernel.errors import NotFound, Refused


class NoSuchAnnouncement(NotFound):
    code = "announcements:no_such_announcement"


class NoSuchPlaces(Refused):
    """No place, more than can be named, or one that is no division and no compound."""

    code = "announcements:no_such_places"


class EndsBeforeItBegins(Refused):
    code = "announcements:ends_before_it_begins"


class TooLongAloud(Refused):
    """The loudspeaker text takes longer than a minute."""

    code = "announcements:too_long_aloud"


class NamesAPerson(Refused):
    """Something in it looks like a citizen number."""

    code = "announcements:names_a_person"


class NotToSupersede(Refused):
    """One of those to be superseded is not this organ's, or holds no more."""

    code = "announcements:not_to_supersede"


class OwnDraft(Refused):
    """Who drafted does not review."""

    code = "announcements:own_draft"


class AlreadyReviewed(Refused):
    code = "announcements:already_reviewed"


class NotReviewed(Refused):
    code = "announcements:not_reviewed"


class OwnReview(Refused):
    """Who reviewed does not sign."""

    code = "announcements:own_review"


class Lapsed(Refused):
    """Drafted too long ago, or past its own end."""

    code = "announcements:lapsed"


class NotInForce(Refused):
    """It has ended, or never began: there is nothing to withdraw."""

    code = "announcements:not_in_force"
