"""The vocabulary of entries is closed: every kind in the source has its words, in both languages."""

import re
from pathlib import Path
from typing import Any

from lianfang.ledger.kinds import FREEING
from lianfang_chain.words import KINDS

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


def test_what_frees_is_in_the_vocabulary() -> None:
    assert set(KINDS) >= FREEING
    assert "orders:isolation:issued" not in FREEING
