"""What has happened elsewhere, step by step, and refused at each: trust.md §1.3, T19, T22, T27.

In June 2022 officials with no health office set 1,317 people red without a health reason, 446 by a scan in the
city, 871 who never came by forwarding a place code; refilling a form brought the red back.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from lianfang.accounts.rights import HELD_BY, Right, Role, Scope
from lianfang.concerns import actions as concerns
from lianfang.concerns.errors import NoSuchCategory
from lianfang.kernel.errors import NotAllowed, NotFound
from lianfang.kernel.ids import random_id
from lianfang.kernel.row_security import set_scope
from lianfang.orders import actions, queries
from lianfang.orders.errors import NoSuchEvidence, NoSuchReason
from lianfang.orders.models import IsolationOrder
from lianfang.people import queries as people
from tests.factories.orders import (
    ROOT,
    S1_ANCHOR,
    S1_END,
    S1_NOW,
    a_concern,
    a_draft,
    an_order,
    officer,
    resident,
)
from tests.factories.people import a_dwelling, a_person
from tests.orders.past_the_act import copy_past_the_act

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

pytestmark = pytest.mark.django_db


def status() -> set[UUID]:
    """Everybody restricted now, asked of the tables."""
    with connection.cursor() as c:
        c.execute("SELECT person_id FROM orders_in_force(%s)", [S1_NOW])
        return {row[0] for row in c.fetchall()}


def arrival(person: UUID, **changes: object) -> concerns.ArrivalDraft:
    values: dict[str, object] = {
        "id": random_id(),
        "person_id": person,
        "came_from": "4201",
        "left_at": S1_ANCHOR,
        "arrived_at": S1_NOW,
    }
    return concerns.ArrivalDraft(**(values | changes))  # type: ignore[arg-type]  # a test's draft


def test_a_form_filled_in_once_or_a_hundred_times_sets_no_status(luo: UUID) -> None:
    by = resident(luo)
    for _ in range(3):
        concerns.report_arrival(arrival(luo), by=by)
    draft = arrival(luo, contact=True, symptoms=("fever",))
    for _ in range(3):
        concerns.report_arrival(draft, by=by)  # forwarded and sent again
    concerns.report_symptoms(concerns.SymptomDraft(id=random_id(), person_id=luo, symptoms=("fever",)), by=by)
    assert status() == set()
    assert queries.restrictions([luo], S1_NOW) == {}


def test_there_is_no_act_by_which_a_scan_or_an_import_names_a_person_restricted() -> None:
    """Only one right restricts a person; a scan, a passage, a form and an import use others."""
    restricting = {Right.ORDERS_ISOLATION_ISSUE}
    assert {r for r, scope in HELD_BY[Right.ORDERS_ISOLATION_ISSUE].items() if scope == Scope.AREA} == {
        Role.CDC
    }
    for role in (Role.GUARD, Role.GRID, Role.COMMUNITY, Role.POLICE, Role.SYSTEM, Role.CMD_LEAD):
        assert not any(role in HELD_BY[right] for right in restricting)


def test_a_list_is_no_evidence(luo: UUID, household: list[UUID]) -> None:
    """A concern must exist, be about this person, and carry this reason; an id of anything else does not do."""
    by = officer(Role.CDC)
    scan, imported = random_id(), random_id()
    for evidence in (scan, imported, a_concern(household[1])):
        with pytest.raises(NoSuchEvidence):
            actions.issue_isolation(a_draft(luo, evidence_id=evidence), by=by)
    assert status() == set()


def test_a_lapsed_or_dismissed_report_carries_no_order(luo: UUID, household: list[UUID]) -> None:
    answer = concerns.report_arrival(arrival(luo), by=resident(luo))
    assert answer.concern_id is not None
    late = officer(Role.CDC, at=S1_NOW + timedelta(hours=24))
    with pytest.raises(NoSuchEvidence):
        actions.issue_isolation(a_draft(luo, evidence_id=answer.concern_id), by=late)
    concerns.decide_concern(answer.concern_id, verified=False, reason="行程相反", by=officer(Role.CDC))
    with pytest.raises(NoSuchEvidence):
        actions.issue_isolation(a_draft(luo, evidence_id=answer.concern_id), by=officer(Role.CDC))
    assert status() == set()


@pytest.mark.parametrize("reason", ["bank_depositor", "petitioner", "red_code", "spatio_temporal", ""])
def test_a_reason_outside_the_catalogue_is_no_reason(luo: UUID, reason: str) -> None:
    by = officer(Role.CDC)
    with pytest.raises(NoSuchCategory):
        a_concern(luo, category=reason, by=by)
    good = a_draft(luo)
    with pytest.raises(NoSuchReason):
        actions.issue_isolation(replace(good, reason=reason), by=by)
    assert status() == set()


@pytest.mark.parametrize(
    "role", [Role.POLICE, Role.CMD_LEAD, Role.CMD_DUTY, Role.STREET, Role.COMMUNITY, Role.SYSTEM_ADMIN]
)
def test_a_role_outside_health_cannot(luo: UUID, role: Role) -> None:
    with pytest.raises(NotAllowed):
        actions.issue_isolation(a_draft(luo), by=officer(role))
    assert status() == set()


def test_871_who_never_came(district: None) -> None:
    """People outside the district: unknown here, or another district's. None can be ordered, one after another."""
    outsiders = [a_person("外地", area=a_dwelling(f"7-1-{i + 101:04d}"), numbered=False) for i in range(5)]
    set_scope(areas=[ROOT])
    drafts = [a_draft(p) for p in outsiders]
    by = officer(Role.CDC)
    elsewhere = officer(Role.CDC, area=f"{ROOT}.s510402003")
    for n in range(871):
        with pytest.raises(NotFound):
            actions.issue_isolation(replace(drafts[n % 5], person_id=random_id()), by=by)
        if n < 5:
            with pytest.raises(NotAllowed):
                actions.issue_isolation(drafts[n], by=elsewhere)
    # Nor past the act: the row says where the person lives, and the organ's area does not hold it.
    an_order(a_person("样本"))
    set_scope(areas=[ROOT])
    with (
        pytest.raises(IntegrityError, match=r"known_organ|somebody_present"),
        transaction.atomic(),
    ):
        copy_past_the_act(outsiders[0], drafts[0].evidence_id, organ=elsewhere.organ, organ_level="street")
    assert len(status()) == 1


def test_nothing_returns_after_a_lift(luo: UUID) -> None:
    by = officer(Role.CDC)
    draft = a_draft(luo)
    order = actions.issue_isolation(draft, by=by)
    at = S1_NOW + timedelta(hours=1)
    actions.lift_isolation(
        actions.LiftDraft(id=random_id(), order_id=order.pk, reason="误判"),
        by=replace(by, at=at, verified_at=at),
    )
    after = replace(by, at=at + timedelta(minutes=1), verified_at=at)
    own = resident(luo, at=after.at)
    steps: list[Callable[[], object]] = [
        lambda: actions.issue_isolation(draft, by=after),  # an older message arrives again
        lambda: concerns.report_arrival(arrival(luo), by=own),  # the form is filled in again
        lambda: concerns.report_symptoms(
            concerns.SymptomDraft(id=random_id(), person_id=luo, symptoms=("fever",)), by=own
        ),
        lambda: actions.appeal(
            actions.AppealDraft(id=random_id(), order_id=order.pk, text="为什么隔离我"), by=own
        ),
        lambda: people.person_refs([luo]),  # a reading
    ]
    for step in steps:
        step()
        assert queries.restrictions([luo], after.at) == {}
        with connection.cursor() as c:
            c.execute("SELECT count(*) FROM orders_in_force(%s)", [after.at])
            assert c.fetchone() == (0,)
    assert IsolationOrder.objects.count() == 1


def test_with_every_process_but_postgresql_stopped_everybody_is_free_at_the_end(
    district: None,
) -> None:
    """O-2: one query on the tables, no job, no row written in between."""
    crowd = [a_person("测试", area=a_dwelling(f"8-1-{i + 101:04d}"), numbered=False) for i in range(8)]
    set_scope(areas=[ROOT])
    by = officer(Role.CDC)
    ends = {
        actions.issue_isolation(a_draft(p, anchor_at=S1_ANCHOR - timedelta(days=i)), by=by).ends_at
        for i, p in enumerate(crowd)
    }
    assert max(ends) == S1_END
    with connection.cursor() as c:
        c.execute("SELECT count(*) FROM orders_in_force(%s)", [S1_NOW])
        assert c.fetchone() == (8,)
        for end in sorted(ends):
            c.execute("SELECT count(*) FROM orders_in_force(%s) WHERE ends_at <= %s", [end, end])
            assert c.fetchone() == (0,)
        c.execute("SELECT count(*) FROM orders_in_force(%s)", [max(ends)])
        assert c.fetchone() == (0,)
        c.execute("SELECT count(*) FROM orders_endseen")
        assert c.fetchone() == (0,)


def test_no_column_holds_a_status() -> None:
    columns = {
        f.name for model in apps.get_app_config("orders").get_models() for f in model._meta.get_fields()
    }
    assert not {c for c in columns if "status" in c or "state" in c or "colour" in c or "color" in c}
