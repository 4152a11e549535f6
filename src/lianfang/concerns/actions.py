"""Acts on reports and concerns. None of them restricts anybody (S-1)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, time
from itertools import islice
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction

from lianfang.accounts.rights import Right
from lianfang.kernel.clock import LEGAL_ZONE, start_of_legal_day
from lianfang.kernel.errors import NotAllowed, NotFound, SameIdOtherContent
from lianfang.kernel.forgetting import forgetting
from lianfang.kernel.ids import new_id
from lianfang.kernel.wake import wake
from lianfang.ledger import actions as ledger
from lianfang.ledger.policy import TERM_OVER, WHOLE_CHAIN
from lianfang.people import actions as people
from lianfang.rules import queries as rules

from . import policy, queries
from .errors import (
    AlreadyDecided,
    HasLapsed,
    InTheFuture,
    LeftAfterArrival,
    NoSuchCategory,
    TemperatureOutOfRange,
)
from .models import ArrivalReport, ConcernDecision, Destruction, PersonOfConcern, SymptomReport

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import date
    from decimal import Decimal
    from uuid import UUID

    from lianfang.kernel.actor import Actor
    from lianfang.people.queries import PersonRef
    from lianfang.rules.policy import Sourced

    from .queries import Ended

#: Few enough that the trigger, which reads all their ids for each row, is quick.
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalDraft:
    """What somebody says who came from elsewhere."""

    id: UUID
    person_id: UUID
    came_from: str
    left_at: datetime
    arrived_at: datetime
    transport: str = ""
    transport_no: str = ""
    contact: bool = False
    symptoms: tuple[str, ...] = ()
    temp_c: Decimal | None = None
    met_in_person: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SymptomDraft:
    """What somebody says who feels ill, or well."""

    id: UUID
    person_id: UUID
    symptoms: tuple[str, ...]
    temp_c: Decimal | None = None
    onset_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcernDraft:
    """What a case inquiry found about somebody: a contact, a cohabitant, somebody back from an area."""

    id: UUID
    person_id: UUID
    category: str
    anchor_at: datetime
    basis_kind: str
    basis_id: UUID


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said at once: nothing is required, or a health officer decides by an hour. With fact and rule."""

    fact: policy.Fact
    category: str
    decides_by: datetime | None
    concern_id: UUID | None
    rule: Sourced | None

    @property
    def nothing_required(self) -> bool:
        """Whether that was all."""
        return self.decides_by is None


@transaction.atomic
def report_arrival(draft: ArrivalDraft, *, by: Actor) -> Answer:
    """Record an arrival and answer it at once. Sending it again gives the same answer.

    :raises NotFound: no such person
    :raises NotAllowed: neither the person nor an office that reports for others here
    :raises InTheFuture: it is said to happen later than now
    :raises LeftAfterArrival: the times are swapped
    :raises TemperatureOutOfRange: not 34.0 to 43.0
    :raises SameIdOtherContent: the id was used for another report
    """
    person = people.person_for_update(draft.person_id)
    way = _way(person, met=draft.met_in_person, by=by)
    if draft.arrived_at > by.at or draft.left_at > by.at:
        raise InTheFuture
    if draft.left_at > draft.arrived_at:
        raise LeftAfterArrival
    _check_temperature(draft.temp_c)
    fields = {k: v for k, v in asdict(draft).items() if k not in ("id", "met_in_person", "symptoms")}
    listed = rules.listed_areas(by.legal_day, area=person.area)
    finding = policy.of_arrival(
        came_from=draft.came_from,
        left_at=draft.left_at,
        contact=draft.contact,
        has_symptoms=bool(draft.symptoms) or policy.has_fever(draft.temp_c),
        listed=listed,
        at=by.at,
    )
    source = listed.origin if listed is not None and finding.fact is policy.Fact.LISTED_AREA else None
    earlier = ArrivalReport.objects.filter(pk=draft.id).first()
    if earlier is not None:
        same = all(getattr(earlier, k) == v for k, v in fields.items())
        return _again(earlier.pk, same=same and tuple(earlier.symptoms) == draft.symptoms, finding=finding)
    ArrivalReport.objects.create(
        id=draft.id,
        area=person.area,
        symptoms=list(draft.symptoms),
        way=way,
        recorded_by=by.user_id,
        organ=by.organ,
        recorded_at=by.at,
        **fields,
    )
    anchor = by.at if finding.fact is policy.Fact.SYMPTOMS else draft.left_at
    return _answer(finding, person, basis=("arrival", draft.id), anchor_at=anchor, source=source, by=by)


@transaction.atomic
def report_symptoms(draft: SymptomDraft, *, by: Actor) -> Answer:
    """Record how somebody feels and answer at once. Sending it again gives the same answer.

    :raises NotFound: no such person
    :raises NotAllowed: neither the person nor an office that reports for others here
    :raises InTheFuture: the onset lies after today
    :raises TemperatureOutOfRange: not 34.0 to 43.0
    :raises SameIdOtherContent: the id was used for another report
    """
    person = people.person_for_update(draft.person_id)
    way = _way(person, met=False, by=by)
    if draft.onset_on is not None and draft.onset_on > by.legal_day:
        raise InTheFuture
    _check_temperature(draft.temp_c)
    finding = policy.of_symptoms(symptoms=draft.symptoms, temp_c=draft.temp_c)
    earlier = SymptomReport.objects.filter(pk=draft.id).first()
    if earlier is not None:
        same = (earlier.person_id, tuple(earlier.symptoms), earlier.temp_c, earlier.onset_on) == (
            draft.person_id,
            draft.symptoms,
            draft.temp_c,
            draft.onset_on,
        )
        return _again(earlier.pk, same=same, finding=finding)
    SymptomReport.objects.create(
        id=draft.id,
        person_id=draft.person_id,
        area=person.area,
        symptoms=list(draft.symptoms),
        temp_c=draft.temp_c,
        onset_on=draft.onset_on,
        way=way,
        recorded_by=by.user_id,
        organ=by.organ,
        recorded_at=by.at,
    )
    onset = datetime.combine(draft.onset_on, time(), LEGAL_ZONE) if draft.onset_on else by.at
    return _answer(finding, person, basis=("symptoms", draft.id), anchor_at=onset, source=None, by=by)


@transaction.atomic
def state_concern(draft: ConcernDraft, *, by: Actor) -> UUID:
    """Enter what a case inquiry found, verified by who enters it. It restricts nobody.

    :raises NotFound: no such person
    :raises NotAllowed: `by` assesses no reports there
    :raises NoSuchCategory: not a reason of the catalogue
    :raises InTheFuture: the event lies after now
    :raises SameIdOtherContent: the id or the basis was used for something else
    """
    person = people.person_for_update(draft.person_id)
    by.require(Right.CONCERNS_REPORT_ASSESS, over=person.area)
    if draft.anchor_at > by.at:
        raise InTheFuture
    reason = rules.reason_in_force(draft.category, by.legal_day, area=person.area)
    if reason is None:
        raise NoSuchCategory
    earlier = PersonOfConcern.objects.filter(pk=draft.id).first()
    if earlier is not None:
        said = (person.id, draft.category, draft.anchor_at, draft.basis_kind, draft.basis_id)
        if said != (
            earlier.person_id,
            earlier.category,
            earlier.anchor_at,
            earlier.basis_kind,
            earlier.basis_id,
        ):
            raise SameIdOtherContent
        return earlier.pk
    rule = rules.isolation_rule(reason=draft.category, area=person.area, on=by.legal_day)
    concern = PersonOfConcern.objects.create(
        id=draft.id,
        person_id=person.id,
        area=person.area,
        category=draft.category,
        basis_kind=draft.basis_kind,
        basis_id=draft.basis_id,
        anchor_event=reason.anchor_event,
        anchor_at=draft.anchor_at,
        measure="" if rule is None else rule.measure,
        rule_version="" if rule is None else rule.version,
        reported_at=by.at,
        recorded_by=by.user_id,
    )
    ConcernDecision.objects.create(
        concern=concern,
        outcome=policy.State.VERIFIED,
        reason=draft.basis_kind,
        decided_by=by.user_id,
        pseudonym=by.pseudonym,
        organ=by.organ,
        decided_at=by.at,
    )
    wake("concerns", concern.pk)
    return concern.pk


@transaction.atomic
def decide_concern(concern_id: UUID, *, verified: bool, reason: str, by: Actor) -> UUID:
    """Say that a concern holds, or that it does not. It restricts nobody; an order may name it as evidence.

    :raises NotFound: no such concern, or outside the officer's area
    :raises NotAllowed: `by` assesses no reports there
    :raises AlreadyDecided: another outcome stands
    :raises HasLapsed: the 24 hours are over
    """
    concern = PersonOfConcern.objects.select_for_update().filter(pk=concern_id).first()
    if concern is None:
        raise NotFound
    by.require(Right.CONCERNS_REPORT_ASSESS, over=concern.area)
    outcome = policy.State.VERIFIED if verified else policy.State.DISMISSED
    earlier = ConcernDecision.objects.filter(concern=concern).first()
    if earlier is not None:
        if earlier.outcome == outcome and earlier.decided_by == by.user_id:
            return earlier.pk
        raise AlreadyDecided
    if policy.state(reported_at=concern.reported_at, decided=None, at=by.at) is policy.State.LAPSED:
        raise HasLapsed
    decision = ConcernDecision.objects.create(
        concern=concern,
        outcome=outcome,
        reason=reason,
        decided_by=by.user_id,
        pseudonym=by.pseudonym,
        organ=by.organ,
        decided_at=by.at,
    )
    wake("concerns", concern.pk)
    return decision.pk


@transaction.atomic
def forget(concern_ids: Collection[UUID], report_ids: Collection[UUID] = ()) -> int:
    """Delete concerns with what was found about them, and the reports they rest on, with the case that they led to.

    Called inside an act that has asked. A report on which another concern rests stays. Returns how many went, of both.
    """
    bases = PersonOfConcern.objects.filter(pk__in=concern_ids).values_list("basis_id", flat=True)
    reports = {*bases, *report_ids}
    with forgetting(concern_ids, reports), connection.cursor() as cursor:
        cursor.execute("DELETE FROM concerns_concerndecision WHERE concern_id = ANY(%s)", [list(concern_ids)])
        cursor.execute("DELETE FROM concerns_personofconcern WHERE id = ANY(%s)", [list(concern_ids)])
        gone: int = cursor.rowcount
        for table in ("concerns_arrivalreport", "concerns_symptomreport"):
            cursor.execute(
                f"DELETE FROM {table} r WHERE id = ANY(%s)"
                " AND NOT EXISTS (SELECT 1 FROM concerns_personofconcern c WHERE c.basis_id = r.id)",
                [list(reports)],
            )
            gone += cursor.rowcount
    return gone


@transaction.atomic
def destroy_ended(still: Callable[[Sequence[Ended]], Sequence[Ended]], *, by: Actor, limit: int) -> int:
    """Destroy concerns and reports whose term is over, at most about so many; the chain keeps how many there were.

    Whole legal days go together, so that the chain says it once a day.

    :param still: of these, those on which nothing of the rooms above rests; asked again once they are locked, so that
        an order or a proposal that names one meanwhile keeps it
    """
    before, gone = start_of_legal_day(by.legal_day), 0
    ended = queries.past_term(before)
    while gone < limit and (some := list(islice(ended, _AT_ONCE))):
        left = still(some)
        _lock(_concerns_of(left))
        left = still(left)
        gone += forget(_concerns_of(left), [e.report_id for e in left if e.concern_id is None])
    if gone:
        run = new_id()
        entry = ledger.append(
            kind="concerns:reports:destroyed",
            act_id=run,
            organ=by.organ,
            scope=WHOLE_CHAIN,
            basis=TERM_OVER,
            terms={"count": gone, "reason": "term"},
            secrets={},
            by=by,
        )
        Destruction.objects.create(id=run, count=gone, destroyed_at=by.at, entry_id=entry)
    return gone


def _concerns_of(ended: Sequence[Ended]) -> list[UUID]:
    return [e.concern_id for e in ended if e.concern_id is not None]


def _lock(concern_ids: Collection[UUID]) -> None:
    rows = PersonOfConcern.objects.select_for_update().filter(pk__in=concern_ids).order_by("pk")
    list(rows.values_list("pk", flat=True))


def _way(person: PersonRef, *, met: bool, by: Actor) -> str:
    if by.person_id == person.id:
        return "self"
    if not by.may(Right.CONCERNS_PROXY_REPORT, over=person.area):
        raise NotAllowed(right=str(Right.CONCERNS_PROXY_REPORT))
    return "officer" if met else "proxy"


def _check_temperature(temp_c: Decimal | None) -> None:
    if temp_c is not None and not 34 <= temp_c <= 43:
        raise TemperatureOutOfRange


def _again(report_id: UUID, *, same: bool, finding: policy.Finding) -> Answer:
    if not same:
        raise SameIdOtherContent
    concern = PersonOfConcern.objects.filter(basis_id=report_id).first()
    if concern is None:
        return Answer(finding.fact, "", None, None, None)
    decides_by = concern.reported_at + policy.DECIDE_WITHIN
    return Answer(finding.fact, concern.category, decides_by, concern.pk, None)


def _answer(
    finding: policy.Finding,
    person: PersonRef,
    *,
    basis: tuple[str, UUID],
    anchor_at: datetime,
    source: Sourced | None,
    by: Actor,
) -> Answer:
    if not finding.needs_officer:
        return Answer(finding.fact, "", None, None, source)
    rule = rules.isolation_rule(reason=finding.category, area=person.area, on=by.legal_day)
    concern = PersonOfConcern.objects.create(
        id=new_id(),
        person_id=person.id,
        area=person.area,
        category=finding.category,
        basis_kind=basis[0],
        basis_id=basis[1],
        anchor_event=finding.anchor_event,
        anchor_at=anchor_at,
        measure="" if rule is None else rule.measure,
        rule_version="" if rule is None else rule.version,
        reported_at=by.at,
        recorded_by=by.user_id,
    )
    wake("concerns", concern.pk)
    return Answer(
        finding.fact,
        finding.category,
        by.at + policy.DECIDE_WITHIN,
        concern.pk,
        source or (None if rule is None else rule.origin),
    )
