"""Refusals of this room, each with what the officer can be told."""

from __future__ import annotations

from lianfang.kernel.errors import NotAllowed, Refused


class NoRuleCovers(Refused):
    """No document in force gives a length for this reason."""

    code = "orders:no_rule_covers"


class NoSuchReason(Refused):
    """The reason is not in the catalogue of the day (O-1)."""

    code = "orders:no_such_reason"


class OrganNotCompetent(NotAllowed):
    """No document in force makes the officer's organ competent for this kind of order (O-1)."""

    code = "orders:organ_not_competent"


class PeriodAlreadyOver(Refused):
    """Counted from the anchor, the days have passed."""

    code = "orders:period_already_over"


class LongerThanItsCap(Refused):
    """One order may not last that long (O-1)."""

    code = "orders:longer_than_its_cap"


class AnchorInTheFuture(Refused):
    """Days are counted from something that has happened."""

    code = "orders:anchor_in_the_future"


class AlreadyUnderOrder(Refused):
    """Another order covers some of this time; extend that one instead."""

    code = "orders:already_under_order"


class NotPresent(Refused):
    """Neither a resident nor met by an officer on arrival within 21 days (O-6)."""

    code = "orders:not_present"


class EvidenceRepeated(Refused):
    """A longer stay needs evidence of its own (O-3)."""

    code = "orders:evidence_repeated"


class NoSuchEvidence(Refused):
    """An order rests on a concern that a health officer verified, about this person."""

    code = "orders:no_such_evidence"


class NeedsSecondSigner(Refused):
    """Another body must sign too (O-5, O-7)."""

    code = "orders:needs_second_signer"


class NeedsPlaceOrder(Refused):
    """So many persons in a day: only a place order, which is public (O-7)."""

    code = "orders:needs_place_order"


class SameBody(Refused):
    """The second signer belongs to the body that issues or proposed."""

    code = "orders:same_body"


class FactorNotFresh(Refused):
    """The second factor is older than five minutes (T23)."""

    code = "orders:factor_not_fresh"


class ProposalIsOver(Refused):
    """The proposal was refused, followed, or has waited too long."""

    code = "orders:proposal_is_over"


class AlreadyOver(Refused):
    """The order has ended or was lifted."""

    code = "orders:already_over"


class AlreadyServed(Refused):
    """The notice was served before, otherwise."""

    code = "orders:already_served"


class NotCaredFor(Refused):
    """A dependent child, elder or disabled person of the household is left without a carer."""

    code = "orders:not_cared_for"


class NeedsWitnesses(Refused):
    """A refused receipt needs two witnesses, a reading aloud one."""

    code = "orders:needs_witnesses"


class CarerCannotCare(Refused):
    """The carer is the person ordered or a dependant, or is under an order."""

    code = "orders:carer_cannot_care"


class TooLateToAppeal(Refused):
    """More than sixty days after the end."""

    code = "orders:too_late_to_appeal"


class DecidedAlready(Refused):
    """The appeal was decided otherwise before."""

    code = "orders:decided_already"


class DeciderTookPart(Refused):
    """Who issued, proposed or countersigned the order, or acts for its organ, does not decide the appeal."""

    code = "orders:decider_took_part"


class TooEarlyForNotice(Refused):
    """Release papers are prepared at most a day ahead."""

    code = "orders:too_early_for_notice"


class ChecksMissing(Refused):
    """The release notice needs both checks; the release itself needs none."""

    code = "orders:checks_missing"


class NoSecondPhase(Refused):
    """The rule of the order has none, it was lifted, or this is the second already."""

    code = "orders:no_second_phase"


class TooEarlyForSecondPhase(Refused):
    """It is signed at most a day before the first phase ends: what the person needs then is seen then."""

    code = "orders:too_early_for_second_phase"


class NoPlaceLargeEnough(Refused):
    """No place around here holds five households."""

    code = "orders:no_place_large_enough"


class KeptForItsTerm(Refused):
    """The case is kept: its term runs, an appeal waits for its decision, or the person asked for it (D-1, D-5)."""

    code = "orders:kept_for_its_term"


class HeldTooLong(Refused):
    """A hold ends in the future, and not further ahead than one request may reach."""

    code = "orders:held_too_long"


class HoldIsOver(Refused):
    """A hold is taken back once, before its end."""

    code = "orders:hold_is_over"


class NoSuchNumber(Refused):
    """No order of this number, or none in the reader's areas."""

    code = "orders:no_such_number"
