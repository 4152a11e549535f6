"""Plays the cases and the passes of the district, in the order of their instants, through the acts of the rooms.

Nothing later than `until` happens: of a living demonstration the twentieth day is played up to this minute, so
somebody has just reported, a proposal waits for signature, a notice has not been served yet.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from django.db import connection

from lianfang.accounts.rights import Purpose
from lianfang.announcements import actions as announcements
from lianfang.concerns import actions as concerns
from lianfang.credentials import bulk as credentials
from lianfang.credentials.actions import PassDraft
from lianfang.gates import actions as gates
from lianfang.kernel.ids import random_id
from lianfang.orders import actions as orders
from lianfang.people import queries as people
from lianfang.people.naming import pass_initials
from lianfang.people.policy import Care, age
from lianfang.places.queries import Kind, at_level
from lianfang_pass.tokens import Flag

from . import announced
from .calendar import REGISTERED_ON, at
from .cases import Case
from .estates import HEMU, LUO_DOOR
from .numbers import TEST_PHONES, Ids
from .offices import community_login, officer_login, street_login

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from uuid import UUID

    from lianfang.kernel.actor import Actor

    from .announced import Announced
    from .offices import Staff
    from .progress import Progress
    from .settling import Settled
    from .world import World

#: Checkpoints are manned an hour before the first pass is given out.
GATES_AT: Final = at(date(2020, 1, 28), 7)
#: Passes are given out on the fourth day for as long as a pass may live: before Ms Luo comes home.
PASSES_AT: Final = at(date(2020, 1, 28), 8)
_PASSES_FOR: Final = timedelta(days=31)
_PASSES_AT_ONCE: Final = 2_000
#: How long ago proposals were made that nobody has signed, and orders signed that nobody has served. They are
#: beside the curve: whatever the hour of the day, every list has something to do on it.
_UNSIGNED: Final = (timedelta(minutes=12), timedelta(minutes=47), timedelta(hours=3))
_UNSERVED: Final = (timedelta(minutes=35), timedelta(hours=2, minutes=40))
_APPEALED: Final = timedelta(hours=4)
_UNREVIEWED: Final = timedelta(hours=1)
#: Where those who arrive came from: Wuhan, by its division code.
_WUHAN: Final = "4201"
_READ_OUT_FROM: Final = 75
_REFUSES: Final = 11
#: A sheet comes down within the hour; one in so many is forgotten, and stands on the list of what is overdue.
_TAKEN_DOWN_AFTER: Final = timedelta(minutes=40)
_ONE_FORGOTTEN_OF: Final = 12


def let_the_planner_know() -> None:
    """Measure the tables within the transaction that filled them: else every act plans as if they were empty."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@dataclass(frozen=True, slots=True)
class Happening:
    """What happens at an instant. `order` keeps the steps of one case apart when instants coincide."""

    at: datetime
    order: int
    play: Callable[[datetime], None]

    def __lt__(self, other: Happening) -> bool:
        return (self.at, self.order) < (other.at, other.order)


class Stage:
    """The district while its story is played: who lives where, who acts, what was made."""

    def __init__(
        self,
        world: World,
        settled: Settled,
        *,
        staff: Staff,
        shift: timedelta,
        until: datetime,
        progress: Progress,
    ) -> None:
        self._world, self._settled, self._staff = world, settled, staff
        self._shift, self._until, self._progress = shift, until, progress
        kinds = (
            "report",
            "concern",
            "proposal",
            "order",
            "serving",
            "lift",
            "care",
            "pass",
            "check",
            "notice",
            "appeal",
            "gate",
            "take-down",
            "announcement",
        )
        self._ids = {name: Ids(kind=0x10 + i) for i, name in enumerate(kinds)}
        self._concerns: dict[int, UUID] = {}
        self._proposals: dict[int, UUID] = {}
        self._orders: dict[int, UUID] = {}
        self._ends: dict[int, datetime] = {}
        self._queue: list[Happening] = []
        self._announced: list[UUID] = []
        self._number = 0

    def play(self) -> None:
        """Everything up to now, in order."""
        self._plan(GATES_AT, self._set_up_gates)
        self._plan(PASSES_AT, self._give_out_passes)
        for case in self._world.cases:
            self._plan_case(case)
        for said in announced.ANNOUNCED:
            self._plan(said.at, partial(self._announce, said))
        # The passes count as one step among many, so they have a progress of their own.
        self._progress.begin("days of the story", (self._until - self._queue[0].at).days + 1)
        reached = self._queue[0].at
        while self._queue and self._queue[0].at <= self._until:
            happening = heapq.heappop(self._queue)
            happening.play(happening.at)
            if happening.at - reached >= timedelta(days=1):
                self._progress.done((happening.at - reached).days)
                reached += timedelta(days=(happening.at - reached).days)
        self._leave_waiting()

    def _plan(self, when: datetime, play: Callable[[datetime], None]) -> None:
        """Plan something at an instant of the scenario."""
        self._plan_shifted(when + self._shift, play)

    def _plan_shifted(self, when: datetime, play: Callable[[datetime], None]) -> None:
        self._number += 1
        heapq.heappush(self._queue, Happening(when, self._number, play))

    # --- One case ------------------------------------------------------------------------------------------

    def _plan_case(self, case: Case) -> None:
        if case.reported_at is not None:
            self._plan(case.reported_at, lambda when: self._report(case, when))
            self._plan(case.signed_at - timedelta(minutes=1), lambda when: self._assess(case, when))
        else:
            self._plan(case.proposed_at - timedelta(minutes=5), lambda when: self._state(case, when))
        self._plan(case.proposed_at, lambda when: self._propose(case, when))
        self._plan(case.signed_at, lambda when: self._sign(case, when))
        self._plan(case.served_at, lambda when: self._serve(case, when))
        if case.lifted_at is not None:
            self._plan(case.lifted_at, lambda when: self._lift(case, when))

    def _person(self, case: Case) -> UUID:
        return self._settled.persons[case.household][case.member]

    def _community(self, case: Case, when: datetime, purpose: Purpose) -> Actor:
        return self._staff.actor(community_login(case.community), when, purpose)

    def _officer(self, case: Case, when: datetime, purpose: Purpose = Purpose.ISOLATION) -> Actor:
        return self._staff.actor(officer_login(case.officer), when, purpose)

    def _report(self, case: Case, when: datetime) -> None:
        """The community enters the arrival of somebody it met at the gate (S1)."""
        answer = concerns.report_arrival(
            concerns.ArrivalDraft(
                id=self._ids["report"].next(), person_id=self._person(case), came_from=_WUHAN,
                left_at=case.anchor_at + self._shift, arrived_at=when - timedelta(minutes=1),
                transport="car", met_in_person=True,
            ),
            by=self._community(case, when, Purpose.REPORT_INTAKE),
        )  # fmt: skip
        assert answer.concern_id is not None, "a listed area always asks for a look"
        self._concerns[case.no] = answer.concern_id

    def _state(self, case: Case, when: datetime) -> None:
        """The health officer's inquiry found a contact, a cohabitant who stays too, somebody discharged."""
        self._concerns[case.no] = concerns.state_concern(
            concerns.ConcernDraft(
                id=self._ids["concern"].next(), person_id=self._person(case), category=case.reason,
                anchor_at=case.anchor_at + self._shift, basis_kind="inquiry",
                basis_id=self._ids["report"].next(),
            ),
            by=self._officer(case, when, Purpose.CASE_INQUIRY),
        )  # fmt: skip

    def _assess(self, case: Case, when: datetime) -> None:
        concerns.decide_concern(
            self._concerns[case.no],
            verified=True,
            reason="核实属实",
            by=self._officer(case, when, Purpose.CASE_INQUIRY),
        )

    def _propose(self, case: Case, when: datetime) -> None:
        proposal = orders.propose_isolation(
            orders.ProposalDraft(
                id=self._ids["proposal"].next(), person_id=self._person(case), reason=case.reason,
                anchor_at=case.anchor_at + self._shift, evidence_id=self._concerns[case.no],
                home_is_suitable=True,
            ),
            by=self._community(case, when, Purpose.ISOLATION),
        )  # fmt: skip
        self._proposals[case.no] = proposal.pk

    def _sign(self, case: Case, when: datetime) -> None:
        order = orders.issue_isolation(
            orders.IsolationDraft(
                order_id=self._ids["order"].next(), person_id=self._person(case), reason=case.reason,
                anchor_at=case.anchor_at + self._shift, evidence_id=self._concerns[case.no],
                proposal_id=self._proposals[case.no],
            ),
            by=self._officer(case, when),
        )  # fmt: skip
        self._orders[case.no], self._ends[case.no] = order.pk, order.ends_at
        if case.lifted_at is None:
            # The paper that says it is over: two checks on the last day, the notice that evening.
            self._plan_shifted(order.ends_at - timedelta(hours=8), lambda at_: self._check(case, at_))
            self._plan_shifted(order.ends_at - timedelta(hours=6), lambda at_: self._notice(case, at_))

    def _serve(self, case: Case, when: datetime) -> None:
        """Somebody is found for everybody who cannot be left alone; then the notice is handed over."""
        by = self._community(case, when, Purpose.SERVICE_OF_NOTICE)
        person, order = self._person(case), self._orders[case.no]
        needing = {d.person_id: d.why for d in people.dependants(person, on=by.legal_day)}
        carer = next(
            (m for m in self._settled.persons[case.household] if m != person and m not in needing), None
        )
        for dependant in needing:
            orders.record_care(
                orders.CareDraft(
                    id=self._ids["care"].next(), order_id=order, dependant_id=dependant, carer_id=carer,
                    carer_note="" if carer else "社区安排专人照护",
                ),
                by=by,
            )  # fmt: skip
        receipt, witnesses = self._receipt(case)
        orders.serve(
            orders.ServingDraft(
                id=self._ids["serving"].next(), order_id=order, served_at=when, receipt=receipt,
                witnesses=witnesses,
            ),
            by=by,
        )  # fmt: skip
        # The sheet's id is its public address: drawn, not dealt.
        sheet = orders.post_sheet(random_id(), order, by=by)
        if case.no % _ONE_FORGOTTEN_OF:
            over = self._ends[case.no] if case.lifted_at is None else case.lifted_at + self._shift
            self._plan_shifted(over + _TAKEN_DOWN_AFTER, lambda at_: self._take_down(case, sheet.pk, at_))

    def _take_down(self, case: Case, sheet: UUID, when: datetime) -> None:
        orders.record_take_down(
            self._ids["take-down"].next(), sheet, by=self._community(case, when, Purpose.SERVICE_OF_NOTICE)
        )

    def _receipt(self, case: Case) -> tuple[str, str]:
        """Most sign; to the very old it is read out before a witness, and now and then somebody refuses."""
        home = self._world.households[case.household]
        assert home is not None, "a case has a household"
        if age(home.members[case.member].born, on=REGISTERED_ON) >= _READ_OUT_FROM:
            return "read_out", "谢春梅"
        return ("refused", "谢春梅、廖国强") if case.no % 47 == _REFUSES else ("signed", "")

    def _lift(self, case: Case, when: datetime) -> None:
        orders.lift_isolation(
            orders.LiftDraft(
                id=self._ids["lift"].next(), order_id=self._orders[case.no], reason=case.lift_reason
            ),
            by=self._officer(case, when),
        )

    def _check(self, case: Case, when: datetime) -> None:
        order = self._orders[case.no]
        street = street_login(case.community[:9])
        orders.check_release(
            self._ids["check"].next(), order, kind="health", by=self._staff.actor("medic", when, Purpose.CARE)
        )
        orders.check_release(
            self._ids["check"].next(),
            order,
            kind="street",
            by=self._staff.actor(street, when, Purpose.ISOLATION),
        )

    def _notice(self, case: Case, when: datetime) -> None:
        orders.issue_release_notice(
            self._ids["notice"].next(), self._orders[case.no], by=self._officer(case, when)
        )

    # --- What waits today ----------------------------------------------------------------------------------

    def _leave_waiting(self) -> None:
        """A few reports and proposals of the last hours, about which nobody has decided yet."""
        free = self._free_households()
        for before in _UNSIGNED:
            self._reported_and_proposed(self._fresh_case(next(free), self._until - before))
        for before in _UNSERVED:
            case = self._fresh_case(next(free), self._until - before - timedelta(minutes=20))
            self._reported_and_proposed(case)
            self._assess(case, self._until - before - timedelta(minutes=1))
            self._sign(case, self._until - before)
        self._report(self._fresh_case(next(free), self._until), self._until - timedelta(minutes=5))
        self._appeal()
        draft = self._text(announced.WAITING, when := self._until - _UNREVIEWED)
        announcements.draft_announcement(draft, by=self._staff.actor("street", when, Purpose.ADMINISTRATION))

    def _announce(self, said: Announced, when: datetime) -> None:
        draft = self._text(said, when)
        logins = (said.drafted_by, said.reviewed_by, said.signed_by)
        drafter, reviewer, signer = (
            self._staff.actor(login, when + timedelta(minutes=20 * n), Purpose.ADMINISTRATION)
            for n, login in enumerate(logins)
        )
        announced.announce(said, draft, (drafter, reviewer, signer))
        self._announced.append(draft.id)

    def _text(self, said: Announced, when: datetime) -> announcements.Draft:
        home = self._settled.homes[self._world.home_of(HEMU, LUO_DOOR)]
        replaced = None if said.replaces is None else self._announced[said.replaces]
        return said.draft(self._ids["announcement"].next(), home, when, replaced)

    def _reported_and_proposed(self, case: Case) -> None:
        when = case.proposed_at + self._shift
        self._report(case, when - timedelta(minutes=9))
        self._propose(case, when)

    def _appeal(self) -> None:
        """Somebody in isolation objects, and the panel has not answered yet."""
        when = self._until - _APPEALED
        running = [
            c for c in self._world.cases
            if c.no in self._orders and c.served_at + self._shift < when < self._ends[c.no]
            and (c.lifted_at is None or when < c.lifted_at + self._shift) and c.together_with is None
        ]  # fmt: skip
        if running:
            case = running[-1]
            orders.appeal(
                orders.AppealDraft(
                    id=self._ids["appeal"].next(), order_id=self._orders[case.no],
                    text="本人返程未在武汉停留，请复核观察期的起算时间。",
                ),
                by=self._community(case, when, Purpose.SERVICE_OF_NOTICE),
            )  # fmt: skip

    def _fresh_case(self, household: int, when: datetime) -> Case:
        """Somebody whose head of household came home some hours before `when`; no number of the curve."""
        then = when - self._shift
        return Case(
            no=-1 - household, household=household, member=0, community=self._world.homes[household].community,
            reason="area_returnee_high", anchor_at=then - timedelta(hours=5), reported_at=then,
            proposed_at=then, signed_at=then, served_at=then, officer=0,
        )  # fmt: skip

    def _free_households(self) -> Iterator[int]:
        """Households without a case, from the story's communities on."""
        struck = {c.household for c in self._world.cases}
        return (
            i for i, h in enumerate(self._world.households)
            if h is not None and i not in struck and h.members[0].phone
        )  # fmt: skip

    # --- Gates and passes --------------------------------------------------------------------------------------------

    def _set_up_gates(self, when: datetime) -> None:
        """The checkpoints as posts to which devices can be enrolled; a road takes the lists of all streets."""
        by = self._staff.actor("duty", when, Purpose.ADMINISTRATION)
        every = tuple(sorted({h.community[:9] for h in self._world.homes}))
        for post, place in zip(self._world.estates.checkpoints, self._settled.posts, strict=True):
            compound = at_level(place, Kind.COMPOUND)
            street = (at_level(place, Kind.STREET) or "").rpartition(".")[2][1:]
            gates.set_up_gate(
                gates.GateDraft(
                    id=self._ids["gate"].next(), name=f"{post.compound}{post.name}",
                    kind="compound" if compound else post.kind, area=place,
                    shards=every if post.kind == "road" else (street,),
                    phone=f"{TEST_PHONES}0020", zones=(compound.rpartition(".")[2],) if compound else (),
                ),
                by=by,
            )  # fmt: skip

    def _give_out_passes(self, when: datetime) -> None:
        """Everybody a personal pass, every household of two or more one of its own, street by street."""
        begun = [c for c in self._world.cases if c.no in self._orders]
        under_order = {self._person(c) for c in begun}
        struck = {c.household for c in begun}
        total = sum(len(p) + (len(p) > 1 and i not in struck) for i, p in enumerate(self._settled.persons))
        progress = self._progress.part("passes", total)
        streets: dict[str, list[int]] = {}
        for i, home in enumerate(self._world.homes):
            if self._settled.persons[i]:
                streets.setdefault(home.community[:9], []).append(i)
        for street, households in sorted(streets.items()):
            drafts = (
                draft
                for i in households
                for draft in self._passes_of(i, street, when, with_household=i not in struck)
            )
            by = self._staff.actor(street_login(street), when, Purpose.PASSES)
            while batch := list(islice(drafts, _PASSES_AT_ONCE)):
                progress.done(credentials.issue_passes(batch, suspended=under_order, by=by))
        let_the_planner_know()

    def _passes_of(self, i: int, street: str, when: datetime, *, with_household: bool) -> Iterator[PassDraft]:
        """What is printed on them is what `people.queries.pass_facts` says, without asking 175,000 times."""
        home, door = self._world.households[i], self._world.homes[i].door
        assert home is not None, "only where somebody lives"
        zone = (at_level(self._settled.homes[i], Kind.COMPOUND) or "").rpartition(".")[2]
        for member_no, (member, person) in enumerate(
            zip(home.members, self._settled.persons[i], strict=True), start=1
        ):
            yield PassDraft(
                id=self._ids["pass"].next(), holder_id=person, kind="P", shard=street, door=door,
                member_no=member_no, initials=pass_initials(member.name),
                birth_year=(member.born + self._shift).year, zones=(zone,),
                valid_from=when, valid_until=when + _PASSES_FOR,
                channel="printed" if member.phone else "card",
                flags=int(Flag.PROXY) if Care.NO_SMARTPHONE in member.care else 0,
            )  # fmt: skip
        household = self._settled.households[i]
        if with_household and len(home.members) > 1 and household is not None:
            yield PassDraft(
                id=self._ids["pass"].next(), holder_id=household, kind="H", shard=street, door=door,
                member_no=None, initials=pass_initials(home.members[0].name), birth_year=None, zones=(zone,),
                valid_from=when, valid_until=when + _PASSES_FOR, channel="printed",
            )  # fmt: skip
