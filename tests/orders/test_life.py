"""The rest of an order's life: proposal, serving with care, lift, appeal, release paper, sheet, passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from lianfang.accounts.rights import Role
from lianfang.concerns import actions as concerns
from lianfang.concerns import queries as concern_queries
from lianfang.credentials import actions as credentials
from lianfang.credentials import queries as credentials_queries
from lianfang.kernel.errors import NotAllowed, NotFound, SameIdOtherContent
from lianfang.kernel.ids import random_id
from lianfang.kernel.row_security import set_scope
from lianfang.ledger import queries as ledger
from lianfang.ledger.models import Entry
from lianfang.messaging.models import OwedMessage
from lianfang.orders import actions, menu, proofs, proposals, queries, sheets
from lianfang.orders.errors import (
    AlreadyOver,
    AlreadyServed,
    CarerCannotCare,
    ChecksMissing,
    DecidedAlready,
    DeciderTookPart,
    FactorNotFresh,
    NeedsWitnesses,
    NoPlaceLargeEnough,
    NotCaredFor,
    ProposalIsOver,
    SameBody,
    TooEarlyForNotice,
    TooLateToAppeal,
)
from lianfang.orders.models import AppealDecision, IsolationOrder, Lift, Serving
from lianfang.people import queries as people
from lianfang_chain.entry import Entry as ChainEntry
from tests.factories.accounts import an_organ
from tests.factories.orders import ROOT, S1_ANCHOR, S1_END, S1_NOW, a_draft, officer, resident
from tests.factories.people import a_dwelling, a_household, a_person

if TYPE_CHECKING:
    from datetime import datetime

    from lianfang.kernel.actor import Actor

pytestmark = pytest.mark.django_db
COMMUNITY = f"{ROOT}.s510402001.c510402001003"


@pytest.fixture
def order(luo: UUID) -> IsolationOrder:
    return actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))


def a_proposal(person: UUID, *, by: Actor | None = None) -> actions.ProposalDraft:
    draft = a_draft(person)
    return actions.ProposalDraft(
        id=random_id(),
        person_id=person,
        reason=draft.reason,
        anchor_at=draft.anchor_at,
        evidence_id=draft.evidence_id,
        home_is_suitable=True,
        note="独立房间",
    )


# --- Proposals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.COMMUNITY, Role.STREET, Role.CDC])
def test_a_proposal_restricts_nobody_and_becomes_an_order(luo: UUID, role: Role) -> None:
    draft, by = a_proposal(luo), officer(role)
    made = actions.propose_isolation(draft, by=by)
    assert actions.propose_isolation(draft, by=by).pk == made.pk
    assert queries.restrictions([luo], S1_NOW) == {}
    doctor = officer(Role.CDC)
    assert [p.id for p in proposals.waiting(doctor)] == [made.pk]
    issue = actions.IsolationDraft(
        order_id=random_id(),
        person_id=luo,
        reason=draft.reason,
        anchor_at=draft.anchor_at,
        evidence_id=draft.evidence_id,
        proposal_id=made.pk,
    )
    actions.issue_isolation(issue, by=doctor)
    assert proposals.waiting(doctor) == []
    with pytest.raises(ProposalIsOver):
        actions.second_sign(made.pk, by=officer(Role.CMD_LEAD))


@pytest.mark.parametrize(
    "role", [Role.GRID, Role.PROPERTY, Role.POLICE, Role.GUARD, Role.CMD_LEAD, Role.AUDITOR]
)
def test_who_may_not_propose(luo: UUID, role: Role) -> None:
    with pytest.raises(NotAllowed):
        actions.propose_isolation(a_proposal(luo), by=officer(role))


def test_a_refused_proposal_has_a_reason_and_is_over(luo: UUID) -> None:
    made = actions.propose_isolation(a_proposal(luo), by=officer(Role.COMMUNITY))
    with pytest.raises(NotAllowed):
        actions.refuse_proposal(made.pk, reason="不符合", by=officer(Role.STREET))
    by = officer(Role.CDC)
    actions.refuse_proposal(made.pk, reason="低风险地区返回", by=by)
    assert proposals.waiting(by) == []
    with pytest.raises(ProposalIsOver):
        actions.refuse_proposal(made.pk, reason="另一理由", by=by)
    with pytest.raises(ProposalIsOver):
        actions.issue_isolation(a_draft(luo, proposal_id=made.pk), by=by)


def test_the_second_signer_is_of_another_body_and_signs_afresh(luo: UUID) -> None:
    health = an_organ("health")
    made = actions.propose_isolation(a_proposal(luo), by=officer(Role.CDC, organ=health))
    with pytest.raises(SameBody):
        actions.second_sign(made.pk, by=officer(Role.CDC, organ=health))
    with pytest.raises(NotAllowed):
        actions.second_sign(made.pk, by=officer(Role.STREET))
    with pytest.raises(FactorNotFresh):
        actions.second_sign(made.pk, by=officer(Role.CMD_LEAD, verified=False))
    lead = officer(Role.CMD_LEAD)
    assert actions.second_sign(made.pk, by=lead).pk == actions.second_sign(made.pk, by=lead).pk
    with pytest.raises(ProposalIsOver):
        actions.second_sign(made.pk, by=officer(Role.CMD_LEAD, at=S1_NOW + timedelta(hours=24)))


def test_whoever_signs_has_decided_about_the_report(luo: UUID) -> None:
    answer = concerns.report_arrival(
        concerns.ArrivalDraft(
            id=random_id(), person_id=luo, came_from="4201", left_at=S1_ANCHOR, arrived_at=S1_NOW
        ),
        by=officer(Role.GRID),
    )
    doctor = officer(Role.CDC)
    assert [c.id for c in concern_queries.unassessed(doctor)] == [answer.concern_id]
    actions.issue_isolation(a_draft(luo, evidence_id=answer.concern_id), by=doctor)
    assert concern_queries.unassessed(doctor) == []


# --- Serving and care --------------------------------------------------------------------------------------


def a_serving(order: IsolationOrder, **changes: object) -> actions.ServingDraft:
    values: dict[str, object] = {
        "id": random_id(),
        "order_id": order.pk,
        "served_at": S1_NOW,
        "receipt": "signed",
    }
    return actions.ServingDraft(**(values | changes))  # type: ignore[arg-type]  # a test's draft


def test_serving_waits_for_who_cares_for_the_child(order: IsolationOrder, household: list[UUID]) -> None:
    luo, husband, child = household
    by = officer(Role.GRID)
    with pytest.raises(NotCaredFor) as refusal:
        actions.serve(a_serving(order), by=by)
    assert refusal.value.facts == {"count": 1}
    with pytest.raises(IntegrityError, match="order_is_served_when"), transaction.atomic():
        Serving.objects.create(
            order=order,
            served_at=S1_NOW,
            receipt="signed",
            signed_by=by.user_id,
            pseudonym="x",
            organ=by.organ,
            organ_kind="community",
            signed_at=S1_NOW,
        )
    for carer in (luo, child):
        with pytest.raises(CarerCannotCare):
            actions.record_care(
                actions.CareDraft(id=random_id(), order_id=order.pk, dependant_id=child, carer_id=carer),
                by=by,
            )
    with pytest.raises(NotFound):
        actions.record_care(
            actions.CareDraft(id=random_id(), order_id=order.pk, dependant_id=husband, carer_id=husband),
            by=by,
        )
    actions.record_care(
        actions.CareDraft(id=random_id(), order_id=order.pk, dependant_id=child, carer_id=husband), by=by
    )
    before = queries.restrictions([luo], S1_NOW)
    draft = a_serving(order)
    made = actions.serve(draft, by=by)
    assert actions.serve(draft, by=by).pk == made.pk
    assert queries.restrictions([luo], S1_NOW) == before  # serving changes no status
    assert queries.to_serve(officer(Role.CDC)) == []


def test_it_is_served_once(order: IsolationOrder, household: list[UUID]) -> None:
    """Under the same id with other content it is refused, and so is a second serving."""
    _, husband, child = household
    by = officer(Role.GRID)
    actions.record_care(
        actions.CareDraft(id=random_id(), order_id=order.pk, dependant_id=child, carer_id=husband), by=by
    )
    draft = a_serving(order)
    actions.serve(draft, by=by)
    with pytest.raises(SameIdOtherContent):
        actions.serve(replace(draft, receipt="read_out", witnesses="谢春梅"), by=by)
    with pytest.raises(AlreadyServed):
        actions.serve(a_serving(order), by=by)
    assert Serving.objects.get().receipt == "signed"


def test_the_duty_officer_may_take_the_care_and_nobody_else(
    order: IsolationOrder, household: list[UUID]
) -> None:
    child = household[2]
    for role in (Role.GRID, Role.CDC, Role.CMD_LEAD):
        with pytest.raises(NotAllowed):
            actions.accept_care(random_id(), order.pk, dependant_id=child, by=officer(role))
    actions.accept_care(random_id(), order.pk, dependant_id=child, by=officer(Role.CMD_DUTY))
    actions.serve(a_serving(order), by=officer(Role.GRID))


def test_somebody_who_moved_in_later_counts_too(order: IsolationOrder, household: list[UUID]) -> None:
    actions.accept_care(random_id(), order.pk, dependant_id=household[2], by=officer(Role.CMD_DUTY))
    home = people.person_refs([household[0]])[household[0]]
    set_scope(areas=[ROOT])
    a_person("罗奶奶", area=home.area, household_id=home.household_id, born=S1_NOW.date().replace(year=1938))
    set_scope(areas=[ROOT])
    with pytest.raises(NotCaredFor):
        actions.serve(a_serving(order), by=officer(Role.GRID))


@pytest.mark.parametrize(
    ("receipt", "witnesses", "passes"),
    [
        ("refused", "", False),
        ("refused", "王某", False),
        ("refused", "王某、李某", True),
        ("read_out", "王某", True),
    ],
)
def test_a_refused_receipt_has_two_witnesses(
    district: None, receipt: str, witnesses: str, passes: bool
) -> None:
    order = actions.issue_isolation(a_draft(a_person("独居")), by=officer(Role.CDC))
    draft = a_serving(order, receipt=receipt, witnesses=witnesses)
    if passes:
        actions.serve(draft, by=officer(Role.COMMUNITY))
    else:
        with pytest.raises(NeedsWitnesses):
            actions.serve(draft, by=officer(Role.COMMUNITY))


# --- Lifts -------------------------------------------------------------------------------------------------


def a_lift(order: IsolationOrder) -> actions.LiftDraft:
    return actions.LiftDraft(id=random_id(), order_id=order.pk, reason="登记有误")


def test_a_lift_frees_at_signature_and_nothing_returns(order: IsolationOrder, luo: UUID) -> None:
    at = S1_NOW + timedelta(hours=3)
    assert luo in queries.restrictions([luo], at - timedelta(microseconds=1))
    draft, by = a_lift(order), officer(Role.CDC, at=at)
    made = actions.lift_isolation(draft, by=by)
    assert queries.restrictions([luo], at) == {}
    assert actions.lift_isolation(draft, by=by).pk == made.pk
    assert Entry.objects.get(pk=made.entry_id).kind == "orders:order:lifted"
    assert made.slip.startswith("LF1:")
    # The same order again, a report, a serving: none puts it back.
    again = a_draft(luo, order_id=order.pk, evidence_id=order.evidence_id)
    assert actions.issue_isolation(again, by=officer(Role.CDC, at=at)).pk == order.pk
    assert queries.restrictions([luo], at) == {}
    with pytest.raises(AlreadyOver):
        actions.lift_isolation(a_lift(order), by=by)
    with (
        pytest.raises(IntegrityError, match="orders_rows_stay"),
        transaction.atomic(),
        connection.cursor() as c,
    ):
        c.execute("DELETE FROM orders_lift")


@pytest.mark.parametrize("role", [r for r in Role if r not in (Role.CDC, Role.SYSTEM, Role.RESIDENT)])
def test_only_the_organ_that_ordered_or_one_above_lifts(order: IsolationOrder, luo: UUID, role: Role) -> None:
    with pytest.raises(NotAllowed):
        actions.lift_isolation(a_lift(order), by=officer(role))
    assert luo in queries.restrictions([luo], S1_NOW)


def test_another_organ_cannot_lift_past_the_act(order: IsolationOrder) -> None:
    made = actions.lift_isolation(a_lift(order), by=officer(Role.CDC))
    other = actions.issue_isolation(a_draft(a_person("另外")), by=officer(Role.CDC))
    for organ in (an_organ("command"), an_organ("health", f"{ROOT}.s510402003")):
        with pytest.raises(IntegrityError, match="lift_is_by_the_organ"), transaction.atomic():
            Lift.objects.create(
                order=other,
                reason="x",
                entry_id=made.entry_id,
                slip="",
                signed_by=random_id(),
                pseudonym="x",
                organ=organ.code,
                organ_kind=organ.kind,
                signed_at=S1_NOW,
            )
    values = {f.attname: getattr(made, f.attname) for f in Lift._meta.concrete_fields}
    with pytest.raises(IntegrityError, match="lift_has_its_own_entry"), transaction.atomic():
        Lift.objects.create(**(values | {"id": random_id(), "order_id": other.pk}))
    with pytest.raises(IntegrityError, match="lift_follows_its_order"), transaction.atomic():
        Lift.objects.create(
            **(values | {"id": random_id(), "order_id": other.pk, "signed_at": S1_NOW - timedelta(seconds=1)})
        )


def test_an_order_that_is_over_cannot_be_lifted(order: IsolationOrder) -> None:
    with pytest.raises(AlreadyOver):
        actions.lift_isolation(a_lift(order), by=officer(Role.CDC, at=S1_END))


# --- Appeals -----------------------------------------------------------------------------------------------


def an_appeal(order: IsolationOrder) -> actions.AppealDraft:
    return actions.AppealDraft(id=random_id(), order_id=order.pk, text="我没有去过武汉")


def test_a_won_appeal_frees_at_signature(order: IsolationOrder, luo: UUID) -> None:
    made = actions.appeal(an_appeal(order), by=resident(luo))
    at = S1_NOW + timedelta(hours=5)
    draft = actions.DecisionDraft(id=random_id(), appeal_id=made.pk, granted=True, reasons="行程证明属实")
    by = officer(Role.CMD_LEAD, at=at)
    decision = actions.decide_appeal(draft, by=by)
    assert actions.decide_appeal(draft, by=by).pk == decision.pk
    assert queries.restrictions([luo], at) == {}
    assert Lift.objects.get(order=order).decision_id == decision.pk
    assert {e.kind for e in Entry.objects.filter(kind__startswith="orders:")} == {
        "orders:isolation:issued",
        "orders:appeal:raised",
        "orders:appeal:won",
        "orders:order:lifted",
    }
    said = {a.kind: a for a in proofs.acts_of(order.pk)}
    assert said["orders:appeal:raised"].at == made.raised_at
    answer = ChainEntry.parse(ledger.entry_bytes(said["orders:appeal:won"].entry_id))
    raised = ChainEntry.parse(ledger.entry_bytes(said["orders:appeal:raised"].entry_id))
    assert (answer.act.prior, raised.act.prior) == (
        raised.leaf,
        ChainEntry.parse(ledger.entry_bytes(order.entry_id)).leaf,
    )
    assert "行程".encode() not in raised.data
    with pytest.raises(DecidedAlready):
        actions.decide_appeal(replace(draft, id=random_id()), by=by)


def test_a_lost_appeal_changes_no_status(order: IsolationOrder, luo: UUID) -> None:
    made = actions.appeal(an_appeal(order), by=resident(luo))
    actions.decide_appeal(
        actions.DecisionDraft(id=random_id(), appeal_id=made.pk, granted=False, reasons="票据显示相反"),
        by=officer(Role.CMD_LEAD),
    )
    assert luo in queries.restrictions([luo], S1_NOW)
    assert OwedMessage.objects.filter(template="orders/appeal_decided").count() == 1


def test_an_appeal_is_open_while_restricted_and_60_days_after(order: IsolationOrder, luo: UUID) -> None:
    last = S1_END + timedelta(days=60)
    by = resident(luo, at=last - timedelta(seconds=1))
    actions.appeal(an_appeal(order), by=by)
    with pytest.raises(TooLateToAppeal):
        actions.appeal(an_appeal(order), by=replace(by, at=last))


def test_others_do_not_appeal_and_a_grid_worker_does_on_behalf(
    order: IsolationOrder, household: list[UUID]
) -> None:
    with pytest.raises(NotAllowed):
        actions.appeal(an_appeal(order), by=resident(household[1]))
    assert actions.appeal(an_appeal(order), by=officer(Role.GRID)).on_behalf


def test_who_took_part_does_not_decide(luo: UUID) -> None:
    lead = officer(Role.CMD_LEAD)
    proposal = actions.propose_isolation(a_proposal(luo), by=officer(Role.COMMUNITY))
    actions.second_sign(proposal.pk, by=lead)
    order = actions.issue_isolation(
        a_draft(luo, proposal_id=proposal.pk, evidence_id=proposal.evidence_id), by=officer(Role.CDC)
    )
    made = actions.appeal(an_appeal(order), by=resident(luo))
    draft = actions.DecisionDraft(id=random_id(), appeal_id=made.pk, granted=False, reasons="x")
    for role in (Role.CDC, Role.COMMUNITY, Role.STREET, Role.CMD_DUTY):
        with pytest.raises(NotAllowed):
            actions.decide_appeal(draft, by=officer(role))
    # One signature was enough here, so the commander's is not part of the order.
    assert order.second is None
    actions.decide_appeal(draft, by=lead)


def test_the_issuer_does_not_decide_even_past_the_act(order: IsolationOrder, luo: UUID) -> None:
    made = actions.appeal(an_appeal(order), by=resident(luo))
    for signed_by, organ in ((order.signed_by, "elsewhere"), (random_id(), order.organ)):
        with pytest.raises(IntegrityError, match="appeal_is_decided_by_another"), transaction.atomic():
            AppealDecision.objects.create(
                appeal=made,
                granted=False,
                reasons="x",
                entry_id=order.entry_id,
                signed_by=signed_by,
                pseudonym="x",
                organ=organ,
                organ_kind="health",
                signed_at=S1_NOW,
            )
    issuer = replace(officer(Role.CMD_LEAD), user_id=order.signed_by)
    with pytest.raises(DeciderTookPart):
        actions.decide_appeal(
            actions.DecisionDraft(id=random_id(), appeal_id=made.pk, granted=False, reasons="x"), by=issuer
        )


# --- Paperwork ---------------------------------------------------------------------------------------------


def test_a_release_notice_needs_two_checks_and_the_release_needs_none(
    order: IsolationOrder, luo: UUID
) -> None:
    with pytest.raises(TooEarlyForNotice):
        actions.check_release(
            random_id(),
            order.pk,
            kind="health",
            by=officer(Role.MEDIC, at=S1_END - timedelta(days=1, seconds=1)),
        )
    at = S1_END - timedelta(hours=10)
    actions.check_release(random_id(), order.pk, kind="health", by=officer(Role.MEDIC, at=at))
    with pytest.raises(NotAllowed):
        actions.check_release(random_id(), order.pk, kind="street", by=officer(Role.MEDIC, at=at))
    doctor = officer(Role.CDC, at=S1_END + timedelta(hours=13))
    with pytest.raises(ChecksMissing):
        actions.issue_release_notice(random_id(), order.pk, by=doctor)
    assert queries.restrictions([luo], S1_END) == {}  # free all the same
    assert [o.id for o in queries.late_notices(doctor)] == [order.pk]
    actions.check_release(random_id(), order.pk, kind="street", by=officer(Role.STREET, at=at))
    key = random_id()
    notice = actions.issue_release_notice(key, order.pk, by=doctor)
    assert actions.issue_release_notice(key, order.pk, by=doctor).pk == notice.pk
    assert "-F06-" in notice.notice_no
    assert queries.late_notices(doctor) == []
    assert IsolationOrder.objects.get(pk=order.pk).ends_at == S1_END


def neighbours(n: int) -> None:
    for i in range(n):
        a_household("邻居", area=a_dwelling(f"5-2-{i + 101:04d}"))
    set_scope(areas=[ROOT])


@pytest.mark.parametrize(("others", "level"), [(3, None), (4, "stairwell")])
def test_a_sheet_names_a_place_of_five_households(
    order: IsolationOrder, others: int, level: str | None
) -> None:
    neighbours(others)
    by = officer(Role.COMMUNITY)
    if level is None:
        with pytest.raises(NoPlaceLargeEnough):
            actions.post_sheet(random_id(), order.pk, by=by)
        return
    sheet = actions.post_sheet(random_id(), order.pk, by=by)
    assert sheet.place.rpartition(".")[2].startswith("w")
    assert sheet.households == 5
    assert (sheet.starts_at, sheet.ends_at) == (order.starts_at, order.ends_at)  # N-2
    assert actions.post_sheet(random_id(), order.pk, by=by).pk == sheet.pk


def test_fewer_than_five_take_the_next_larger_place(order: IsolationOrder) -> None:
    neighbours(2)
    for i in range(2):
        a_household("邻居", area=a_dwelling(f"5-1-{i + 101:04d}"))
    set_scope(areas=[ROOT])
    sheet = actions.post_sheet(random_id(), order.pk, by=officer(Role.COMMUNITY))
    assert sheet.place.rpartition(".")[2].startswith("b")


def test_a_sheet_says_at_once_that_it_no_longer_holds(order: IsolationOrder) -> None:
    neighbours(4)
    by = officer(Role.COMMUNITY)
    sheet = actions.post_sheet(random_id(), order.pk, by=by)

    def said(at: datetime) -> str | None:
        found = sheets.sheet(sheet.pk, at)
        return None if found is None else found.state

    set_scope(areas=[])  # a passer-by sees no row of anybody
    assert said(S1_NOW) == "valid"
    assert said(S1_END) == "ended"
    assert sheets.sheet(random_id(), S1_NOW) is None
    set_scope(areas=[ROOT])
    assert not sheets.rows_to_take_down(by)
    at = S1_NOW + timedelta(hours=1)
    actions.lift_isolation(a_lift(order), by=officer(Role.CDC, at=at))
    assert said(at) == "ended"
    later = officer(Role.PROPERTY, at=at)
    assert [s.pk for s in sheets.rows_to_take_down(later)] == [sheet.pk]  # N-3
    actions.record_take_down(random_id(), sheet.pk, by=later)
    assert not sheets.rows_to_take_down(later)


# --- Passes ------------------------------------------------------------------------------------------------


def test_cohabitants_keep_a_pass(luo: UUID, household: list[UUID]) -> None:
    ref = people.person_refs([luo])[luo]
    assert ref.household_id is not None
    facts = people.pass_facts([luo])[luo]
    credentials.issue_pass(
        credentials.PassDraft(
            id=random_id(),
            holder_id=ref.household_id,
            kind="H",
            shard="510402001",
            door=facts.door,
            member_no=None,
            initials=facts.initials,
            birth_year=None,
            zones=("mk",),
            valid_from=S1_NOW - timedelta(days=1),
            valid_until=S1_NOW + timedelta(days=20),
            channel="card",
        ),
        by=officer(Role.COMMUNITY),
    )
    actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    of_household = credentials_queries.passes_of([ref.household_id])
    assert [p.revoked_at for p in of_household] == [S1_NOW]
    personal = credentials_queries.passes_of(household)
    assert sorted(p.holder_id for p in personal) == sorted(household)
    assert all(p.revoked_at is None and p.kind == "P" for p in personal)
    assert len({p.member_no for p in personal}) == 3


# --- Lists -------------------------------------------------------------------------------------------------


def test_my_list_today(order: IsolationOrder) -> None:
    doctor = officer(Role.CDC)
    assert {t.title for t in menu.todo(doctor)} == {"决定待送达"}
    (waiting,) = menu.todo(doctor)
    assert (waiting.count, waiting.due_at) == (1, S1_NOW + timedelta(hours=2))
    day_before = officer(Role.CDC, at=S1_END - timedelta(hours=3))
    assert {t.title for t in menu.todo(day_before)} == {"决定待送达", "24小时内到期，准备解除文书"}
    assert menu.todo(officer(Role.POLICE)) == []
    assert queries.order(order.pk, by=officer(Role.POLICE)) is None
    seen = queries.order(order.pk, by=doctor)
    assert seen is not None
    assert (seen.in_force, seen.days_left) == (True, 15)


# --- Merging ------------------------------------------------------------------------------------------------


def test_merging_two_records_keeps_every_order_and_makes_none(order: IsolationOrder, luo: UUID) -> None:
    from lianfang.people import actions as people_actions

    other = a_person("罗小娟", numbered=False)
    set_scope(areas=[ROOT])
    assert queries.restrictions([other], S1_NOW) == {}
    alias = people_actions.merge_persons(
        random_id(), merged_id=luo, survivor_id=other, reason="同一人", by=officer(Role.COMMUNITY)
    )
    set_scope(areas=[ROOT])
    for crowd in ([other], [luo], [other, luo, random_id(), random_id()]):
        found = queries.restrictions(crowd, S1_NOW)
        for pk in set(crowd) & {other, luo}:
            assert [r.order_id for r in found[pk]] == [order.pk]
    assert IsolationOrder.objects.count() == 1
    people_actions.unmerge_persons(alias, by=officer(Role.COMMUNITY, at=S1_NOW + timedelta(hours=1)))
    assert queries.restrictions([other], S1_NOW) == {}
    assert luo in queries.restrictions([luo], S1_NOW)
