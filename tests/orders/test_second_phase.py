"""Seven days, then three: the second phase is an order of its own, counted from the first end, never automatic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from lianfang.accounts.rights import Role
from lianfang.kernel import clock
from lianfang.kernel.errors import NotAllowed, SameIdOtherContent
from lianfang.kernel.ids import random_id
from lianfang.ledger.models import Entry
from lianfang.messaging.models import OwedMessage
from lianfang.orders import actions, policy, queries
from lianfang.orders.errors import (
    AlreadyUnderOrder,
    NoSecondPhase,
    PeriodAlreadyOver,
    TooEarlyForSecondPhase,
)
from lianfang.orders.models import IsolationOrder
from lianfang.rules import actions as rules
from tests.factories.accounts import client_for
from tests.factories.orders import S1_ANCHOR, S1_NOW, a_concern, a_draft, a_rule_draft, officer

if TYPE_CHECKING:
    from uuid import UUID

pytestmark = pytest.mark.django_db
#: Seven days from the afternoon of 30 January: free on 7 February at 00:00; three more: on the 10th.
FIRST_END = datetime(2020, 2, 6, 16, tzinfo=UTC)
SECOND_END = datetime(2020, 2, 9, 16, tzinfo=UTC)


def seven_and_three() -> None:
    """A rule of the district with two phases."""
    draft = a_rule_draft(
        content={
            **a_rule_draft().content,
            "follow_on_measure": "home_monitoring",
            "follow_on_days": 3,
        }
    )
    rules.draft_document(draft, by=officer(Role.CDC))
    rules.publish_document(draft.id, by=officer(Role.CMD_LEAD))


@pytest.fixture
def first(luo: UUID) -> IsolationOrder:
    seven_and_three()
    return actions.issue_isolation(
        a_draft(luo, reason="area_returnee_medium"), by=officer(Role.CDC, at=S1_NOW)
    )


def sign(first: IsolationOrder, at: datetime, **changes: Any) -> IsolationOrder:
    draft = actions.SecondPhaseDraft(order_id=changes.pop("order_id", random_id()), first_id=first.pk)
    return actions.order_second_phase(draft, by=changes.pop("by", None) or officer(Role.CDC, at=at))


@given(st.integers(0, 3 * 365 * 24 * 60).map(lambda m: S1_NOW + timedelta(minutes=m)), st.integers(1, 60))
def test_the_second_term_is_whole_days_after_the_first(first_end: datetime, days: int) -> None:
    term = policy.second_term(days, first_end)
    assert term.ends_at - first_end == timedelta(days=days)
    assert clock.start_of_legal_day(term.last_full_day + timedelta(days=1)) <= term.ends_at
    assert term.ends_at < clock.start_of_legal_day(term.last_full_day + timedelta(days=2))


@pytest.mark.parametrize(("days", "end"), [(0, FIRST_END), (3, datetime(2020, 2, 6))])  # noqa: DTZ001 - the point
def test_a_second_term_needs_days_and_a_zone(days: int, end: datetime) -> None:
    with pytest.raises(ValueError, match="second phase"):
        policy.second_term(days, end)


def test_the_second_phase_follows_without_a_gap(first: IsolationOrder, luo: UUID) -> None:
    assert first.ends_at == FIRST_END
    second = sign(first, FIRST_END - timedelta(hours=5))
    assert (second.starts_at, second.ends_at) == (FIRST_END, SECOND_END)
    assert (second.measure, second.phase, second.previous_id) == ("home_monitoring", 2, first.pk)
    assert Entry.objects.get(pk=second.entry_id).kind == "orders:isolation:issued"
    assert OwedMessage.objects.filter(facts__order=str(second.pk)).count() == 1
    orders, lifts = queries.history(luo)
    for at, kind in (
        (FIRST_END - timedelta(microseconds=1), "home_isolation"),
        (FIRST_END, "home_monitoring"),
        (SECOND_END - timedelta(microseconds=1), "home_monitoring"),
    ):
        assert [o.kind for o in policy.status(orders, lifts, at).in_force] == [kind]
    assert policy.status(orders, lifts, SECOND_END).is_free
    # Told before it begins: it stands among what is to be served.
    assert second.pk in {o.id for o in queries.to_serve(officer(Role.CDC, at=FIRST_END - timedelta(hours=4)))}


def test_unsigned_the_person_is_free_and_signed_late_the_end_stays(first: IsolationOrder, luo: UUID) -> None:
    orders, lifts = queries.history(luo)
    assert policy.status(orders, lifts, FIRST_END).is_free
    late = FIRST_END + timedelta(hours=30)
    second = sign(first, late)
    assert (second.starts_at, second.ends_at) == (late, SECOND_END)


def test_the_same_draft_twice_is_one_order(first: IsolationOrder) -> None:
    key, at = random_id(), FIRST_END - timedelta(hours=1)
    assert sign(first, at, order_id=key).pk == sign(first, at, order_id=key).pk == key
    with pytest.raises(SameIdOtherContent):
        sign(first, at, order_id=first.pk)
    with pytest.raises(AlreadyUnderOrder):
        sign(first, at)


def test_when_it_is_refused(first: IsolationOrder) -> None:
    with pytest.raises(TooEarlyForSecondPhase):
        sign(first, FIRST_END - timedelta(days=1, seconds=1))
    with pytest.raises(PeriodAlreadyOver):
        sign(first, SECOND_END)
    with pytest.raises(NotAllowed):
        sign(first, FIRST_END, by=officer(Role.COMMUNITY, at=FIRST_END))
    second = sign(first, FIRST_END)
    with pytest.raises(NoSecondPhase):
        sign(second, SECOND_END)


def test_a_lifted_order_has_none_and_nothing_returns_after_a_lift(first: IsolationOrder) -> None:
    second = sign(first, FIRST_END - timedelta(hours=2))
    at = FIRST_END + timedelta(hours=1)
    actions.lift_isolation(
        actions.LiftDraft(id=random_id(), order_id=second.pk, reason="检测阴性"), by=officer(Role.CDC, at=at)
    )
    with pytest.raises(AlreadyUnderOrder):
        sign(first, at + timedelta(hours=1))


def test_no_second_phase_after_a_lift_of_the_first(first: IsolationOrder) -> None:
    actions.lift_isolation(
        actions.LiftDraft(id=random_id(), order_id=first.pk, reason="误判"),
        by=officer(Role.CDC, at=S1_NOW + timedelta(hours=1)),
    )
    with pytest.raises(NoSecondPhase):
        sign(first, FIRST_END)


def test_a_rule_without_one_has_none(luo: UUID) -> None:
    order = actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    with pytest.raises(NoSecondPhase):
        sign(order, order.ends_at)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("ends_at = new.ends_at + interval '1 day'", "order_ends_when_its_rule_says"),
        ("starts_at = new.starts_at - interval '1 hour'", "second_phase_follows_its_first"),
        ("evidence_id = new.previous_id", "order_rests_on_a_concern"),
        ("measure = 'facility_isolation'", "order_follows_the_rule_in_force"),
        ("phase = 1", "order_follows_the_rule_in_force"),
        ("previous_id = NULL", "order_follows_the_rule_in_force"),
    ],
)
def test_the_schema_refuses_what_the_act_does(first: IsolationOrder, change: str, constraint: str) -> None:
    """Past the act: a trigger that runs before the judge changes one column of a good second phase."""
    column, _, value = change.partition(" = ")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN new.{column} := {value}; RETURN new; END $$;"
            "CREATE TRIGGER a_spoil BEFORE INSERT ON orders_isolationorder FOR EACH ROW EXECUTE FUNCTION spoil()"
        )
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        sign(first, FIRST_END - timedelta(hours=1))


def test_the_page_signs_it_and_says_that_it_is_ahead(first: IsolationOrder) -> None:
    with clock.fixed(S1_NOW):
        early = client_for(Role.CDC).get(f"/desk/orders/{first.pk}/").content.decode()
        assert "签发后续阶段" not in early
    with clock.fixed(FIRST_END - timedelta(hours=2)):
        client = client_for(Role.CDC)
        url = f"/desk/orders/{first.pk}/second-phase/"
        assert url in client.get(f"/desk/orders/{first.pk}/").content.decode()
        assert "2020-02-10 00:00" in client.get(url).content.decode()
        answer = client.post(url, {"id": str(random_id()), "confirm": "on"})
        assert answer.status_code == 302, answer.content.decode()[-2000:]
        second = IsolationOrder.objects.get(phase=2)
        page = client.get(f"/desk/orders/{second.pk}/").content.decode()
        assert "2020年2月7日 00:00开始" in page
        assert "到期解除" not in page
        assert client.get(f"/desk/orders/{second.pk}/print/notice/").content.startswith(b"%PDF")


def test_who_signs_late_is_warned_that_gates_may_not_hear_in_time(first: IsolationOrder, luo: UUID) -> None:
    """passes.md 4.2: less than two hours before the earlier end; a warning, no refusal."""
    at = FIRST_END - timedelta(hours=3)
    concern = a_concern(luo, category="close_contact", anchor_at=at - timedelta(days=1), at=at)
    pages = (f"/desk/orders/{first.pk}/second-phase/", f"/desk/orders/concern/{concern}/sign/")
    for url in pages:
        for before, warned in ((timedelta(hours=2), False), (timedelta(hours=2, seconds=-1), True)):
            with clock.fixed(FIRST_END - before):
                page = client_for(Role.CDC).get(url).content.decode()
            assert "签字" in page
            assert ("已不足2小时" in page) is warned, (url, before)


def test_a_served_order_is_no_longer_owed(first: IsolationOrder) -> None:
    """O-10: the delivery is recorded with the serving, and the undelivered stays a task."""
    from lianfang.messaging import queries as messaging

    at = S1_NOW + timedelta(hours=3)
    owed = {o.facts["order"] for o in messaging.late(at)}
    assert str(first.pk) in owed
    by = officer(Role.COMMUNITY, at=at)
    for need in queries.care_of(first.pk):
        actions.record_care(
            actions.CareDraft(
                id=random_id(), order_id=first.pk, dependant_id=need.dependant_id, carer_note="邻居"
            ),
            by=by,
        )
    actions.serve(
        actions.ServingDraft(id=random_id(), order_id=first.pk, served_at=at, receipt="signed"), by=by
    )
    assert str(first.pk) not in {o.facts["order"] for o in messaging.late(at)}
    assert at > S1_ANCHOR
