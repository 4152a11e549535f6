"""Ordering one person: it works, who may not, repeat, caps, and what the schema refuses past the act."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, transaction

from lianfang.accounts.rights import Role
from lianfang.kernel.errors import NotAllowed, NotFound, SameIdOtherContent
from lianfang.kernel.ids import random_id
from lianfang.kernel.row_security import set_scope
from lianfang.ledger.models import Entry
from lianfang.messaging.models import OwedMessage
from lianfang.orders import actions, queries
from lianfang.orders.errors import (
    AlreadyUnderOrder,
    AnchorInTheFuture,
    EvidenceRepeated,
    FactorNotFresh,
    NeedsPlaceOrder,
    NeedsSecondSigner,
    NoRuleCovers,
    NoSuchEvidence,
    NoSuchReason,
    PeriodAlreadyOver,
    ProposalIsOver,
)
from lianfang.orders.models import CareNeed, IsolationOrder, SecondSignature
from lianfang.orders.policy import is_order_number
from tests.factories.orders import (
    ROOT,
    S1_ANCHOR,
    S1_END,
    S1_NOW,
    a_concern,
    a_draft,
    officer,
)
from tests.factories.people import a_dwelling, a_person
from tests.orders.past_the_act import copy_past_the_act

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang.kernel.actor import Actor

pytestmark = pytest.mark.django_db


def nothing_written() -> bool:
    return not (
        IsolationOrder.objects.exists()
        or OwedMessage.objects.exists()
        or Entry.objects.filter(kind="orders:isolation:issued").exists()
    )


def test_the_order_of_s1(luo: UUID) -> None:
    by = officer(Role.CDC)
    order = actions.issue_isolation(a_draft(luo), by=by)
    assert (order.starts_at, order.ends_at) == (S1_NOW, S1_END)
    assert order.measure == "home_isolation"
    assert order.order_no.startswith("DEMO-510402-F04-20200130-")
    assert is_order_number(order.order_no)
    entry = Entry.objects.get(pk=order.entry_id)
    assert (entry.kind, entry.act_id) == ("orders:isolation:issued", order.pk)
    assert entry.scope == order.community
    assert order.order_slip.startswith("LF1:")
    assert order.release_slip.startswith("LF1:")
    owed = OwedMessage.objects.get(template="orders/isolation_notice")
    assert (owed.recipient, owed.due_by) == (luo, S1_NOW + timedelta(hours=2))
    assert [n.why for n in CareNeed.objects.filter(order=order)] == ["child"]
    found = queries.restrictions([luo], S1_NOW)
    assert [r.order_no for r in found[luo]] == [order.order_no]


def test_it_ends_by_itself(luo: UUID) -> None:
    actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    just_before = S1_END - timedelta(seconds=1)
    with connection.cursor() as c:
        for at, restricted in ((S1_NOW, 1), (just_before, 1), (S1_END, 0), (S1_NOW, 1)):
            c.execute("SELECT count(*) FROM orders_in_force(%s)", [at])
            assert c.fetchone() == (restricted,)
    assert luo in queries.restrictions([luo], just_before)
    assert queries.restrictions([luo], S1_END) == {}


def test_a_clock_that_steps_back_reopens_nothing(luo: UUID) -> None:
    actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    assert queries.restrictions([luo], S1_END) == {}
    assert queries.restrictions([luo], S1_END - timedelta(seconds=1)) == {}  # C-3
    with connection.cursor() as c:
        c.execute("SELECT count(*) FROM orders_in_force(%s)", [S1_NOW])
        assert c.fetchone() == (0,)


def test_a_question_about_tomorrow_frees_nobody_today(luo: UUID) -> None:
    actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    with connection.cursor() as c:
        c.execute("SELECT clock_timestamp() + interval '1 day'")
        (tomorrow,) = c.fetchone()
    queries.restrictions([luo], tomorrow)
    assert luo in queries.restrictions([luo], S1_NOW)


@pytest.mark.parametrize("role", [r for r in Role if r not in (Role.CDC, Role.SYSTEM, Role.RESIDENT)])
def test_only_a_health_officer_may(luo: UUID, role: Role) -> None:
    draft = a_draft(luo)  # one draft for both, so the refusal can have no other cause
    with pytest.raises(NotAllowed):
        actions.issue_isolation(draft, by=officer(role))
    assert nothing_written()
    actions.issue_isolation(draft, by=officer(Role.CDC))


def test_not_over_another_area(luo: UUID) -> None:
    draft = a_draft(luo)
    with pytest.raises(NotAllowed):
        actions.issue_isolation(draft, by=officer(Role.CDC, area=f"{ROOT}.s510402003"))
    set_scope(areas=[f"{ROOT}.s510402003"])
    with pytest.raises(NotFound):
        actions.issue_isolation(draft, by=officer(Role.CDC, area=f"{ROOT}.s510402003"))


def test_the_second_factor_is_asked_again(luo: UUID) -> None:
    draft = a_draft(luo)
    old = replace(officer(Role.CDC), verified_at=S1_NOW - timedelta(minutes=5, seconds=1))
    for by in (old, officer(Role.CDC, verified=False)):
        with pytest.raises(FactorNotFresh):
            actions.issue_isolation(draft, by=by)
    assert nothing_written()


def test_the_same_draft_twice_is_one_order(luo: UUID) -> None:
    draft, by = a_draft(luo), officer(Role.CDC)
    first = actions.issue_isolation(draft, by=by)
    assert actions.issue_isolation(draft, by=by).pk == first.pk
    assert IsolationOrder.objects.count() == 1
    assert OwedMessage.objects.count() == 1
    with pytest.raises(SameIdOtherContent):
        actions.issue_isolation(replace(draft, anchor_at=S1_ANCHOR - timedelta(hours=1)), by=by)


def test_refusals_leave_nothing(luo: UUID, household: list[UUID]) -> None:
    by, draft = officer(Role.CDC), a_draft(luo)
    others = a_concern(household[1])
    medium = a_concern(luo, category="area_returnee_medium")
    cases: list[tuple[type[Exception], dict[str, object]]] = [
        (NoSuchReason, {"reason": "bank_depositor"}),
        (NoSuchEvidence, {"evidence_id": random_id()}),
        (NoSuchEvidence, {"evidence_id": others}),
        (NoSuchEvidence, {"reason": "close_contact"}),
        (NoRuleCovers, {"reason": "area_returnee_medium", "evidence_id": medium}),
        (PeriodAlreadyOver, {"anchor_at": S1_NOW - timedelta(days=16)}),
        (AnchorInTheFuture, {"anchor_at": S1_NOW + timedelta(seconds=1)}),
        (ProposalIsOver, {"proposal_id": random_id()}),
        (EvidenceRepeated, {"previous_id": random_id()}),
        (NotFound, {"person_id": random_id()}),
    ]
    for refusal, change in cases:
        with pytest.raises(refusal):
            actions.issue_isolation(replace(draft, **change), by=by)  # type: ignore[arg-type]  # the case's change
    assert nothing_written()


def test_a_longer_stay_is_a_new_order_on_new_evidence(luo: UUID) -> None:
    by = officer(Role.CDC)
    first = actions.issue_isolation(a_draft(luo), by=by)
    with pytest.raises(AlreadyUnderOrder):
        actions.issue_isolation(a_draft(luo), by=by)
    later = S1_NOW + timedelta(days=5)
    with pytest.raises(EvidenceRepeated):
        actions.issue_isolation(
            a_draft(luo, evidence_id=first.evidence_id, previous_id=first.pk),
            by=officer(Role.CDC, at=later),
        )
    longer = actions.issue_isolation(
        a_draft(luo, anchor_at=later, previous_id=first.pk), by=officer(Role.CDC, at=later)
    )
    assert longer.ends_at > first.ends_at
    assert IsolationOrder.objects.get(pk=first.pk).ends_at == S1_END  # O-3: the end never moves
    assert len(queries.restrictions([luo], later)[luo]) == 2


def test_long_chains_need_another_body(luo: UUID) -> None:
    order = actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    at = S1_NOW + timedelta(days=13)
    order = actions.issue_isolation(
        a_draft(luo, anchor_at=at, previous_id=order.pk), by=officer(Role.CDC, at=at)
    )  # 28 days and less: 27 days and some hours
    at += timedelta(days=4)
    draft = a_draft(luo, anchor_at=at, previous_id=order.pk)
    with pytest.raises(NeedsSecondSigner):
        actions.issue_isolation(draft, by=officer(Role.CDC, at=at))
    proposal = actions.propose_isolation(
        actions.ProposalDraft(
            id=random_id(),
            person_id=luo,
            reason=draft.reason,
            anchor_at=at,
            evidence_id=draft.evidence_id,
            home_is_suitable=True,
        ),
        by=officer(Role.COMMUNITY, area=f"{ROOT}.s510402001.c510402001003", at=at),
    )
    seconded = replace(draft, proposal_id=proposal.pk)
    with pytest.raises(NeedsSecondSigner):
        actions.issue_isolation(seconded, by=officer(Role.CDC, at=at))
    actions.second_sign(proposal.pk, by=officer(Role.CMD_LEAD, at=at))
    made = actions.issue_isolation(seconded, by=officer(Role.CDC, at=at))
    assert made.second is not None
    assert made.second.organ_kind == "command"


def people(n: int) -> list[UUID]:
    return [
        a_person(
            "测试", area=a_dwelling(f"{i // 40 + 1}-{i // 20 % 2 + 1}-{i % 20 + 101:04d}"), numbered=False
        )
        for i in range(n)
    ]


def proposed(person: UUID, draft: actions.IsolationDraft, *, second: Actor | None) -> actions.IsolationDraft:
    made = actions.propose_isolation(
        actions.ProposalDraft(
            id=random_id(),
            person_id=person,
            reason=draft.reason,
            anchor_at=draft.anchor_at,
            evidence_id=draft.evidence_id,
            home_is_suitable=True,
        ),
        by=officer(Role.COMMUNITY),
    )
    if second is not None:
        actions.second_sign(made.pk, by=second)
    return replace(draft, proposal_id=made.pk)


def test_the_21st_person_alone_and_the_201st_with_a_second_signer(district: None) -> None:
    """O-7, at act and schema. The caps of this test are lowered to 4 and 9 by a document of the district."""
    lower_caps(alone=4, seconded=9)
    by, second = officer(Role.CDC), officer(Role.CMD_LEAD)
    crowd = people(10)
    drafts = [a_draft(p) for p in crowd]
    for draft in drafts[:4]:
        actions.issue_isolation(draft, by=by)
    with pytest.raises(NeedsSecondSigner):
        actions.issue_isolation(drafts[4], by=by)
    for draft in drafts[4:9]:
        actions.issue_isolation(proposed(draft.person_id, draft, second=second), by=by)
    last = proposed(crowd[9], drafts[9], second=second)
    with pytest.raises(NeedsPlaceOrder):
        actions.issue_isolation(last, by=by)
    with pytest.raises(IntegrityError, match="officer_orders_at_most_200"), transaction.atomic():
        copy_past_the_act(crowd[9], last.evidence_id, proposal=last.proposal_id, by=by)
    # Another officer has another count; the next day so has this one.
    actions.issue_isolation(last, by=officer(Role.CDC))
    assert IsolationOrder.objects.count() == 10


def lower_caps(*, alone: int, seconded: int) -> None:
    from lianfang.rules import actions as rules
    from lianfang.rules import queries as rules_queries
    from lianfang.rules.models import Document
    from tests.factories.orders import a_rule_draft

    assert rules_queries.caps(S1_NOW.date()) is not None
    content = Document.objects.get(version="default/caps/1").content
    draft = a_rule_draft(
        kind="caps",
        subject="",
        content=content | {"alone_per_day": alone, "seconded_per_day": seconded},
    )
    rules.draft_document(draft, by=officer(Role.CDC))
    rules.publish_document(draft.id, by=officer(Role.CMD_LEAD))


def test_a_right_row_passes_the_schema(luo: UUID, household: list[UUID]) -> None:
    actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    copy_past_the_act(household[1], a_concern(household[1]))


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("order_ends_after_start", {"starts_at": S1_END}),
        ("order_starts_at_or_after_signature", {"starts_at": S1_NOW - timedelta(seconds=1)}),
        ("order_ends_when_its_rule_says", {"ends_at": S1_END + DAY}),
        ("order_ends_when_its_rule_says", {"ends_at": S1_END + timedelta(seconds=1)}),
        ("order_ends_when_its_rule_says", {"anchor_at": S1_ANCHOR - DAY}),
        ("order_counts_from_the_past|order_ends_when", {"anchor_at": S1_NOW + DAY, "ends_at": S1_END + DAY}),
        ("order_reason_is_in_the_catalogue", {"reason": "bank_depositor"}),
        ("order_rests_on_a_concern_about_this_person", {"evidence_id": random_id()}),
        ("order_rests_on_a_concern_about_this_person", {"evidence_kind": "scan"}),
        ("order_follows_the_rule_in_force", {"rule_version": "another"}),
        ("order_follows_the_rule_in_force", {"reason": "close_contact"}),
        ("order_is_issued_by_a_known_organ", {"organ": "nobody"}),
        ("order_is_issued_by_a_known_organ", {"organ_kind": "command"}),
        ("order_is_issued_by_a_known_organ", {"organ_level": "street"}),
        ("order_is_on_somebody_present", {"presence_kind": "arrival"}),
        ("order_presence_is_no_scan|order_is_on", {"presence_kind": "scan"}),
        ("order_has_reason_basis_and_evidence", {"basis": ""}),
        ("order_measure_is_known|competent", {"measure": "red_code"}),
        ("order_is_issued_by_a_competent|follows_the_rule", {"measure": "facility_isolation"}),
        ("person_is_under_one_order", {"previous_id": None}),
    ],
)
def test_what_the_schema_refuses_past_the_act(
    luo: UUID, household: list[UUID], constraint: str, changes: dict[str, Any]
) -> None:
    """O-1, O-3, O-6: each with every other column right."""
    actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    husband = household[1]
    evidence = a_concern(husband)
    if changes.get("reason") == "close_contact":
        evidence = a_concern(husband, category="close_contact")
    if constraint == "person_is_under_one_order":
        copy_past_the_act(husband, evidence)
        evidence = a_concern(husband)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        copy_past_the_act(husband, evidence, **changes)


def test_a_command_organ_orders_nobody_even_past_the_act(luo: UUID, household: list[UUID]) -> None:
    actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    commander = officer(Role.CMD_LEAD)
    with pytest.raises(IntegrityError, match="order_is_issued_by_a_competent_organ"), transaction.atomic():
        copy_past_the_act(household[1], a_concern(household[1]), organ=commander.organ, organ_kind="command")


def test_an_order_has_its_own_entry(luo: UUID, household: list[UUID]) -> None:
    actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    evidence = a_concern(household[1])
    with pytest.raises(IntegrityError, match="order_has_its_own_entry"), transaction.atomic():
        copy_past_the_act(household[1], evidence, entry=False)
    with pytest.raises(IntegrityError), transaction.atomic():
        copy_past_the_act(household[1], evidence, entry_id=None)


def test_a_second_signer_of_the_same_body_is_refused_by_the_schema(luo: UUID) -> None:
    by = officer(Role.CDC)
    draft = a_draft(luo)
    made = proposed(luo, draft, second=None)
    assert made.proposal_id
    SecondSignature.objects.create(
        proposal_id=made.proposal_id,
        signed_by=random_id(),
        pseudonym="x",
        organ=by.organ,
        organ_kind="health",
        signed_at=S1_NOW,
    )
    other = a_person("另外")
    actions.issue_isolation(a_draft(other), by=officer(Role.CDC))
    with pytest.raises(IntegrityError, match="second_signer_is_of_another_body"), transaction.atomic():
        copy_past_the_act(luo, draft.evidence_id, proposal=made.proposal_id, by=by)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE orders_isolationorder SET ends_at = ends_at + interval '1 day'",
        "UPDATE orders_isolationorder SET signed_at = signed_at - interval '1 day'",
        "DELETE FROM orders_isolationorder",
        "UPDATE orders_change SET n = n + 1",
        "DELETE FROM orders_careneed",
    ],
)
def test_rows_are_only_inserted(luo: UUID, sql: str) -> None:
    order = actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    queries.changes_since(0)
    with (
        pytest.raises(IntegrityError, match="orders_rows_stay"),
        transaction.atomic(),
        connection.cursor() as c,
    ):
        c.execute(sql)
    assert IsolationOrder.objects.get(pk=order.pk).ends_at == S1_END


def test_without_a_scope_nobody_sees_orders(luo: UUID) -> None:
    actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    assert IsolationOrder.objects.count() == 1
    assert CareNeed.objects.count() == 1
    for areas, persons, seen in (
        ([], [], 0),
        ([""], [], 0),
        ([f"{ROOT}.s510402003"], [], 0),
        ([], [luo], 1),
        ([ROOT], [], 1),
    ):
        set_scope(areas=areas, persons=persons)
        assert IsolationOrder.objects.count() == seen
        assert CareNeed.objects.count() == seen


def test_changes_are_numbered_without_gaps(luo: UUID, household: list[UUID]) -> None:
    start, _ = queries.changes_since(0)
    order = actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    actions.issue_isolation(a_draft(household[1]), by=officer(Role.CDC))
    n, who = queries.changes_since(start)
    assert (n, who) == (start + 2, [luo, household[1]])
    actions.lift_isolation(
        actions.LiftDraft(id=random_id(), order_id=order.pk, reason="误判"), by=officer(Role.CDC)
    )
    assert queries.changes_since(n) == (n + 1, [luo])
    assert queries.changes_since(n + 1) == (n + 1, [])


def test_an_instant_past_2020_counts_the_same() -> None:
    assert datetime(2020, 2, 13, 16, tzinfo=UTC) == S1_END
