"""Who the log is and who witnesses it, as written in `data/chain.json` by the first start."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from lianfang_chain.note import MalformedNote, VerifierKey

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_ORIGIN: Final = "lianfang.example/chain"
PUT_BACK: Final = (
    "put back the copy of a backup; without one write it anew from policy.txt, which every party has "
    '(docs/chain.md, "Damaged files")'
)


def chain_settings(data: Path) -> tuple[str, list[dict[str, str]]]:
    """Origin of the log and its witnesses (`name`, `vkey`, `url`); none are known before the first start.

    :raises SystemExit: see `written`
    """
    content = written(data)
    return (content["origin"], content["witnesses"]) if content else (DEFAULT_ORIGIN, [])


def written(data: Path) -> dict[str, Any] | None:
    """What stands in the file, or nothing before the first start.

    :raises SystemExit: it is not what was written, with a sentence that says what to do
    """
    file = data / "chain.json"
    if not file.exists():
        return None
    try:
        content: dict[str, Any] = json.loads(file.read_bytes())
        for witness in content["witnesses"]:
            VerifierKey.parse(witness["vkey"])
            witness["name"], content["origin"]
    except (ValueError, KeyError, TypeError, AttributeError, MalformedNote) as error:
        raise SystemExit(f"{file} is not what was written ({error}): {PUT_BACK}") from error
    return content
