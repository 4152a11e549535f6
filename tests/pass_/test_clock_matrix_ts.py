"""The clock matrix in the gate's own code: every cell on all three devices, as Python decides it (trust §5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lianfang_pass import scan

from . import world
from .gate_script import looked
from .test_clock_matrix import CELLS, JUMPS, TEXT, shard

if TYPE_CHECKING:
    from pathlib import Path

NOON, HOME = world.NOON, world.HOME


def looks() -> list[tuple[int, int, bool, int, int]]:
    """Device time, offset, inward, when the list was signed, the end. The devices: never corrected, corrected before
    its clock jumped, corrected after."""
    found = []
    for off, jump, list_age, end in CELLS:
        device_time = NOON + off + JUMPS[jump]
        for offset in (0, -off, -off - JUMPS[jump]):
            for inward in (False, True):
                found.append((device_time, offset, inward, NOON - list_age, NOON + end))
    return found


def test_the_gate_decides_every_cell_on_every_device_as_python_does(tmp_path: Path) -> None:
    asked = looks()
    assert len(asked) == 1080 * 3 * 2
    said = looked(
        tmp_path,
        index=4711,
        bits=bytes(shard(NOON, NOON).bits),
        texts=[TEXT],
        compounds=[[HOME]],
        looks=[[*one, 0, 0] for one in asked],
    )
    verdicts = set()
    for one, (device_time, offset, inward, signed_at, end) in zip(said, asked, strict=True):
        out = scan.look(
            scan.Look([TEXT], inward=inward, device_time=device_time),
            gate=scan.Gate(frozenset({HOME})),
            held=scan.Held(
                world.KEY_LIST, {world.URI: shard(signed_at, end)}, floor=signed_at, offset=offset
            ),
        )
        situation = {name: str(value) for name, value in out.situation._asdict().items()}
        expected = [out.decision.verdict, out.decision.reason, out.time_used, out.floor, situation]
        assert one == expected, (device_time - NOON, offset, inward, signed_at - NOON, end - NOON)
        verdicts.add(one[0])
    assert verdicts == {"ALLOW", "ALLOW_REG", "CALL", "DENY"}
