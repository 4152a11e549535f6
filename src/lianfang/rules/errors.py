"""Refusals of this room."""

from __future__ import annotations

from lianfang.kernel.errors import Refused


class NoIncident(Refused):
    """No outbreak is declared, so no rule is in force."""

    code = "rules:no_incident"


class DraftLacksDates(Refused):
    """A document without an exact first day stays a draft."""

    code = "rules:draft_lacks_dates"


class OverlapsAtOneLevel(Refused):
    """Another published document of the same level covers some of the days; end that one first."""

    code = "rules:overlaps_at_one_level"


class OnePersonCannotPublish(Refused):
    """Who drafted a document does not publish it: two people for every rule."""

    code = "rules:one_person_cannot_publish"


class AlreadyPublished(Refused):
    """A published document does not change; it can only be ended."""

    code = "rules:already_published"


class ContentDoesNotFit(Refused):
    """The content lacks something its kind must say."""

    code = "rules:content_does_not_fit"
