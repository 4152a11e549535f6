"""Two limits at which a careless reading would still look right."""

from __future__ import annotations

import pytest

from lianfang_pass import base45, scan
from lianfang_pass.errors import Rejected
from lianfang_pass.numbers import pass_number, read_pass_number
from lianfang_pass.situation import Status
from lianfang_pass.statuslist import ListStatus, ShardState, pack

from .world import DAY, HOME, KEY_LIST, NOON, URI, a_pass, pass_token


def test_check_digits_that_give_the_same_sum_are_refused() -> None:
    seen = set()
    for serial in range(300):
        number = pass_number(serial)
        for right, wrong in (("97", "00"), ("98", "01"), ("02", "99")):
            if number.endswith(right):
                seen.add(right)
                with pytest.raises(Rejected):
                    read_pass_number(number[:-2] + wrong)
    assert seen == {"97", "98", "02"}


@pytest.mark.parametrize(("days", "status"), [(30, Status.BEFORE_END), (31, Status.VALID)])
def test_an_index_counts_for_an_ended_pass_only_while_nobody_else_can_have_it(
    days: int, status: Status
) -> None:
    ended = NOON - days * DAY
    text = base45.to_text(pass_token(a_pass(issued_at=ended - 5 * DAY, expires_at=ended)))
    bits = pack({4711: ListStatus.SUSPENDED}, 8192)
    out = scan.look(
        scan.Look([text], inward=False, device_time=NOON),
        gate=scan.Gate(frozenset({HOME})),
        held=scan.Held(KEY_LIST, {URI: ShardState(URI, 3, NOON, bits, {4711: NOON + DAY})}, floor=NOON),
    )
    assert out.situation.status is status
