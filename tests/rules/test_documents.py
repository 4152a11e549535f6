"""Dated documents: which one is used, who publishes, what the schema refuses past the act."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError, connection, transaction

from lianfang.accounts.rights import Role
from lianfang.kernel.errors import NotAllowed, SameIdOtherContent
from lianfang.rules import actions, queries
from lianfang.rules.errors import (
    AlreadyPublished,
    ContentDoesNotFit,
    DraftLacksDates,
    NoIncident,
    OnePersonCannotPublish,
    OverlapsAtOneLevel,
)
from lianfang.rules.policy import Measure, jurisdictions
from tests.factories.orders import ROOT, S1_NOW, a_rule_draft, an_incident, officer

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db

HOME = f"{ROOT}.s510402001.c510402001003.mk3.b5.w2.h9"
DAY = date(2020, 1, 30)


@pytest.fixture
def incident() -> None:
    an_incident()


def published(**changes: object) -> None:
    draft = a_rule_draft(**changes)
    actions.draft_document(draft, by=officer(Role.CDC))
    actions.publish_document(draft.id, by=officer(Role.CMD_LEAD))


def test_without_an_incident_no_rule_is_asked_for() -> None:
    with pytest.raises(NoIncident):
        queries.isolation_rule(reason="area_returnee_high", on=DAY)


def test_the_rule_of_s1(incident: None) -> None:
    rule = queries.isolation_rule(reason="area_returnee_high", area=HOME, on=DAY)
    assert rule is not None
    assert (rule.days, rule.measure, rule.anchor_event) == (14, Measure.HOME_ISOLATION, "left_area")
    assert rule.origin.demonstration
    assert not rule.origin.is_verified


@pytest.mark.parametrize(
    ("reason", "on", "days", "measure", "follow_on"),
    [
        ("wuhan_returnee", date(2020, 1, 24), None, None, 0),
        ("wuhan_returnee", date(2020, 1, 25), 14, "home_isolation", 0),
        ("close_contact", date(2022, 6, 28), 7, "facility_isolation", 3),
        ("close_contact", date(2022, 11, 10), 7, "facility_isolation", 3),
        ("close_contact", date(2022, 11, 11), 5, "facility_isolation", 3),
        ("close_contact", date(2022, 12, 7), 5, "home_isolation", 0),
        ("close_contact", date(2023, 1, 8), None, None, 0),
        ("close_contact", date(2020, 3, 1), None, None, 0),  # its dates are only recalled: a draft
        ("secondary_contact", date(2022, 7, 1), 7, "home_isolation", 0),
        ("a_bank_depositor", date(2022, 6, 20), None, None, 0),
    ],
)
def test_national_rules_by_day(
    reason: str, on: date, days: int | None, measure: str | None, follow_on: int
) -> None:
    an_incident()
    rule = queries.isolation_rule(reason=reason, area="d110101", on=on)
    assert (rule and rule.days, rule and str(rule.measure), rule.follow_on_days if rule else 0) == (
        days,
        measure,
        follow_on,
    )


def test_the_most_specific_jurisdiction_wins(incident: None) -> None:
    published(
        jurisdiction="CN", effective_to=date(2020, 12, 31), content={**a_rule_draft().content, "days": 10}
    )
    published(jurisdiction="51", content={**a_rule_draft().content, "days": 11})
    rule = queries.isolation_rule(reason="area_returnee_medium", area=HOME, on=DAY)
    assert rule is not None
    assert rule.days == 11
    published(jurisdiction="510402", content={**a_rule_draft().content, "days": 12})
    rule = queries.isolation_rule(reason="area_returnee_medium", area=HOME, on=DAY)
    assert rule is not None
    assert rule.days == 12
    elsewhere = queries.isolation_rule(reason="area_returnee_medium", area="d510403", on=DAY)
    assert elsewhere is not None
    assert elsewhere.days == 11
    assert jurisdictions(HOME)[0] == "510402001003"


def test_overlap_at_one_level_is_refused_by_act_and_schema(incident: None) -> None:
    published(effective_to=date(2020, 2, 10))
    draft = a_rule_draft(effective_from=date(2020, 2, 10))
    actions.draft_document(draft, by=officer(Role.CDC))
    with pytest.raises(OverlapsAtOneLevel):
        actions.publish_document(draft.id, by=officer(Role.CMD_LEAD))
    with (
        pytest.raises(IntegrityError, match="documents_of_one_level_do_not_overlap"),
        transaction.atomic(),
        connection.cursor() as c,
    ):
        c.execute("UPDATE rules_document SET published_at = now() WHERE id = %s", [draft.id])
    published(effective_from=date(2020, 2, 11))


def test_a_draft_rules_nothing_and_without_a_day_stays_a_draft(incident: None) -> None:
    draft = a_rule_draft(effective_from=None)
    actions.draft_document(draft, by=officer(Role.CDC))
    with pytest.raises(DraftLacksDates):
        actions.publish_document(draft.id, by=officer(Role.CMD_LEAD))
    dated = a_rule_draft()
    actions.draft_document(dated, by=officer(Role.CDC))
    assert queries.isolation_rule(reason="area_returnee_medium", on=DAY) is None
    with (
        pytest.raises(IntegrityError, match="published_document_has_a_first_day"),
        transaction.atomic(),
        connection.cursor() as c,
    ):
        c.execute("UPDATE rules_document SET published_at = now() WHERE id = %s", [draft.id])


def test_two_people_for_every_rule(incident: None) -> None:
    author = officer(Role.CDC)
    draft = a_rule_draft()
    actions.draft_document(draft, by=author)
    with pytest.raises(OnePersonCannotPublish):
        actions.publish_document(draft.id, by=author)
    with (
        pytest.raises(IntegrityError, match="document_is_published_by_another"),
        transaction.atomic(),
        connection.cursor() as c,
    ):
        c.execute("UPDATE rules_document SET published_by = drafted_by WHERE id = %s", [draft.id])


@pytest.mark.parametrize(
    "role", [r for r in Role if r not in (Role.CDC, Role.CMD_LEAD, Role.SYSTEM, Role.RESIDENT)]
)
def test_who_may_not_touch_rules(incident: None, role: Role) -> None:
    draft = a_rule_draft()
    with pytest.raises(NotAllowed):
        actions.draft_document(draft, by=officer(role))
    actions.draft_document(draft, by=officer(Role.CDC))
    acts: list[Callable[[], object]] = [
        lambda: actions.publish_document(draft.id, by=officer(role)),
        lambda: actions.end_document(draft.id, last_day=DAY, by=officer(role)),
        lambda: actions.verify_document(draft.id, verified_by="somebody", by=officer(role)),
    ]
    for act in acts:
        with pytest.raises(NotAllowed):
            act()


def test_a_published_document_can_only_be_ended(incident: None) -> None:
    draft = a_rule_draft()
    actions.draft_document(draft, by=officer(Role.CDC))
    actions.publish_document(draft.id, by=officer(Role.CMD_LEAD))
    for change in ("content = '{}'", "effective_from = '2020-01-01'", "published_at = NULL", "subject = 'x'"):
        with (
            pytest.raises(IntegrityError, match="does not change"),
            transaction.atomic(),
            connection.cursor() as c,
        ):
            c.execute(f"UPDATE rules_document SET {change} WHERE id = %s", [draft.id])
    with pytest.raises(IntegrityError, match="stays"), transaction.atomic(), connection.cursor() as c:
        c.execute("DELETE FROM rules_document WHERE id = %s", [draft.id])
    actions.end_document(draft.id, last_day=date(2020, 2, 10), by=officer(Role.CDC))
    with pytest.raises(AlreadyPublished):
        actions.end_document(draft.id, last_day=date(2020, 2, 20), by=officer(Role.CDC))
    assert queries.isolation_rule(reason="area_returnee_medium", on=date(2020, 2, 10)) is not None
    assert queries.isolation_rule(reason="area_returnee_medium", on=date(2020, 2, 11)) is None


@pytest.mark.parametrize(
    "content",
    [
        {},
        {**a_rule_draft().content, "days": 0},
        {**a_rule_draft().content, "measure": "red_code"},
        {k: v for k, v in a_rule_draft().content.items() if k != "anchor_counts_as"},
        {**a_rule_draft().content, "release_at": "whenever"},
        {**a_rule_draft().content, "release_at": "same_hour", "anchor_counts_as": 1},
        {**a_rule_draft().content, "anchor_counts_as": 2},
    ],
)
def test_a_rule_that_does_not_say_how_it_counts_is_not_published(
    incident: None, content: dict[str, object]
) -> None:
    draft = a_rule_draft(content=content)
    actions.draft_document(draft, by=officer(Role.CDC))
    with pytest.raises(ContentDoesNotFit):
        actions.publish_document(draft.id, by=officer(Role.CMD_LEAD))


def test_the_same_id_twice(incident: None) -> None:
    draft = a_rule_draft()
    by = officer(Role.CDC)
    assert actions.draft_document(draft, by=by) == actions.draft_document(draft, by=by)
    with pytest.raises(SameIdOtherContent):
        actions.draft_document(a_rule_draft(id=draft.id, subject="close_contact"), by=by)


def test_what_ships_loads_once_and_is_shown_as_unverified(incident: None) -> None:
    by = officer(Role.CDC)
    assert actions.load_shipped((*actions.SHIPPED, actions.DEMONSTRATION), by=by) == 0
    lines = queries.lines(on=DAY, published_only=False)
    assert len(lines) >= 25
    assert not any(line.is_verified for line in lines)
    assert all(line.source for line in lines)
    assert all(line.is_published == (line.effective_from is not None) for line in lines)
    some = next(line for line in lines if line.subject == "area_returnee_high")
    actions.verify_document(some.id, verified_by="王医生", by=by)
    assert next(line for line in queries.lines(on=DAY, published_only=True) if line.id == some.id).is_verified


def test_demonstration_rules_move_by_whole_days_and_the_law_of_the_land_does_not() -> None:
    an_incident(shift_days=2500)
    assert queries.isolation_rule(reason="area_returnee_high", area=HOME, on=DAY) is None
    later = date(2020, 1, 20) + timedelta(days=2500)
    rule = queries.isolation_rule(reason="area_returnee_high", area=HOME, on=later)
    assert rule is not None
    assert rule.days == 14
    assert queries.isolation_rule(reason="wuhan_returnee", on=date(2020, 1, 25)) is not None
    assert queries.caps(S1_NOW.date()) is not None


def test_listed_areas_name_the_longest_code(incident: None) -> None:
    wuhan = queries.listed_area("420106", DAY)
    assert wuhan is not None
    assert wuhan.name == "湖北省武汉市"
    assert queries.listed_area("429004", DAY) is not None
    assert queries.listed_area("510107", DAY) is None


@pytest.mark.parametrize(
    "reason", ["area_returnee_high", "close_contact", "area_returnee_medium", "bank_depositor"]
)
@pytest.mark.parametrize("on", [date(2020, 1, 19), DAY, date(2022, 7, 1)])
def test_read_at_once_is_the_same_as_one_by_one(incident: None, reason: str, on: date) -> None:
    together = queries.ruling(reason=reason, area=HOME, on=on)
    assert together == queries.Ruling(
        queries.incident(),
        queries.reason_in_force(reason, on, area=HOME),
        queries.isolation_rule(reason=reason, area=HOME, on=on),
        queries.caps(on, area=HOME),
        queries.competence(on=on, area=HOME),
    )
