"""Reports: answered at once, restrict nobody, lapse by themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError, connection, transaction

from lianfang.accounts.rights import Role
from lianfang.concerns import actions, queries
from lianfang.concerns.errors import (
    AlreadyDecided,
    HasLapsed,
    InTheFuture,
    LeftAfterArrival,
    TemperatureOutOfRange,
)
from lianfang.concerns.models import ArrivalReport, PersonOfConcern, SymptomReport
from lianfang.concerns.policy import Fact, State, of_symptoms, state
from lianfang.kernel.errors import NotAllowed, NotFound, SameIdOtherContent
from lianfang.kernel.ids import new_id
from lianfang.kernel.row_security import set_scope
from tests.factories.orders import ROOT, S1_ANCHOR, S1_NOW, a_concern, officer, resident
from tests.factories.people import a_person

if TYPE_CHECKING:
    from uuid import UUID

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def person(district: None) -> UUID:
    found = a_person()
    set_scope(areas=[ROOT])
    return found


def an_arrival(person: UUID, **changes: object) -> actions.ArrivalDraft:
    values: dict[str, object] = {
        "id": new_id(),
        "person_id": person,
        "came_from": "420106",
        "left_at": S1_ANCHOR,
        "arrived_at": S1_NOW,
    }
    return actions.ArrivalDraft(**(values | changes))  # type: ignore[arg-type]  # a test's draft


@pytest.mark.parametrize(
    ("changes", "fact", "category"),
    [
        ({}, Fact.LISTED_AREA, "area_returnee_high"),
        ({"came_from": "510107"}, Fact.NOTHING_LISTED, ""),
        ({"came_from": "00"}, Fact.NOTHING_LISTED, ""),
        ({"left_at": S1_NOW - 14 * DAY}, Fact.LISTED_AREA, "area_returnee_high"),
        ({"left_at": S1_NOW - 14 * DAY - timedelta(seconds=1)}, Fact.LONG_AGO, ""),
        ({"came_from": "510107", "contact": True}, Fact.CONTACT, "close_contact"),
        ({"contact": True}, Fact.CONTACT, "close_contact"),
        ({"came_from": "510107", "symptoms": ("dry_cough",)}, Fact.SYMPTOMS, "fever"),
        ({"came_from": "510107", "temp_c": Decimal("37.3")}, Fact.SYMPTOMS, "fever"),
        ({"came_from": "510107", "temp_c": Decimal("37.2")}, Fact.NOTHING_LISTED, ""),
    ],
)
def test_an_arrival_is_answered_with_the_fact_and_the_rule(
    person: UUID, changes: dict[str, object], fact: Fact, category: str
) -> None:
    answer = actions.report_arrival(an_arrival(person, **changes), by=resident(person))
    assert (answer.fact, answer.category) == (fact, category)
    assert answer.decides_by == (S1_NOW + DAY if category else None)
    if fact is Fact.LISTED_AREA:
        assert answer.rule is not None
        assert "重点地区名单" in answer.rule.title
        assert not answer.rule.is_verified
    assert PersonOfConcern.objects.count() == (1 if category else 0)


def test_the_same_report_twice(person: UUID) -> None:
    draft, by = an_arrival(person), resident(person)
    first, again = actions.report_arrival(draft, by=by), actions.report_arrival(draft, by=by)
    assert (first.fact, first.decides_by, first.concern_id) == (
        again.fact,
        again.decides_by,
        again.concern_id,
    )
    assert ArrivalReport.objects.count() == 1
    with pytest.raises(SameIdOtherContent):
        actions.report_arrival(replace(draft, came_from="4201"), by=by)
    symptoms = actions.SymptomDraft(id=new_id(), person_id=person, symptoms=("fever",))
    actions.report_symptoms(symptoms, by=by)
    actions.report_symptoms(symptoms, by=by)
    assert SymptomReport.objects.count() == 1
    with pytest.raises(SameIdOtherContent):
        actions.report_symptoms(replace(symptoms, symptoms=()), by=by)


def test_what_cannot_be_is_refused(person: UUID) -> None:
    by = resident(person)
    later = S1_NOW + timedelta(seconds=1)
    for refusal, change in (
        (InTheFuture, {"arrived_at": later}),
        (LeftAfterArrival, {"left_at": S1_NOW, "arrived_at": S1_ANCHOR}),
        (TemperatureOutOfRange, {"temp_c": Decimal("43.1")}),
        (TemperatureOutOfRange, {"temp_c": Decimal("33.9")}),
    ):
        with pytest.raises(refusal):
            actions.report_arrival(an_arrival(person, **change), by=by)
    with pytest.raises(InTheFuture):
        actions.report_symptoms(
            actions.SymptomDraft(id=new_id(), person_id=person, symptoms=(), onset_on=date(2020, 1, 31)),
            by=by,
        )
    assert not ArrivalReport.objects.exists()


def test_who_may_report_for_whom(person: UUID) -> None:
    other = a_person("另外")
    set_scope(areas=[ROOT])
    with pytest.raises(NotAllowed):
        actions.report_arrival(an_arrival(person), by=resident(other))
    for role in (Role.POLICE, Role.GUARD, Role.PROPERTY, Role.STREET, Role.CMD_LEAD):
        with pytest.raises(NotAllowed):
            actions.report_arrival(an_arrival(person), by=officer(role))
    for role, met, way in ((Role.GRID, True, "officer"), (Role.COMMUNITY, False, "proxy")):
        draft = an_arrival(person, met_in_person=met)
        actions.report_arrival(draft, by=officer(role))
        assert ArrivalReport.objects.get(pk=draft.id).way == way
    own = an_arrival(person, met_in_person=True)
    actions.report_arrival(own, by=replace(resident(person)))
    assert ArrivalReport.objects.get(pk=own.id).way == "self"  # nobody meets themselves on arrival


def test_only_an_arrival_that_an_officer_saw_counts_as_presence(person: UUID) -> None:
    since = S1_NOW - 21 * DAY
    actions.report_arrival(an_arrival(person), by=resident(person))
    actions.report_arrival(an_arrival(person), by=officer(Role.GRID))
    assert queries.met_arrival_since(person, since) is None
    draft = an_arrival(person, met_in_person=True)
    actions.report_arrival(draft, by=officer(Role.GRID))
    assert queries.met_arrival_since(person, since) == draft.id
    assert queries.met_arrival_since(person, S1_NOW + timedelta(seconds=1)) is None


def test_undecided_it_lapses_by_itself(person: UUID) -> None:
    answer = actions.report_arrival(an_arrival(person), by=resident(person))
    assert answer.concern_id is not None
    last = S1_NOW + DAY - timedelta(microseconds=1)
    assert [c.id for c in queries.unassessed(officer(Role.CDC, at=last))] == [answer.concern_id]
    assert queries.unassessed(officer(Role.CDC, at=S1_NOW + DAY)) == []
    assert queries.open_concerns_of(person, S1_NOW + DAY) == []
    with pytest.raises(HasLapsed):
        actions.decide_concern(
            answer.concern_id, verified=True, reason="属实", by=officer(Role.CDC, at=S1_NOW + DAY)
        )
    assert state(reported_at=S1_NOW, decided=None, at=S1_NOW + DAY) is State.LAPSED
    assert state(reported_at=S1_NOW, decided="verified", at=S1_NOW + 9 * DAY) is State.VERIFIED


def test_one_decision_by_the_health_organ(person: UUID) -> None:
    answer = actions.report_arrival(an_arrival(person), by=resident(person))
    assert answer.concern_id is not None
    for role in (Role.COMMUNITY, Role.GRID, Role.POLICE, Role.CMD_LEAD):
        with pytest.raises(NotAllowed):
            actions.decide_concern(answer.concern_id, verified=True, reason="x", by=officer(role))
    by = officer(Role.CDC)
    first = actions.decide_concern(answer.concern_id, verified=True, reason="属实", by=by)
    assert actions.decide_concern(answer.concern_id, verified=True, reason="属实", by=by) == first
    with pytest.raises(AlreadyDecided):
        actions.decide_concern(answer.concern_id, verified=False, reason="排除", by=by)
    with pytest.raises(NotFound):
        actions.decide_concern(new_id(), verified=True, reason="x", by=by)
    assert queries.unassessed(by) == []


def test_rows_stay_and_are_scoped(person: UUID) -> None:
    actions.report_arrival(an_arrival(person), by=resident(person))
    a_concern(person, category="close_contact")
    for table in ("concerns_arrivalreport", "concerns_personofconcern", "concerns_concerndecision"):
        for sql in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id"):
            with (
                pytest.raises(IntegrityError, match="only inserted"),
                transaction.atomic(),
                connection.cursor() as c,
            ):
                c.execute(sql)
    for areas, persons, seen in (([], [], 0), ([""], [], 0), ([], [person], 2), ([ROOT], [], 2)):
        set_scope(areas=areas, persons=persons)
        assert PersonOfConcern.objects.count() == seen


def test_fever_begins_at_37_3() -> None:
    assert not of_symptoms(symptoms=(), temp_c=Decimal("37.2")).needs_officer
    assert of_symptoms(symptoms=(), temp_c=Decimal("37.3")).needs_officer
    assert not of_symptoms(symptoms=(), temp_c=None).needs_officer
