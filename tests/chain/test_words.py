"""What the verifier page calls a record is what the command calls it."""

import json
import re
from pathlib import Path

from lianfang_chain.words import FIELDS, KINDS, SCOPES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "web" / "src" / "verifier" / "words.ts"
CATALOGUE = ROOT / "src" / "lianfang" / "rules" / "data" / "national.json"


def _table(name: str) -> dict[str, tuple[str, str]]:
    body = re.search(rf"const {name}: [^=]+= \{{\n(.*?)\n\}};", PAGE.read_text(), re.DOTALL)
    assert body
    rows = re.findall(r'^  "?([\w:]+)"?: \["(.*)", "(.*)"\],$', body[1], re.MULTILINE)
    return {code: (zh, en) for code, zh, en in rows}


def test_kinds_and_places_have_the_same_words_on_the_page_and_in_the_command() -> None:
    assert _table("KINDS") == dict(KINDS)
    assert _table("SCOPES") == dict(SCOPES)
    assert _table("FIELDS") == dict(FIELDS)


def test_reasons_are_called_as_in_the_catalogue_that_ships() -> None:
    found: dict[str, tuple[str, str]] = {}

    def look(value: object) -> object:
        if isinstance(value, dict) and {"code", "zh", "en", "anchor_event"} <= value.keys():
            found[value["code"]] = (value["zh"], value["en"])
        return value

    json.loads(CATALOGUE.read_text(), object_hook=look)
    assert found
    assert _table("REASONS") == found
