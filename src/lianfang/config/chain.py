"""Who the log is and who witnesses it, as written in `data/chain.json` by the first start."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_ORIGIN: Final = "lianfang.example/chain"


def chain_settings(data: Path) -> tuple[str, list[dict[str, str]]]:
    """Origin of the log and its witnesses (`name`, `vkey`, `url`); none are known before the first start."""
    file = data / "chain.json"
    if not file.exists():
        return DEFAULT_ORIGIN, []
    content = json.loads(file.read_text())
    return content["origin"], content["witnesses"]
