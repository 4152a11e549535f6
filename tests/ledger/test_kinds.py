"""The vocabulary of entries is closed: every kind in the source has its words, in both languages."""

import ast
import re
from pathlib import Path
from typing import Any

from lianfang.ledger.kinds import FREEING
from lianfang_chain.words import FIELDS, KINDS

SOURCE = Path(__file__).parents[2] / "src" / "lianfang"
KIND = re.compile(r'"([a-z_]+:[a-z_]+:[a-z_]+)"')


def kinds_in(text: Any) -> Any:
    """Kinds named in the call of an append, which may choose between two."""
    found = set()
    for call in re.finditer(r"\bappend\(", text):
        argument = re.search(r"kind=(.*?),\n", text[call.end() : call.end() + 600])
        if argument:
            found |= set(KIND.findall(argument[1]))
    return found


def test_every_kind_that_is_appended_has_words() -> None:
    found = {kind for file in SOURCE.rglob("*.py") for kind in kinds_in(file.read_text(encoding="utf-8"))}
    assert {"orders:isolation:issued", "ledger:disclosures:erased"} <= found  # so the search finds something
    assert found - set(KINDS) == set()


def fields_in(source: str) -> set[str]:
    """Names of terms and secrets that stand in the calls of an append, and in dictionaries handed to it by name."""
    found: set[str] = set()
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call) or ast.unparse(call.func).rpartition(".")[2] != "append":
            continue
        for keyword in call.keywords:
            if keyword.arg in ("terms", "secrets"):
                found |= {
                    key.value
                    for part in ast.walk(keyword.value)
                    if isinstance(part, ast.Dict)
                    for key in part.keys
                    if isinstance(key, ast.Constant) and isinstance(key.value, str)
                }
    return found


def test_every_term_that_is_appended_has_words() -> None:
    """On the verifier's page a reader sees "to", not "until"."""
    found = {name for file in SOURCE.rglob("*.py") for name in fields_in(file.read_text(encoding="utf-8"))}
    assert {"order_no", "until", "proposed_by"} <= found
    assert found - set(FIELDS) == set()


def test_what_frees_is_in_the_vocabulary() -> None:
    assert set(KINDS) >= FREEING
    assert "orders:isolation:issued" not in FREEING
