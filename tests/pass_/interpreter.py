"""A small interpreter of `vectors/verdicts.json`: first row that fits, for every combination.

It shares no code with `lianfang_pass.verdict`; the two must agree everywhere.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parents[2] / "vectors" / "verdicts.json"
Row = dict[str, Any]


def table() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(TABLE.read_text())
    return loaded


def every_combination(rules: dict[str, Any]) -> Iterator[tuple[dict[str, str], Row, list[str]]]:
    """Yield each combination with the first row that fits and the notes that apply.

    Walks the dimensions one after another and keeps only rows still possible, so that
    800,000 combinations take seconds.
    """
    names = list(rules["dimensions"])

    def walk(
        at: int, chosen: dict[str, str], rows: list[Row], notes: list[Row]
    ) -> Iterator[tuple[dict[str, str], Row, list[str]]]:
        if at == len(names):
            said: list[str] = []
            for note in notes:
                if note["note"] not in said:
                    said.append(note["note"])
            yield dict(chosen), rows[0], said
            return
        name = names[at]
        for value in rules["dimensions"][name]:
            chosen[name] = value
            yield from walk(
                at + 1,
                chosen,
                [row for row in rows if value in row["when"].get(name, (value,))],
                [note for note in notes if value in note["when"].get(name, (value,))],
            )

    yield from walk(0, {}, rules["rows"], rules["notes"])
