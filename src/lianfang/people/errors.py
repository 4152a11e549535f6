"""Refusals about people. Facts never hold a personal value."""

from lianfang.kernel.errors import NotFound, Refused


class NotADwelling(Refused):
    """People live in dwellings; the place named is something else or has ended."""

    code = "people:not_a_dwelling"


class NameNotAcceptable(Refused):
    """The name is empty, too long, or holds characters no name has."""

    code = "people:name_not_acceptable"


class NumberNotAcceptable(Refused):
    """The citizen number fails GB 11643; the fault says where."""

    code = "people:number_not_acceptable"


class NumberContradictsBirth(Refused):
    """The birth date or sex given differs from what the citizen number says."""

    code = "people:number_contradicts_birth"


class PhoneNotAcceptable(Refused):
    """Not a mobile number of 11 digits or a landline."""

    code = "people:phone_not_acceptable"


class NumberTaken(Refused):
    """Somebody is registered under this number already."""

    code = "people:number_taken"


class NoSuchHousehold(Refused):
    """The household does not exist or lives elsewhere."""

    code = "people:no_such_household"


class GuardianNotFit(Refused):
    """Nobody guards themselves; a guardian is of age."""

    code = "people:guardian_not_fit"


class WardActsAlone(Refused):
    """From 14 on a person acts for themselves, unless without capacity."""

    code = "people:ward_acts_alone"


class MergedTwice(Refused):
    """One of the two records is merged into another already."""

    code = "people:merged_twice"


class ReasonNeeded(Refused):
    """A field like this is opened with a written reason."""

    code = "people:reason_needed"


class RosterUnreadable(Refused):
    """The file cannot be taken as a roster; `fault` says why. Nothing was changed."""

    code = "people:roster_unreadable"


class RosterMappingIncomplete(Refused):
    """A column that is needed has no heading, or two headings claim one."""

    code = "people:roster_mapping_incomplete"


class RosterHasFaults(Refused):
    """Rows have faults, so nothing was written (all or nothing)."""

    code = "people:roster_has_faults"


class RunOver(Refused):
    """The import is finished, cancelled or under way; it does not start again."""

    code = "people:run_over"


class RunCancelled(Refused):
    """Somebody cancelled the import; nothing was written."""

    code = "people:run_cancelled"


class OwnExport(Refused):
    """Whoever asks for an export does not agree to it."""

    code = "people:own_export"


class ExportOver(Refused):
    """The request is older than a day."""

    code = "people:export_over"


class NotAgreed(Refused):
    """No second person has agreed to the export."""

    code = "people:not_agreed"


class TooManyToExport(Refused):
    """More people than one export may hold; choose a smaller place."""

    code = "people:too_many_to_export"


class ConflictDecided(Refused):
    """The correction is settled already."""

    code = "people:conflict_decided"


class FieldNotCorrectable(Refused):
    """This field is not corrected here: a number or birth date needs the paper."""

    code = "people:field_not_correctable"


class NotBatchedYet(NotFound):
    """The reading is younger than the last batch that went into the chain."""

    code = "people:not_batched_yet"
