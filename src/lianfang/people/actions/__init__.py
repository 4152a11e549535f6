"""The acts of this room: on persons and their records, and on rosters."""

from lianfang.people.policy import Care, IdType, Sex, Source

from .corrections import CorrectionDraft, ask_correction, base_of, correct_person, settle_correction
from .journal import batch_reads
from .persons import (
    GuardianDraft,
    PersonDraft,
    merge_persons,
    move_person,
    name_guardian,
    person_for_update,
    register_person,
    unmerge_persons,
)
from .rosters import (
    agree_to_export,
    ask_export,
    cancel_run,
    choose_columns,
    decide_duplicate,
    error_book,
    export_people,
    import_roster,
    receive_roster,
    start_run,
)

__all__ = [
    "Care",
    "CorrectionDraft",
    "GuardianDraft",
    "IdType",
    "PersonDraft",
    "Sex",
    "Source",
    "ask_correction",
    "base_of",
    "batch_reads",
    "cancel_run",
    "choose_columns",
    "correct_person",
    "decide_duplicate",
    "error_book",
    "agree_to_export",
    "ask_export",
    "export_people",
    "import_roster",
    "merge_persons",
    "move_person",
    "name_guardian",
    "person_for_update",
    "receive_roster",
    "register_person",
    "settle_correction",
    "start_run",
    "unmerge_persons",
]
