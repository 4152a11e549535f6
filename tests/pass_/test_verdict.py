"""Every combination of the gate's decision: the written function against the table, and G-5…G-9."""

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang_pass.situation import Situation
from lianfang_pass.verdict import UNREADABLE, Decision, Verdict, decide, decide_values

from .interpreter import every_combination, table

RULES = table()
KNOWN = {"paper", "phone", "phone_stale", "found"}
FREEING = {"release", "lift", "order_over"}
Values = dict[str, str]


def order_in_force(v: Values) -> bool:
    """An order in force, its end known or not."""
    if v["slip"] != "none":
        return v["slip"] == "order_running"
    return v["proof"] in KNOWN and v["status"] in {"before_end", "no_end"}


def order_with_known_end(v: Values) -> bool:
    return order_in_force(v) and (v["slip"] == "order_running" or v["status"] == "before_end")


def freed(v: Values) -> bool:
    """A known end has come, or a slip is in effect, and pass or slip is good."""
    if v["slip"] in FREEING:
        return True
    good = v["proof"] in {"paper", "phone"} and v["term"] == "in_term"
    return good and v["slip"] == "none" and v["status"] == "after_end"


def nothing_else(v: Values) -> bool:
    return v["act"] == "none" and v["clearance"] == "not_asked" and v["temperature"] == "normal"


def no_life_exit(v: Values) -> bool:
    return v["life_exit"] == "no"


Claim = Callable[[Values, Decision], bool]
# Each claim is true of a combination, or that combination breaks it.
CLAIMS: dict[str, Claim] = {
    "(a) no harsher than ALLOW_REG at the own compound without an order or act in force": lambda v, d: (
        not (
            v["movement"] in {"home_out", "home_in"}
            and (v["proof"] in KNOWN or v["slip"] != "none")
            and not order_in_force(v)
            and v["act"] == "none"
        )
        or d.verdict in {Verdict.ALLOW, Verdict.ALLOW_REG}
    ),
    "(b) ALLOW after a known end or with a slip in effect": lambda v, d: (
        not (no_life_exit(v) and freed(v) and nothing_else(v)) or d.verdict is Verdict.ALLOW
    ),
    "(c) nobody let out before the end": lambda v, d: (
        not (no_life_exit(v) and order_with_known_end(v) and v["movement"] in {"home_out", "place_in"})
        or d.verdict in {Verdict.CALL, Verdict.DENY}
    ),
    "(d) DENY only for an order in force whose known end is to come, with a sure clock": lambda v, d: (
        d.verdict is not Verdict.DENY or (order_with_known_end(v) and v["clock"] == "sure")
    ),
    "(e) a life exit is ALLOW_REG": lambda v, d: (
        v["life_exit"] == "no" or (d.verdict is Verdict.ALLOW_REG and d.reason == "LIFE_EXIT")
    ),
    "(f) a quota or perimeter reason needs an act in force": lambda v, d: (
        d.reason not in {"QUOTA_USED", "PERIMETER_CLOSED"} or v["act"] != "none"
    ),
    "G-6 an old list never makes anything stricter, but under a perimeter act": lambda v, d: (
        v["evidence"] == "day"
        or v["act"] == "perimeter_listed"
        or d.verdict is Verdict.ALLOW_REG
        or d.verdict is decide(Situation.read({**v, "evidence": "day"})).verdict
    ),
    "G-6 a list older than three days says so": lambda v, d: v["evidence"] != "old" or "LIST_OLD" in d.notes,
    "G-9 nobody known is refused or held at the own door on the way in": lambda v, d: (
        not (v["movement"] == "home_in" and (v["proof"] in KNOWN or v["slip"] != "none"))
        or d.verdict in {Verdict.ALLOW, Verdict.ALLOW_REG}
    ),
    "G-9 nobody at all is refused at the own door on the way in": lambda v, d: (
        v["movement"] != "home_in" or d.verdict is not Verdict.DENY
    ),
    "a pass of which nothing speaks against is ALLOW": lambda v, d: (
        not (
            no_life_exit(v)
            and nothing_else(v)
            and v["proof"] in {"paper", "phone"}
            and v["term"] == "in_term"
            and v["status"] == "valid"
            and v["slip"] == "none"
            and v["evidence"] == "day"
            and v["clock"] == "sure"
            and v["keys"] == "current"
        )
        or (d.verdict is Verdict.ALLOW and d.reason == "OK")
    ),
}


def disagreements(rules: dict[str, Any], *, stop_at_first: bool) -> list[Values]:
    found = []
    for values, row, notes in every_combination(rules):
        decision = decide(Situation.read(values))
        if (decision.verdict, decision.reason, list(decision.notes)) != (
            row["verdict"],
            row["reason"],
            notes,
        ):
            found.append(values)
            if stop_at_first:
                break
    return found


def test_function_and_table_agree_everywhere_and_every_claim_holds() -> None:
    size = 1
    for values in RULES["dimensions"].values():
        size *= len(values)
    seen = 0
    used: Counter[str] = Counter()
    broken: dict[str, Values] = {}
    for values, row, notes in every_combination(RULES):
        seen += 1
        used[row["id"]] += 1
        decision = decide(Situation.read(values))
        got = (decision.verdict, decision.reason, list(decision.notes))
        if got != (row["verdict"], row["reason"], notes):
            broken.setdefault(f"table row {row['id']} says otherwise than {got}", values)
        for claim, holds in CLAIMS.items():
            if not holds(values, decision):
                broken.setdefault(claim, values)
    assert not broken
    assert size == 829_440
    assert seen == size
    assert set(used) == {row["id"] for row in RULES["rows"]}, "a row that never applies says nothing"


@pytest.mark.parametrize(
    ("row", "verdict"),
    [("order-in-force", "ALLOW_REG"), ("term-ended", "CALL"), ("list-old", "CALL"), ("expired-home", "DENY")],
)
def test_one_wrong_row_is_found(row: str, verdict: str) -> None:
    wrong = copy.deepcopy(RULES)
    next(r for r in wrong["rows"] if r["id"] == row)["verdict"] = verdict
    assert disagreements(wrong, stop_at_first=True)


def test_every_reason_has_words_in_both_languages() -> None:
    reasons = {row["reason"] for row in RULES["rows"]} | {RULES["fallback"]["reason"]}
    assert reasons == set(RULES["reasons"])
    for words in RULES["reasons"].values():
        assert all(words[key] for key in ("zh", "en", "next_zh", "next_en"))


GARBAGE = st.dictionaries(
    st.sampled_from([*RULES["dimensions"], "colour"]) | st.text(max_size=5),
    st.none() | st.integers() | st.text(max_size=8) | st.lists(st.integers(), max_size=2),
)


@given(GARBAGE)
def test_garbage_is_call_and_never_an_exception(values: dict[str, object]) -> None:
    decision = decide_values(values)
    if values.get("life_exit") != "yes":
        assert decision == UNREADABLE
        assert decision.reason == RULES["fallback"]["reason"]


def test_a_life_exit_needs_nothing_else() -> None:
    assert decide_values({"life_exit": "yes"}).verdict is Verdict.ALLOW_REG
