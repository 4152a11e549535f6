"""The acts of this room; nothing else writes its tables."""

from __future__ import annotations

from .appeals import AppealDraft, DecisionDraft, appeal, decide_appeal
from .holding import HoldDraft, WithdrawalDraft, hold_case, withdraw_hold
from .isolation import IsolationDraft, issue_isolation
from .lifting import LiftDraft, lift_isolation
from .opening import open_identity
from .papers import (
    check_release,
    issue_release_notice,
    post_sheet,
    record_take_down,
)
from .proposing import ProposalDraft, propose_isolation, refuse_proposal, second_sign
from .retention import destroy_case, destroy_ended, forget_reports
from .second_phase import SecondPhaseDraft, order_second_phase
from .serving import CareDraft, ServingDraft, accept_care, record_care, serve

__all__ = [
    "AppealDraft",
    "CareDraft",
    "DecisionDraft",
    "HoldDraft",
    "IsolationDraft",
    "LiftDraft",
    "ProposalDraft",
    "SecondPhaseDraft",
    "ServingDraft",
    "WithdrawalDraft",
    "accept_care",
    "appeal",
    "check_release",
    "decide_appeal",
    "destroy_case",
    "destroy_ended",
    "forget_reports",
    "hold_case",
    "issue_isolation",
    "issue_release_notice",
    "lift_isolation",
    "post_sheet",
    "open_identity",
    "order_second_phase",
    "propose_isolation",
    "record_care",
    "record_take_down",
    "refuse_proposal",
    "second_sign",
    "serve",
    "withdraw_hold",
]
