"""After three years the chain keeps that there was an order, and nobody can say any more whose."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, transaction

from lianfang.accounts.models import User
from lianfang.accounts.queries import system_actor
from lianfang.accounts.rights import Role
from lianfang.concerns.models import ArrivalReport, ConcernDecision, PersonOfConcern
from lianfang.kernel import clock
from lianfang.kernel.errors import NotAllowed, NotFound, SameIdOtherContent
from lianfang.kernel.ids import random_id
from lianfang.kernel.row_security import set_scope
from lianfang.ledger import actions as ledger_actions
from lianfang.ledger import queries as ledger
from lianfang.ledger import sequencer
from lianfang.ledger.fsck import check
from lianfang.ledger.models import CaseKey, Disclosures, Entry
from lianfang.messaging.models import OwedMessage
from lianfang.messaging.papers import Lang
from lianfang.messaging.press import Press
from lianfang.orders import actions, policy, prints, proofs, queries
from lianfang.orders.errors import FactorNotFresh, HeldTooLong, HoldIsOver, KeptForItsTerm
from lianfang.orders.models import (
    Appeal,
    Change,
    DestroyedAct,
    DestroyedCase,
    DestroyedOrder,
    Hold,
    HoldWithdrawal,
    IsolationOrder,
    IsolationProposal,
)
from lianfang_chain.entry import Entry as ChainEntry
from tests.factories.accounts import client_for, client_of, log_in
from tests.factories.orders import ROOT, S1_END, S1_NOW, a_draft, officer, resident
from tests.factories.people import a_household, a_person
from tests.ledger.conftest import chain, parties  # noqa: F401 - fixtures
from tests.ledger.test_erase import everything_kept
from tests.orders.a_case import OVER_AT, TEXTS, a_case

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
TERM_OVER = OVER_AT + policy.CASE_KEPT_FOR


def commit() -> None:
    """What waits for the commit is done and checked now: in life years lie between an order and its destruction."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def destroy(at: datetime, **limit: int) -> int:
    commit()
    return actions.destroy_ended(by=system_actor("term", at, ()), **limit)


def doctor(at: datetime, **more: Any) -> Any:
    return officer(Role.CDC, at=at, **more)


@pytest.fixture
def order(household: list[UUID]) -> IsolationOrder:
    for name in ("邻居甲", "邻居乙", "邻居丙", "邻居丁"):
        a_household(name)  # a place of five households may be named on a sheet
    set_scope(areas=[ROOT])
    order = a_case(household[0], household[2])
    commit()
    return order


# --- The term ----------------------------------------------------------------------------------------------


def test_the_term_counts_from_the_last_end_or_decision() -> None:
    first, last, decided = S1_NOW, S1_NOW + timedelta(days=3), S1_NOW + timedelta(days=9)
    closed = policy.Objection(first, decided)
    assert policy.case_over_at([first, last], []) == last
    assert policy.case_over_at([last, first], [closed]) == decided
    assert policy.case_over_at([decided + SECOND], [closed]) == decided + SECOND
    assert policy.case_over_at([last], [closed, policy.Objection(last, None)]) is None
    assert policy.case_over_at([], []) is None


def test_a_hold_keeps_a_case_and_never_shortens_its_term() -> None:
    kept = S1_NOW + policy.CASE_KEPT_FOR
    assert policy.destroyed_from(S1_NOW, []) == kept
    assert policy.destroyed_from(S1_NOW, [S1_NOW + SECOND]) == kept
    assert policy.destroyed_from(S1_NOW, [kept + SECOND, S1_NOW]) == kept + SECOND
    assert policy.destroyed_from(None, [kept]) is None


def test_what_was_recorded_long_ago_is_kept_until_the_case_is_over_so_long(luo: UUID) -> None:
    """The order was recorded fourteen days before its end; the term runs from the end."""
    order = actions.issue_isolation(a_draft(luo), by=doctor(S1_NOW))
    assert destroy(S1_END + policy.CASE_KEPT_FOR - SECOND) == 0
    assert ledger.disclosures_of(order.entry_id)
    assert destroy(S1_END + policy.CASE_KEPT_FOR) == 1
    assert not ledger.disclosures_of(order.entry_id)
    assert destroy(S1_END + policy.CASE_KEPT_FOR + SECOND) == 0


def test_orders_that_follow_from_each_other_go_together_with_the_last(luo: UUID) -> None:
    first = actions.issue_isolation(a_draft(luo), by=doctor(S1_NOW))
    later = S1_NOW + timedelta(days=10)
    draft = a_draft(luo, previous_id=first.pk, anchor_at=later)
    second = actions.issue_isolation(draft, by=doctor(later))
    assert second.ends_at > first.ends_at
    assert destroy(first.ends_at + policy.CASE_KEPT_FOR) == 0
    assert destroy(second.ends_at + policy.CASE_KEPT_FOR) == 1
    assert DestroyedOrder.objects.count() == 2
    assert DestroyedCase.objects.get().over_at == second.ends_at


def test_the_job_stops_at_its_limit_and_goes_on_there(district: None) -> None:
    for name in ("何甲", "何乙", "何丙"):
        actions.issue_isolation(a_draft(a_person(name)), by=doctor(S1_NOW))
    late = S1_END + policy.CASE_KEPT_FOR
    assert [destroy(late, limit=2) for _ in range(3)] == [2, 1, 0]
    assert not IsolationOrder.objects.exists()


def test_a_proposal_that_nothing_followed_goes_after_the_same_term(luo: UUID) -> None:
    draft = a_draft(luo)
    made = actions.propose_isolation(
        actions.ProposalDraft(
            id=random_id(),
            person_id=luo,
            reason=draft.reason,
            anchor_at=draft.anchor_at,
            evidence_id=draft.evidence_id,
            home_is_suitable=True,
            note=TEXTS["proposal"],
        ),
        by=officer(Role.COMMUNITY),
    )
    actions.refuse_proposal(made.pk, reason="不符合", by=doctor(S1_NOW))
    destroy(S1_NOW + policy.CASE_KEPT_FOR - SECOND)
    assert IsolationProposal.objects.exists()
    destroy(S1_NOW + policy.CASE_KEPT_FOR)
    assert not IsolationProposal.objects.exists()
    assert not PersonOfConcern.objects.exists()


# --- What keeps it -----------------------------------------------------------------------------------------


def test_an_appeal_without_a_decision_keeps_the_case(luo: UUID) -> None:
    order = actions.issue_isolation(a_draft(luo), by=doctor(S1_NOW))
    objection = actions.AppealDraft(id=random_id(), order_id=order.pk, text=TEXTS["appeal"])
    actions.appeal(objection, by=resident(luo))
    assert destroy(S1_END + 2 * policy.CASE_KEPT_FOR) == 0
    decided = S1_END + timedelta(days=30)
    draft = actions.DecisionDraft(id=random_id(), appeal_id=objection.id, granted=False, reasons="已核实")
    actions.decide_appeal(draft, by=officer(Role.CMD_LEAD, at=decided))
    assert destroy(decided + policy.CASE_KEPT_FOR - SECOND) == 0
    assert destroy(decided + policy.CASE_KEPT_FOR) == 1


def a_hold(order: IsolationOrder, until: datetime) -> actions.HoldDraft:
    return actions.HoldDraft(id=random_id(), order_id=order.pk, until=until, reason=TEXTS["hold"])


def test_the_person_may_have_it_kept_and_it_goes_when_that_ends(order: IsolationOrder) -> None:
    asked = TERM_OVER - timedelta(days=1)
    draft = a_hold(order, TERM_OVER + timedelta(days=90))
    own = resident(order.person_id, at=asked)
    made = actions.hold_case(draft, by=own)
    assert actions.hold_case(draft, by=own).pk == made.pk
    with pytest.raises(SameIdOtherContent):
        actions.hold_case(
            actions.HoldDraft(id=made.pk, order_id=order.pk, until=draft.until, reason="x"), by=own
        )
    assert destroy(draft.until - SECOND) == 0
    with pytest.raises(KeptForItsTerm):
        actions.destroy_case(order.pk, by=doctor(draft.until - SECOND))
    assert destroy(draft.until) == 1


def test_who_may_ask_that_it_be_kept_and_how_long(order: IsolationOrder) -> None:
    with pytest.raises(NotAllowed):
        actions.hold_case(a_hold(order, S1_END), by=resident(a_person("别人")))
    with pytest.raises(NotAllowed):
        actions.hold_case(a_hold(order, S1_END), by=officer(Role.PROPERTY))
    for until in (S1_NOW, S1_NOW + policy.LONGEST_HOLD + SECOND):
        with pytest.raises(HeldTooLong):
            actions.hold_case(a_hold(order, until), by=resident(order.person_id))
    assert actions.hold_case(a_hold(order, S1_END), by=officer(Role.COMMUNITY)).on_behalf


def back(hold: Hold, reason: str = TEXTS["withdrawal"]) -> actions.WithdrawalDraft:
    return actions.WithdrawalDraft(id=random_id(), hold_id=hold.pk, reason=reason)


def test_a_hold_taken_back_keeps_the_case_no_longer(order: IsolationOrder) -> None:
    own = resident(order.person_id, at=TERM_OVER - timedelta(days=1))
    first = actions.hold_case(a_hold(order, TERM_OVER + timedelta(days=90)), by=own)
    other = actions.hold_case(a_hold(order, TERM_OVER + timedelta(days=3)), by=own)
    draft = back(first)
    made = actions.withdraw_hold(draft, by=own)
    assert actions.withdraw_hold(draft, by=own).pk == made.pk
    with pytest.raises(SameIdOtherContent):
        actions.withdraw_hold(actions.WithdrawalDraft(id=made.pk, hold_id=first.pk, reason="x"), by=own)
    with pytest.raises(HoldIsOver):
        actions.withdraw_hold(back(first), by=own)
    with pytest.raises(HoldIsOver):
        actions.withdraw_hold(back(other), by=resident(order.person_id, at=other.until))
    assert Hold.objects.count() == 2  # what was asked stays in the case
    said = ChainEntry.parse(ledger.entry_bytes(made.entry_id)).act
    assert (said.kind, said.terms) == ("orders:hold:withdrawn", {})
    assert proofs.chain_faults() == []
    assert destroy(other.until - SECOND) == 0
    assert destroy(other.until) == 1
    assert proofs.chain_faults() == []


def test_who_may_take_a_hold_back(order: IsolationOrder) -> None:
    mine = actions.hold_case(a_hold(order, S1_END), by=resident(order.person_id))
    theirs = actions.hold_case(a_hold(order, S1_END), by=officer(Role.COMMUNITY))
    with pytest.raises(NotAllowed):
        actions.withdraw_hold(back(mine), by=officer(Role.COMMUNITY))
    for hold in (mine, theirs):
        with pytest.raises(NotAllowed):
            actions.withdraw_hold(back(hold), by=resident(a_person("别人")))
        with pytest.raises(NotAllowed):
            actions.withdraw_hold(back(hold), by=officer(Role.PROPERTY))
    assert not HoldWithdrawal.objects.exists()
    assert not Entry.objects.filter(kind="orders:hold:withdrawn").exists()
    actions.withdraw_hold(back(theirs), by=officer(Role.COMMUNITY))
    actions.withdraw_hold(back(mine), by=resident(order.person_id))
    again = actions.hold_case(a_hold(order, S1_END), by=officer(Role.COMMUNITY))
    actions.withdraw_hold(back(again), by=resident(order.person_id))


def test_a_ledger_fault_leaves_the_hold(order: IsolationOrder, monkeypatch: pytest.MonkeyPatch) -> None:
    hold = actions.hold_case(a_hold(order, S1_END), by=resident(order.person_id))

    def broken(**_: object) -> UUID:
        raise ConnectionError

    monkeypatch.setattr(ledger_actions, "append", broken)
    with pytest.raises(ConnectionError):
        actions.withdraw_hold(back(hold), by=resident(order.person_id))
    assert not HoldWithdrawal.objects.exists()


# --- Who destroys one case ---------------------------------------------------------------------------------


def test_only_the_health_organ_destroys_a_case(order: IsolationOrder) -> None:
    for role in set(Role) - {Role.CDC, Role.SYSTEM, Role.RESIDENT}:
        with pytest.raises(NotAllowed):
            actions.destroy_case(order.pk, by=officer(role, at=TERM_OVER))
    assert IsolationOrder.objects.exists()


def test_nobody_destroys_a_case_before_its_term(order: IsolationOrder) -> None:
    with pytest.raises(KeptForItsTerm):
        actions.destroy_case(order.pk, by=doctor(TERM_OVER - SECOND))
    with pytest.raises(FactorNotFresh):
        actions.destroy_case(order.pk, by=doctor(TERM_OVER, verified=False))
    assert Appeal.objects.exists()
    by = doctor(TERM_OVER)
    made = actions.destroy_case(order.pk, by=by)
    assert (made.over_at, made.destroyed_by, made.organ) == (OVER_AT, by.user_id, by.organ)
    assert actions.destroy_case(order.pk, by=by).pk == made.pk
    with pytest.raises(NotFound):
        actions.destroy_case(random_id(), by=by)


# --- Past the act ------------------------------------------------------------------------------------------


def refused(rule: str, *statements: tuple[str, list[Any]]) -> None:
    def done() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for text, values in statements:
                cursor.execute(text, values)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError, match=rule):
        done()


def past_the_act(order: IsolationOrder, at: datetime, **changes: Any) -> list[tuple[str, list[Any]]]:
    """The two rows that say that an order was destroyed at an instant."""
    case = random_id()
    left = {
        n: getattr(order, n) for n in ("order_no", "measure", "organ", "signed_at", "starts_at", "ends_at")
    }
    left |= {"id": order.pk, "case_id": case, "over_at": OVER_AT} | changes
    return [
        (
            "INSERT INTO orders_destroyedcase (id, community, over_at, destroyed_at, destroyed_by, organ, entry_id)"
            " VALUES (%s, %s, %s, %s, %s, 'x', %s)",
            [case, order.community, OVER_AT, at, random_id(), order.entry_id],
        ),
        (
            f"INSERT INTO orders_destroyedorder ({', '.join(left)}) VALUES ({', '.join(['%s'] * len(left))})",
            [*left.values()],
        ),
    ]


TABLES = (
    "isolationorder", "lift", "serving", "careneed", "carearrangement", "appeal", "appealdecision", "releasecheck",
    "releasenotice", "boardsheet", "takedown", "hold", "holdwithdrawal", "isolationproposal", "secondsignature", "change",
)  # fmt: skip


def test_no_row_of_a_case_goes_past_the_act(order: IsolationOrder) -> None:
    hold = actions.hold_case(a_hold(order, S1_END), by=resident(order.person_id))
    actions.withdraw_hold(back(hold), by=resident(order.person_id))
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM orders_{table}")
            assert cursor.fetchone() > (0,), table
    for table in set(TABLES) - {"isolationproposal", "secondsignature"}:
        refused("orders_rows_stay", (f"DELETE FROM orders_{table}", []))
        column = "n" if table == "change" else "id"
        refused("orders_rows_stay", (f"UPDATE orders_{table} SET {column} = {column}", []))
    # A proposal that an order followed is there as long as the order is.
    refused("orders_rows_stay", ("DELETE FROM orders_isolationproposal", []))


def test_the_schema_keeps_a_case_for_its_term(order: IsolationOrder) -> None:
    refused("case_is_kept_for_its_term", *past_the_act(order, TERM_OVER - SECOND))
    refused("case_is_kept_for_its_term", *past_the_act(order, datetime.max.replace(tzinfo=S1_NOW.tzinfo)))
    refused("what_is_left_is_what_was", *past_the_act(order, TERM_OVER, measure="other"))
    refused("destroyed_order_is_gone", *past_the_act(order, TERM_OVER))
    asked = resident(order.person_id, at=OVER_AT + timedelta(days=1))
    actions.hold_case(a_hold(order, TERM_OVER + SECOND), by=asked)
    refused("case_is_kept_while_it_is_held", *past_the_act(order, TERM_OVER))


def test_the_schema_takes_a_hold_back_once_while_it_runs_and_with_its_own_entry(
    order: IsolationOrder,
) -> None:
    hold = actions.hold_case(a_hold(order, S1_END), by=resident(order.person_id))
    made = actions.withdraw_hold(back(hold), by=resident(order.person_id))
    other = actions.hold_case(a_hold(order, S1_END), by=resident(order.person_id))
    row = (
        "INSERT INTO orders_holdwithdrawal (id, hold_id, reason, withdrawn_by, withdrawn_at, entry_id)"
        " VALUES (%s, %s, %s, %s, %s, %s)"
    )
    by = random_id()
    for at in (other.until, other.asked_at - SECOND):
        refused(
            "hold_is_withdrawn_while_it_runs", (row, [random_id(), other.pk, "x", by, at, order.entry_id])
        )
    refused(
        "hold_withdrawal_has_its_own_entry", (row, [random_id(), other.pk, "x", by, S1_NOW, made.entry_id])
    )
    second = random_id()
    entry = ledger_actions.append(
        kind="orders:hold:withdrawn", act_id=second, organ=order.organ, scope=order.community, basis="x",
        terms={}, secrets={}, by=resident(order.person_id),
    )  # fmt: skip
    refused("holdwithdrawal_hold_id", (row, [second, hold.pk, "x", by, S1_NOW, entry]))
    refused("hold_withdrawal_has_a_reason", (row, [made.pk, other.pk, "", by, S1_NOW, made.entry_id]))


def test_the_schema_keeps_what_is_left(order: IsolationOrder) -> None:
    actions.destroy_case(order.pk, by=doctor(TERM_OVER))
    for table in ("destroyedcase", "destroyedorder", "destroyedact"):
        refused("orders_rows_stay", (f"DELETE FROM orders_{table}", []))
    refused(
        "destroyed_act_has_its_own_entry",
        (
            "INSERT INTO orders_destroyedact (act_id, order_id, kind, entry_id) VALUES (%s, %s, %s, %s)",
            [random_id(), order.pk, "orders:order:lifted", order.entry_id],
        ),
    )


# --- What is left ------------------------------------------------------------------------------------------


def rows_with(*wanted: str) -> dict[str, int]:
    """In which tables rows hold all of these, and how many."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            holds = " AND ".join(["strpos(t::text, %s) > 0"] * len(wanted))
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE {holds}', wanted)
            if count := cursor.fetchone()[0]:
                found[table] = count
    return found


#: The register of who lives where, their logins and passes: rooms with terms of their own.
REGISTER = ("people_", "accounts_user", "credentials_pass", "credentials_status", "places_")


def beyond_the_register(found: dict[str, int]) -> set[str]:
    return {table for table in found if not table.startswith(REGISTER)}


@pytest.mark.parametrize("by_hand", [True, False], ids=["by an officer", "by the job"])
def test_no_marker_of_the_person_is_left_anywhere(
    parties: Any,  # noqa: F811 - the fixture
    chain: Path,  # noqa: F811 - the fixture
    order: IsolationOrder,
    caplog: pytest.LogCaptureFixture,
    by_hand: bool,
) -> None:
    """D-1, D-2: in tables, files, logs and what is handed out. Before the act the same search finds every one of them."""
    caplog.set_level("DEBUG")
    person = order.person_id
    hold = actions.hold_case(a_hold(order, S1_END), by=resident(person))
    actions.withdraw_hold(back(hold), by=resident(person))
    sequencer.run_once(OVER_AT)
    with clock.fixed(OVER_AT):
        press = Press("https://lianfang.example", Lang.ZH, True)
        view = queries.order(order.pk, by=doctor(OVER_AT))
        assert view is not None
        assert TEXTS["lift"] == view.lift_reason
        assert prints.release_notice(view, press, by=doctor(OVER_AT))  # the papers were made
        assert client_for(Role.CDC).get(f"/desk/orders/{order.pk}/").status_code == 200
    entries = [a.entry_id for a in proofs.acts_of(order.pk)]
    assert len(entries) == 6
    bytes_before = {e: ledger.entry_bytes(e) for e in entries}
    secrets = [d for e in entries for d in ledger.disclosures_of(e).values()]
    salts = [d.salt.hex() for d in secrets]
    keys = [bytes(k).hex() for k in CaseKey.objects.filter(pk__in=entries).values_list("sealed", flat=True)]
    for name, text in TEXTS.items():
        assert rows_with(text), name
    slips = [order.order_slip, order.release_slip]
    assert rows_with(slips[0])
    assert "orders_change" in beyond_the_register(rows_with(str(person)))
    assert "orders_isolationorder" in beyond_the_register(rows_with(order.area))
    assert "concerns_concerndecision" in rows_with(TEXTS["concern"])
    assert rows_with(keys[0])
    ids = [str(pk) for pk in (order.pk, order.proposal_id, order.evidence_id, *entries)]

    if by_hand:
        actions.destroy_case(order.pk, by=doctor(TERM_OVER))
    else:
        assert destroy(TERM_OVER) == 1
    commit()
    sequencer.run_once(TERM_OVER)

    for text in (*TEXTS.values(), *slips, *salts, *keys):
        assert rows_with(text) == {}, text
    for marker in (str(person), order.area):
        assert beyond_the_register(rows_with(marker)) == set(), marker
        # Nor does a row of the register lead to the case.
        for link in (order.order_no, *ids):
            assert rows_with(marker, link) == {}, link
    assert not OwedMessage.objects.filter(recipient=person, template__startswith="orders/").exists()
    assert not ArrivalReport.objects.filter(person_id=person).exists()
    assert not PersonOfConcern.objects.exists()
    assert not ConcernDecision.objects.exists()
    assert not Change.objects.filter(person_id=person).exists()
    handed_out = [b for e in entries for b in (ledger.proof(e), ledger.entry_bytes(e), ledger.tlog_proof(e))]
    for kept in [*everything_kept(chain), *handed_out, caplog.text.encode()]:
        for text in TEXTS.values():
            assert text.encode() not in kept
        for d in secrets:
            assert d.salt not in kept

    # What is left: that there were these acts, when and where, for counting and for the comparison with the chain.
    left = DestroyedOrder.objects.get()
    assert (left.order_no, left.measure, left.over_at) == (order.order_no, "home_isolation", OVER_AT)
    assert left.case.community == order.community
    assert set(DestroyedAct.objects.values_list("entry", flat=True)) == set(entries)
    assert {e: ledger.entry_bytes(e) for e in entries} == bytes_before
    assert not Disclosures.objects.filter(pk__in=entries).exists()
    said = ChainEntry.parse(ledger.entry_bytes(left.case.entry_id)).act
    assert (said.kind, said.terms) == ("orders:case:destroyed", {"count": 1, "reason": "term"})
    assert Entry.objects.filter(kind="ledger:disclosures:erased").count() == len(entries)
    assert check().problems == []
    assert proofs.chain_faults() == []


def test_the_comparison_with_the_chain_sees_a_case_of_which_nothing_is_left(order: IsolationOrder) -> None:
    actions.destroy_case(order.pk, by=doctor(TERM_OVER))
    commit()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_destroyedact DISABLE TRIGGER rows_stay")
        cursor.execute("DELETE FROM orders_destroyedact WHERE kind = 'orders:order:lifted'")
    assert [fault for fault in proofs.chain_faults() if "orders:order:lifted" in fault]


def test_others_are_restricted_as_before_and_an_own_later_order_too(order: IsolationOrder) -> None:
    """Neither the gates' list of changes nor the status of anybody is another afterwards."""
    later = TERM_OVER - timedelta(days=3)
    other = a_person("另一位")
    for person in (order.person_id, other):
        actions.issue_isolation(a_draft(person, anchor_at=later), by=doctor(later))
    everybody = [order.person_id, other]
    before = queries.restrictions(everybody, TERM_OVER)
    heard, _ = queries.changes_since(0)
    assert len(before) == 2
    actions.destroy_case(order.pk, by=doctor(TERM_OVER))
    assert queries.restrictions(everybody, TERM_OVER) == before
    assert queries.changes_since(0)[0] == heard
    assert PersonOfConcern.objects.count() == 2


def test_evidence_on_which_another_order_rests_stays_with_it(order: IsolationOrder) -> None:
    later = OVER_AT + timedelta(days=1)
    draft = a_draft(order.person_id, evidence_id=order.evidence_id)
    second = actions.issue_isolation(draft, by=doctor(later))
    assert destroy(TERM_OVER) == 1
    assert PersonOfConcern.objects.filter(pk=second.evidence_id).exists()
    assert ArrivalReport.objects.exists()
    assert destroy(second.ends_at + policy.CASE_KEPT_FOR) == 1
    assert not PersonOfConcern.objects.exists()
    assert not ArrivalReport.objects.exists()


def test_pages_of_a_destroyed_order_say_that_there_is_none(order: IsolationOrder) -> None:
    address = f"/desk/orders/{order.pk}/"
    with clock.fixed(TERM_OVER):
        assert client_for(Role.CDC).get(address).status_code == 200
        actions.destroy_case(order.pk, by=doctor(TERM_OVER))
        client = client_for(Role.CDC)
        assert client.get(address).status_code == 404
        assert client.get(f"/open/orders/certificate/{order.pk}/").status_code in (200, 404)
        assert client.get(f"/desk/orders/person/{order.person_id}/").status_code == 200


def test_the_person_keeps_it_and_the_officer_destroys_it_on_their_pages(order: IsolationOrder) -> None:
    own, desk = f"/me/order/{order.pk}/hold/", f"/desk/orders/{order.pk}/destroy/"
    with clock.fixed(TERM_OVER - timedelta(days=1)):
        resident_ = log_in(User.objects.get(person_id=order.person_id))
        assert own in resident_.get("/me/order/").content.decode()
        until = (TERM_OVER + timedelta(days=3)).date()
        answer = resident_.post(own, {"id": str(random_id()), "until": str(until), "reason": TEXTS["hold"]})
        assert answer.status_code == 302
        assert "2023-02-04 00:00" in resident_.get(own).content.decode()  # the day asked for is inside
        assert (
            resident_.post(own, {"id": str(random_id()), "until": "2199-01-01", "reason": "x"}).status_code
            == 422
        )
        stranger = client_of(a_person("别人"))
        assert stranger.get(own).status_code == 404
    with clock.fixed(TERM_OVER):
        client = client_for(Role.CDC)
        answer = client.post(desk)
        assert answer.status_code == 422
        assert "当事人要求保留" in answer.content.decode()
    with clock.fixed(TERM_OVER + timedelta(days=4)):
        client = client_for(Role.CDC)
        assert desk in client.get(f"/desk/orders/{order.pk}/").content.decode()
        assert client.get(desk).status_code == 200
        assert IsolationOrder.objects.exists()
        for _ in range(2):
            assert client.post(desk).status_code == 302
        assert not IsolationOrder.objects.exists()
        assert client_for(Role.CMD_LEAD).post(desk).status_code == 403


def test_a_fault_before_the_rows_go_leaves_everything(
    order: IsolationOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lianfang.orders.actions import retention

    def broken(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(retention, "_delete", broken)
    with pytest.raises(ConnectionError):
        actions.destroy_case(order.pk, by=doctor(TERM_OVER))
    assert ledger.disclosures_of(order.entry_id)
    assert not DestroyedCase.objects.exists()


def test_what_a_restored_backup_brings_back_goes_again(order: IsolationOrder) -> None:
    """Its case keys are gone with the newer file of keys: there is nothing to erase, and the rows go all the same."""
    with connection.cursor() as cursor:
        for e in Entry.objects.values_list("pk", flat=True):
            cursor.execute("SELECT set_config('lf.erasing', %s, true)", [str(e)])
            cursor.execute("DELETE FROM ledger_casekey WHERE entry_id = %s", [e])
    assert destroy(TERM_OVER) == 1
    assert rows_with(TEXTS["appeal"]) == {}


def test_at_the_counter_an_office_has_a_case_kept_on_behalf(order: IsolationOrder) -> None:
    at = S1_END + timedelta(days=10)
    with clock.fixed(at):
        desk = client_for(Role.COMMUNITY)
        page = desk.get(f"/desk/orders/{order.pk}/hold/").content.decode()
        assert "代为要求保留案卷" in page
        assert f"/desk/orders/{order.pk}/hold/" in desk.get(f"/desk/orders/{order.pk}/").content.decode()
        said = {
            "id": str(random_id()),
            "until": f"{at + timedelta(days=400):%Y-%m-%d}",
            "reason": TEXTS["hold"],
        }
        done = desk.post(f"/desk/orders/{order.pk}/hold/", said)
        assert done.status_code == 302, done.content.decode()
        assert desk.post(f"/desk/orders/{order.pk}/hold/", said).status_code == 302
    [hold] = Hold.objects.filter(order=order)
    assert hold.on_behalf


def test_a_hold_is_taken_back_on_the_pages_by_who_asked(order: IsolationOrder) -> None:
    at = S1_END + timedelta(days=10)
    mine = actions.hold_case(a_hold(order, at + timedelta(days=99)), by=resident(order.person_id, at=at))
    theirs = actions.hold_case(a_hold(order, at + timedelta(days=99)), by=officer(Role.COMMUNITY, at=at))
    own, desk = "/me/order/hold/{}/withdraw/", "/desk/orders/hold/{}/withdraw/"
    with clock.fixed(at):
        person, office = log_in(User.objects.get(person_id=order.person_id)), client_for(Role.COMMUNITY)
        listed = office.get(f"/desk/orders/{order.pk}/hold/").content.decode()
        assert desk.format(theirs.pk) in listed
        assert desk.format(mine.pk) not in listed
        assert TEXTS["hold"] not in listed  # what it is for is the person's to say
        assert office.get(desk.format(mine.pk)).status_code == 404
        assert client_of(a_person("别人")).get(own.format(mine.pk)).status_code == 404
        for client, address, hold in ((office, desk, theirs), (person, own, mine)):
            assert client.get(address.format(hold.pk)).status_code == 200
            assert (
                client.post(address.format(hold.pk), {"id": str(random_id()), "reason": ""}).status_code
                == 422
            )
            said = {"id": str(random_id()), "reason": TEXTS["withdrawal"]}
            for _ in range(2):
                assert client.post(address.format(hold.pk), said).status_code == 302
            answer = client.post(address.format(hold.pk), {**said, "id": str(random_id())})
            assert answer.status_code == 422
            assert "已撤回" in answer.content.decode()
        page = person.get(f"/me/order/{order.pk}/hold/").content.decode()
        assert "/withdraw/" not in page
        assert f"{order.ends_at:%Y}" in page
    assert HoldWithdrawal.objects.count() == 2
    assert proofs.chain_faults() == []
