"""Device clocks that are off, jump forward or back, against lists and passes of every age (trust §5.3)."""

from __future__ import annotations

import itertools

import pytest

from lianfang_pass import base45, scan
from lianfang_pass.situation import Clock, Status
from lianfang_pass.statuslist import ListStatus, ShardState, pack
from lianfang_pass.verdict import Verdict

from .world import DAY, HOME, HOUR, KEY_LIST, NOON, URI, a_pass, pass_token

OFFSETS = [s * n for n in (1, 300, HOUR, 8 * HOUR, DAY, 25 * HOUR, 400 * DAY) for s in (1, -1)] + [0]
JUMPS = {"steady": 0, "forward": 2 * HOUR, "back": -2 * HOUR}
LIST_AGES = [60, 3 * DAY - 1, 3 * DAY + 1, 7 * DAY]
#: Seconds from now to the end of the order on the pass shown.
ENDS = [-DAY, -1, 0, 1, DAY, 8 * DAY]
CELLS = list(itertools.product(OFFSETS, JUMPS, LIST_AGES, ENDS))


def shard(signed_at: int, end: int) -> ShardState:
    bits = pack({4711: ListStatus.SUSPENDED}, 8192)
    return ShardState(URI, 3, signed_at, bits, {4711: end})


def outcome(cell: tuple[int, str, int, int], *, inward: bool, corrected: int = 0) -> scan.Outcome:
    offset, jump, list_age, end = cell
    signed_at = NOON - list_age
    return scan.look(
        scan.Look([TEXT], inward=inward, device_time=NOON + offset + JUMPS[jump]),
        gate=scan.Gate(frozenset({HOME})),
        held=scan.Held(KEY_LIST, {URI: shard(signed_at, NOON + end)}, floor=signed_at, offset=corrected),
    )


# Issued before the oldest list, so that every list speaks of it.
TEXT = base45.to_text(pass_token(a_pass(issued_at=NOON - 10 * DAY, expires_at=NOON + 21 * DAY)))


def test_the_matrix_is_the_one_of_the_programme() -> None:
    assert len(CELLS) == 1080
    assert len(set(CELLS)) == 1080


@pytest.mark.parametrize("jump", JUMPS)
def test_no_clock_denies_after_a_known_end_or_locks_anybody_out(jump: str) -> None:
    for cell in CELLS:
        if cell[1] != jump:
            continue
        end = NOON + cell[3]
        going_out, coming_in = outcome(cell, inward=False), outcome(cell, inward=True)
        for out in (going_out, coming_in):
            assert out.time_used >= NOON - cell[2], cell  # never before what the server signed
            behind = NOON + cell[0] + JUMPS[jump] < NOON - cell[2] - 300
            assert (out.situation.clock is Clock.DOUBT) == behind, cell
        expired = going_out.time_used >= NOON + 21 * DAY
        if expired:
            # A clock 400 days fast: the pass is long over, the order too. Registered, never refused.
            assert going_out.decision.verdict is Verdict.ALLOW_REG, cell
        elif going_out.time_used >= end:
            assert going_out.situation.status is Status.AFTER_END
            assert going_out.decision.verdict is Verdict.ALLOW, cell
        elif going_out.situation.clock is Clock.DOUBT:
            assert going_out.decision.verdict is Verdict.CALL, cell
        else:
            assert going_out.decision.verdict is Verdict.DENY, cell
        assert coming_in.decision.verdict in {Verdict.ALLOW, Verdict.ALLOW_REG}, cell


@pytest.mark.parametrize("after_the_jump", [False, True])
def test_a_device_that_was_corrected_goes_by_the_corrected_time(after_the_jump: bool) -> None:
    """The other two devices of the programme: corrected by the server before its clock jumped, and after."""
    for cell in CELLS:
        offset, jump, list_age, ends = cell
        corrected = -offset - (JUMPS[jump] if after_the_jump else 0)
        believed = NOON if after_the_jump else NOON + JUMPS[jump]
        out = outcome(cell, inward=False, corrected=corrected)
        assert out.time_used == max(believed, NOON - list_age), cell
        wanted = Verdict.ALLOW if out.time_used >= NOON + ends else Verdict.DENY
        if out.situation.clock is Clock.DOUBT and wanted is Verdict.DENY:
            wanted = Verdict.CALL
        assert out.decision.verdict is wanted, cell
        home = outcome(cell, inward=True, corrected=corrected).decision.verdict
        assert home in {Verdict.ALLOW, Verdict.ALLOW_REG}, cell


def test_an_end_that_the_device_has_seen_pass_cannot_be_undone_by_its_clock() -> None:
    """The list was signed after the end: whatever the clock says, the person is free."""
    for offset in OFFSETS:
        out = scan.look(
            scan.Look([TEXT], inward=False, device_time=NOON + min(offset, DAY)),
            gate=scan.Gate(frozenset({HOME})),
            held=scan.Held(KEY_LIST, {URI: shard(NOON, NOON - 1)}, floor=NOON),
        )
        assert out.decision.verdict is Verdict.ALLOW, offset


def test_a_phone_set_far_ahead_does_not_move_the_floor() -> None:
    from lianfang_pass import tokens

    from .world import HOLDER, a_phone_pass

    ahead = tokens.sign_code(pass_token(a_phone_pass()), at=NOON + 400 * DAY, key=HOLDER)
    out = scan.look(
        scan.Look([base45.to_text(ahead)], inward=False, device_time=NOON),
        gate=scan.Gate(frozenset({HOME})),
        held=scan.Held(KEY_LIST, {}, floor=NOON - HOUR),
    )
    assert out.floor == NOON - HOUR
    assert out.time_used == NOON
