"""The server's clock jumps an hour while orders are signed, start and are lifted: nothing is lost, nobody is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lianfang.accounts.rights import Role
from lianfang.kernel import clock
from lianfang.kernel.ids import random_id
from lianfang.orders import actions, queries
from lianfang.orders.errors import AlreadyUnderOrder, AnchorInTheFuture
from lianfang.orders.models import IsolationOrder, Lift
from tests.factories.accounts import client_for
from tests.factories.orders import S1_END, S1_NOW, a_concern, a_draft, officer

if TYPE_CHECKING:
    from uuid import UUID

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_the_same_draft_across_a_jump_is_one_order_with_one_end(luo: UUID, jump: timedelta) -> None:
    draft = a_draft(luo)
    first = actions.issue_isolation(draft, by=officer(Role.CDC))
    again = actions.issue_isolation(draft, by=officer(Role.CDC, at=S1_NOW + jump))
    assert (again.pk, again.starts_at, again.ends_at) == (first.pk, S1_NOW, S1_END)
    with pytest.raises((AlreadyUnderOrder, AnchorInTheFuture)):
        actions.issue_isolation(a_draft(luo), by=officer(Role.CDC, at=S1_NOW + jump))


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_a_lift_after_a_jump_frees_then_and_ever_after(luo: UUID, jump: timedelta) -> None:
    order = actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    now = S1_NOW + jump
    with clock.fixed(now):
        client = client_for(Role.CDC)
        sent = {"id": str(random_id()), "reason": "误判"}
        answer = client.post(f"/desk/orders/{order.pk}/lift/", sent)
        assert answer.status_code == 302, answer.content.decode()[-1500:]
        assert client.post(f"/desk/orders/{order.pk}/lift/", sent).status_code == 302
    assert Lift.objects.get().signed_at == max(now, S1_NOW)
    # Before and after the clock is put right: nothing returns.
    for at in (now, S1_NOW, S1_NOW + 2 * HOUR):
        if at >= Lift.objects.get().signed_at or at < S1_NOW:
            assert luo not in queries.restrictions([luo], at)


def test_signed_on_a_fast_clock_it_restricts_nobody_before_it_begins(luo: UUID) -> None:
    """Signed an hour ahead: until that hour the person is free, and a lift on the right clock ends it for good."""
    with clock.fixed(S1_NOW):
        evidence = a_concern(luo)
    fast = S1_NOW + HOUR
    order = actions.issue_isolation(a_draft(luo, evidence_id=evidence), by=officer(Role.CDC, at=fast))
    assert order.starts_at == fast
    assert luo not in queries.restrictions([luo], S1_NOW)
    assert luo in queries.restrictions([luo], fast)
    actions.lift_isolation(
        actions.LiftDraft(id=random_id(), order_id=order.pk, reason="时钟错误"),
        by=officer(Role.CDC, at=S1_NOW),
    )
    for minutes in (0, 30, 60, 61, 600):
        assert luo not in queries.restrictions([luo], S1_NOW + timedelta(minutes=minutes))


def test_an_end_shown_on_a_fast_clock_is_noted_only_when_it_is_so(luo: UUID) -> None:
    """A question about an instant ahead of the database's own clock frees nobody (C-3)."""
    actions.issue_isolation(a_draft(luo), by=officer(Role.CDC))
    assert luo not in queries.restrictions([luo], S1_END + HOUR)
    assert IsolationOrder.objects.count() == 1
    assert luo not in queries.restrictions([luo], S1_END)
