"""The clock matrix with the ages of what is shown: 15 clocks x 3 jumps x 4 lists x 6 tokens (trust §5.3a, passes §4.4).

The answer expected of each cell is worked out here from the words of docs/gates.md, in plain seconds, and then read
from `vectors/verdicts.json` by the small interpreter: no line of the code under test takes part. `test_clock_matrix`
turns the same clocks against the ends of orders.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, NamedTuple

from lianfang_pass import base45, scan, tokens
from lianfang_pass.statuslist import ListStatus, ShardState, pack
from tests.sizes import SIZE

from . import interpreter, world
from .gate_script import looked
from .test_clock_matrix import JUMPS, LIST_AGES, OFFSETS
from .world import DAY, HOLDER, HOME, HOUR, NOON

if TYPE_CHECKING:
    from pathlib import Path

INDEX: Final = 4711


class Token(NamedTuple):
    """What is shown, and the instants in it that the rules ask for."""

    text: str
    issued: int
    expires: int
    begins: int | None = None
    code: int | None = None  # when the phone signed


def _paper(issued: int, expires: int, begins: int | None = None) -> Token:
    claims = world.a_pass(issued_at=issued, expires_at=expires, not_before=begins)
    return Token(base45.to_text(world.pass_token(claims)), issued, expires, begins)


def _phone(code: int) -> Token:
    issued, expires = NOON - 2 * HOUR, NOON - 2 * HOUR + 3 * DAY
    claims = world.a_phone_pass(issued_at=issued, expires_at=expires, index=INDEX)
    signed = tokens.sign_code(world.pass_token(claims), at=code, key=HOLDER)
    return Token(base45.to_text(signed), issued, expires, None, code)


#: Each side of each border that the rules draw through a token's age: the window of a rotating code (90 s), the end
#: of a pass, and the 300 s by which a pass may be ahead of the gate. A pass that is over for more than its index rests
#: comes with the clocks that are 400 days ahead.
TOKENS: Final = {
    "code of now": _phone(NOON),
    "code at the edge": _phone(NOON - 90),
    "code a second beyond": _phone(NOON - 91),
    "paper in its last minute": _paper(NOON + 60 - 31 * DAY, NOON + 60),
    "paper over since a second": _paper(NOON - 1 - 31 * DAY, NOON - 1),
    "paper of 301 s from now": _paper(NOON - HOUR, NOON + 20 * DAY, NOON + 301),
}
CELLS: Final = list(itertools.product(OFFSETS, JUMPS, LIST_AGES, TOKENS))
#: The three devices: at the compound's own gate (at every change), at a road checkpoint, at another place.
GATES: Final = {"compound": [HOME], "road": [], "venue": ["w7q"]}
AT: Final = ["compound"] if SIZE == "change" else list(GATES)
#: What the list says: no order, one with a day to go, one over since a second.
ENDS: Final = [None, NOON + DAY, NOON - 1]


class Asked(NamedTuple):
    clock: int
    signed_at: int
    token: str
    gate: str
    inward: bool
    end: int | None


ASKED: Final = [
    Asked(NOON + offset + JUMPS[jump], NOON - age, token, gate, inward, end)
    for offset, jump, age, token in CELLS
    for gate in AT
    for inward in (False, True)
    for end in ENDS
]
_ROWS: Final = interpreter.table()["rows"]


class Expected(NamedTuple):
    verdict: str
    reason: str
    now: int
    floor: int


def situation(asked: Asked) -> tuple[dict[str, str], int, int]:
    """The situation in the words of the table, the time counted with and the floor."""
    token = TOKENS[asked.token]
    floor = max(asked.signed_at, token.issued)
    doubt = asked.clock < floor - 300
    now = max(asked.clock, floor)
    status, known = "valid", []
    if now < token.expires + 31 * DAY:  # then the index may be another's
        known.append(asked.signed_at)
        if asked.end is not None and asked.signed_at >= token.issued:
            status = "before_end" if now < asked.end else "after_end"
    proof = "paper"
    if token.code is not None:
        known.append(token.issued)
        proof = "phone" if doubt or abs(now - token.code) <= 90 else "phone_stale"
    age = now - max(known) if known else 10**9
    early = token.begins is not None and token.begins > now + 300
    words = {
        "life_exit": "no",
        "movement": ("home_" if asked.gate == "compound" else "place_") + ("in" if asked.inward else "out"),
        "proof": proof,
        "term": "expired" if now >= token.expires else "not_yet" if early else "in_term",
        "status": status,
        "slip": "none",
        "evidence": "day" if age <= DAY else "three_days" if age <= 3 * DAY else "old",
        "clock": "doubt" if doubt else "sure",
        "keys": "current" if now < NOON + 29 * DAY else "expired",
        "act": "none",
        "clearance": "not_asked",
        "temperature": "normal",
    }
    return words, now, floor


def expected(asked: Asked) -> Expected:
    words, now, floor = situation(asked)
    row = next(row for row in _ROWS if all(words[name] in allowed for name, allowed in row["when"].items()))
    return Expected(row["verdict"], row["reason"], now, floor)


def test_the_matrix_is_the_one_of_the_programme() -> None:
    assert len(set(CELLS)) == 15 * 3 * 4 * 6 == 1080
    assert len(ASKED) == 1080 * len(AT) * 6


def test_python_decides_every_cell_as_the_rules_say() -> None:
    for asked in ASKED:
        statuses = {} if asked.end is None else {INDEX: ListStatus.SUSPENDED}
        ends = {} if asked.end is None else {INDEX: asked.end}
        out = scan.look(
            scan.Look([TOKENS[asked.token].text], inward=asked.inward, device_time=asked.clock),
            gate=scan.Gate(frozenset(GATES[asked.gate])),
            held=scan.Held(
                world.KEY_LIST,
                {world.URI: ShardState(world.URI, 3, asked.signed_at, pack(statuses, 8192), ends)},
                floor=asked.signed_at,
            ),
        )
        said = Expected(out.decision.verdict, out.decision.reason, out.time_used, out.floor)
        assert said == expected(asked), asked


def test_the_gate_decides_every_cell_as_the_rules_say(tmp_path: Path) -> None:
    names, gates = list(TOKENS), list(GATES)
    said = looked(
        tmp_path,
        index=INDEX,
        bits=bytes(pack({INDEX: ListStatus.SUSPENDED}, 8192)),
        texts=[token.text for token in TOKENS.values()],
        compounds=list(GATES.values()),
        looks=[
            [a.clock, 0, a.inward, a.signed_at, a.end, names.index(a.token), gates.index(a.gate)]
            for a in ASKED
        ],
    )
    for one, asked in zip(said, ASKED, strict=True):
        assert Expected(*one[:4]) == expected(asked), asked


def test_what_must_hold_in_every_cell() -> None:
    """The promises themselves, of the expected answers: a wrong row or a wrong rule above would break one."""
    seen = set()
    for asked in ASKED:
        (words, now, floor), answer = situation(asked), expected(asked)
        seen.add(answer.verdict)
        token = TOKENS[asked.token]
        held = asked.inward is (asked.gate != "compound")  # out of the own door, or into another place
        assert floor <= now, asked
        if asked.gate == "compound" and asked.inward:  # nobody is locked out of the own home
            assert answer.verdict in {"ALLOW", "ALLOW_REG"}, asked
        if answer.verdict == "DENY":  # only an order in force, its end known and to come, the clock sure
            assert held, asked
            assert asked.end is not None, asked
            assert now < asked.end, asked
            assert asked.clock >= floor - 300, asked
        if held and words["status"] == "before_end":  # nobody goes out before the end
            assert answer.verdict in {"DENY", "CALL"}, asked
        if token.code is not None and asked.clock >= floor - 300 and abs(now - token.code) > 90:
            assert answer.verdict != "ALLOW", asked  # an old code is no proof of a holder
        if now >= token.expires:
            assert answer.verdict != "ALLOW", asked
        if asked.clock < floor - 300:  # a clock that must be wrong is never taken for a free way or a refusal
            assert answer.verdict != "DENY", asked
            assert answer.verdict != "ALLOW" or words["status"] == "after_end", asked
    assert seen == {"ALLOW", "ALLOW_REG", "CALL", "DENY"}
