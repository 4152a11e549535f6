"""From an order to the list a gate holds, and to the verdict there, with nothing else running."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.accounts.rights import Role
from lianfang.credentials import actions as credentials
from lianfang.credentials import queries as passes
from lianfang.gates import policy, publisher
from lianfang.gates.models import Due
from lianfang.kernel import clock, ids
from lianfang.kernel.row_security import set_scope
from lianfang.orders import actions as orders
from lianfang_pass import scan, statuslist
from lianfang_pass.statuslist import ListStatus
from lianfang_pass.verdict import Verdict
from tests.factories.credentials import HOME, a_draft, by, keys_held
from tests.factories.orders import ROOT, S1_END, S1_NOW, an_incident, an_order, officer
from tests.factories.people import a_household

if TYPE_CHECKING:
    from uuid import UUID

SHARD = "510402001"
SECOND = timedelta(seconds=1)


@pytest.fixture
def luo(db: None) -> UUID:
    an_incident()
    set_scope(areas=[ROOT])
    return a_household()[0]


def a_pass(holder: UUID, **changes: object) -> credentials.IssuedPass:
    before = S1_NOW - timedelta(hours=1)
    values = {
        "holder_id": holder,
        "shard": SHARD,
        "valid_from": before,
        "valid_until": before + timedelta(days=30),
    }
    issued = credentials.issue_pass(a_draft(**{**values, **changes}), by=by(before))
    publisher.run_once(before)
    return issued


def held() -> statuslist.ShardState:
    files = passes.files(SHARD)
    assert files is not None
    return statuslist.accept_list(files.whole, files.until, uri=passes.uri(SHARD), keys=keys_held())


def verdict(
    issued: credentials.IssuedPass, state: statuslist.ShardState, at: datetime
) -> tuple[Verdict, str]:
    """What a gate of the own compound says on the way out, from what it holds and nothing else."""
    out = scan.look(
        scan.Look([issued.text], inward=False, device_time=int(at.timestamp())),
        gate=scan.Gate(frozenset({HOME})),
        held=scan.Held(keys_held(), {state.uri: state}, floor=state.signed_at),
    )
    return out.decision.verdict, out.decision.reason


def test_an_order_is_deny_until_its_end_and_allow_from_it_on_with_the_same_list(luo: UUID) -> None:
    issued = a_pass(luo)
    assert verdict(issued, held(), S1_NOW)[0] is Verdict.ALLOW
    an_order(luo)
    publisher.run_once(S1_NOW + SECOND)
    state = held()  # the server may stop here
    assert verdict(issued, state, S1_NOW + 2 * SECOND) == (Verdict.DENY, "ORDER_IN_FORCE")
    assert verdict(issued, state, S1_END - SECOND) == (Verdict.DENY, "ORDER_IN_FORCE")
    assert verdict(issued, state, S1_END) == (Verdict.ALLOW, "TERM_ENDED")


def test_a_lift_frees_at_the_next_publication(luo: UUID) -> None:
    issued = a_pass(luo)
    order = an_order(luo)
    publisher.run_once(S1_NOW + SECOND)
    later = S1_NOW + timedelta(days=1)
    orders.lift_isolation(
        orders.LiftDraft(id=ids.random_id(), order_id=order.pk, reason="issued_in_error"),
        by=officer(Role.CDC, at=later),
    )
    publisher.run_once(later + SECOND)
    assert verdict(issued, held(), later + SECOND) == (Verdict.ALLOW, "OK")


def test_a_pass_made_during_an_order_is_suspended_too(luo: UUID) -> None:
    an_order(luo)
    publisher.run_once(S1_NOW + SECOND)
    at = S1_NOW + timedelta(minutes=5)
    issued = credentials.issue_pass(
        a_draft(holder_id=luo, shard=SHARD, valid_from=at, valid_until=at + timedelta(days=3)), by=by(at)
    )
    publisher.run_once(at + SECOND)
    assert verdict(issued, held(), at + 2 * SECOND)[0] is Verdict.DENY


def test_a_revoked_pass_is_invalid_and_no_order(luo: UUID) -> None:
    issued = a_pass(luo)
    credentials.revoke_pass(issued.pass_id, reason="lost", by=by(S1_NOW))
    publisher.run_once(S1_NOW)
    assert held().row(issued.index) == statuslist.Row(ListStatus.INVALID, None)
    assert verdict(issued, held(), S1_NOW) == (Verdict.ALLOW_REG, "PASS_INVALID")


def test_a_pass_without_a_birth_year_is_to_be_made_anew_and_locks_nobody_out(luo: UUID) -> None:
    issued = a_pass(luo, birth_year=None)
    assert held().row(issued.index) == statuslist.Row(ListStatus.REFER, None)
    assert verdict(issued, held(), S1_NOW) == (Verdict.ALLOW_REG, "PASS_REISSUE")
    an_order(luo)
    publisher.run_once(S1_NOW + SECOND)
    assert verdict(issued, held(), S1_NOW + 2 * SECOND)[0] is Verdict.DENY
    assert verdict(issued, held(), S1_END) == (Verdict.ALLOW, "TERM_ENDED")
    publisher.run_once(S1_END + policy.TIDIED_AFTER)
    assert held().row(issued.index) == statuslist.Row(ListStatus.REFER, None)
    whole = a_pass(luo)
    assert held().row(whole.index) == statuslist.Row(ListStatus.VALID, None)
    for_all = a_pass(ids.new_id(), kind="H", birth_year=None, member_no=None)
    assert held().row(for_all.index) == statuslist.Row(ListStatus.VALID, None)
    credentials.revoke_pass(issued.pass_id, reason="replaced", by=by(S1_NOW))
    publisher.run_once(S1_END + policy.TIDIED_AFTER + SECOND)
    assert held().row(issued.index) == statuslist.Row(ListStatus.INVALID, None)


def test_nothing_new_publishes_nothing_and_a_quarter_of_an_hour_refreshes(luo: UUID) -> None:
    a_pass(luo)
    version = passes.versions()[SHARD]
    publisher.run_once(S1_NOW - timedelta(hours=1) + timedelta(minutes=14))
    assert passes.versions()[SHARD] == version
    publisher.run_once(S1_NOW - timedelta(hours=1) + timedelta(minutes=16))
    assert passes.versions()[SHARD] == version + 1


def test_a_row_is_tidied_up_days_after_the_end(luo: UUID) -> None:
    issued = a_pass(luo)
    an_order(luo)
    publisher.run_once(S1_NOW + SECOND)
    assert Due.objects.get().at == S1_END + policy.TIDIED_AFTER
    publisher.run_once(S1_END + timedelta(days=1))
    row = held().row(issued.index)
    assert row is not None
    assert row.status is ListStatus.SUSPENDED
    publisher.run_once(S1_END + policy.TIDIED_AFTER)
    assert held().row(issued.index) == statuslist.Row(ListStatus.VALID, None)
    assert not Due.objects.exists()


@dataclass(frozen=True)
class Span:
    starts_at: datetime
    ends_at: datetime


HOURS = st.integers(-100, 100)


@given(st.lists(st.tuples(HOURS, st.integers(1, 60)), max_size=5))
def test_the_stand_suspends_exactly_while_an_order_is_in_force(spans: list[tuple[int, int]]) -> None:
    hour = timedelta(hours=1)
    periods = [Span(S1_NOW + a * hour, S1_NOW + (a + n) * hour) for a, n in spans]
    found = policy.stand(periods, S1_NOW)
    in_force = any(p.starts_at <= S1_NOW < p.ends_at for p in periods)
    assert (found.status is ListStatus.SUSPENDED) == in_force
    if found.until is not None:
        # Without a gap up to `until`, and nothing in force at it.
        at = S1_NOW
        while at < found.until:
            assert any(p.starts_at <= at < p.ends_at for p in periods)
            at += hour
        assert not any(p.starts_at <= found.until < p.ends_at for p in periods)
    begins = [p.starts_at for p in periods if p.starts_at > (found.until or S1_NOW)]
    if begins:
        assert found.again_at is not None
        assert found.again_at <= min(begins)


@pytest.mark.parametrize(
    ("minutes", "expected"), [(0, "fresh"), (14, "fresh"), (15, "amber"), (239, "amber"), (240, "red")]
)
def test_silence_turns_amber_then_red(minutes: int, expected: str) -> None:
    assert policy.silence(S1_NOW, S1_NOW + timedelta(minutes=minutes)) == expected
    assert policy.silence(None, S1_NOW) == "never"


@pytest.mark.django_db(transaction=True)
def test_counting_a_flood_does_not_hold_up_a_lift(monkeypatch: pytest.MonkeyPatch) -> None:
    """Housekeeping that takes for ever runs beside the publisher, not before it."""
    import threading
    import time

    from django.db import connection

    from lianfang.gates import jobs

    stop, released = threading.Event(), threading.Event()
    monkeypatch.setattr(jobs, "keep", lambda at: released.wait(20))
    now = clock.now()
    issued = credentials.issue_pass(
        a_draft(shard=SHARD, valid_from=now, valid_until=now + timedelta(days=3)), by=by(now)
    )
    credentials.revoke_pass(issued.pass_id, reason="lost", by=by(now))
    working = threading.Thread(target=publisher.loop, args=(stop,))
    working.start()
    try:
        for _ in range(100):
            row = held().row(issued.index)
            if row is not None and row.status is ListStatus.INVALID:
                break
            time.sleep(0.1)
        else:
            pytest.fail("nothing was published while the housekeeping was at work")
    finally:
        stop.set()
        released.set()
        working.join(20)
        connection.close()
