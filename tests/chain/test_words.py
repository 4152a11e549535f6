"""What the verifier page calls a record is what the command calls it."""

import re
from pathlib import Path

from lianfang_chain.words import KINDS, SCOPES

PAGE = Path(__file__).parents[2] / "web" / "src" / "verifier" / "words.ts"


def _table(name: str) -> dict[str, tuple[str, str]]:
    body = re.search(rf"const {name}: [^=]+= \{{\n(.*?)\n\}};", PAGE.read_text(), re.DOTALL)
    assert body
    rows = re.findall(r'^  "?([\w:]+)"?: \["(.*)", "(.*)"\],$', body[1], re.MULTILINE)
    return {code: (zh, en) for code, zh, en in rows}


def test_kinds_and_places_have_the_same_words_on_the_page_and_in_the_command() -> None:
    assert _table("KINDS") == dict(KINDS)
    assert _table("SCOPES") == dict(SCOPES)
