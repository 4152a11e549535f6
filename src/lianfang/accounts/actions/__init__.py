"""The acts on users, offices, second factors and one-time codes; nothing else writes the tables of this room."""

from __future__ import annotations

from .codes import (
    PAPER_CODE_LASTS,
    admit_officer,
    issue_paper_code,
    start_anew,
    start_with_code,
    use_code,
)
from .founding import (
    DemoOfficer,
    FirstOfficer,
    demo_code,
    first_run_token,
    found_system,
    start_demo_logins,
)
from .offices import (
    PROPOSAL_LASTS,
    OfficeDraft,
    confirm_office,
    grant_office,
    propose_office,
    revoke_office,
    shut_out,
)
from .organs import OrganDraft, describe_organ, division_code, enter_divisions, enter_organ
from .second_factor import (
    FACTOR_BLOCKED,
    FACTOR_FAILURES,
    RECOVERY_CODES,
    begin_second_factor,
    confirm_second_factor,
    second_factor_fits,
    set_second_factor,
)
from .users import UserDraft, create_user

__all__ = [
    "DemoOfficer",
    "FACTOR_BLOCKED",
    "FACTOR_FAILURES",
    "FirstOfficer",
    "OfficeDraft",
    "OrganDraft",
    "PAPER_CODE_LASTS",
    "PROPOSAL_LASTS",
    "RECOVERY_CODES",
    "UserDraft",
    "admit_officer",
    "begin_second_factor",
    "confirm_office",
    "confirm_second_factor",
    "create_user",
    "demo_code",
    "describe_organ",
    "division_code",
    "enter_divisions",
    "enter_organ",
    "first_run_token",
    "found_system",
    "grant_office",
    "issue_paper_code",
    "propose_office",
    "revoke_office",
    "second_factor_fits",
    "set_second_factor",
    "shut_out",
    "start_anew",
    "start_demo_logins",
    "start_with_code",
    "use_code",
]
