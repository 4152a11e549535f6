"""OrderLife: acts in any order, on real PostgreSQL, against a model of a few lines.

Rules: state a concern, issue, extend, second-sign, lift, appeal and decide, serve, report, merge, split, try to
tamper, tick, step the clock back. After each step every surface must say what the model says.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lianfang.accounts.rights import Role
from lianfang.concerns import actions as concerns
from lianfang.kernel.errors import Refused
from lianfang.kernel.ids import random_id
from lianfang.kernel.row_security import set_scope
from lianfang.orders import actions, policy, queries
from lianfang.orders.errors import (
    AlreadyOver,
    AlreadyUnderOrder,
    EvidenceRepeated,
    NeedsSecondSigner,
    PeriodAlreadyOver,
    TooLateToAppeal,
)
from lianfang.orders.models import IsolationOrder
from lianfang.people import actions as people
from tests.factories.orders import ROOT, S1_NOW, a_concern, an_incident, officer
from tests.factories.people import a_dwelling, a_person
from tests.sizes import size

if TYPE_CHECKING:
    from uuid import UUID

    from lianfang.kernel.actor import Actor

pytestmark = pytest.mark.django_db

CAP_CHAINED = timedelta(days=28)


@dataclass
class Modelled:
    """An order as the model remembers it."""

    person: int
    starts: datetime
    ends: datetime
    evidence: UUID
    id: UUID
    lifted: datetime | None = None
    seen_over: bool = False

    def holds(self, at: datetime) -> bool:
        return (
            not self.seen_over and self.starts <= at < self.ends and (self.lifted is None or at < self.lifted)
        )

    @property
    def over_at(self) -> datetime:
        return self.ends if self.lifted is None else min(self.ends, self.lifted)


@dataclass
class World:
    """What the model knows."""

    now: datetime = S1_NOW
    orders: list[Modelled] = field(default_factory=list)
    merged: set[tuple[int, int]] = field(default_factory=set)
    merged_at: datetime = S1_NOW


class OrderLife(RuleBasedStateMachine):
    """Three persons, one officer of each kind, and a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.world = World()
        self.changes = 0
        self.alias: UUID | None = None

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    @initialize()
    def people_and_officers(self) -> None:
        self.persons = [a_person("测试", area=a_dwelling(f"9-1-010{i}"), numbered=False) for i in range(3)]
        set_scope(areas=[ROOT])
        self.officers: dict[Role, Actor] = {
            r: officer(r) for r in (Role.CDC, Role.CMD_LEAD, Role.COMMUNITY, Role.GRID)
        }
        self.changes, _ = queries.changes_since(0)

    def by(self, role: Role) -> Actor:
        return replace(self.officers[role], at=self.world.now, verified_at=self.world.now)

    def same(self, person: int) -> set[int]:
        return (
            {person}
            | {b for a, b in self.world.merged if a == person}
            | {a for a, b in self.world.merged if b == person}
        )

    def running(self, person: int) -> list[Modelled]:
        return [o for o in self.world.orders if o.person in self.same(person) and o.holds(self.world.now)]

    def survivor(self, person: int) -> int:
        return next((b for a, b in self.world.merged if a == person), person)

    @rule(hours=st.integers(1, 24 * 9))
    def tick(self, hours: int) -> None:
        self.world.now += timedelta(hours=hours)

    @precondition(lambda self: any(o.ends > self.world.now for o in self.world.orders))
    @rule(data=st.data(), off=st.sampled_from([-1, 0, 1]))
    def tick_to_an_end(self, data: st.DataObject, off: int) -> None:
        """One microsecond before, at, and after an end: what random hours never hit."""
        ahead = [o.ends for o in self.world.orders if o.ends > self.world.now]
        end = data.draw(st.sampled_from(sorted(set(ahead))))
        self.world.now = max(self.world.now, end + timedelta(microseconds=off))

    @precondition(lambda self: any(o.ends > self.world.now for o in self.world.orders))
    @rule(data=st.data())
    def an_end_is_shown_and_the_clock_steps_back(self, data: st.DataObject) -> None:
        """C-3 in one step: two random ones in a row hardly ever meet."""
        end = data.draw(
            st.sampled_from(sorted({o.ends for o in self.world.orders if o.ends > self.world.now}))
        )
        self.world.now = end
        self.every_surface_says_what_the_model_says()
        self.clock_steps_back_by(timedelta(minutes=1))

    @rule(minutes=st.integers(1, 180))
    def clock_steps_back(self, minutes: int) -> None:
        """Everything signed lies in the past of the new instant, or the step is not made."""
        self.clock_steps_back_by(timedelta(minutes=minutes))

    def clock_steps_back_by(self, step: timedelta) -> None:
        back = self.world.now - step
        latest = max(
            [
                self.world.merged_at,
                *(o.starts for o in self.world.orders),
                *(o.lifted for o in self.world.orders if o.lifted),
            ]
        )
        if back >= latest:
            self.world.now = back

    @rule(person=st.integers(0, 2), ago=st.integers(0, 24 * 15), extend=st.booleans(), second=st.booleans())
    def issue(self, person: int, ago: int, extend: bool, second: bool) -> None:
        now = self.world.now
        person = self.survivor(person)
        anchor = now - timedelta(hours=ago)
        own = [o for o in self.running(person) if o.person == person]
        previous = own[-1] if extend and own else None
        evidence = a_concern(self.persons[person], anchor_at=anchor, by=self.by(Role.CDC))
        proposal = None
        if second:
            proposal = actions.propose_isolation(
                actions.ProposalDraft(
                    id=random_id(),
                    person_id=self.persons[person],
                    reason="area_returnee_high",
                    anchor_at=anchor,
                    evidence_id=evidence,
                    home_is_suitable=True,
                ),
                by=self.by(Role.COMMUNITY),
            ).pk
            actions.second_sign(proposal, by=self.by(Role.CMD_LEAD))
        draft = actions.IsolationDraft(
            order_id=random_id(),
            person_id=self.persons[person],
            reason="area_returnee_high",
            anchor_at=anchor,
            evidence_id=evidence,
            proposal_id=proposal,
            previous_id=None if previous is None else previous.id,
        )
        ends = policy.term(_Fourteen, anchor).ends_at
        others = [
            o
            for o in self.world.orders
            if o.person in self.same(person) and o is not previous and o.starts < ends and now < o.over_at
        ]
        chain = policy.chained(
            [policy.Period(o.starts, o.over_at) for o in self.world.orders if o.person == person],
            policy.Period(now, ends),
            gap=timedelta(hours=24),
        )
        expected: type[Refused] | None = None
        if ends - now < policy.SHORTEST:
            expected = PeriodAlreadyOver
        elif others:
            expected = AlreadyUnderOrder
        elif chain > CAP_CHAINED and not second:
            expected = NeedsSecondSigner
        if expected is not None:
            with pytest.raises(expected), transaction.atomic():
                actions.issue_isolation(draft, by=self.by(Role.CDC))
            return
        made = actions.issue_isolation(draft, by=self.by(Role.CDC))
        assert actions.issue_isolation(draft, by=self.by(Role.CDC)).pk == made.pk
        assert (made.second_id is not None) == (chain > CAP_CHAINED)  # O-5
        assert (made.starts_at, made.ends_at) == (now, ends)
        self.world.orders.append(Modelled(person, now, ends, evidence, made.pk))

    @precondition(lambda self: self.world.orders)
    @rule(data=st.data())
    def extend_on_old_evidence(self, data: st.DataObject) -> None:
        o = data.draw(st.sampled_from(self.world.orders))
        draft = actions.IsolationDraft(
            order_id=random_id(),
            person_id=self.persons[o.person],
            reason="area_returnee_high",
            anchor_at=self.world.now,
            evidence_id=o.evidence,
            previous_id=o.id,
        )
        with pytest.raises((EvidenceRepeated, AlreadyUnderOrder)), transaction.atomic():
            actions.issue_isolation(draft, by=self.by(Role.CDC))

    @precondition(lambda self: self.world.orders)
    @rule(data=st.data(), by_appeal=st.booleans())
    def lift(self, data: st.DataObject, by_appeal: bool) -> None:
        o = data.draw(st.sampled_from(self.world.orders))
        over = self.world.now >= o.ends or o.lifted is not None
        if by_appeal:
            self.appeal(o, granted=True, over=over)
            return
        draft = actions.LiftDraft(id=random_id(), order_id=o.id, reason="误判")
        if over:
            with pytest.raises(AlreadyOver), transaction.atomic():
                actions.lift_isolation(draft, by=self.by(Role.CDC))
        else:
            actions.lift_isolation(draft, by=self.by(Role.CDC))
            o.lifted = self.world.now

    @precondition(lambda self: self.world.orders)
    @rule(data=st.data())
    def lose_an_appeal(self, data: st.DataObject) -> None:
        o = data.draw(st.sampled_from(self.world.orders))
        self.appeal(o, granted=False, over=True)

    def appeal(self, o: Modelled, *, granted: bool, over: bool) -> None:
        draft = actions.AppealDraft(id=random_id(), order_id=o.id, text="不同意")
        if self.world.now >= o.ends + timedelta(days=60):
            with pytest.raises(TooLateToAppeal), transaction.atomic():
                actions.appeal(draft, by=self.by(Role.GRID))
            return
        made = actions.appeal(draft, by=self.by(Role.GRID))
        actions.decide_appeal(
            actions.DecisionDraft(id=random_id(), appeal_id=made.pk, granted=granted, reasons="已核实"),
            by=self.by(Role.CMD_LEAD),
        )
        if granted and not over:
            o.lifted = self.world.now

    @precondition(lambda self: self.world.orders)
    @rule(data=st.data())
    def serve(self, data: st.DataObject) -> None:
        o = data.draw(st.sampled_from(self.world.orders))
        try:
            with transaction.atomic():
                actions.serve(
                    actions.ServingDraft(
                        id=random_id(), order_id=o.id, served_at=self.world.now, receipt="signed"
                    ),
                    by=self.by(Role.GRID),
                )
        except Refused as refusal:
            assert refusal.code == "orders:already_served"  # noqa: PT017 - any other refusal is a defect

    @rule(person=st.integers(0, 2), contact=st.booleans())
    def report(self, person: int, contact: bool) -> None:
        """A report, whatever it says, changes no status (S-1)."""
        concerns.report_arrival(
            concerns.ArrivalDraft(
                id=random_id(),
                person_id=self.persons[person],
                came_from="420106",
                left_at=self.world.now - timedelta(hours=2),
                arrived_at=self.world.now,
                contact=contact,
                symptoms=("fever",),
            ),
            by=self.by(Role.GRID),
        )

    @precondition(lambda self: not self.world.merged)
    @rule()
    def merge(self) -> None:
        self.alias = random_id()
        people.merge_persons(
            self.alias,
            merged_id=self.persons[0],
            survivor_id=self.persons[1],
            reason="同一人",
            by=self.by(Role.COMMUNITY),
        )
        self.world.merged = {(0, 1)}
        self.world.merged_at = self.world.now

    @precondition(lambda self: self.world.merged)
    @rule()
    def split(self) -> None:
        assert self.alias is not None
        self.world.now += timedelta(seconds=1)
        people.unmerge_persons(self.alias, by=self.by(Role.COMMUNITY))
        self.world.merged = set()

    @precondition(lambda self: self.world.orders)
    @rule(
        sql=st.sampled_from(
            [
                "UPDATE orders_isolationorder SET ends_at = ends_at + interval '1 day'",
                "DELETE FROM orders_isolationorder",
                "DELETE FROM orders_lift WHERE true",
                "UPDATE orders_isolationorder SET person_id = person_id",
            ]
        )
    )
    def tamper(self, sql: str) -> None:
        try:
            with transaction.atomic(), connection.cursor() as c:
                c.execute(sql)
                assert c.rowcount == 0, sql
        except IntegrityError as error:
            assert "orders_rows_stay" in str(error)  # noqa: PT017 - any other error is a defect

    @invariant()
    def every_surface_says_what_the_model_says(self) -> None:
        if not hasattr(self, "officers"):
            return
        now = self.world.now
        answer = queries.restrictions(self.persons, now)
        for o in self.world.orders:
            o.seen_over = o.seen_over or (now >= o.ends)
        for i, person in enumerate(self.persons):
            expected = {o.id for o in self.running(i)}
            assert {r.order_id for r in answer.get(person, [])} == expected
            pages = {v.id for v in queries.orders_of(person, now) if v.in_force}
            assert pages == expected  # S-2
        with connection.cursor() as c:
            c.execute("SELECT order_id FROM orders_in_force(%s)", [now])
            assert {row[0] for row in c.fetchall()} == {o.id for o in self.world.orders if o.holds(now)}
        listed = {v.id for v in queries.in_force(self.by(Role.CDC))}
        assert listed == {o.id for o in self.world.orders if o.holds(now)}

    @invariant()
    def no_end_has_moved_and_nothing_is_lost(self) -> None:
        if not hasattr(self, "officers"):
            return
        rows = dict(IsolationOrder.objects.filter(person_id__in=self.persons).values_list("pk", "ends_at"))
        assert rows == {o.id: o.ends for o in self.world.orders}
        n, _ = queries.changes_since(self.changes)
        lifted = sum(o.lifted is not None for o in self.world.orders)
        assert n - self.changes == len(self.world.orders) + lifted


class _Fourteen:
    days = 14
    anchor_counts_as = 0
    from lianfang.rules.policy import ReleaseAt

    release_at = ReleaseAt.START_OF_NEXT_DAY


@pytest.mark.timeout(3600)  # a loaded machine takes its time; a step waits for PostgreSQL, not for a limit
def test_order_life(db: None) -> None:
    an_incident()
    set_scope(areas=[ROOT])
    run_state_machine_as_test(
        OrderLife,
        settings=settings(
            max_examples=size("machine_examples"),
            stateful_step_count=size("machine_steps"),
            suppress_health_check=list(HealthCheck),
        ),
    )
