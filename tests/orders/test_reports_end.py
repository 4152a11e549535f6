"""A report that led to nothing goes when its term is over, and the chain keeps how many went."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest
from django.db import IntegrityError, connection, transaction

from lianfang.accounts.queries import system_actor
from lianfang.accounts.rights import Role
from lianfang.concerns import actions as concerns
from lianfang.concerns import chain_rows, policy
from lianfang.concerns.models import (
    ArrivalReport,
    ConcernDecision,
    Destruction,
    PersonOfConcern,
    SymptomReport,
)
from lianfang.concerns.policy import State
from lianfang.kernel import clock
from lianfang.kernel.clock import legal_day, start_of_legal_day
from lianfang.kernel.ids import random_id
from lianfang.ledger import actions as ledger_actions
from lianfang.ledger import queries as ledger
from lianfang.ledger import sequencer
from lianfang.ledger.fsck import check
from lianfang.orders import actions
from tests.factories.accounts import client_for
from tests.factories.ledger import past_the_triggers
from tests.factories.orders import S1_ANCHOR, S1_NOW, a_concern, a_draft, officer, resident
from tests.ledger.conftest import chain, parties  # noqa: F401 - fixtures
from tests.ledger.test_erase import everything_kept

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from typing import Any
    from uuid import UUID

pytestmark = pytest.mark.django_db
DAY: Final = timedelta(days=1)
KIND: Final = "concerns:reports:destroyed"
#: Said about somebody; none of it is anywhere else.
MARKERS: Final = ("标记甲电话核实不是", "标记乙G8123")


def first_run_after(until: datetime) -> datetime:
    """The first instant at which what is kept until then goes: whole legal days go together."""
    return start_of_legal_day(legal_day(until) + DAY)


def forget(at: datetime, **limit: int) -> int:
    return actions.forget_reports(by=system_actor("term", at, ()), **limit)


def an_arrival(person: UUID, came_from: str = "4201", **changes: Any) -> UUID:
    """Reported by the person; returns the report."""
    draft = concerns.ArrivalDraft(
        id=random_id(), person_id=person, came_from=came_from, left_at=S1_ANCHOR, arrived_at=S1_NOW, **changes
    )
    concerns.report_arrival(draft, by=resident(person))
    return draft.id


def decided(report: UUID, *, verified: bool) -> UUID:
    concern = PersonOfConcern.objects.get(basis_id=report).pk
    concerns.decide_concern(concern, verified=verified, reason=MARKERS[0], by=officer(Role.CDC))
    return concern


LAPSED: Final = S1_NOW + policy.DECIDE_WITHIN
OVER: Final = first_run_after(LAPSED + policy.KEPT_AFTER)
VERIFIED_OVER: Final = first_run_after(S1_ANCHOR + policy.SHOWN_FOR + policy.KEPT_AFTER)


def test_the_term_counts_from_the_end_of_waiting_or_of_what_an_order_may_rest_on() -> None:
    def kept(decided: State | None, anchor_at: datetime = S1_ANCHOR) -> timedelta:
        until = policy.kept_until(reported_at=S1_NOW, anchor_at=anchor_at, decided=decided)
        return until - S1_NOW

    for outcome in (None, State.DISMISSED):
        assert kept(outcome) == 31 * DAY
    assert kept(State.VERIFIED, S1_NOW) == 58 * DAY
    assert kept(State.VERIFIED, S1_NOW - 3 * DAY) == 55 * DAY
    assert kept(State.VERIFIED, S1_NOW - 365 * DAY) == 31 * DAY  # found out late, it is not gone at once


def test_no_marker_of_a_report_that_led_to_nothing_is_left(
    parties: Any,  # noqa: F811 - the fixture
    chain: Path,  # noqa: F811 - the fixture
    household: list[UUID],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """D-1, D-2: in tables, files and logs. Before the job the same search finds each of them."""
    caplog.set_level("DEBUG")
    person = household[0]
    report = an_arrival(person, transport="rail", transport_no=MARKERS[1])
    decided(report, verified=False)
    concerns.report_symptoms(
        concerns.SymptomDraft(id=random_id(), person_id=person, symptoms=("fever",)), by=resident(person)
    )
    an_arrival(person, came_from="00")  # nothing was required
    traces = [m.encode() for m in (*MARKERS, str(report))]
    for trace in traces:
        assert any(trace in kept for kept in everything_kept(chain)), trace
    before = len(list(ledger.terms_of_kind(KIND)))

    # What was undecided or dismissed is kept a day longer than what asked for nothing.
    assert forget(first_run_after(S1_NOW + policy.KEPT_AFTER) - timedelta(seconds=1)) == 0
    assert forget(first_run_after(S1_NOW + policy.KEPT_AFTER)) == 1
    assert forget(OVER - timedelta(seconds=1)) == 0
    assert (ArrivalReport.objects.count(), SymptomReport.objects.count()) == (1, 1)
    # Two concerns with a report each; the rest of the day finds nothing more.
    assert [forget(OVER), forget(OVER), forget(OVER + timedelta(hours=23))] == [4, 0, 0]
    sequencer.run_once(OVER)

    for model in (PersonOfConcern, ConcernDecision, ArrivalReport, SymptomReport):
        assert not model.objects.exists(), model
    for kept in [*everything_kept(chain), caplog.text.encode()]:
        for trace in traces:
            assert trace not in kept, trace
    said = [terms for _, terms in ledger.terms_of_kind(KIND)][before:]
    assert said == [{"count": 1, "reason": "term"}, {"count": 4, "reason": "term"}]
    assert check().problems == []
    assert chain_rows.chain_faults() == []


def test_what_an_order_or_a_proposal_rests_on_stays_with_it(household: list[UUID]) -> None:
    ordered = decided(an_arrival(household[0]), verified=True)
    actions.issue_isolation(a_draft(household[0], evidence_id=ordered), by=officer(Role.CDC))
    proposed = decided(an_arrival(household[1]), verified=True)
    draft = a_draft(household[1], evidence_id=proposed)
    actions.propose_isolation(
        actions.ProposalDraft(
            id=random_id(), person_id=household[1], reason=draft.reason, anchor_at=draft.anchor_at,
            evidence_id=proposed, home_is_suitable=True,
        ),
        by=officer(Role.COMMUNITY),
    )  # fmt: skip
    alone = a_concern(household[2])
    assert forget(VERIFIED_OVER - timedelta(seconds=1)) == 0
    assert forget(VERIFIED_OVER) == 1
    assert not PersonOfConcern.objects.filter(pk=alone).exists()
    assert forget(VERIFIED_OVER + 300 * DAY) == 0
    assert set(PersonOfConcern.objects.values_list("pk", flat=True)) == {ordered, proposed}
    assert ArrivalReport.objects.count() == 2


def test_an_arrival_by_which_somebody_was_present_stays_with_the_order(household: list[UUID]) -> None:
    met = an_arrival(household[0])  # undecided: its concern lapses
    order = actions.issue_isolation(a_draft(household[0]), by=officer(Role.CDC))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    past_the_triggers(
        "UPDATE orders_isolationorder SET presence_kind = 'arrival', presence_id = %s WHERE id = %s",
        met, order.pk,
    )  # fmt: skip
    assert forget(OVER) == 0
    assert ArrivalReport.objects.filter(pk=met).exists()
    past_the_triggers("UPDATE orders_isolationorder SET presence_id = %s", household[0])
    assert forget(OVER) == 2


def test_a_concern_that_is_named_while_the_job_runs_stays(luo: UUID) -> None:
    a_concern(luo)
    asked = []

    def still(ended: Any) -> Any:
        asked.append(len(ended))
        return ended if len(asked) == 1 else []  # the second time an order names it

    assert concerns.destroy_ended(still, by=system_actor("term", VERIFIED_OVER, ()), limit=10) == 0
    assert asked == [1, 1]
    assert PersonOfConcern.objects.exists()
    assert not Destruction.objects.exists()


def test_the_job_stops_at_its_limit_and_goes_on_there(luo: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concerns, "_AT_ONCE", 2)
    for _ in range(5):
        an_arrival(luo, came_from="00")
    assert [forget(OVER, limit=3) for _ in range(3)] == [4, 1, 0]
    assert list(Destruction.objects.order_by("pk").values_list("count", flat=True)) == [4, 1]


def test_a_ledger_fault_keeps_the_reports(luo: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    an_arrival(luo)

    def broken(**_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(ledger_actions, "append", broken)
    with pytest.raises(ConnectionError):
        forget(OVER)
    assert ArrivalReport.objects.exists()
    assert PersonOfConcern.objects.exists()


def test_a_destruction_in_the_table_or_in_the_chain_alone_is_found(luo: UUID) -> None:
    an_arrival(luo)
    assert forget(OVER) == 2
    made = Destruction.objects.get()
    with pytest.raises(IntegrityError, match="concerns_rows_stay"), transaction.atomic():
        Destruction.objects.update(count=9)
    past_the_triggers("UPDATE concerns_destruction SET count = 9")
    assert chain_rows.chain_faults() == [
        f"{KIND}: the chain does not say what the row of entry {made.entry_id} says"
    ]
    past_the_triggers("DELETE FROM concerns_destruction")
    assert chain_rows.chain_faults() == [f"entry {made.entry_id} ({KIND}): there is no row of it"]


def test_past_its_term_no_page_shows_it_although_the_job_is_late(household: list[UUID]) -> None:
    dismissed = decided(an_arrival(household[0]), verified=False)
    ordered = decided(an_arrival(household[1]), verified=True)
    actions.issue_isolation(a_draft(household[1], evidence_id=ordered), by=officer(Role.CDC))
    alone = a_concern(household[2])
    term = LAPSED + policy.KEPT_AFTER

    def shown(at: datetime) -> list[int]:
        with clock.fixed(at):
            client = client_for(Role.CDC)
            return [
                client.get(f"/desk/orders/concern/{pk}/").status_code for pk in (dismissed, ordered, alone)
            ]

    assert shown(term - timedelta(seconds=1)) == [200, 200, 200]
    assert shown(term) == [404, 200, 200]
    assert shown(S1_ANCHOR + policy.SHOWN_FOR + policy.KEPT_AFTER) == [404, 200, 404]
